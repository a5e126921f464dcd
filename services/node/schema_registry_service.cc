#include "node/schema_registry_service.h"

#include <fmt/format.h>

#include "event-gateway/http_handlers.h"
#include "event-gateway/http_status.h"
#include "formats/jsonb.h"
#include "node/registry_copy.h"
#include "node/schema_proposal.h"
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
      registry_(std::move(store), registry::known_formats(),
                {.now_ms = [&clock] { return clock.wall_us() / 1'000; }}),
      api_(registry_, options.profile) {}

gateway::OtherApi SchemaRegistryService::api() {
  return {[this](const gateway::HttpRequest& request, const gateway::HttpReply& reply) {
            handle(request, reply);
          },
          translate};
}

void SchemaRegistryService::find_schema(const std::string& tenant, const engine::SchemaRef& schema,
                                        std::function<void(Found)> done) {
  const auto found = std::make_shared<std::optional<Found>>();
  auto work = [this, found, tenant, schema] {
    found->emplace(schema.id != 0 ? registry_.find_schema_by_id(tenant, schema.subject, schema.id)
                                  : registry_.find_schema(tenant, schema.subject, schema.version));
  };
  auto end = [found, done] { done(std::move(**found)); };
  if (background_.run(engine::Lane::kReads, std::move(work), std::move(end))) return;
  done(too_busy());
}

void SchemaRegistryService::examine(const std::string& tenant, gateway::ProposedSchema schema,
                                    std::vector<int32_t> ids,
                                    std::function<void(Result<gateway::ExaminedSchema>)> done) {
  const auto examined = std::make_shared<std::optional<Result<gateway::ExaminedSchema>>>();
  auto work = [this, examined, tenant, schema = std::move(schema), ids = std::move(ids)] {
    examined->emplace(examine_schema(registry_, tenant, schema, ids));
  };
  auto end = [examined, done] { done(std::move(**examined)); };
  if (!background_.run(engine::Lane::kReads, std::move(work), std::move(end))) done(too_busy());
}

void SchemaRegistryService::copy(std::function<void(Result<std::string>)> done) {
  if (directory_.empty()) return done(std::string("postgresql"));
  const auto copied = std::make_shared<Status>();
  auto work = [this, copied] { *copied = copy_registry(files_, directory_); };
  auto end = [copied, done] {
    done(copied->ok() ? Result<std::string>("sqlite") : Result<std::string>(copied->error()));
  };
  if (!background_.run(engine::Lane::kReads, std::move(work), std::move(end))) done(too_busy());
}

void SchemaRegistryService::handle(const gateway::HttpRequest& request, const gateway::HttpReply& reply) {
  const auto answer = std::make_shared<registry::RegistryAnswer>();
  auto work = [this, answer, asked = to_registry(request)] { *answer = api_.handle(asked); };
  auto done = [answer, reply] { reply.answer(to_http(std::move(*answer))); };
  if (background_.run(engine::Lane::kReads, std::move(work), std::move(done))) return;
  HttpAnswer busy = gateway::problem(too_busy());
  translate(busy);
  reply.answer(std::move(busy));
}

}  // namespace millrace::node
