// ProcessMetrics: what the operating system says of this process, by the names that Prometheus's libraries use.
//
// Cost: four short reads of /proc, a call; descriptors are counted by the size of their folder, or one by one on
//       kernels before 6.2.
#pragma once

#include <string>
#include <string_view>

#include "telemetry/prometheus.h"

namespace millrace::node {

class ProcessMetrics {
 public:
  ProcessMetrics();  // at the start: that is the time it tells
  void render(telemetry::PrometheusText& page, std::string_view version) const;

 private:
  double started_s_;
};

}  // namespace millrace::node
