#include "telemetry/prometheus.h"

#include <array>
#include <iterator>

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

void PrometheusText::sample(double value, Labels labels, std::string_view suffix) {
  out_ += family_;
  out_ += suffix;
  char before = '{';
  for (const auto& [name, text] : labels) {
    out_ += before;
    out_ += name;
    out_ += "=\"";
    append_escaped(out_, text);
    out_ += '"';
    before = ',';
  }
  if (labels.size() > 0) out_ += '}';
  // Fifteen digits: counters stay whole numbers far beyond what a node ever counts.
  fmt::format_to(std::back_inserter(out_), " {:.15g}\n", value);
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
