// TopSample: how a server is at one moment: its metrics, and its queries as SHOW QUERIES has them.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http_client.h"
#include "node/answer_row.h"

namespace millrace::cli {

struct Metric {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};
// Of a page in Prometheus' text format; a line that is none is passed over.
std::vector<Metric> metrics_of(std::string_view page);

struct TopQuery {
  std::string name, kind, source, state;
  std::optional<double> lag_seconds, state_bytes, position;
};

struct TopSample {
  std::chrono::steady_clock::time_point at;
  std::vector<Metric> metrics;
  std::vector<TopQuery> queries;

  // The sum over all series of that name; none: there is no such metric on that server.
  std::optional<double> total(std::string_view metric) const;
  std::optional<double> quantile(std::string_view metric, std::string_view q) const;
  std::map<std::string, double> by_label(std::string_view metric, const std::string& label) const;
};

// Series of each stream, too, where the server has them (/metrics/full).
Result<TopSample> take_sample(net::HttpClient& client);

}  // namespace millrace::cli
