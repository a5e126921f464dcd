#include "node/top_sample.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "node/cli.h"
#include "node/line_splitter.h"

namespace millrace::cli {
namespace {

// Takes {name="value",…} off the front; false if it is none.
bool take_labels(std::string_view& line, std::map<std::string, std::string>& labels) {
  line.remove_prefix(1);
  while (!line.starts_with('}')) {
    const size_t equals = line.find("=\"");
    if (equals == std::string_view::npos) return false;
    std::string& value = labels[std::string(line.substr(0, equals))];
    line.remove_prefix(equals + 2);
    while (!line.empty() && line.front() != '"') {
      const bool is_escape = line.front() == '\\' && line.size() > 1;
      if (is_escape) line.remove_prefix(1);
      value += is_escape && line.front() == 'n' ? '\n' : line.front();
      line.remove_prefix(1);
    }
    if (line.empty()) return false;
    line.remove_prefix(1);
    if (line.starts_with(',')) line.remove_prefix(1);
  }
  line.remove_prefix(1);
  return true;
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end == text.data() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<Metric> metric_of(std::string_view line) {
  const size_t end = line.find_first_of("{ ");
  if (line.starts_with('#') || end == std::string_view::npos || end == 0) return std::nullopt;
  Metric metric{std::string(line.substr(0, end)), {}, 0};
  line.remove_prefix(end);
  if (line.starts_with('{') && !take_labels(line, metric.labels)) return std::nullopt;
  if (!line.starts_with(' ')) return std::nullopt;
  const auto value = number_of(line.substr(1));
  if (!value) return std::nullopt;
  metric.value = *value;
  return metric;
}

TopQuery query_of(const AnswerRow& row) {
  TopQuery query;
  for (const auto& value : row) {
    if (value.name == "name") query.name = value.text;
    if (value.name == "kind") query.kind = value.text;
    if (value.name == "source") query.source = value.text;
    if (value.name == "state") query.state = value.text;
    if (value.kind != AnswerValue::Kind::kNumber) continue;
    if (value.name == "lag_seconds") query.lag_seconds = number_of(value.text);
    if (value.name == "state_bytes") query.state_bytes = number_of(value.text);
    if (value.name == "position") query.position = number_of(value.text);
  }
  return query;
}

Result<std::string> body_of(net::HttpClient& client, const HttpRequest& request) {
  TRY_ASSIGN(HttpAnswer answer, client.call(request));
  if (answer.status >= 300) return error_of(answer);
  return std::move(answer.body);
}

}  // namespace

std::vector<Metric> metrics_of(std::string_view page) {
  std::vector<Metric> out;
  LineSplitter lines([&](std::string_view line) {
    if (auto metric = metric_of(line)) out.push_back(std::move(*metric));
    return true;
  });
  lines.add(page);
  lines.finish();
  return out;
}

std::optional<double> TopSample::total(std::string_view name) const {
  std::optional<double> sum;
  for (const auto& metric : metrics) {
    if (metric.name == name) sum = sum.value_or(0) + metric.value;
  }
  return sum;
}

std::optional<double> TopSample::quantile(std::string_view name, std::string_view q) const {
  for (const auto& metric : metrics) {
    const auto label = metric.labels.find("quantile");
    if (metric.name == name && label != metric.labels.end() && label->second == q) return metric.value;
  }
  return std::nullopt;
}

std::map<std::string, double> TopSample::by_label(std::string_view name, const std::string& label) const {
  std::map<std::string, double> out;
  for (const auto& metric : metrics) {
    const auto found = metric.labels.find(label);
    if (metric.name == name && found != metric.labels.end()) out[found->second] += metric.value;
  }
  return out;
}

Result<TopSample> take_sample(net::HttpClient& client) {
  TopSample sample;
  auto page = body_of(client, {"GET", "/metrics", {}, {}});
  const auto full = body_of(client, {"GET", "/metrics/full", {}, {}});
  if (page.ok() && full.ok()) *page += *full;
  if (!page.ok()) return page.error();
  sample.at = std::chrono::steady_clock::now();
  sample.metrics = metrics_of(*page);
  TRY_ASSIGN(const std::string rows,
             body_of(client, {"POST", "/v1/sql", {{"Content-Type", "application/sql"}}, "SHOW QUERIES"}));
  LineSplitter lines([&](std::string_view line) {
    const auto row = answer_row(line);
    if (row) sample.queries.push_back(query_of(*row));
    return true;
  });
  lines.add(rows);
  lines.finish();
  return sample;
}

}  // namespace millrace::cli
