#include "log/internal/fresh_segment.h"

#include <algorithm>

#include "base/bytes.h"

namespace millrace::log {
namespace {

constexpr uint64_t kZerosAtStart = 4u << 20;
constexpr uint64_t kPiece = 256u << 10;

// Lays frames one behind the other and stamps their headers.
class FrameRun {
 public:
  FrameRun(Segment& segment, Cut frontier, uint32_t previous)
      : segment_(segment), frontier_(frontier), previous_(previous) {}

  Status add(FrameHeader header, std::string_view frame, bool last) {
    header.segment = segment_.id;
    header.salt = segment_.salt;
    header.epoch = segment_.epoch;
    header.frontier = frontier_;
    header.previous = previous_;
    header.padding = frame_padding(header.length);
    const size_t at = bytes_.size();
    if (last) header.padding = static_cast<uint32_t>(round_to_block(at + header.span()) - at - header.length);
    bytes_.append(frame);
    bytes_.append(header.padding, '\0');
    previous_ = store_frame_header(bytes_.data() + at, header);
    return note(header, at);
  }
  const std::string& bytes() const { return bytes_; }
  uint32_t last_checksum() const { return previous_; }

 private:
  Status note(const FrameHeader& header, size_t at) {
    TRY_ASSIGN(const auto frame,
               view_frame(nullptr, std::string_view(bytes_).substr(at, header.length), header, false));
    add_to_index(*segment_.index, *frame, segment_.frames_begin + at, false);
    if (header.cut == segment_.first) segment_.first_time = header.time;
    segment_.last = header.cut;
    segment_.last_time = header.time;
    segment_.frames_end = segment_.frames_begin + bytes_.size();
    return {};
  }

  Segment& segment_;
  Cut frontier_;
  uint32_t previous_;
  std::string bytes_;
};

std::string start_payload(uint32_t epoch, AppendTime now) {
  std::string payload;
  append_le<uint32_t>(payload, epoch);
  append_le<int64_t>(payload, now.value);
  return payload;
}

Status add_start_frame(FrameRun& run, Cut cut, uint32_t epoch, AppendTime now) {
  Group group;
  group.controls.push_back({ControlKind::kStart, start_payload(epoch, now)});
  std::string frame(frame_length(group), '\0');
  FrameHeader header;
  header.length = static_cast<uint32_t>(frame.size());
  header.body_checksum = encode_frame_body(frame.data() + kFrameHeader, group, {});
  header.cut = cut;
  header.time = now;
  header.controls = 1;
  return run.add(header, frame, true);
}

// A new file is extended a little at once, so that the first writes find blocks; as far as the disk has room.
Status write_zeros(SegmentFile& file, uint64_t from, uint64_t segment_bytes) {
  file.written = std::max(file.written, from);
  const uint64_t to = std::min(segment_bytes, from + kZerosAtStart) / kSegmentBlock * kSegmentBlock;
  while (file.written < to) {
    const std::string zeros(std::min(to - file.written, kPiece), '\0');
    const Status wrote = file.file->write_at(file.written, zeros);
    if (!wrote.ok()) return wrote.error().code == Code::kExhausted ? Status() : wrote;
    file.written += zeros.size();
  }
  return {};
}

}  // namespace

Status give_back_tails(Files& files, const RecoveredLog& recovered) {
  for (const auto& tail : recovered.tails) {
    TRY_ASSIGN(auto file, files.open(tail.path, Files::Open::kWrite));
    TRY_ASSIGN(const uint64_t size, file->size());
    TRY(file->resize(std::min(size, round_to_block(tail.begin))));
    TRY(file->sync());
  }
  return {};
}

Result<FreshSegment> write_fresh_segment(Files& files, const std::string& directory, SegmentFile file,
                                         const RecoveredLog& recovered, uint32_t epoch, uint32_t salt,
                                         AppendTime now, uint64_t segment_bytes) {
  SegmentHeader header{
      file.id, epoch, Cut(recovered.last.value + 1), recovered.last_checksum, salt, 0, recovered.last_time};
  const std::string start = encode_segment_start(header, recovered.state);
  auto segment = std::make_shared<Segment>();
  segment->id = file.id;
  segment->path = file.path;
  segment->epoch = epoch;
  segment->salt = salt;
  segment->first = header.first;
  segment->frames_begin = header.frames_begin;
  segment->active = true;
  segment->index = std::make_shared<SegmentIndex>();
  FrameRun run(*segment, recovered.last, recovered.last_checksum);
  Cut cut = recovered.last;
  for (const auto& unproven : recovered.unproven) {
    TRY(run.add(unproven.header, unproven.bytes, false));
    cut = unproven.header.cut;
  }
  TRY(add_start_frame(run, Cut(cut.value + 1), epoch, now));
  segment->last_checksum = run.last_checksum();
  const std::string_view blocks(start);
  TRY(file.file->write_at(header.frames_begin, run.bytes()));
  TRY(file.file->write_at(kSegmentBlock, blocks.substr(kSegmentBlock)));
  TRY(write_zeros(file, segment->frames_end, segment_bytes));
  TRY(file.file->sync());
  TRY(file.file->write_at(0, blocks.substr(0, kSegmentBlock)));
  TRY(file.file->sync());
  TRY(files.sync_directory(directory));
  return FreshSegment{std::move(segment), std::move(file)};
}

}  // namespace millrace::log
