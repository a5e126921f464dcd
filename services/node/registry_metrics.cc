#include "node/registry_metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "node/metric_series.h"
#include "telemetry/prometheus.h"

namespace millrace::node {

using registry::TenantUsage;
using telemetry::PrometheusText;

void RegistryMetrics::count(int status, int error) {
  ++by_class_[static_cast<size_t>(std::clamp(status / 100, 0, 5))];
  if (error != 0) ++by_error_[error];
}

std::string RegistryMetrics::render(const registry::Usage::Numbers& usage, size_t waiting) const {
  PrometheusText page;
  page.family("millrace_registry_requests_total", "counter", "Answers, by class of status.");
  for (size_t i = 2; i < by_class_.size(); ++i)
    page.sample(number(by_class_[i]), {{"class", fmt::format("{}xx", i)}});
  page.family("millrace_registry_errors_total", "counter", "Answers that are errors, by the API's number.");
  for (const auto& [error, count] : by_error_) page.sample(number(count), {{"code", std::to_string(error)}});
  page.family("millrace_registry_request_seconds", "histogram",
              "From a request's arrival until it is answered.");
  page.histogram(latency_us_, telemetry::kSecondsScale);
  page.gauge("millrace_registry_waiting",
             "Requests that wait for the registry's thread, or that it works on.", number(waiting));
  TenantUsage all;
  for (const auto& [tenant, one] : usage.tenants) all.add(one);
  page.gauge("millrace_registry_subjects", "Subjects, of all tenants.", number(all.subjects));
  page.gauge("millrace_registry_versions", "Versions of them.", number(all.versions));
  page.gauge("millrace_registry_schemas", "Schemas that have an id.", number(all.schemas));
  page.gauge("millrace_registry_parsed_bytes", "Bytes of the texts of schemas that are kept parsed.",
             number(usage.parsed_bytes));
  page.counter("millrace_registry_store_failures_total", "Times that the store could not be read or written.",
               number(usage.store_failures));
  return page.take();
}

std::string render_registry_tenants(const registry::Usage::Numbers& usage,
                                    const std::optional<std::string>& only) {
  std::map<std::string, TenantUsage> rows;
  std::optional<TenantUsage> other;
  for (const auto& [tenant, one] : usage.tenants) {
    if (only && tenant != *only) continue;
    if (rows.size() < kMostTenantSeries) {
      rows.emplace(tenant, one);
    } else {
      if (!other) other.emplace();
      other->add(one);
    }
  }
  PrometheusText page;
  const auto family = [&](std::string_view name, std::string_view help, size_t TenantUsage::*value) {
    page.family(name, "gauge", help);
    for (const auto& [tenant, row] : rows) page.sample(number(row.*value), {{"tenant", tenant}});
    if (other) page.sample(number((*other).*value), {{"other", "true"}});
  };
  family("millrace_tenant_registry_subjects", "Subjects of the schema registry.", &TenantUsage::subjects);
  family("millrace_tenant_registry_versions", "Versions of them.", &TenantUsage::versions);
  family("millrace_tenant_registry_schemas", "Schemas that have an id.", &TenantUsage::schemas);
  return page.take();
}

}  // namespace millrace::node
