#include "engine/query_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::engine {
namespace {

std::string time_text(int64_t micros) {
  std::string out;
  append_timestamp(out, Timestamp{micros});
  return out;
}

std::string millis(int64_t ns) {
  return fmt::format("{:.3f} ms", static_cast<double>(ns) / 1e6);
}

std::string kept(const OperatorState& state, std::string_view what) {
  return fmt::format("{} {} in {} bytes", state.keys, what, state.bytes);
}

std::string groups_text(const QueryReport& report) {
  std::string out = "; keeps " + kept(report.groups, "groups");
  if (report.distinct.bytes > 0) out += ", " + kept(report.distinct, "values of DISTINCT");
  return out;
}

// The lowest watermark among the partitions that are waited for; INT64_MAX: none is.
int64_t lowest(const QueryReport& report) {
  int64_t out = INT64_MAX;
  for (const auto& p : report.partitions) {
    if (p.seen && !p.idle) out = std::min(out, p.watermark_us);
  }
  return out;
}

std::string partition_text(const PartitionReport& p, int64_t low) {
  if (!p.seen) return "no event yet, not waited for";
  const std::string at = p.watermark_us == INT64_MIN ? "no event time yet" : time_text(p.watermark_us);
  if (p.idle) return at + ", idle, not waited for";
  return at + (p.watermark_us == low ? ", holds the watermark" : "");
}

}  // namespace

void StepCounters::add(const StepCounters& other) {
  steps += other.steps;
  batches += other.batches;
  rows += other.rows;
  undecodable += other.undecodable;
  filtered += other.filtered;
  late += other.late;
  kept_by_closed += other.kept_by_closed;
  changes += other.changes;
  shaped += other.shaped;
  shaped_batches += other.shaped_batches;
  merged += other.merged;
  merged_batches += other.merged_batches;
  failed += other.failed;
  nulls += other.nulls;
  outputs += other.outputs;
  decode_ns += other.decode_ns;
  filter_ns += other.filter_ns;
  shape_ns += other.shape_ns;
  merge_ns += other.merge_ns;
}

void QueryReport::add(const QueryReport& other) {
  partitions.insert(partitions.end(), other.partitions.begin(), other.partitions.end());
  std::sort(partitions.begin(), partitions.end(),
            [](const auto& a, const auto& b) { return a.partition < b.partition; });
  late_before.insert(late_before.end(), other.late_before.begin(), other.late_before.end());
  counters.add(other.counters);
  groups.add(other.groups);
  distinct.add(other.distinct);
  rows.add(other.rows);
  last_rows.add(other.last_rows);
  state_bytes += other.state_bytes;
}

std::string watermark_lines(const QueryPlan& plan, const QueryReport& report) {
  if (report.partitions.empty()) return "";
  const int64_t low = lowest(report);
  const bool any = low != INT64_MAX && low != INT64_MIN;
  std::string out =
      fmt::format("\n  -> Watermark of {}: {}", plan.source->name, any ? time_text(low) : "stands still");
  for (const auto& p : report.partitions) {
    out += fmt::format("\n    -> Partition {}: {}", p.partition.value, partition_text(p, low));
  }
  return out;
}

std::string analyze_lines(const QueryPlan& plan, const QueryReport& report) {
  const StepCounters& c = report.counters;
  const bool grouped = plan.shape == QueryPlan::Shape::kAggregate;
  const bool retracts = plan.updating() && grouped;
  std::string out = fmt::format("\n  -> Since the process started: {} steps, {} batches, {} records written",
                                c.steps, c.batches, c.outputs);
  out +=
      fmt::format("\n    -> Decode: {} events in {} batches, {} undecodable; {}, shared by all queries of {}",
                  c.rows, c.batches, c.undecodable, millis(c.decode_ns), plan.source->name);
  if (retracts)
    out +=
        fmt::format("\n    -> Retract: {} changes; keeps {}", c.changes, kept(report.last_rows, "last rows"));
  const bool keeps = plan.updating() && plan.closes_windows();
  const std::string closed = keeps ? fmt::format(", {} kept by closed windows", c.kept_by_closed) : "";
  out += fmt::format("\n    -> Filter, late check: {} filtered, {} late{}; {}", c.filtered, c.late, closed,
                     millis(c.filter_ns));
  const std::string nulls = plan.on_error == OnError::kNull ? fmt::format(", {} NULL", c.nulls) : "";
  out += fmt::format("\n    -> {}: {} rows in {} batches, {} failed{}; {}", grouped ? "Aggregate" : "Output",
                     c.shaped, c.shaped_batches, c.failed, nulls, millis(c.shape_ns));
  if (grouped && !plan.repartition) out += groups_text(report);
  if (!grouped && report.rows.bytes > 0) out += "; keeps " + kept(report.rows, "rows");
  if (plan.repartition)
    out += fmt::format("\n    -> Merge of repartitioned groups: {} in {} batches; {}", c.merged,
                       c.merged_batches, millis(c.merge_ns)) +
           groups_text(report);
  if (grouped && report.rows.bytes > 0)
    out += "\n    -> Changes: keeps " + kept(report.rows, "groups as they were told");
  if (report.state_bytes == 0) return out;
  return out + fmt::format("\n  -> State: {} bytes", report.state_bytes);
}

}  // namespace millrace::engine
