#include "log/segment_index.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "log/record_batch.h"

namespace millrace::log {
namespace {
constexpr size_t kFrameEntryBytes = 20;
constexpr size_t kBatchEntryBytes = 20;
constexpr size_t kPartBytes = 42;
constexpr size_t kUnreadableBytes = 24;
}  // namespace

void SegmentIndex::add_frame(Cut cut, uint64_t position, AppendTime time, bool landmark) {
  if (!landmark && !frames_.empty() && position < frames_.back().position + uint64_t{kIndexSpacing}) return;
  frames_.push_back({cut.value, static_cast<uint32_t>(position), time.value});
  encoded_size_ += kFrameEntryBytes;
}

void SegmentIndex::add_batch(StreamPartition where, Offset first, uint32_t count, size_t bytes, Cut cut,
                             uint64_t position, AppendTime time) {
  const auto [it, fresh] = slots_.try_emplace(where, static_cast<uint32_t>(parts_.size()));
  if (fresh) {
    parts_.push_back({where, first.value, first.value, 0, 0, {}});
    link(it->second);
    encoded_size_ += kPartBytes;
  }
  Part& part = parts_[it->second];
  if (part.entries.empty() || position >= part.entries.back().position + uint64_t{kIndexSpacing}) {
    part.entries.push_back({first.value, cut.value, static_cast<uint32_t>(position)});
    encoded_size_ += kBatchEntryBytes;
  }
  part.end = first.value + count;
  part.last_time = time.value;
  part.bytes += bytes;
}

void SegmentIndex::set_position(std::string name, std::string position) {
  encoded_size_ += name.size() + position.size() + 10;
  positions_[std::move(name)] = std::move(position);
}

void SegmentIndex::link(uint32_t slot) {
  const auto [first, fresh] = first_of_.try_emplace(parts_[slot].where.stream, slot);
  if (!fresh) parts_[slot].next = std::exchange(first->second, slot);
}

void SegmentIndex::add_unreadable(Cut first, Cut last, uint64_t position, uint64_t bytes) {
  unreadable_.push_back(
      {first.value, last.value, static_cast<uint32_t>(position), static_cast<uint32_t>(bytes)});
  encoded_size_ += kUnreadableBytes;
}

const SegmentIndex::FrameEntry* SegmentIndex::frame_at(Cut cut) const {
  auto it = std::upper_bound(frames_.begin(), frames_.end(), cut.value,
                             [](uint64_t c, const FrameEntry& e) { return c < e.cut; });
  return it == frames_.begin() ? nullptr : &*std::prev(it);
}

const SegmentIndex::FrameEntry* SegmentIndex::frame_behind(uint64_t position) const {
  const auto it = std::lower_bound(frames_.begin(), frames_.end(), position,
                                   [](const FrameEntry& e, uint64_t p) { return e.position < p; });
  return it == frames_.end() ? nullptr : &*it;
}

const SegmentIndex::FrameEntry* SegmentIndex::frame_before(AppendTime time) const {
  auto it = std::lower_bound(frames_.begin(), frames_.end(), time.value,
                             [](const FrameEntry& e, int64_t t) { return e.time < t; });
  return it == frames_.begin() ? nullptr : &*std::prev(it);
}

const SegmentIndex::Part* SegmentIndex::find(StreamPartition where) const {
  const auto it = slots_.find(where);
  return it == slots_.end() ? nullptr : &parts_[it->second];
}

std::vector<const SegmentIndex::Part*> SegmentIndex::parts_of(StreamId stream) const {
  std::vector<const Part*> out;
  const auto first = first_of_.find(stream);
  for (uint32_t slot = first == first_of_.end() ? UINT32_MAX : first->second; slot != UINT32_MAX;) {
    out.push_back(&parts_[slot]);
    slot = parts_[slot].next;
  }
  return out;
}

std::string SegmentIndex::encode() const {
  std::string out;
  out.reserve(encoded_size_);
  append_le<uint32_t>(out, static_cast<uint32_t>(frames_.size()));
  for (const auto& e : frames_) {
    append_le(out, e.cut);
    append_le(out, e.position);
    append_le(out, e.time);
  }
  append_le<uint32_t>(out, static_cast<uint32_t>(parts_.size()));
  for (const auto& part : parts_) {
    append_le(out, part.where.stream.value);
    append_le(out, part.where.partition.value);
    append_le(out, part.first);
    append_le(out, part.end);
    append_le(out, part.last_time);
    append_le(out, part.bytes);
    append_le<uint32_t>(out, static_cast<uint32_t>(part.entries.size()));
    for (const auto& e : part.entries) {
      append_le(out, e.offset);
      append_le(out, e.cut);
      append_le(out, e.position);
    }
  }
  append_le<uint32_t>(out, static_cast<uint32_t>(positions_.size()));
  for (const auto& [name, position] : positions_) {
    append_bytes(out, name);
    append_bytes(out, position);
  }
  append_le<uint32_t>(out, static_cast<uint32_t>(unreadable_.size()));
  for (const auto& u : unreadable_) {
    append_le(out, u.first);
    append_le(out, u.last);
    append_le(out, u.position);
    append_le(out, u.bytes);
  }
  return out;
}

std::optional<SegmentIndex> SegmentIndex::decode(std::string_view bytes) {
  ByteReader reader(bytes);
  SegmentIndex index;
  index.encoded_size_ = bytes.size();
  const auto frames = reader.le<uint32_t>();
  if (frames > reader.left() / kFrameEntryBytes) return std::nullopt;
  index.frames_.resize(frames);
  for (auto& e : index.frames_) {
    e.cut = reader.le<uint64_t>();
    e.position = reader.le<uint32_t>();
    e.time = reader.le<int64_t>();
  }
  const auto parts = reader.le<uint32_t>();
  if (parts > reader.left() / kPartBytes) return std::nullopt;
  index.parts_.resize(parts);
  for (uint32_t slot = 0; slot < parts; ++slot) {
    Part& part = index.parts_[slot];
    part.where.stream = StreamId(reader.le<uint32_t>());
    part.where.partition = PartitionId(reader.le<uint16_t>());
    part.first = reader.le<int64_t>();
    part.end = reader.le<int64_t>();
    part.last_time = reader.le<int64_t>();
    part.bytes = reader.le<uint64_t>();
    const auto entries = reader.le<uint32_t>();
    if (entries > reader.left() / kBatchEntryBytes) return std::nullopt;
    if (part.first < 0 || part.end < part.first || part.end > kLargestOffset) return std::nullopt;
    part.entries.resize(entries);
    for (auto& e : part.entries) {
      e.offset = reader.le<int64_t>();
      e.cut = reader.le<uint64_t>();
      e.position = reader.le<uint32_t>();
    }
    index.slots_.emplace(part.where, slot);
    index.link(slot);
  }
  for (auto left = reader.le<uint32_t>(); left > 0 && reader.ok(); --left) {
    const std::string name(reader.bytes());
    index.positions_[name] = std::string(reader.bytes());
  }
  const auto unreadable = reader.le<uint32_t>();
  if (unreadable > reader.left() / kUnreadableBytes) return std::nullopt;
  index.unreadable_.resize(unreadable);
  for (auto& u : index.unreadable_) {
    u.first = reader.le<uint64_t>();
    u.last = reader.le<uint64_t>();
    u.position = reader.le<uint32_t>();
    u.bytes = reader.le<uint32_t>();
  }
  return reader.done() ? std::optional(std::move(index)) : std::nullopt;
}

}  // namespace millrace::log
