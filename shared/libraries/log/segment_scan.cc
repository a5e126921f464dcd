#include "log/segment_scan.h"

#include <algorithm>
#include <cstdlib>

#include "base/bytes.h"

namespace millrace::log {

void FileWindow::Free::operator()(char* p) const {
  std::free(p);
}

FileWindow::FileWindow(File& file, size_t size) : file_(file), window_(size) {}

Status FileWindow::load(uint64_t from, size_t size) {
  if (size > capacity_) {
    bytes_.reset(static_cast<char*>(std::aligned_alloc(kDirectAlignment, size)));
    CHECK(bytes_ != nullptr, "memory for a window of a segment");
    capacity_ = size;
  }
  filled_ = 0;
  TRY_ASSIGN(filled_, file_.read_at(from, bytes_.get(), size));
  from_ = from;
  return {};
}

Result<std::string_view> FileWindow::at(uint64_t position, size_t size) {
  const bool inside = position >= from_ && position + size <= from_ + filled_;
  if (!inside) {
    const uint64_t from = position / kDirectAlignment * kDirectAlignment;
    const uint64_t need = round_to_block(position - from + size);
    TRY(load(from, std::max<size_t>(need, window_)));
  }
  if (position >= from_ + filled_) return std::string_view();
  const size_t skip = position - from_;
  return std::string_view(bytes_.get() + skip, std::min(size, filled_ - skip));
}

std::string to_string(const DamagedRange& damage) {
  const std::string bytes = " (" + std::to_string(damage.bytes) + " bytes)";
  const std::string first = std::to_string(damage.first.value);
  if (damage.first > damage.last)
    return "there is damage before frame " + first + ", no frame is missing" + bytes;
  if (damage.first == damage.last) return "frame " + first + " is unreadable" + bytes;
  return "frames " + first + " to " + std::to_string(damage.last.value) + " are unreadable" + bytes;
}

namespace {

class Scan {
 public:
  Scan(File& file, uint64_t file_size, const ScanRequest& request,
       const std::function<Status(const ScannedFrame&)>& each)
      : request_(request),
        each_(each),
        window_(file, std::min<uint64_t>(kScanWindow, round_to_block(file_size))),
        chain_(request.previous),
        file_size_(file_size) {
    result_.last = result_.frontier = Cut(request.first.value - 1);
    result_.end = request.frames_begin;
    result_.last_checksum = request.previous.value_or(0);
    result_.frontier = request.limit ? Cut(request.limit->value - 1) : result_.frontier;
  }

  Result<ScanResult> run() {
    while (!request_.limit || result_.last.value + 1 < request_.limit->value) {
      TRY_ASSIGN(const auto header, good_frame_at(result_.end));
      if (header && header->cut.value == result_.last.value + 1 && chained(*header)) {
        TRY(deliver(*header, result_.end));
        continue;
      }
      TRY_ASSIGN(const bool more, pass_damage());
      if (!more) break;
    }
    return std::move(result_);
  }

 private:
  bool chained(const FrameHeader& header) const {
    return !request_.check || !chain_ || *chain_ == header.previous;
  }

  Result<std::optional<FrameHeader>> header_at(uint64_t position) {
    if (position + kFrameHeader > file_size_) return std::optional<FrameHeader>();
    TRY_ASSIGN(const auto bytes, window_.at(position, kFrameHeader));
    auto header = load_frame_header(bytes, request_.check);
    if (!header || header->segment != request_.segment || header->salt != request_.salt) {
      return std::optional<FrameHeader>();
    }
    return header;
  }

  Result<std::optional<FrameHeader>> good_frame_at(uint64_t position) {
    TRY_ASSIGN(auto header, header_at(position));
    // A length beyond the end of the file is not worth its memory.
    if (!header || header->length > file_size_ - position) return std::optional<FrameHeader>();
    TRY_ASSIGN(const auto bytes, window_.at(position, header->length));
    if (bytes.size() != header->length) return std::optional<FrameHeader>();
    if (request_.check && !check_frame(bytes, *header).ok()) return std::optional<FrameHeader>();
    return header;
  }

  Status deliver(const FrameHeader& header, uint64_t position) {
    TRY_ASSIGN(const auto bytes, window_.at(position, header.length));
    TRY(each_({header, position, bytes, after_damage_}));
    after_damage_ = false;
    result_.last = header.cut;
    result_.frontier = std::max(result_.frontier, header.frontier);
    result_.end = position + header.span();
    result_.last_checksum = header.checksum;
    result_.last_time = header.time;
    ++result_.frames;
    chain_ = header.checksum;
    if (request_.progress) request_.progress(result_.end);
    return {};
  }

  // The place behind the last frame is bad. True: damage was proven and passed, or it reaches up to the
  // limit.
  Result<bool> pass_damage() {
    const Cut bad(result_.last.value + 1);
    bool proven = request_.limit.has_value();
    std::optional<FrameHeader> resume;
    uint64_t resume_position = 0;
    uint64_t behind = result_.end;  // the end of the last frame that was seen
    TRY_ASSIGN(uint64_t position, next_candidate(bad));
    for (; position + kFrameHeader <= file_size_ && !(resume && proven);) {
      TRY_ASSIGN(const bool magic, magic_at(position));
      uint64_t step = kFrameAlignment;
      if (magic) {
        TRY_ASSIGN(const auto header, header_at(position));
        if (header && header->cut >= bad) {
          behind = position + header->span();
          proven = proven || header->frontier >= bad;
          TRY_ASSIGN(const auto good, good_frame_at(position));
          if (good && !resume) {
            resume = good;
            resume_position = position;
          }
          if (good) step = header->span();
        }
      }
      position += step;
    }
    if (!proven) {
      result_.discarded_bytes = behind - result_.end;
      return false;
    }
    return step_over(bad, resume, resume_position);
  }

  Result<bool> step_over(Cut bad, const std::optional<FrameHeader>& resume, uint64_t position) {
    const bool past_limit = request_.limit && (!resume || resume->cut >= *request_.limit);
    if (!resume && !request_.limit) return false;
    const Cut next = past_limit ? *request_.limit : resume->cut;
    const uint64_t until = resume ? position : file_size_;
    result_.damage.push_back({bad, Cut(next.value - 1), result_.end, until - std::min(until, result_.end)});
    result_.last = Cut(next.value - 1);
    chain_.reset();
    after_damage_ = true;
    if (past_limit) return false;
    result_.end = position;
    return true;
  }

  // A bad frame whose header is whole tells where the next one begins.
  Result<uint64_t> next_candidate(Cut bad) {
    TRY_ASSIGN(const auto header, header_at(result_.end));
    // A whole frame in the wrong place is itself a candidate.
    if (header && header->cut == bad)
      return result_.end + (chained(*header) ? header->span() : kFrameAlignment);
    return result_.end;
  }

  Result<bool> magic_at(uint64_t position) {
    TRY_ASSIGN(const auto bytes, window_.at(position, sizeof(uint32_t)));
    return bytes.size() == sizeof(uint32_t) && load_le<uint32_t>(bytes.data()) == kFrameMagic;
  }

  const ScanRequest& request_;
  const std::function<Status(const ScannedFrame&)>& each_;
  FileWindow window_;
  ScanResult result_;
  std::optional<uint32_t> chain_;
  const uint64_t file_size_;
  bool after_damage_ = false;
};

}  // namespace

Result<ScanResult> scan_segment(File& file, const ScanRequest& request,
                                const std::function<Status(const ScannedFrame&)>& each) {
  TRY_ASSIGN(const uint64_t size, file.size());
  return Scan(file, size, request, each).run();
}

Result<std::optional<LostSegment>> find_lost_segment(File& file, uint64_t id, bool check) {
  constexpr uint64_t kSearched = 1u << 20;  // the first frame stands behind the carry
  TRY_ASSIGN(const uint64_t size, file.size());
  FileWindow window(file, kSearched);
  std::optional<LostSegment> lost;
  uint64_t position = kSegmentBlock;
  while (position + kFrameHeader <= size && (lost || position < kSearched)) {
    TRY_ASSIGN(const auto bytes, window.at(position, kFrameHeader));
    const auto header = load_frame_header(bytes, check);
    const bool ours = header && header->segment == id && (!lost || header->salt == lost->salt);
    if (ours && !lost) lost = LostSegment{header->cut, {}, position, header->salt, header->epoch};
    if (ours) lost->frontier = std::max(lost->frontier, header->frontier);
    if (ours && lost->proven()) break;
    position += ours ? header->span() : kFrameAlignment;
  }
  return lost;
}

}  // namespace millrace::log
