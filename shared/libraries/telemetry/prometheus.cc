#include "telemetry/prometheus.h"

#include <array>
#include <cmath>
#include <iterator>
#include <limits>

namespace millrace::telemetry {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
}

}  // namespace

void PrometheusText::family(std::string_view name, std::string_view type, std::string_view help) {
  family_ = name;
  fmt::format_to(std::back_inserter(out_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

// `bucket_end`: 0 where it is no bucket.
void PrometheusText::start_sample(Labels labels, std::string_view suffix, double bucket_end) {
  out_ += family_;
  out_ += suffix;
  char before = '{';
  const auto begin = [&](std::string_view name) {
    out_ += before;
    out_ += name;
    out_ += "=\"";
    before = ',';
  };
  for (const auto& [name, text] : labels) {
    begin(name);
    append_escaped(out_, text);
    out_ += '"';
  }
  if (bucket_end > 0) {
    begin("le");
    if (std::isinf(bucket_end)) {
      out_ += "+Inf\"";
    } else {
      fmt::format_to(std::back_inserter(out_), "{:.10g}\"", bucket_end);
    }
  }
  if (before == ',') out_ += '}';
}

void PrometheusText::sample(double value, Labels labels, std::string_view suffix) {
  start_sample(labels, suffix, 0);
  // Fifteen digits: counters stay whole numbers far beyond what a node ever counts.
  fmt::format_to(std::back_inserter(out_), " {:.15g}\n", value);
}

void PrometheusText::histogram(const PowerHistogram& values, const BucketScale& scale, Labels labels) {
  uint64_t seen = 0;
  size_t next = 0;
  const auto bucket = [&](double end) {
    start_sample(labels, "_bucket", end);
    fmt::format_to(std::back_inserter(out_), " {}\n", seen);
  };
  for (size_t shown = scale.first; shown <= scale.last; shown += scale.step) {
    for (; next <= shown; ++next) seen += values.in_bucket(next);
    bucket(static_cast<double>(uint64_t{1} << shown) * scale.unit);
  }
  seen = values.count();
  bucket(std::numeric_limits<double>::infinity());
  sample(static_cast<double>(values.sum()) * scale.unit, labels, "_sum");
  sample(static_cast<double>(seen), labels, "_count");
}

void PrometheusText::summary_seconds(std::string_view name, std::string_view help,
                                     const Histogram& microseconds) {
  constexpr double kMicrosecond = 1e-6;
  constexpr std::array<std::pair<double, std::string_view>, 5> kQuantiles = {
      {{0.5, "0.5"}, {0.9, "0.9"}, {0.99, "0.99"}, {0.999, "0.999"}, {1.0, "1"}}};
  family(name, "summary", help);
  for (const auto& [q, text] : kQuantiles) {
    sample(static_cast<double>(microseconds.quantile(q)) * kMicrosecond, {{"quantile", text}});
  }
  sample(static_cast<double>(microseconds.sum()) * kMicrosecond, {}, "_sum");
  sample(static_cast<double>(microseconds.count()), {}, "_count");
}

}  // namespace millrace::telemetry
