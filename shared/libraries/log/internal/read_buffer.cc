#include "log/internal/read_buffer.h"

#include <algorithm>
#include <cstring>

namespace millrace::log {

namespace {

// A system call costs about what copying this much does.
constexpr size_t kWorthLeavingOut = 16u << 10;
constexpr size_t kFirstAhead = 64u << 10;
constexpr size_t kMostAhead = 1u << 20;

}  // namespace

ReadBuffer::ReadBuffer(File& file, uint64_t position, size_t size)
    : file_(file),
      position_(position),
      size_(size),
      bytes_(new char[size + Buffer::kPadding]),
      ahead_(kFirstAhead) {}

Status ReadBuffer::fill_to(size_t end) {
  end = std::min(end, size_);
  if (end <= filled_ || file_ended_) return {};
  end = std::min(size_, std::max(end, filled_ + ahead_));
  TRY_ASSIGN(const size_t got, file_.read_at(position_ + filled_, bytes_.get() + filled_, end - filled_));
  file_ended_ = got < end - filled_;
  filled_ += got;
  std::memset(bytes_.get() + filled_, 0, Buffer::kPadding);
  ahead_ = std::min(2 * ahead_, kMostAhead);
  return {};
}

void ReadBuffer::leave_out(size_t end) {
  if (end > size_ || end < filled_ + kWorthLeavingOut) return;
  filled_ = end;
  ahead_ = kWorthLeavingOut;
}

Status ReadBuffer::fill_frame(size_t at, const FrameHeader& header, const WantsRecords& wants) {
  const size_t end = at + header.length;
  SectionPlaces places(at, header);
  while (places.left()) {
    TRY(fill_to(places.head_end()));
    const auto section = places.next(bytes());
    if (!section || section->end > end) break;
    if (!section->batch || wants(*section->batch)) {
      TRY(fill_to(section->end + Buffer::kPadding));
    } else {
      leave_out(section->end);
    }
  }
  return fill_to(end);
}

}  // namespace millrace::log
