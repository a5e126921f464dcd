#include "log/segment.h"

#include <algorithm>
#include <cinttypes>
#include <vector>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "log/frame.h"
#include "log/record_batch.h"

namespace millrace::log {
namespace {

constexpr uint64_t kHeaderMagic = 0x31304D4745535F4D;   // "M_SEGM01"
constexpr uint64_t kCarryMagic = 0x3130525241435F4D;    // "M_CARR01"
constexpr uint64_t kTrailerMagic = 0x31304C494152544D;  // "MTRAIL01"
constexpr size_t kSumFrom = 12;  // a block's checksum stands at 8 and covers what follows it
constexpr size_t kHeaderEnd = 72;
constexpr size_t kTrailerEnd = 112;
constexpr size_t kCarryHeader = 24;

void seal_block(std::string& bytes, size_t end) {
  store_le<uint32_t>(bytes.data() + 8, crc32c(0, std::string_view(bytes).substr(kSumFrom, end - kSumFrom)));
}

bool block_is_whole(std::string_view bytes, uint64_t magic, size_t end) {
  return bytes.size() >= end && load_le<uint64_t>(bytes.data()) == magic &&
         load_le<uint32_t>(bytes.data() + 8) == crc32c(0, bytes.substr(kSumFrom, end - kSumFrom));
}

std::string numbered(const char* format, uint64_t id) {
  char name[48];
  std::snprintf(name, sizeof name, format, id);
  return name;
}

std::string encode_carry(uint64_t segment, const Carry& carry) {
  std::string out(kCarryHeader, '\0');
  append_varint(out, carry.next.size());
  std::vector<std::pair<StreamPartition, Offset>> sorted(carry.next.begin(), carry.next.end());
  std::sort(sorted.begin(), sorted.end());  // the same bytes from the same content
  for (const auto& [where, next] : sorted) {
    append_le<uint32_t>(out, where.stream.value);
    append_le<uint16_t>(out, where.partition.value);
    append_le<int64_t>(out, next.value);
  }
  append_varint(out, carry.positions.size());
  for (const auto& [name, position] : carry.positions) {
    append_bytes(out, name);
    append_bytes(out, position);
  }
  store_le(out.data(), kCarryMagic);
  store_le<uint32_t>(out.data() + 12, static_cast<uint32_t>(out.size()));
  store_le(out.data() + 16, segment);
  seal_block(out, out.size());
  return out;
}

Result<std::string> read_up_to(File& file, uint64_t position, size_t size) {
  std::string bytes(size, '\0');
  TRY_ASSIGN(const size_t got, file.read_at(position, bytes.data(), size));
  bytes.resize(got);
  return bytes;
}

}  // namespace

std::string segment_name(uint64_t id) {
  return numbered("%012" PRIu64 ".seg", id);
}
std::string spare_name(uint64_t id) {
  return numbered("spare-%012" PRIu64 ".seg", id);
}
bool is_spare(std::string_view name) {
  return name.starts_with("spare-") && name.ends_with(".seg");
}
std::string path_in(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name);
}

std::optional<uint64_t> segment_id(std::string_view name) {
  if (name.size() < 16 || name.size() > 24 || !name.ends_with(".seg")) return std::nullopt;
  uint64_t id = 0;
  for (const char c : name.substr(0, name.size() - 4)) {
    if (c < '0' || c > '9' || id > UINT64_MAX / 100) return std::nullopt;
    id = id * 10 + static_cast<uint64_t>(c - '0');
  }
  return id;
}

std::string encode_segment_start(SegmentHeader& header, const Carry& carry) {
  const std::string carried = encode_carry(header.id, carry);
  header.frames_begin = kSegmentBlock + round_to_block(carried.size());
  std::string out(header.frames_begin, '\0');
  char* p = out.data();
  store_le(p, kHeaderMagic);
  store_le(p + 12, kJournalVersion);
  store_le(p + 16, header.id);
  store_le(p + 24, header.first.value);
  store_le(p + 32, header.frames_begin);
  store_le(p + 40, header.time.value);
  store_le(p + 48, header.epoch);
  store_le(p + 52, header.previous);
  store_le(p + 56, header.salt);
  seal_block(out, kHeaderEnd);
  out.replace(kSegmentBlock, carried.size(), carried);
  return out;
}

Result<std::optional<SegmentHeader>> load_segment_header(std::string_view block) {
  if (!block_is_whole(block, kHeaderMagic, kHeaderEnd)) return std::optional<SegmentHeader>();
  const char* p = block.data();
  const auto version = load_le<uint32_t>(p + 12);
  if (version > kJournalVersion) {
    return error(Code::kUnsupported, "MR-LOG-0008",
                 "the journal is of format " + std::to_string(version) + "; this version reads up to " +
                     std::to_string(kJournalVersion),
                 "use the millrace version that wrote the data directory, or a newer one");
  }
  SegmentHeader h;
  h.id = load_le<uint64_t>(p + 16);
  h.first = Cut(load_le<uint64_t>(p + 24));
  h.frames_begin = load_le<uint64_t>(p + 32);
  h.time = AppendTime(load_le<int64_t>(p + 40));
  h.epoch = load_le<uint32_t>(p + 48);
  h.previous = load_le<uint32_t>(p + 52);
  h.salt = load_le<uint32_t>(p + 56);
  const bool sane = h.first.value > 0 && is_append_time(h.time) && h.frames_begin >= kSegmentBlock &&
                    h.frames_begin % kSegmentBlock == 0 &&
                    h.frames_begin <= kLargestCarry + 2 * kSegmentBlock;
  return sane ? std::optional(h) : std::nullopt;
}

std::string encode_trailer(const SegmentTrailer& t) {
  std::string out(kSegmentBlock, '\0');
  char* p = out.data();
  store_le(p, kTrailerMagic);
  store_le(p + 12, kJournalVersion);
  store_le(p + 16, t.id);
  store_le(p + 24, t.first.value);
  store_le(p + 32, t.last.value);
  store_le(p + 40, t.first_time.value);
  store_le(p + 48, t.last_time.value);
  store_le(p + 56, t.frames_begin);
  store_le(p + 64, t.frames_end);
  store_le(p + 72, t.index_position);
  store_le(p + 80, t.index_length);
  store_le(p + 88, t.index_checksum);
  store_le(p + 92, t.last_checksum);
  store_le(p + 96, t.epoch);
  store_le(p + 100, t.salt);
  seal_block(out, kTrailerEnd);
  return out;
}

std::optional<SegmentTrailer> load_trailer(std::string_view block) {
  if (!block_is_whole(block, kTrailerMagic, kTrailerEnd)) return std::nullopt;
  const char* p = block.data();
  SegmentTrailer t;
  t.id = load_le<uint64_t>(p + 16);
  t.first = Cut(load_le<uint64_t>(p + 24));
  t.last = Cut(load_le<uint64_t>(p + 32));
  t.first_time = AppendTime(load_le<int64_t>(p + 40));
  t.last_time = AppendTime(load_le<int64_t>(p + 48));
  t.frames_begin = load_le<uint64_t>(p + 56);
  t.frames_end = load_le<uint64_t>(p + 64);
  t.index_position = load_le<uint64_t>(p + 72);
  t.index_length = load_le<uint64_t>(p + 80);
  t.index_checksum = load_le<uint32_t>(p + 88);
  t.last_checksum = load_le<uint32_t>(p + 92);
  t.epoch = load_le<uint32_t>(p + 96);
  t.salt = load_le<uint32_t>(p + 100);
  const bool sane = t.first.value > 0 && t.last >= t.first && is_append_time(t.first_time) &&
                    is_append_time(t.last_time) && t.frames_begin >= kSegmentBlock &&
                    t.frames_begin % kFrameAlignment == 0 && t.frames_end >= t.frames_begin;
  return sane ? std::optional(t) : std::nullopt;
}

std::optional<Carry> load_carry(std::string_view bytes, uint64_t segment) {
  if (bytes.size() < kCarryHeader || !block_is_whole(bytes, kCarryMagic, bytes.size())) return std::nullopt;
  if (load_le<uint64_t>(bytes.data() + 16) != segment) return std::nullopt;
  ByteReader reader(bytes.substr(kCarryHeader));
  Carry carry;
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const StreamId stream(reader.le<uint32_t>());
    const PartitionId partition(reader.le<uint16_t>());
    const Offset next(reader.le<int64_t>());
    if (!reader.ok() || next.value < 0 || next.value > kLargestOffset) return std::nullopt;
    carry.next[{stream, partition}] = next;
  }
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const std::string name(reader.bytes());
    carry.positions[name] = std::string(reader.bytes());
  }
  return reader.done() ? std::optional(std::move(carry)) : std::nullopt;
}

Result<std::optional<SegmentHeader>> read_segment_header(File& file) {
  TRY_ASSIGN(const std::string block, read_up_to(file, 0, kSegmentBlock));
  return load_segment_header(block);
}

Result<std::optional<SegmentTrailer>> read_trailer(File& file, uint64_t id) {
  TRY_ASSIGN(const uint64_t size, file.size());
  if (size < 2 * kSegmentBlock || size % kSegmentBlock != 0) return std::optional<SegmentTrailer>();
  TRY_ASSIGN(const std::string block, read_up_to(file, size - kSegmentBlock, kSegmentBlock));
  auto trailer = load_trailer(block);
  const bool fits = trailer && trailer->id == id && trailer->frames_end <= trailer->index_position &&
                    trailer->index_position <= size &&
                    trailer->index_length <= size - trailer->index_position;
  return fits ? trailer : std::nullopt;
}

Result<std::optional<Carry>> read_carry(File& file, uint64_t id) {
  TRY_ASSIGN(const std::string first, read_up_to(file, kSegmentBlock, kSegmentBlock));
  if (first.size() < kCarryHeader || load_le<uint64_t>(first.data()) != kCarryMagic)
    return std::optional<Carry>();
  const auto length = load_le<uint32_t>(first.data() + 12);
  TRY_ASSIGN(const uint64_t size, file.size());
  if (length < kCarryHeader || length > std::min<uint64_t>(kLargestCarry, size))
    return std::optional<Carry>();
  TRY_ASSIGN(const std::string whole, read_up_to(file, kSegmentBlock, length));
  if (whole.size() != length) return std::optional<Carry>();
  return load_carry(whole, id);
}

std::string encode_position(std::string_view name, std::string_view position) {
  std::string out;
  append_bytes(out, name);
  append_bytes(out, position);
  return out;
}

bool decode_position(std::string_view payload, std::string_view& name, std::string_view& position) {
  ByteReader reader(payload);
  name = reader.bytes();
  position = reader.bytes();
  return reader.done();
}

}  // namespace millrace::log
