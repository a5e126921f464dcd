// /v1/tokens: a tenant's access tokens, made, rotated and revoked while the server runs. A token is shown by the answer that
// makes it, and never again.
#include "event-gateway/http_tokens.h"

#include <fmt/format.h>

#include <charconv>

#include "event-gateway/http_handlers.h"
#include "event-gateway/http_status.h"
#include "event-gateway/read_parameters.h"
#include "event-gateway/resource_page.h"
#include "event-gateway/token_request.h"
#include "event/text.h"
#include "event/type.h"

namespace millrace::gateway {
namespace {

constexpr int64_t kUsPerS = 1'000'000;
constexpr int64_t kMostOverlapS = 30 * 86'400, kUsualOverlapS = 86'400;

Error no_store() {
  return error(Code::kUnsupported, "MR-AUTH-0013", "this server keeps no access tokens",
               "give it a tokens file");
}

Error no_such_token(const std::string& id) {
  return error(Code::kNotFound, "MR-AUTH-0007",
               fmt::format("there is no access token \"{}\"", start_of(id, 40)),
               "GET /v1/tokens lists what there is");
}

void append_time(formats::JsonText& out, std::string_view name, int64_t us, int64_t none) {
  out.name(name);
  if (us == none) {
    out.value("null");
    return;
  }
  std::string text;
  append_timestamp(text, Timestamp{us});
  out.text(text);
}

HttpAnswer token_answer(int status, const Token& token, const std::string& shown = {}) {
  HttpAnswer answer;
  answer.status = status;
  formats::JsonText out(answer.body);
  out.open('{');
  append_members(out, token);
  if (!shown.empty()) {
    out.name("token").text(shown);
    answer.fields = "Cache-Control: no-store\r\n";
  }
  out.close('}');
  answer.body += '\n';
  return answer;
}

bool may_see(const CallerPtr& caller, const Token& token) {
  return caller == nullptr || caller->all_tenants || caller->tenant == token.tenant;
}

// That the path names; one of another tenant is as none.
Result<const Token*> named_token(const HttpBackend& backend, const HttpRequest& request) {
  if (backend.token_store == nullptr) return no_store();
  const std::string& id = request.target.segments[2];
  const Token* token = backend.token_store->find(id);
  if (token == nullptr || !may_see(request.caller, *token)) return no_such_token(id);
  return token;
}

Result<int64_t> overlap_of(const HttpTarget& target) {
  int64_t seconds = kUsualOverlapS;
  for (const auto& [name, value] : target.query) {
    if (name != "overlap_seconds") {
      return bad_parameter(fmt::format("\"{}\" is not a parameter here", start_of(name, 40)),
                           "there is: overlap_seconds");
    }
    const char* const end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, seconds);
    if (read.ec != std::errc() || read.ptr != end || seconds < 0 || seconds > kMostOverlapS) {
      return bad_parameter(
          fmt::format("overlap_seconds has to be a whole number from 0 to {}", kMostOverlapS),
          "write overlap_seconds=3600");
    }
  }
  return seconds * kUsPerS;
}

std::string what_of(const std::string& id, const Token& token) {
  std::string scopes;
  for (const auto& scope : token.scopes.texts()) scopes += (scopes.empty() ? "" : ", ") + scope;
  return fmt::format("{} of {}: {}{}", id, token.tenant, scopes, token.all_tenants ? ", of all tenants" : "");
}

// Makes a secret off the loop; `then` gets it on the loop.
void with_secret(const HttpBackend& backend, const HttpReply& reply,
                 std::function<HttpAnswer(const MadeSecret&)> then) {
  const auto made = std::make_shared<Result<MadeSecret>>(MadeSecret{});
  auto work = [made] { *made = make_secret(); };
  auto done = [made, reply, then = std::move(then)] {
    reply.answer(made->ok() ? then(**made) : problem(made->error()));
  };
  if (!backend.verifying) {
    work();
    done();
  } else if (!backend.verifying(std::move(work), std::move(done))) {
    reply.answer(problem(error(Code::kExhausted, "MR-AUTH-0003",
                               "too many access tokens are being made or verified", "try again")));
  }
}

}  // namespace

void append_members(formats::JsonText& out, const Token& token) {
  out.name("id").text(token.id).name("tenant").text(token.tenant).name("name").text(token.name);
  out.name("scopes").open('[');
  for (const auto& scope : token.scopes.texts()) out.text(scope);
  out.close(']').name("all_tenants").flag(token.all_tenants);
  append_time(out, "created_at", token.created_us, kNeverUs);
  append_time(out, "expires_at", token.expires_us, kNeverUs);
  append_time(out, "last_used_at", token.used_us, 0);
  append_time(out, "old_secret_until", token.secrets.size() > 1 ? token.secrets[1].until_us : kNeverUs,
              kNeverUs);
}

void list_tokens(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  const auto page = page_request(request.target);
  if (!page.ok()) return reply.answer(problem(page.error()));
  if (backend.token_store == nullptr) return reply.answer(problem(no_store()));
  HttpAnswer answer;
  formats::JsonText out(answer.body);
  out.open('{').name("items").open('[');
  size_t taken = 0;
  std::string last, next;
  for (const Token* token : backend.token_store->list()) {
    if (token->id <= page->after || !may_see(request.caller, *token)) continue;
    if (taken == page->limit || answer.body.size() >= kMaxPageBytes) {
      next = page_cursor(last);
      break;
    }
    out.open('{');
    append_members(out, *token);
    out.close('}');
    last = token->id;
    ++taken;
  }
  out.close(']').name("next");
  next.empty() ? out.value("null") : out.text(next);
  out.close('}');
  answer.body += '\n';
  reply.answer(std::move(answer));
}

void show_token(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  if (const Status clean = check_no_parameters(request.target); !clean.ok())
    return reply.answer(problem(clean.error()));
  const auto token = named_token(backend, request);
  reply.answer(token.ok() ? token_answer(200, **token) : problem(token.error()));
}

void make_token(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  if (const Status clean = check_no_parameters(request.target); !clean.ok())
    return reply.answer(problem(clean.error()));
  if (backend.token_store == nullptr) return reply.answer(problem(no_store()));
  auto wanted = parse_token_request(request.body, request.caller, backend.now_us());
  if (!wanted.ok()) return reply.answer(problem(wanted.error()));
  with_secret(backend, reply,
              [&backend, write = later_audit(backend, request),
               token = std::move(*wanted)](const MadeSecret& secret) {
                const auto shown = backend.token_store->create(token, secret);
                const std::string id = shown.ok() ? std::string(parse_token(*shown)->id) : "none";
                write("CREATE TOKEN", what_of(id, token), shown.ok() ? Status() : Status(shown.error()));
                if (!shown.ok()) return problem(shown.error());
                return token_answer(201, *backend.token_store->find(id), *shown);
              });
}

void rotate_token(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  const auto overlap = overlap_of(request.target);
  if (!overlap.ok()) return reply.answer(problem(overlap.error()));
  const auto token = named_token(backend, request);
  if (!token.ok()) return reply.answer(problem(token.error()));
  with_secret(backend, reply,
              [&backend, write = later_audit(backend, request), id = (*token)->id, overlap_us = *overlap,
               what = what_of((*token)->id, **token)](const MadeSecret& secret) {
                const auto shown = backend.token_store->rotate(id, secret, overlap_us, backend.now_us());
                write("ROTATE TOKEN", what, shown.ok() ? Status() : Status(shown.error()));
                if (!shown.ok()) return problem(shown.error());
                return token_answer(200, *backend.token_store->find(id), *shown);
              });
}

void revoke_token(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  if (const Status clean = check_no_parameters(request.target); !clean.ok())
    return reply.answer(problem(clean.error()));
  const auto token = named_token(backend, request);
  if (!token.ok()) return reply.answer(problem(token.error()));
  const std::string what = what_of((*token)->id, **token);
  const Status revoked = backend.token_store->revoke((*token)->id, backend.now_us());
  audit(backend, request, "REVOKE TOKEN", what, revoked);
  if (!revoked.ok()) return reply.answer(problem(revoked.error()));
  HttpAnswer answer;
  answer.status = 204;
  reply.answer(std::move(answer));
}

}  // namespace millrace::gateway
