// /v1/tenants/{tenant}/quotas: what a tenant may take, read by its administrator, set by one of all tenants.
#include <fmt/format.h>

#include "event-gateway/http_handlers.h"
#include "event-gateway/http_status.h"
#include "event-gateway/read_parameters.h"
#include "event/text.h"

namespace millrace::gateway {
namespace {

Status check(const HttpBackend& backend, const HttpRequest& request) {
  const std::string& tenant = request.target.segments[2];
  TRY(check_no_parameters(request.target));
  const bool sees =
      request.caller == nullptr || request.caller->all_tenants || request.caller->tenant == tenant;
  if (sees && backend.catalog()->tenant(tenant)) return {};
  return error(Code::kNotFound, "MR-API-0046",
               fmt::format("there is no tenant \"{}\"", start_of(tenant, 100)),
               "GET /v1/tenants lists what there is");
}

HttpAnswer quota_answer(const HttpBackend& backend, const std::string& tenant) {
  HttpAnswer answer;
  answer.body = to_json(backend.quotas->of(tenant)) + "\n";
  return answer;
}

}  // namespace

void show_quotas(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  const Status good = check(backend, request);
  reply.answer(good.ok() ? quota_answer(backend, request.target.segments[2]) : problem(good.error()));
}

void set_quotas(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  if (const Status good = check(backend, request); !good.ok()) return reply.answer(problem(good.error()));
  if (request.caller != nullptr && !request.caller->all_tenants) {
    return reply.answer(
        problem(error(Code::kDenied, "MR-AUTH-0010", "a tenant's administrator sets no quotas",
                      "use a token that was made with all_tenants")));
  }
  const auto quota = parse_quota(request.body);
  if (!quota.ok()) return reply.answer(problem(quota.error()));
  const std::string& tenant = request.target.segments[2];
  const Status set = backend.quotas->set(tenant, *quota);
  audit(backend, request, "SET QUOTAS", fmt::format("{} {}", tenant, to_json(*quota)), set);
  if (!set.ok()) return reply.answer(problem(set.error()));
  reply.answer(quota_answer(backend, tenant));
}

}  // namespace millrace::gateway
