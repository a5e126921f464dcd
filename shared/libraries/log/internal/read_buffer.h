// ReadBuffer: a stretch of a segment's file in memory, read at once or piece by piece.
//
// A reader that wants some of the batches only leaves the others out: their bytes are never read, nor touched in
// memory. Frames borrow from it, with padding behind.
#pragma once

#include <memory>
#include <string_view>

#include "base/buffer.h"
#include "base/files.h"
#include "log/frame.h"

namespace millrace::log {

class ReadBuffer {
 public:
  // Room for `size` bytes from `position` on. Nothing is read yet; the file must live until the last fill.
  ReadBuffer(File& file, uint64_t position, size_t size);

  // Reads on, up to `end` at least (of `size`), and ahead by what skipping made likely.
  Status fill_to(size_t end);
  // What the frame that begins there holds, without the records that nobody wants. A frame whose lengths do not fit
  // is filled as far as they do: view_frame() says what is wrong with it.
  Status fill_frame(size_t at, const FrameHeader& header, const WantsRecords& wants);

  size_t size() const { return size_; }
  // Up to where it was read or left out.
  std::string_view bytes() const { return {bytes_.get(), filled_}; }

 private:
  void leave_out(size_t end);

  File& file_;
  const uint64_t position_;
  const size_t size_;
  std::unique_ptr<char[]> bytes_;
  size_t filled_ = 0;
  size_t ahead_;
  bool file_ended_ = false;
};

}  // namespace millrace::log
