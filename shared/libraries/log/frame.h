// Frame: the bytes of one append, and their checks. The format page is docs/formats/journal.md.
//
// Checksums: the header's covers the header, which holds the body's; the body's covers everything but the
//            payloads of the batches, whose own checksums it covers. So every byte is summed once, and the
//            header's checksum stands for the whole frame: the next frame repeats it (`previous`), which
//            chains them.
// Two times: the body is encoded when a frame is appended. The header is stamped when its group goes to the
//            disk: only then segment, frontier and predecessor are known.
// Salt:      an unpredictable number of the segment, so that a client's payload cannot pass for a frame where
//            a reader looks for the next one behind damage.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "log/journal.h"

namespace millrace::log {

inline constexpr uint32_t kFrameMagic = 0x3146524D;  // "MRF1"
inline constexpr size_t kFrameHeader = 80;
inline constexpr size_t kControlHeader = 8;
inline constexpr size_t kBatchHeader = 12;
inline constexpr size_t kFrameAlignment = 64;  // every frame starts on it
inline constexpr size_t kFrameGap = 64;        // zeros behind each frame: Buffer::kPadding
inline constexpr size_t kLargestFrame = 1u << 30;
static_assert(kFrameGap >= Buffer::kPadding);

struct FrameHeader {
  uint32_t checksum = 0;  // of the header itself; set by load and store
  uint32_t length = 0;    // header and body
  uint32_t padding = 0;   // zeros behind it
  uint32_t body_checksum = 0;
  uint32_t previous = 0;  // the checksum of the frame before
  uint64_t segment = 0;
  Cut cut;
  Cut frontier;  // everything up to here was durable when this frame was written
  AppendTime time;
  uint32_t epoch = 0;
  uint32_t salt = 0;
  uint32_t batches = 0;
  uint32_t controls = 0;
  uint32_t flags = 0;  // none is defined; a reader refuses others

  uint64_t span() const { return uint64_t{length} + padding; }
};

// The smallest padding that leaves the gap and ends on the alignment.
uint32_t frame_padding(uint64_t length);

// Writes the header and its checksum; returns the checksum.
uint32_t store_frame_header(char* at, FrameHeader& header);
// nullopt: not a frame's header, or a damaged one. `check` off skips the checksum (a planted bug).
std::optional<FrameHeader> load_frame_header(std::string_view bytes, bool check);

// The body: first all controls, then all batches.
size_t frame_length(const Group& group);
uint32_t encode_frame_body(char* body, const Group& group, const std::vector<BatchPlace>& places);

// The places of a frame's sections, by their heads alone: what a reader needs to leave payloads out.
class SectionPlaces {
 public:
  struct Place {
    size_t end = 0;
    std::optional<StreamPartition> batch;  // none: a control
  };
  SectionPlaces(size_t frame_at, const FrameHeader& header)
      : at_(frame_at + kFrameHeader), controls_(header.controls), batches_(header.batches) {}

  bool left() const { return controls_ + batches_ > 0; }
  size_t head_end() const;  // what next() looks at, and what a body's checksum covers of a batch
  std::optional<Place> next(std::string_view bytes);  // nullopt: the bytes end before the head does

 private:
  size_t at_;
  uint64_t controls_;
  uint64_t batches_;
};

// A frame whose batches and controls view `bytes` (header included), which `owner` keeps alive with padding
// behind. The records of batches that are not wanted are not looked at: they need not be there.
Result<FramePtr> view_frame(const std::shared_ptr<const void>& owner, std::string_view bytes,
                            const FrameHeader& header, bool check, const WantsRecords& wants = {});
// The same checks, nothing built.
Status check_frame(std::string_view bytes, const FrameHeader& header);

}  // namespace millrace::log
