#include "tests/fuzz/journal_seal.h"

#include <optional>

#include "base/crc32c.h"
#include "log/frame.h"
#include "log/record_batch.h"
#include "log/segment.h"

namespace millrace::fuzz {
namespace {

using namespace millrace::log;  // NOLINT

// Where fields stand that others repeat.
constexpr size_t kCarryLength = kSegmentBlock + 12;
constexpr size_t kFramesBegin = 32;
constexpr size_t kHeaderPrevious = 52;
constexpr size_t kHeaderEnd = 72;
constexpr size_t kIndexPosition = 72;  // these of the trailer
constexpr size_t kIndexLength = 80;
constexpr size_t kIndexChecksum = 88;
constexpr size_t kTrailerChecksum = 92;
constexpr size_t kTrailerEnd = 112;

// A block's checksum stands at 8 and covers what follows it.
void seal_block(std::string& file, size_t at, size_t length) {
  if (length < 12 || at + length > file.size()) return;
  store_le(file.data() + at + 8, crc32c(0, std::string_view(file).substr(at + 12, length - 12)));
}

// nullopt: the sections do not fit.
std::optional<uint32_t> seal_body(char* frame, const FrameHeader& header) {
  char* p = frame + kFrameHeader;
  const char* const end = frame + header.length;
  const char* from = p;
  for (uint32_t i = 0; i < header.controls; ++i) {
    if (end - p < static_cast<ptrdiff_t>(kControlHeader)) return std::nullopt;
    const auto length = load_le<uint32_t>(p + 4);
    if (length > end - p - kControlHeader) return std::nullopt;
    p += kControlHeader + length;
  }
  uint32_t sum = 0;
  for (uint32_t i = 0; i < header.batches; ++i) {
    if (end - p < static_cast<ptrdiff_t>(kBatchHeader + kRecordBatchHeader)) return std::nullopt;
    const auto length = load_le<uint32_t>(p + 8);
    p += kBatchHeader;
    if (length > end - p || length < kRecordBatchHeader) return std::nullopt;
    seal_record_batch(p, length);
    sum = crc32c(sum, {from, static_cast<size_t>(p + kRecordBatchHeader - from)});
    from = p += length;
  }
  return crc32c(sum, {from, static_cast<size_t>(end - from)});
}

// Answers the checksum of the last frame.
uint32_t seal_frames(std::string& file, uint32_t previous) {
  size_t at = load_le<uint64_t>(file.data() + kFramesBegin) % kSegmentBlock == 0
                  ? load_le<uint64_t>(file.data() + kFramesBegin)
                  : 2 * kSegmentBlock;
  while (at < file.size() && at + kFrameHeader <= file.size()) {
    auto header = load_frame_header(std::string_view(file).substr(at), false);
    const bool whole = header && header->length <= file.size() - at;
    if (whole) {
      if (const auto sum = seal_body(file.data() + at, *header)) header->body_checksum = *sum;
      header->previous = previous;
      previous = store_frame_header(file.data() + at, *header);
    }
    at += whole ? header->span() : kFrameAlignment;
  }
  return previous;
}

void seal_trailer(std::string& file, uint32_t last) {
  if (file.size() < 3 * kSegmentBlock) return;
  const size_t at = file.size() - kSegmentBlock;
  char* trailer = file.data() + at;
  if (std::string_view(trailer, 8) != "MTRAIL01") return;
  const auto position = load_le<uint64_t>(trailer + kIndexPosition);
  const auto length = load_le<uint64_t>(trailer + kIndexLength);
  if (position <= at && length <= at - position) {
    store_le(trailer + kIndexChecksum, crc32c(0, std::string_view(file).substr(position, length)));
  }
  store_le(trailer + kTrailerChecksum, last);
  seal_block(file, at, kTrailerEnd);
}

}  // namespace

void seal_record_batch(char* batch, size_t length) {
  constexpr size_t kCrc = 17;
  constexpr size_t kSummed = 21;
  if (length < kRecordBatchHeader) return;
  store_be(batch + kCrc, crc32c(0, {batch + kSummed, length - kSummed}));
}

void seal_journal(Disk& disk) {
  std::optional<uint32_t> last;
  for (auto& [path, file] : disk) {
    if (file.size() < 2 * kSegmentBlock) continue;
    if (last) store_le(file.data() + kHeaderPrevious, *last);
    seal_block(file, 0, kHeaderEnd);
    seal_block(file, kSegmentBlock, load_le<uint32_t>(file.data() + kCarryLength));
    last = seal_frames(file, load_le<uint32_t>(file.data() + kHeaderPrevious));
    seal_trailer(file, *last);
  }
}

}  // namespace millrace::fuzz
