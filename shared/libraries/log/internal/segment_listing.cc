#include "log/internal/segment_listing.h"

#include <algorithm>

namespace millrace::log {
namespace {

template <typename From>
void take_identity(Segment& segment, const From& from) {
  segment.first = from.first;
  segment.last = Cut(from.first.value - 1);
  segment.epoch = from.epoch;
  segment.salt = from.salt;
  segment.frames_begin = segment.frames_end = from.frames_begin;
}

// False: nothing proves that the file is in use.
Result<bool> identify(SegmentCandidate& c, bool check, SegmentListing& out) {
  TRY_ASSIGN(c.header, read_segment_header(*c.file));
  if (c.header && c.header->id != c.segment->id) c.header.reset();  // the file's former use
  TRY_ASSIGN(c.trailer, read_trailer(*c.file, c.segment->id));
  if (c.header) {
    take_identity(*c.segment, *c.header);
    return true;
  }
  if (c.trailer) {
    take_identity(*c.segment, *c.trailer);
    c.header_damage = "the segment's header block is unreadable; its trailer stood in";
    return true;
  }
  TRY_ASSIGN(const auto lost, find_lost_segment(*c.file, c.segment->id, check));
  if (lost && !lost->proven() && lost->frontier > out.claimed) {
    out.claimed = lost->frontier;
    out.claimed_by = c.name;
  }
  if (!lost || !lost->proven()) return false;
  take_identity(*c.segment, *lost);
  c.header_damage = "the segment's header block is unreadable; its frames were found";
  return true;
}

}  // namespace

std::optional<Cut> end_of(const SegmentCandidate& c, const SegmentCandidate* next) {
  std::optional<Cut> end;
  if (c.trailer) end = Cut(c.trailer->last.value + 1);
  if (next != nullptr && (!end || next->segment->first < *end)) end = next->segment->first;
  return end;
}

Result<SegmentListing> list_segments(Files& files, const std::string& directory, bool check) {
  SegmentListing out;
  TRY_ASSIGN(const auto names, files.list(directory));
  for (const auto& name : names) {
    const auto id = segment_id(is_spare(name) ? std::string_view(name).substr(6) : std::string_view(name));
    if (id) out.next_id = std::max(out.next_id, *id + 1);
    if (is_spare(name)) out.spares.push_back(name);
    if (!id || is_spare(name)) continue;
    SegmentCandidate c{name, nullptr, std::make_shared<Segment>(), {}, {}, 0, {}};
    c.segment->id = *id;
    c.segment->path = path_in(directory, name);
    TRY_ASSIGN(c.file, files.open(c.segment->path, Files::Open::kDirectRead));
    TRY_ASSIGN(c.size, c.file->size());
    TRY_ASSIGN(const bool in_use, identify(c, check, out));
    if (in_use) {
      out.candidates.push_back(std::move(c));
    } else {
      out.unused.push_back(name);
    }
  }
  std::sort(out.candidates.begin(), out.candidates.end(),
            [](const auto& a, const auto& b) { return a.segment->id < b.segment->id; });
  return out;
}

}  // namespace millrace::log
