#include "event-store/retention.h"

#include <unordered_map>

namespace millrace::event_store {
namespace {

using BytesByStream = std::unordered_map<StreamId, uint64_t>;

bool share_expired(const log::SegmentInfo::StreamShare& share, const RetentionInput& input,
                   uint64_t later_bytes) {
  const engine::StreamPtr stream = input.stream(share.stream);
  if (stream == nullptr || stream->kind == engine::StreamKind::kRepartition) return true;
  const bool letters = stream->kind == engine::StreamKind::kDeadLetters;
  const int64_t kept_us = letters ? input.letters_kept_us : stream->retention_us;
  if (kept_us > 0 && share.last_time.value < input.now.value - kept_us) return true;
  return stream->retention_bytes > 0 && later_bytes >= static_cast<uint64_t>(stream->retention_bytes);
}

// Of closed segments: what stands in the open one may not be durable yet, and after a crash too little would be
// left.
BytesByStream closed_bytes(const std::vector<log::SegmentInfo>& segments) {
  BytesByStream bytes;
  for (const auto& segment : segments) {
    if (!segment.sealed) continue;
    for (const auto& share : segment.streams) bytes[share.stream] += share.bytes;
  }
  return bytes;
}

}  // namespace

std::optional<Expired> expired_through(const RetentionInput& input) {
  BytesByStream later = closed_bytes(input.segments);
  std::optional<Expired> through;
  for (const auto& segment : input.segments) {
    if (!segment.sealed || !segment.streams_known || segment.last >= input.floor) break;
    for (const auto& share : segment.streams) {
      later[share.stream] -= share.bytes;
      if (!share_expired(share, input, later[share.stream])) return through;
    }
    // Where no stream had records nothing has expired: a journal keeps its beginning until records go.
    if (!segment.streams.empty()) through = Expired{segment.id, segment.last};
  }
  return through;
}

std::optional<Expired> expired_through(log::Journal& journal, const sql::Catalog& catalog, Cut floor,
                                       AppendTime now, int64_t letters_kept_us) {
  return expired_through(
      {journal.segments(), [&](StreamId id) { return catalog.stream(id); }, now, floor, letters_kept_us});
}

}  // namespace millrace::event_store
