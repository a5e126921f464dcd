// The identities that cross modules. Each is its own type, so that an offset cannot be passed for a
// partition.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace millrace {

template <typename Tag, typename Rep>
struct Strong {
  Rep value{};
  constexpr Strong() = default;
  constexpr explicit Strong(Rep v) : value(v) {}
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
};

using TenantId = Strong<struct TenantTag, uint32_t>;
// A stream, a repartition topic or a dead-letter stream: every topic of the log has one, never reused.
using StreamId = Strong<struct StreamTag, uint32_t>;
using PartitionId = Strong<struct PartitionTag, uint16_t>;
using QueryId = Strong<struct QueryTag, uint32_t>;
// A record's place in its partition; rises, may have gaps.
using Offset = Strong<struct OffsetTag, int64_t>;
// A position in the journal: the sequence number of a frame. "At cut S" = all frames up to and including S.
using Cut = Strong<struct CutTag, uint64_t>;
// Microseconds since the Unix epoch. EventTime comes from a column, AppendTime from the journal's clock.
using EventTime = Strong<struct EventTimeTag, int64_t>;
using AppendTime = Strong<struct AppendTimeTag, int64_t>;

struct StreamPartition {
  StreamId stream;
  PartitionId partition;
  friend constexpr auto operator<=>(const StreamPartition&, const StreamPartition&) = default;
};

// State and work are spread over 256 key groups; the group of a key is the top byte of its hash
// (base/hash.h).
inline constexpr uint32_t kKeyGroups = 256;

// The worker that owns a key group, and the partition that a key group is written to. Both are monotone maps.
constexpr uint32_t worker_of_key_group(uint32_t key_group, uint32_t workers) {
  return key_group * workers / kKeyGroups;
}
constexpr uint32_t partition_of_key_group(uint32_t key_group, uint32_t partitions) {
  return key_group * partitions / kKeyGroups;
}
// The worker that reads a partition: the owner of the partition's first key group.
constexpr uint32_t worker_of_partition(uint32_t partition, uint32_t partitions, uint32_t workers) {
  const uint32_t first_key_group = (partition * kKeyGroups + partitions - 1) / partitions;
  return worker_of_key_group(first_key_group, workers);
}

}  // namespace millrace

template <typename Tag, typename Rep>
struct std::hash<millrace::Strong<Tag, Rep>> {
  size_t operator()(const millrace::Strong<Tag, Rep>& v) const noexcept { return std::hash<Rep>()(v.value); }
};
template <>
struct std::hash<millrace::StreamPartition> {
  size_t operator()(const millrace::StreamPartition& v) const noexcept {
    return std::hash<uint64_t>()((uint64_t{v.stream.value} << 16) | v.partition.value);
  }
};
