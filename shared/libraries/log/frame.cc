#include "log/frame.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "log/record_batch.h"
#include "log/segment.h"

namespace millrace::log {
namespace {

// Where the header's fields stand.
constexpr size_t kChecksum = 4;
constexpr size_t kLength = 8;
constexpr size_t kPaddingField = 12;
constexpr size_t kBodyChecksum = 16;
constexpr size_t kPrevious = 20;
constexpr size_t kSegment = 24;
constexpr size_t kCut = 32;
constexpr size_t kFrontier = 40;
constexpr size_t kTime = 48;
constexpr size_t kEpoch = 56;
constexpr size_t kSalt = 60;
constexpr size_t kBatches = 64;
constexpr size_t kControls = 68;
constexpr size_t kFlags = 72;

Error damaged(const FrameHeader& header, const char* what) {
  return error(Code::kCorrupt, "MR-LOG-0007",
               "frame " + std::to_string(header.cut.value) + " of segment " + std::to_string(header.segment) +
                   " is damaged: " + what,
               "run `millrace log verify`; restore the segment from a copy");
}

struct BatchSection {
  StreamPartition where;
  std::string_view bytes;
};
struct ControlSection {
  ControlKind kind;
  std::string_view payload;
};

// Walks the sections of a frame in order; answers false where they do not fit.
class Sections {
 public:
  Sections(std::string_view frame, const FrameHeader& header)
      : reader_(frame.substr(kFrameHeader)), controls_(header.controls), batches_(header.batches) {}

  bool next_control(ControlSection& out) {
    if (controls_ == 0) return false;
    --controls_;
    out.kind = static_cast<ControlKind>(reader_.le<uint8_t>());
    reader_.take(3);
    const auto length = reader_.le<uint32_t>();
    out.payload = reader_.take(length);
    return reader_.ok();
  }
  bool next_batch(BatchSection& out) {
    if (batches_ == 0 || !reader_.ok()) return false;
    out.where.stream = StreamId(reader_.le<uint32_t>());
    out.where.partition = PartitionId(reader_.le<uint16_t>());
    reader_.take(2);
    const auto length = reader_.le<uint32_t>();
    out.bytes = reader_.take(length);
    if (!reader_.ok() || length < kRecordBatchHeader) return false;
    --batches_;  // only now: one that is none leaves the walk incomplete
    return true;
  }
  bool complete() const { return controls_ == 0 && batches_ == 0 && reader_.done(); }

 private:
  ByteReader reader_;
  uint32_t controls_;
  uint32_t batches_;
};

// The body's checksum runs over everything up to the end of each batch's header, and leaves out the payloads.
class BodySum {
 public:
  explicit BodySum(const char* body) : from_(body) {}
  void skip_payload(const char* batch, size_t length) {
    add(batch + kRecordBatchHeader);
    from_ = batch + length;
  }
  uint32_t finish(const char* end) {
    add(end);
    return sum_;
  }

 private:
  void add(const char* to) { sum_ = crc32c(sum_, {from_, static_cast<size_t>(to - from_)}); }
  const char* from_;
  uint32_t sum_ = 0;
};

char* put_control(char* p, const ControlAppend& control) {
  std::memset(p, 0, kControlHeader);
  *p = static_cast<char>(control.kind);
  store_le<uint32_t>(p + 4, static_cast<uint32_t>(control.payload.size()));
  std::memcpy(p + kControlHeader, control.payload.data(), control.payload.size());
  return p + kControlHeader + control.payload.size();
}

char* put_batch(char* p, const BatchAppend& batch, Offset first) {
  store_le<uint32_t>(p, batch.where.stream.value);
  store_le<uint16_t>(p + 4, batch.where.partition.value);
  store_le<uint16_t>(p + 6, 0);
  store_le<uint32_t>(p + 8, static_cast<uint32_t>(batch.batch.size()));
  std::memcpy(p + kBatchHeader, batch.batch.data(), batch.batch.size());
  store_be<int64_t>(p + kBatchHeader, first.value);
  return p + kBatchHeader + batch.batch.size();
}

// Runs over a frame's sections: `control` and `batch` are called for each. Checks as it goes, but for the records
// of batches that are not wanted.
template <typename OnControl, typename OnBatch>
Status walk(std::string_view bytes, const FrameHeader& header, bool check, const WantsRecords& wants,
            OnControl control, OnBatch batch) {
  if (bytes.size() != header.length) return damaged(header, "it is cut short");
  Sections sections(bytes, header);
  BodySum sum(bytes.data() + kFrameHeader);
  ControlSection c{};
  while (sections.next_control(c)) control(c);
  BatchSection b{};
  while (sections.next_batch(b)) {
    const bool wanted = !wants || wants(b.where);
    const auto view = RecordBatchView::parse(b.bytes, check && wanted);
    if (!view.ok()) return damaged(header, "a batch fails its checks");
    sum.skip_payload(b.bytes.data(), b.bytes.size());
    if (!wanted) b.bytes = {};
    batch(b, *view);
  }
  if (!sections.complete()) return damaged(header, "its sections do not fit");
  if (check && sum.finish(bytes.data() + bytes.size()) != header.body_checksum) {
    return damaged(header, "its checksum does not match");
  }
  return {};
}

}  // namespace

size_t SectionPlaces::head_end() const {
  return at_ + (controls_ > 0 ? kControlHeader : kBatchHeader + kRecordBatchHeader);
}

std::optional<SectionPlaces::Place> SectionPlaces::next(std::string_view bytes) {
  if (head_end() > bytes.size()) return std::nullopt;
  const char* head = bytes.data() + at_;
  Place place;
  if (controls_ > 0) {
    --controls_;
    place.end = at_ + kControlHeader + load_le<uint32_t>(head + 4);
  } else {
    --batches_;
    place.batch =
        StreamPartition{StreamId(load_le<uint32_t>(head)), PartitionId(load_le<uint16_t>(head + 4))};
    place.end = at_ + kBatchHeader + load_le<uint32_t>(head + 8);
  }
  at_ = place.end;
  return place;
}

uint32_t frame_padding(uint64_t length) {
  const uint64_t end = (length + kFrameGap + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
  return static_cast<uint32_t>(end - length);
}

uint32_t store_frame_header(char* at, FrameHeader& header) {
  std::memset(at, 0, kFrameHeader);
  store_le(at, kFrameMagic);
  store_le(at + kLength, header.length);
  store_le(at + kPaddingField, header.padding);
  store_le(at + kBodyChecksum, header.body_checksum);
  store_le(at + kPrevious, header.previous);
  store_le(at + kSegment, header.segment);
  store_le(at + kCut, header.cut.value);
  store_le(at + kFrontier, header.frontier.value);
  store_le(at + kTime, header.time.value);
  store_le(at + kEpoch, header.epoch);
  store_le(at + kSalt, header.salt);
  store_le(at + kBatches, header.batches);
  store_le(at + kControls, header.controls);
  store_le(at + kFlags, header.flags);
  header.checksum = crc32c(0, {at + kLength, kFrameHeader - kLength});
  store_le(at + kChecksum, header.checksum);
  return header.checksum;
}

std::optional<FrameHeader> load_frame_header(std::string_view bytes, bool check) {
  if (bytes.size() < kFrameHeader) return std::nullopt;
  const char* p = bytes.data();
  if (load_le<uint32_t>(p) != kFrameMagic) return std::nullopt;
  FrameHeader h;
  h.checksum = load_le<uint32_t>(p + kChecksum);
  if (check && crc32c(0, {p + kLength, kFrameHeader - kLength}) != h.checksum) return std::nullopt;
  h.length = load_le<uint32_t>(p + kLength);
  h.padding = load_le<uint32_t>(p + kPaddingField);
  h.body_checksum = load_le<uint32_t>(p + kBodyChecksum);
  h.previous = load_le<uint32_t>(p + kPrevious);
  h.segment = load_le<uint64_t>(p + kSegment);
  h.cut = Cut(load_le<uint64_t>(p + kCut));
  h.frontier = Cut(load_le<uint64_t>(p + kFrontier));
  h.time = AppendTime(load_le<int64_t>(p + kTime));
  h.epoch = load_le<uint32_t>(p + kEpoch);
  h.salt = load_le<uint32_t>(p + kSalt);
  h.batches = load_le<uint32_t>(p + kBatches);
  h.controls = load_le<uint32_t>(p + kControls);
  h.flags = load_le<uint32_t>(p + kFlags);
  const bool sane = h.length >= kFrameHeader && h.length <= kLargestFrame &&
                    h.padding <= 2 * kDirectAlignment && h.padding >= kFrameGap &&
                    h.span() % kFrameAlignment == 0 && h.flags == 0 && h.cut.value > 0 &&
                    h.frontier < h.cut && is_append_time(h.time);
  return sane ? std::optional(h) : std::nullopt;
}

size_t frame_length(const Group& group) {
  size_t length = kFrameHeader;
  for (const auto& control : group.controls) length += kControlHeader + control.payload.size();
  for (const auto& batch : group.batches) length += kBatchHeader + batch.batch.size();
  return length;
}

uint32_t encode_frame_body(char* body, const Group& group, const std::vector<BatchPlace>& places) {
  BodySum sum(body);
  char* p = body;
  for (const auto& control : group.controls) p = put_control(p, control);
  for (size_t i = 0; i < group.batches.size(); ++i) {
    const auto& batch = group.batches[i];
    char* const bytes = p + kBatchHeader;
    p = put_batch(p, batch, places[i].first);
    sum.skip_payload(bytes, batch.batch.size());
  }
  return sum.finish(p);
}

Result<FramePtr> view_frame(const std::shared_ptr<const void>& owner, std::string_view bytes,
                            const FrameHeader& header, bool check, const WantsRecords& wants) {
  auto frame = std::make_shared<Frame>();
  frame->cut = header.cut;
  frame->time = header.time;
  frame->bytes = header.span();
  // The counts are bounded by what the bytes can hold before anything is reserved.
  frame->controls.reserve(std::min<size_t>(header.controls, bytes.size() / kControlHeader));
  frame->batches.reserve(
      std::min<size_t>(header.batches, bytes.size() / (kBatchHeader + kRecordBatchHeader)));
  TRY(walk(
      bytes, header, check, wants,
      [&](const ControlSection& c) {
        frame->controls.push_back({c.kind, Buffer::borrow(owner, c.payload)});
      },
      [&](const BatchSection& b, const RecordBatchView& view) {
        frame->batches.push_back({b.where, view.base_offset(), view.count(),
                                  b.bytes.empty() ? Buffer() : Buffer::borrow(owner, b.bytes)});
      }));
  return FramePtr(std::move(frame));
}

Status check_frame(std::string_view bytes, const FrameHeader& header) {
  return walk(
      bytes, header, true, {}, [](const auto&) {}, [](const auto&, const auto&) {});
}

}  // namespace millrace::log
