#include "stream-processor/step_record.h"

#include <fmt/format.h>

#include <charconv>

#include "base/bytes.h"
#include "base/hash.h"

namespace millrace::processor {
namespace {
constexpr uint8_t kRecordLayout = 3;

uint64_t mix(uint64_t hash, uint64_t bits) {
  return ((hash ^ bits) + 1) * 0xD6E8FEB86659FD93 ^ (hash >> 29);
}
}  // namespace

uint64_t hash_record(uint64_t hash, std::string_view value) {
  return mix(hash, stable_hash(value));
}
uint64_t hash_part(uint64_t hash, StreamPartition where, uint64_t part_hash) {
  return mix(mix(hash, (uint64_t{where.stream.value} << 16) | where.partition.value), part_hash);
}
uint64_t hash_report(uint64_t hash, const Report& report) {
  hash = mix(mix(hash, report.partition.value), report.idle_since.value);
  return mix(hash, static_cast<uint64_t>(report.watermark_us));
}

std::string encode(const StepRecord& record) {
  std::string out;
  append_le<uint8_t>(out, kRecordLayout);
  append_le(out, record.worker);
  append_le(out, record.workers);
  append_le(out, record.engine_version);
  append_le(out, record.from.value);
  append_le(out, record.reached.value);
  append_varint(out, record.slice_bytes);
  append_varint(out, record.entries.size());
  for (const auto& entry : record.entries) {
    append_le(out, entry.query.value);
    append_le(out, entry.plan_identity);
    append_le(out, entry.output_hash);
    append_varint(out, entry.output_rows);
    append_varint(out, entry.batches);
    append_varint(out, (uint64_t{entry.slice} << 1) | (entry.last ? 1 : 0));
    append_varint(out, entry.reports.size());
    for (const auto& report : entry.reports) {
      append_le(out, report.partition.value);
      append_le(out, report.watermark_us);
      append_varint(out, report.idle_since.value);
    }
  }
  return out;
}

Result<StepRecord> decode_step(std::string_view payload) {
  ByteReader in(payload);
  StepRecord record;
  const auto version = in.le<uint8_t>();
  record.worker = in.le<uint16_t>();
  record.workers = in.le<uint16_t>();
  record.engine_version = in.le<uint16_t>();
  record.from = Cut(in.le<uint64_t>());
  record.reached = Cut(in.le<uint64_t>());
  record.slice_bytes = in.varint();
  for (uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    StepEntry entry;
    entry.query = QueryId(in.le<uint32_t>());
    entry.plan_identity = in.le<uint64_t>();
    entry.output_hash = in.le<uint64_t>();
    entry.output_rows = static_cast<uint32_t>(in.varint());
    entry.batches = static_cast<uint32_t>(in.varint());
    const uint64_t slice = in.varint();
    entry.slice = static_cast<uint32_t>(slice >> 1);
    entry.last = (slice & 1) != 0;
    for (uint64_t r = in.varint(); r > 0 && in.ok(); --r) {
      Report report;
      report.partition = PartitionId(in.le<uint16_t>());
      report.watermark_us = in.le<int64_t>();
      report.idle_since = Cut(in.varint());
      entry.reports.push_back(report);
    }
    record.entries.push_back(std::move(entry));
  }
  if (version != kRecordLayout || !in.done() || record.slice_bytes == 0) {
    return error(Code::kCorrupt, "MR-STEP-0001", "a step record in the journal cannot be read",
                 "it was written by another version, or is damaged: run `millrace log verify`");
  }
  return record;
}

std::string encode(const std::vector<Layout>& layouts) {
  std::string out;
  for (const auto& layout : layouts) {
    if (!out.empty()) out += ',';
    out += fmt::format("{}:{}", layout.from.value, layout.workers);
  }
  return out;
}

Result<std::vector<Layout>> decode_layouts(std::string_view text) {
  std::vector<Layout> layouts;
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end) {
    Layout layout;
    auto cut = std::from_chars(p, end, layout.from.value);
    if (cut.ec != std::errc() || cut.ptr == end || *cut.ptr != ':') break;
    auto workers = std::from_chars(cut.ptr + 1, end, layout.workers);
    if (workers.ec != std::errc() || layout.workers == 0) break;
    layouts.push_back(layout);
    p = workers.ptr;
    if (p < end && *p == ',') ++p;
  }
  if (p != end) {
    return error(Code::kCorrupt, "MR-STEP-0002",
                 fmt::format("the list of worker layouts cannot be read: {}", text));
  }
  return layouts;
}

}  // namespace millrace::processor
