// Segment: one file of the journal. Header block, carry, frames; when it is sealed also an index and a
// trailer.
//
// Header:  who the file is: id, epoch, first cut, the checksum of the frame before, the salt of its frames.
// Carry:   what is known at its start and not in its frames: every partition's next offset, every named
//          position. It makes a segment whole by itself once the older ones are gone, and is evidence, not an
//          index.
// Trailer: where the frames and the index of a sealed segment end; the last block of the file. Derived.
// Names:   NNNNNNNNNNNN.seg by id, never reused; spare-NNNNNNNNNNNN.seg: a file that waits for its next use.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/files.h"
#include "base/result.h"
#include "base/types.h"

namespace millrace::log {

inline constexpr uint32_t kJournalVersion = 1;
inline constexpr size_t kSegmentBlock = 4096;
inline constexpr size_t kLargestCarry = 256u << 20;
// Stored times beyond are damage; differences between those within have room.
constexpr bool is_append_time(AppendTime time) {
  return time.value > -(int64_t{1} << 61) && time.value < int64_t{1} << 61;
}

struct SegmentHeader {
  uint64_t id = 0;
  uint32_t epoch = 0;
  Cut first;
  uint32_t previous = 0;  // the checksum of the frame before `first`
  uint32_t salt = 0;
  uint64_t frames_begin = kSegmentBlock;
  AppendTime time;  // the last stamp before this segment
};

struct SegmentTrailer {
  uint64_t id = 0;
  Cut first, last;
  AppendTime first_time, last_time;
  uint64_t frames_begin = 0;
  uint64_t frames_end = 0;
  uint64_t index_position = 0;
  uint64_t index_length = 0;
  uint32_t index_checksum = 0;
  uint32_t last_checksum = 0;  // of the last frame
  uint32_t epoch = 0;
  uint32_t salt = 0;
};

struct Carry {
  std::unordered_map<StreamPartition, Offset> next;
  std::map<std::string, std::string> positions;
};

std::string segment_name(uint64_t id);
std::string spare_name(uint64_t id);
std::optional<uint64_t> segment_id(std::string_view name);  // nullopt: not a segment's name
bool is_spare(std::string_view name);
std::string path_in(const std::string& directory, std::string_view name);
constexpr uint64_t round_to_block(uint64_t bytes) {
  return (bytes + kSegmentBlock - 1) / kSegmentBlock * kSegmentBlock;
}

// Header block and carry, as they stand at the start of the file, whole blocks. Sets header.frames_begin.
std::string encode_segment_start(SegmentHeader& header, const Carry& carry);
std::string encode_trailer(const SegmentTrailer& trailer);  // one block

// nullopt: not a (whole) header. kUnsupported: a newer format's.
Result<std::optional<SegmentHeader>> load_segment_header(std::string_view block);
std::optional<SegmentTrailer> load_trailer(std::string_view block);
std::optional<Carry> load_carry(std::string_view bytes, uint64_t segment);

Result<std::optional<SegmentHeader>> read_segment_header(File& file);
Result<std::optional<SegmentTrailer>> read_trailer(File& file, uint64_t id);
Result<std::optional<Carry>> read_carry(File& file, uint64_t id);

// A kPosition control's payload.
std::string encode_position(std::string_view name, std::string_view position);
bool decode_position(std::string_view payload, std::string_view& name, std::string_view& position);

}  // namespace millrace::log
