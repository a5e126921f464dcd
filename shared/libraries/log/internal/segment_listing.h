// SegmentListing: the files of a journal's folder, by what their headers (or what stands in for them) say.
//
// Why:   a start and `log verify` must see the same segments. Reads only; past the page cache (kDirectRead).
// Lost:  without a readable header, the trailer or the frames themselves tell who a file is; `header_damage`
//        says so. A file that nothing proves to be in use is listed as unused; what its frames say was durable
//        must be in the others.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/internal/frame_store.h"

namespace millrace::log {

// One file that was in use. Its segment has id, path, epoch, salt, first and frames_begin; no frames yet.
struct SegmentCandidate {
  std::string name;
  std::shared_ptr<File> file;
  SegmentPtr segment;
  std::optional<SegmentHeader> header;
  std::optional<SegmentTrailer> trailer;
  uint64_t size = 0;
  std::string header_damage;  // empty: the header block was readable
};

struct SegmentListing {
  std::vector<SegmentCandidate> candidates;  // by id
  std::vector<std::string> spares;
  std::vector<std::string> unused;
  uint64_t next_id = 1;
  // Up to here everything was durable, as frames of a file say that cannot be placed. Beyond the log's end: lost.
  Cut claimed;
  std::string claimed_by;
};

// The first cut that is not the segment's: its trailer or the next segment tells. nullopt: it is the last
// one.
std::optional<Cut> end_of(const SegmentCandidate& c, const SegmentCandidate* next);

Result<SegmentListing> list_segments(Files& files, const std::string& directory, bool check);

}  // namespace millrace::log
