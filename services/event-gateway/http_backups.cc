// /v1/backups: the hold that `millrace backup` works under.
#include <fmt/format.h>

#include "event-gateway/http_handlers.h"
#include "event-gateway/http_status.h"
#include "formats/json_text.h"

namespace millrace::gateway {
namespace {

Result<HttpAnswer> begin(Backups& backups) {
  TRY_ASSIGN(const auto held, backups.begin());
  HttpAnswer answer;
  formats::JsonText out(answer.body);
  out.open('{').name("id").text(held.id).name("lease_seconds").number(held.lease.count()).close('}');
  answer.body += '\n';
  return answer;
}

Result<HttpAnswer> cut(Backups& backups, const std::string& id) {
  TRY_ASSIGN(auto cut, backups.cut(id));
  HttpAnswer answer;
  answer.content_type = "application/octet-stream";
  answer.fields = fmt::format("Millrace-Frames: {}-{}\r\n", cut.first.value, cut.last.value);
  answer.body = std::move(cut.metadata);
  return answer;
}

Result<HttpAnswer> done(Status status) {
  TRY(std::move(status));
  HttpAnswer answer;
  answer.status = 204;
  return answer;
}

Result<HttpAnswer> answer_to(Backups& backups, const HttpRequest& request) {
  if (request.route == Route::kBeginBackup) return begin(backups);
  const std::string& id = request.target.segments[2];
  if (request.route == Route::kCutBackup) return cut(backups, id);
  return done(request.route == Route::kRenewBackup ? backups.renew(id) : backups.end(id));
}

// Only what was held until the copy is there belongs to the backup: the answer renews it.
void copy_registry(const HttpBackend& backend, const std::string& id, const HttpReply& reply) {
  const auto done = [&backups = *backend.backups, id, reply](Result<std::string> store) {
    const Status held = store.ok() ? backups.renew(id) : Status(store.error());
    if (!held.ok()) return reply.answer(problem(held.error()));
    HttpAnswer answer;
    formats::JsonText(answer.body).open('{').name("store").text(*store).close('}');
    answer.body += '\n';
    reply.answer(std::move(answer));
  };
  if (const Status held = backend.backups->renew(id); !held.ok()) return done(held.error());
  backend.copy_registry ? backend.copy_registry(done) : done(std::string("none"));
}

std::string_view act_of(Route route) {
  if (route == Route::kBeginBackup) return "BEGIN BACKUP";
  return route == Route::kCutBackup ? "CUT BACKUP" : "END BACKUP";
}

}  // namespace

void hold_backup(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  if (backend.backups == nullptr) {
    return reply.answer(
        problem(error(Code::kUnavailable, "MR-NODE-0018", "this server has no data directory to copy")));
  }
  if (request.caller != nullptr && !request.caller->all_tenants) {
    return reply.answer(problem(error(Code::kDenied, "MR-NODE-0026", "this is about every tenant's data",
                                      "use a token that was made with --all-tenants")));
  }
  if (request.route == Route::kCopyRegistry) return copy_registry(backend, request.target.segments[2], reply);
  auto answer = answer_to(*backend.backups, request);
  if (request.route != Route::kRenewBackup) {
    const std::string what = request.target.segments.size() > 2 ? request.target.segments[2] : std::string();
    audit(backend, request, act_of(request.route), what, answer.ok() ? Status() : Status(answer.error()));
  }
  reply.answer(answer.ok() ? std::move(*answer) : problem(answer.error()));
}

}  // namespace millrace::gateway
