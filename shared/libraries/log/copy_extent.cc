#include "log/copy_extent.h"

#include <algorithm>
#include <optional>

#include "log/internal/segment_listing.h"
#include "log/segment_scan.h"

namespace millrace::log {
namespace {

// Where the frame ends; nullopt: it cannot be read. A file is written in whole blocks, so that is where the next group
// begins.
Result<std::optional<uint64_t>> end_of_frame(const SegmentCandidate& c, Cut last) {
  ScanRequest request;
  request.segment = c.segment->id;
  request.first = c.segment->first;
  request.frames_begin = c.segment->frames_begin;
  request.salt = c.segment->salt;
  if (c.header) request.previous = c.header->previous;
  request.limit = Cut(last.value + 1);
  Cut seen;
  TRY_ASSIGN(const auto scanned, scan_segment(*c.file, request, [&](const ScannedFrame& frame) -> Status {
               seen = frame.header.cut;
               return {};
             }));
  return seen == last ? std::optional(round_to_block(scanned.end)) : std::nullopt;
}

// A file with all its frames that has no trailer yet may get one meanwhile, and become shorter by it.
Result<SegmentExtent> extent_of(const SegmentCandidate& c, std::optional<Cut> end, Cut last) {
  const bool whole = end && end->value <= last.value + 1;
  if (whole && c.trailer) return SegmentExtent{c.name, c.size, true};
  TRY_ASSIGN(const auto bytes, end_of_frame(c, whole ? Cut(end->value - 1) : last));
  if (bytes || whole) return SegmentExtent{c.name, bytes.value_or(c.size), false};
  return error(Code::kCorrupt, "MR-LOG-0007",
               "frame " + std::to_string(last.value) + " cannot be read from " + c.segment->path);
}

}  // namespace

Result<std::vector<SegmentExtent>> copy_extents(Files& files, const std::string& directory, Cut first,
                                                Cut last) {
  TRY_ASSIGN(const auto listing, list_segments(files, directory, true));
  std::vector<SegmentExtent> extents;
  const auto& all = listing.candidates;
  Cut covered(first.value - 1);
  for (size_t i = 0; i < all.size() && all[i].segment->first <= last; ++i) {
    const SegmentCandidate* next = i + 1 < all.size() ? &all[i + 1] : nullptr;
    const auto end = end_of(all[i], next);
    if (end && *end <= std::max(first, all[i].segment->first)) continue;
    if (all[i].segment->first.value > covered.value + 1) break;
    covered = end ? std::min(Cut(end->value - 1), last) : last;
    TRY_ASSIGN(auto extent, extent_of(all[i], end, last));
    extents.push_back(std::move(extent));
  }
  if (covered == last) return extents;
  return error(Code::kCorrupt, "MR-LOG-0010",
               "no segment in " + directory + " has frame " + std::to_string(covered.value + 1));
}

}  // namespace millrace::log
