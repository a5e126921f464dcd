#include "node/schema_registry_service.h"

#include <fmt/format.h>

#include "event-gateway/http_handlers.h"
#include "event-gateway/http_status.h"
#include "formats/jsonb.h"
#include "node/registry_copy.h"
#include "node/schema_proposal.h"
#include "schema-registry/acts.h"
#include "schema-registry/formats.h"

namespace millrace::node {
namespace {

using gateway::HttpAnswer;
using registry::Access;

constexpr gateway::ScopeSet kAdmin = static_cast<gateway::ScopeSet>(gateway::Scope::kAdmin);

std::function<bool(Access, const std::string&)> rights_of(const gateway::CallerPtr& caller) {
  if (caller == nullptr) return nullptr;
  return [caller](Access access, const std::string& subject) {
    const gateway::Scopes& scopes = caller->scopes;
    if (access == Access::kRead || scopes.has_any(kAdmin)) return true;
    return access == Access::kWrite && scopes.allows(gateway::Scope::kIngest, subject);
  };
}

registry::RegistryRequest to_registry(const gateway::HttpRequest& request) {
  registry::RegistryRequest out;
  out.method = request.head.method;
  out.path = request.target.segments;
  out.query = request.target.query;
  out.accept = request.head.accept;
  out.content_type = request.head.content_type;
  out.accept_unknown = request.head.accept_unknown;
  out.body = request.body;
  if (request.caller != nullptr) out.tenant = request.caller->tenant;
  out.may = rights_of(request.caller);
  return out;
}

Error too_busy() {
  return error(Code::kUnavailable, "MR-REG-0004", "too many requests wait for the schema registry",
               "send it again");
}

HttpAnswer to_http(registry::RegistryAnswer answer) {
  HttpAnswer out;
  out.status = answer.status;
  out.content_type = answer.content_type;
  out.body = std::move(answer.body);
  if (!answer.allow.empty()) out.fields = fmt::format("Allow: {}\r\n", answer.allow);
  return out;
}

std::string member_of(const std::string& object, std::string_view name) {
  std::string out;
  if (const auto value = formats::jsonb_member(object, name)) formats::append_jsonb_text(out, *value);
  return out;
}

// The problem's own code stays in the message.
void translate(HttpAnswer& problem) {
  const auto object = formats::parse_jsonb(problem.body);
  if (!object.ok()) return;
  const std::string hint = member_of(*object, "hint");
  problem.content_type = registry::kRegistryType;
  problem.body = registry::error_body(
      problem.status, fmt::format("{} ({}){}{}", member_of(*object, "message"), member_of(*object, "code"),
                                  hint.empty() ? "" : ": ", hint));
  if (problem.status == 401) problem.fields += "WWW-Authenticate: Basic realm=\"schema registry\"\r\n";
}

}  // namespace

Result<std::unique_ptr<SchemaRegistryService>> SchemaRegistryService::open(Files& files, const Clock& clock,
                                                                           const Options& options) {
  auto store = options.postgres.empty()
                   ? registry::open_sqlite_store(files, options.directory + "/" + kRegistryFile)
                   : registry::open_postgres_store(options.postgres);
  if (!store.ok()) return std::move(store).error();
  std::unique_ptr<SchemaRegistryService> service(
      new SchemaRegistryService(files, std::move(*store), clock, options));
  TRY(service->registry_.refresh());
  return service;
}

SchemaRegistryService::SchemaRegistryService(Files& files, std::unique_ptr<registry::Store> store,
                                             const Clock& clock, const Options& options)
    : files_(files),
      directory_(options.postgres.empty() ? options.directory : ""),
      clock_(clock),
      registry_(std::move(store), registry::known_formats(),
                {.now_ms = [&clock] { return clock.wall_us() / 1'000; }}),
      api_(registry_, options.profile),
      audit_(options.audit),
      audit_failed_(options.audit_failed) {}

gateway::OtherApi SchemaRegistryService::api() {
  return {[this](const gateway::HttpRequest& request, const gateway::HttpReply& reply) {
            handle(request, reply);
          },
          &registry::RegistryApi::methods_of, [this](HttpAnswer& problem) { refuse(problem); }};
}

// What comes no further than HTTP, or the queue.
void SchemaRegistryService::refuse(HttpAnswer& problem) {
  translate(problem);
  metrics_.count(problem.status, problem.status);
}

bool SchemaRegistryService::run(std::function<void()> work, std::function<void()> done) {
  auto end = [this, done = std::move(done)] {
    --waiting_;
    done();
  };
  if (!background_.run(engine::Lane::kReads, std::move(work), std::move(end))) return false;
  ++waiting_;
  return true;
}

void SchemaRegistryService::find_schema(const std::string& tenant, const engine::SchemaRef& schema,
                                        std::function<void(Found)> done) {
  const auto found = std::make_shared<std::optional<Found>>();
  auto work = [this, found, tenant, schema] {
    found->emplace(schema.id != 0
                       ? registry_.find_schema_by_id(tenant, schema.subject, schema.id, schema.version)
                       : registry_.find_schema(tenant, schema.subject, schema.version));
  };
  auto end = [found, done] { done(std::move(**found)); };
  if (!run(std::move(work), std::move(end))) done(too_busy());
}

void SchemaRegistryService::learn_writers(const std::string& tenant, const std::string& subject,
                                          schema::SchemaPtr reader, Writers writers,
                                          std::function<void(Result<std::vector<Learnt>>)> done) {
  const auto learnt = std::make_shared<std::vector<Learnt>>();
  auto work = [this, learnt, tenant, subject, reader = std::move(reader), writers = std::move(writers)] {
    for (const auto& writer : writers) {
      const auto found = registry_.find_writer(tenant, subject, writer);
      learnt->push_back(found.ok() ? Learnt(learn(writer, found->schema, reader)) : Learnt(found.error()));
    }
  };
  auto end = [learnt, done] { done(std::move(*learnt)); };
  if (!run(std::move(work), std::move(end))) done(too_busy());
}

void SchemaRegistryService::add_schema(const std::string& tenant, gateway::OutputSchema schema,
                                       gateway::CallerPtr caller,
                                       std::function<void(Result<registry::Version>)> done) {
  struct Added {
    std::optional<Result<registry::Version>> version;
    Status written;
  };
  const auto added = std::make_shared<Added>();
  auto work = [this, added, tenant, schema = std::move(schema), caller = std::move(caller)] {
    const auto version = [&]() -> Result<registry::Version> {
      TRY(registry_.refresh());
      registry::Candidate candidate;
      candidate.type = schema.type;
      candidate.text = schema.text;
      return registry_.add(tenant, schema.subject, candidate,
                           registry_.is_on(tenant, schema.subject, "normalize"));
    };
    added->version.emplace(version());
    const bool ok = added->version->ok();
    const auto change = registry_.take_change();
    if (ok && change.empty()) return;  // it was a version already
    registry::RegistryAnswer answer;
    answer.act = {"REGISTER SCHEMA", ok ? registry::words_of(change) : schema.subject,
                  ok ? "ok" : added->version->error().id};
    added->written = write_down(caller, "", answer);
  };
  auto end = [this, added, done] {
    if (!added->written.ok() && audit_failed_) audit_failed_(added->written.error());
    done(std::move(*added->version));
  };
  if (!run(std::move(work), std::move(end))) done(too_busy());
}

void SchemaRegistryService::examine(const std::string& tenant, gateway::ProposedSchema schema,
                                    std::vector<int32_t> ids,
                                    std::function<void(Result<gateway::ExaminedSchema>)> done) {
  const auto examined = std::make_shared<std::optional<Result<gateway::ExaminedSchema>>>();
  auto work = [this, examined, tenant, schema = std::move(schema), ids = std::move(ids)] {
    examined->emplace(examine_schema(registry_, tenant, schema, ids));
  };
  auto end = [examined, done] { done(std::move(**examined)); };
  if (!run(std::move(work), std::move(end))) done(too_busy());
}

void SchemaRegistryService::copy(std::function<void(Result<std::string>)> done) {
  if (directory_.empty()) return done(std::string("postgresql"));
  const auto copied = std::make_shared<Status>();
  auto work = [this, copied] { *copied = copy_registry(files_, directory_); };
  auto end = [copied, done] {
    done(copied->ok() ? Result<std::string>("sqlite") : Result<std::string>(copied->error()));
  };
  if (!run(std::move(work), std::move(end))) done(too_busy());
}

Status SchemaRegistryService::write_down(const gateway::CallerPtr& caller, const std::string& peer,
                                         const registry::RegistryAnswer& answer) const {
  if (audit_ == nullptr || !answer.act) return {};
  gateway::AuditAct line = gateway::sent_by(caller, peer, clock_.wall_us());
  line.act = answer.act->name;
  line.what = answer.act->what;
  line.outcome = answer.act->outcome;
  return audit_->append(line);
}

void SchemaRegistryService::handle(const gateway::HttpRequest& request, const gateway::HttpReply& reply) {
  const auto answer = std::make_shared<registry::RegistryAnswer>();
  const auto written = std::make_shared<Status>();
  auto work = [this, answer, written, asked = to_registry(request), caller = request.caller,
               peer = request.peer] {
    *answer = api_.handle(asked);
    *written = write_down(caller, peer, *answer);
  };
  auto done = [this, answer, written, reply, began_ns = clock_.monotonic_ns()] {
    if (!written->ok() && audit_failed_) audit_failed_(written->error());
    metrics_.count(answer->status, answer->error);
    metrics_.record_us((clock_.monotonic_ns() - began_ns) / 1'000);
    reply.answer(to_http(std::move(*answer)));
  };
  if (run(std::move(work), std::move(done))) return;
  HttpAnswer busy = gateway::problem(too_busy());
  refuse(busy);
  reply.answer(std::move(busy));
}

}  // namespace millrace::node
