#include "node/top_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "fmt/format.h"

namespace millrace::cli {
namespace {

using Kind = AnswerValue::Kind;

struct Unit {
  double size;
  std::string_view name;
};

// Three digits are enough to look at.
template <size_t N>
std::string in_units(double value, const std::array<Unit, N>& units) {
  const auto unit =
      std::find_if(units.begin(), units.end() - 1, [&](const Unit& u) { return value >= u.size; });
  const double shown = std::round(10 * value / unit->size) / 10;
  return fmt::format("{:.{}f}{}", shown, shown < 9.95 && shown != static_cast<int64_t>(shown) ? 1 : 0,
                     unit->name);
}

std::string rate_of(std::optional<double> before, std::optional<double> now, double seconds) {
  if (!before || !now || seconds <= 0) return "-";
  return short_number(std::max(0.0, *now - *before) / seconds);
}

// A table in a text.
class TableText {
 public:
  explicit TableText(const TableStyle& style)
      : file_(::open_memstream(&text_, &size_)), table_(file_, style) {}
  TableText(const TableText&) = delete;
  TableText& operator=(const TableText&) = delete;
  ~TableText() {
    std::fclose(file_);
    std::free(text_);
  }
  void add(const AnswerRow& row, Table::Tint tint) { table_.add(row, tint); }
  std::string take() {
    table_.end();
    std::fflush(file_);
    return {text_, size_};
  }

 private:
  char* text_ = nullptr;
  size_t size_ = 0;
  std::FILE* file_;
  Table table_;
};

AnswerValue text(std::string name, std::string value) {
  return {std::move(name), Kind::kText, std::move(value)};
}
AnswerValue number(std::string name, std::string value) {  // stands right
  return {std::move(name), Kind::kNumber, std::move(value)};
}

struct QueryLine {
  TopQuery query;
  std::optional<double> position_before;
};

double advance(const QueryLine& line) {
  return line.query.position.value_or(0) - line.position_before.value_or(line.query.position.value_or(0));
}

bool comes_first(const QueryLine& a, const QueryLine& b, TopOrder order) {
  const auto key = [&](const QueryLine& line) {
    if (order == TopOrder::kLag) return line.query.lag_seconds.value_or(0);
    if (order == TopOrder::kState) return line.query.state_bytes.value_or(0);
    return order == TopOrder::kRate ? advance(line) : 0;
  };
  const double left = key(a), right = key(b);
  return left != right ? left > right : a.query.name < b.query.name;
}

std::string queries_of(const TopSample& before, const TopSample& now, const TopLook& look, double seconds) {
  std::vector<QueryLine> lines;
  for (const auto& query : now.queries) {
    const auto same = std::find_if(before.queries.begin(), before.queries.end(),
                                   [&](const TopQuery& other) { return other.name == query.name; });
    lines.push_back({query, same == before.queries.end() ? std::nullopt : same->position});
  }
  std::sort(lines.begin(), lines.end(),
            [&](const QueryLine& a, const QueryLine& b) { return comes_first(a, b, look.order); });
  TableText table(look.table);
  for (const auto& line : lines) {
    const TopQuery& q = line.query;
    const bool failed = q.state.starts_with("failed");
    table.add(
        {text("query", q.name), text("kind", q.kind), text("source", q.source),
         number("lag", q.lag_seconds ? short_time(*q.lag_seconds) : "-"),
         number("state size", q.state_bytes ? short_bytes(*q.state_bytes) : "-"),
         number("frames/s", rate_of(line.position_before, q.position, seconds)), text("state", q.state)},
        failed ? Table::Tint::kRemoved : Table::Tint::kNone);
  }
  return lines.empty() ? "no queries\n" : table.take();
}

// Empty where the server does not count by stream.
std::string streams_of(const TopSample& before, const TopSample& now, const TopLook& look, double seconds) {
  const auto counts = now.by_label("millrace_stream_events_total", "stream");
  if (counts.empty()) return {};
  const auto earlier = before.by_label("millrace_stream_events_total", "stream");
  struct Line {
    std::string name;
    double events, more;
  };
  std::vector<Line> lines;
  for (const auto& [name, events] : counts) {
    const auto same = earlier.find(name);
    lines.push_back({name, events, same == earlier.end() ? 0 : events - same->second});
  }
  std::sort(lines.begin(), lines.end(), [&](const Line& a, const Line& b) {
    return look.order != TopOrder::kName && a.more != b.more ? a.more > b.more : a.name < b.name;
  });
  TableText table(look.table);
  for (const auto& line : lines) {
    table.add({text("stream", line.name), number("events", short_number(line.events)),
               number("events/s", rate_of(line.events - line.more, line.events, seconds))},
              Table::Tint::kNone);
  }
  return "\n" + table.take();
}

}  // namespace

std::string short_number(double value) {
  static constexpr std::array kUnits = {Unit{1e9, "G"}, Unit{1e6, "M"}, Unit{1e3, "k"}, Unit{1, ""}};
  return in_units(value, kUnits);
}

std::string short_bytes(double bytes) {
  static constexpr std::array kUnits = {Unit{1e12, " TB"}, Unit{1e9, " GB"}, Unit{1e6, " MB"},
                                        Unit{1e3, " kB"}, Unit{1, " B"}};
  return in_units(bytes, kUnits);
}

std::string short_time(double seconds) {
  static constexpr std::array kUnits = {Unit{86400, " d"}, Unit{3600, " h"},  Unit{60, " min"},
                                        Unit{1, " s"},     Unit{1e-3, " ms"}, Unit{1e-6, " µs"}};
  return seconds <= 0 ? "0 s" : in_units(seconds, kUnits);
}

std::string top_page(const TopSample& before, const TopSample& now, const TopLook& look) {
  const double seconds = std::chrono::duration<double>(now.at - before.at).count();
  const auto rate = [&](std::string_view metric) {
    return rate_of(before.total(metric), now.total(metric), seconds);
  };
  // Those of queries and those of ingest; a page that does not tell them apart has them by tenant.
  const auto letters = [&](const TopSample& sample) {
    const auto of_queries = sample.total("millrace_dead_letters_total");
    if (!of_queries) return sample.total("millrace_tenant_dead_letters_total");
    return std::optional(*of_queries + sample.total("millrace_ingest_dead_letters_total").value_or(0));
  };
  const auto time = [&](std::string_view q) {
    const auto value = now.quantile("millrace_processing_seconds", q);
    return value ? short_time(*value) : "-";
  };
  const auto bytes = [&](std::string_view metric) { return short_bytes(now.total(metric).value_or(0)); };
  const auto count = [&](std::string_view metric) { return short_number(now.total(metric).value_or(0)); };
  const auto bytes_rate = [&](std::string_view metric) {
    const auto earlier = before.total(metric), later = now.total(metric);
    if (!earlier || !later || seconds <= 0) return std::string("-");
    return short_bytes(std::max(0.0, *later - *earlier) / seconds);
  };
  std::string out = fmt::format("in       {} events/s, {}/s, {} requests wait for the disk\n",
                                rate("millrace_ingest_events_total"),
                                bytes_rate("millrace_ingest_bytes_total"), count("millrace_ingest_waiting"));
  out += fmt::format(
      "queries  {} steps/s, {} records/s out, {} dead letters/s; half within {}, 99 % within {}\n",
      rate("millrace_steps_total"), rate("millrace_output_records_total"),
      rate_of(letters(before), letters(now), seconds), time("0.5"), time("0.99"));
  out +=
      fmt::format("state    {} in memory, {} on the disk; log {}/s, {} syncs/s\n",
                  bytes("millrace_state_memory_bytes"), bytes("millrace_state_spilled_bytes"),
                  bytes_rate("millrace_journal_appended_bytes_total"), rate("millrace_journal_syncs_total"));
  out += fmt::format("clients  {} connections, {} subscriptions, {} statements running\n\n",
                     count("millrace_http_connections"), count("millrace_http_subscriptions"),
                     count("millrace_sql_running"));
  return out + queries_of(before, now, look, seconds) + streams_of(before, now, look, seconds);
}

}  // namespace millrace::cli
