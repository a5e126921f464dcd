// What a schema registry's requests came to, and the series of what it holds.
//
// Threads: the core loop's.
// Bound:   series of the statuses and of the API's error numbers; of tenants the first kMostTenantSeries by name, the
//          others are one series, labelled other="true".
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "schema-registry/usage.h"
#include "telemetry/power_histogram.h"

namespace millrace::node {

class RegistryMetrics {
 public:
  void count(int status, int error);  // 0: it is none
  void record_us(int64_t latency_us) { latency_us_.record(latency_us); }

  std::string render(const registry::Usage::Numbers& usage, size_t waiting) const;

 private:
  std::array<uint64_t, 6> by_class_{};  // by the status's first digit
  std::map<int, uint64_t> by_error_;
  telemetry::PowerHistogram latency_us_;
};

// Of all tenants, or of one that must not see the others.
std::string render_registry_tenants(const registry::Usage::Numbers& usage,
                                    const std::optional<std::string>& only);

}  // namespace millrace::node
