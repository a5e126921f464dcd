#include "log/internal/frame_store.h"

#include <algorithm>

#include "base/crc32c.h"
#include "log/internal/frame_run.h"
#include "log/internal/read_buffer.h"

namespace millrace::log {

void add_to_index(SegmentIndex& index, const Frame& frame, uint64_t position, bool landmark) {
  index.add_frame(frame.cut, position, frame.time, landmark);
  for (const auto& batch : frame.batches) {
    index.add_batch(batch.where, batch.first, batch.count, batch.bytes.size(), frame.cut, position,
                    frame.time);
  }
  for (const auto& control : frame.controls) {
    std::string_view name;
    std::string_view value;
    if (control.kind == ControlKind::kPosition && decode_position(control.payload.view(), name, value)) {
      index.set_position(std::string(name), std::string(value));
    }
  }
}

void add_to_index(SegmentIndex& index, const std::vector<DamagedRange>& damage) {
  for (const auto& d : damage) {
    if (d.first <= d.last) index.add_unreadable(d.first, d.last, d.position, d.bytes);
  }
}

namespace {
using Shares = std::vector<SegmentInfo::StreamShare>;

Shares parts_of(const SegmentIndex& index) {
  Shares parts;
  parts.reserve(index.parts().size());
  for (const auto& part : index.parts()) {
    parts.push_back({part.where.stream, part.bytes, AppendTime(part.last_time)});
  }
  return parts;
}

Shares shares_of(Shares parts) {
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.stream < b.stream; });
  Shares out;
  for (const auto& part : parts) {
    if (out.empty() || out.back().stream != part.stream) {
      out.push_back(part);
      continue;
    }
    out.back().bytes += part.bytes;
    out.back().last_time = std::max(out.back().last_time, part.last_time);
  }
  return out;
}
}  // namespace

Result<std::shared_ptr<SegmentIndex>> build_index(File& file, const Segment& segment, bool check) {
  auto index = std::make_shared<SegmentIndex>();
  ScanRequest request{segment.id,   segment.first, segment.frames_begin,
                      segment.salt, std::nullopt,  Cut(segment.last.value + 1),
                      check,        nullptr};
  auto scanned = scan_segment(file, request, [&](const ScannedFrame& f) -> Status {
    TRY_ASSIGN(const auto frame, view_frame(nullptr, f.bytes, f.header, false));
    add_to_index(*index, *frame, f.position, f.after_damage);
    return {};
  });
  if (!scanned.ok()) return std::move(scanned).error();
  add_to_index(*index, scanned->damage);
  return index;
}

Result<std::shared_ptr<const SegmentIndex>> load_index(File& file, const Segment& segment, bool check) {
  if (segment.index_length > 0 && segment.index_length <= kLargestIndex) {
    std::string bytes(segment.index_length, '\0');
    TRY_ASSIGN(const size_t got, file.read_at(segment.index_position, bytes.data(), bytes.size()));
    bytes.resize(got);
    const bool whole = got == segment.index_length && (!check || crc32c(0, bytes) == segment.index_checksum);
    if (auto index = whole ? SegmentIndex::decode(bytes) : std::nullopt) {
      return std::shared_ptr<const SegmentIndex>(std::make_shared<SegmentIndex>(std::move(*index)));
    }
  }
  TRY_ASSIGN(auto index, build_index(file, segment, check));
  return std::shared_ptr<const SegmentIndex>(std::move(index));
}

void FrameStore::start(std::vector<SegmentPtr> segments, Cut end) {
  const std::lock_guard lock(mutex_);
  segments_ = std::move(segments);
  end_ = durable_ = end;
  tail_first_ = Cut(end.value + 1);
}

void FrameStore::append(FramePtr frame) {
  const std::lock_guard lock(mutex_);
  end_ = frame->cut;
  tail_held_ += frame->bytes;
  tail_.push_back(std::move(frame));
}

void FrameStore::evict() {
  while (tail_held_ > tail_bytes_ && !tail_.empty() && tail_.front()->cut <= durable_) {
    tail_held_ -= tail_.front()->bytes;
    tail_.pop_front();
    ++tail_first_.value;
  }
}

void FrameStore::roll(SegmentPtr next) {
  const std::lock_guard lock(mutex_);
  segments_.back()->active = false;
  segments_.push_back(std::move(next));
}

void FrameStore::written(const Frame& frame, uint64_t position, uint64_t end) {
  const std::lock_guard lock(mutex_);
  Segment& segment = *segments_.back();
  if (frame.cut == segment.first) segment.first_time = frame.time;
  segment.last = frame.cut;
  segment.last_time = frame.time;
  segment.frames_end = end;
  add_to_index(*segment.index, frame, position, false);
}

void FrameStore::durable(Cut cut) {
  const std::lock_guard lock(mutex_);
  durable_ = cut;
  evict();
}

Result<std::vector<std::pair<StreamPartition, Offset>>> FrameStore::ends_through(uint64_t id) {
  std::vector<SegmentPtr> all;
  {
    const std::lock_guard lock(mutex_);
    all = segments_;
  }
  std::vector<std::pair<StreamPartition, Offset>> ends;
  for (const auto& segment : all) {
    if (segment->id > id || segment == all.back()) break;
    TRY_ASSIGN(const bool whole, with_index(segment, [&](const SegmentIndex& index) {
                 for (const auto& part : index.parts()) ends.emplace_back(part.where, Offset(part.end));
                 return index.unreadable().empty();
               }));
    const std::lock_guard lock(mutex_);
    segment->damaged = segment->damaged || !whole;
  }
  return ends;
}

std::vector<SegmentPtr> FrameStore::take_through(uint64_t id) {
  const std::lock_guard lock(mutex_);
  std::vector<SegmentPtr> taken;
  while (segments_.size() > 1 && segments_.front()->id <= id && !segments_.front()->active) {
    loaded_.remove_if([&](const Loaded& l) { return l.id == segments_.front()->id; });
    taken.push_back(segments_.front());
    segments_.erase(segments_.begin());
  }
  // What is gone from the files is gone from memory too.
  while (!tail_.empty() && tail_first_ < segments_.front()->first) {
    tail_held_ -= tail_.front()->bytes;
    tail_.pop_front();
    ++tail_first_.value;
  }
  return taken;
}

void FrameStore::sealed(const SegmentPtr& segment, const SegmentTrailer& trailer) {
  auto shares = shares_of(parts_of(*segment->index));
  const std::lock_guard lock(mutex_);
  segment->trailer_written = true;
  segment->index_position = trailer.index_position;
  segment->index_length = trailer.index_length;
  segment->index_checksum = trailer.index_checksum;
  segment->shares = std::move(shares);
  segment->shares_known = true;
  segment->index.reset();
}

SegmentPtr FrameStore::active() const {
  const std::lock_guard lock(mutex_);
  return segments_.back();
}

Cut FrameStore::first_cut() const {
  const std::lock_guard lock(mutex_);
  return segments_.front()->first;
}

Cut FrameStore::end_cut() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

// Once and for all of a segment that is not written to any more. Of the others the index is copied under the
// lock, and added up outside.
bool FrameStore::learn_shares(const SegmentPtr& segment) {
  {
    const std::lock_guard lock(mutex_);
    if (segment->shares_known) return true;
  }
  auto parts = with_index(segment, parts_of);
  if (!parts.ok()) return false;
  auto shares = shares_of(std::move(*parts));
  const std::lock_guard lock(mutex_);
  segment->shares = std::move(shares);
  segment->shares_known = segment->index == nullptr;
  return true;
}

std::vector<SegmentInfo> FrameStore::segments() {
  std::vector<SegmentPtr> all;
  {
    const std::lock_guard lock(mutex_);
    all = segments_;
  }
  std::vector<SegmentInfo> out;
  for (const auto& segment : all) {
    const bool known = learn_shares(segment);
    const std::lock_guard lock(mutex_);
    out.push_back({segment->id, segment->first, segment->last, segment->first_time, segment->last_time,
                   segment->frames_end, !segment->active, segment->shares, known});
  }
  return out;
}

Error FrameStore::gone(Cut after) const {
  return error(Code::kGone, "MR-LOG-0011",
               "the frame after cut " + std::to_string(after.value) + " has been removed by retention",
               "read from the start of what is kept");
}

Error FrameStore::unreadable(const Segment& segment, Cut cut, uint64_t position) const {
  if (!kept(segment)) return gone(Cut(cut.value - 1));
  return error(Code::kCorrupt, "MR-LOG-0007",
               "frame " + std::to_string(cut.value) + " is damaged in " + segment.path + " at byte " +
                   std::to_string(position),
               "run `millrace log verify`; restore the segment from a copy");
}

bool FrameStore::kept(const Segment& segment) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(segments_.begin(), segments_.end(),
                     [&](const SegmentPtr& s) { return s->id == segment.id; });
}

SegmentPtr FrameStore::segment_of(Cut cut) const {
  auto it = std::upper_bound(segments_.begin(), segments_.end(), cut,
                             [](Cut c, const SegmentPtr& s) { return c < s->first; });
  return it == segments_.begin() ? nullptr : *std::prev(it);
}

size_t FrameStore::tail_from(Cut after) const {
  return after.value + 1 - tail_first_.value;
}

Result<FrameStore::Loaded> FrameStore::load(const SegmentPtr& segment) {
  Segment copy;
  {
    const std::lock_guard lock(mutex_);
    for (auto it = loaded_.begin(); it != loaded_.end(); ++it) {
      if (it->id != segment->id || (it->index == nullptr && segment->index == nullptr)) continue;
      loaded_.splice(loaded_.begin(), loaded_, it);
      return loaded_.front();
    }
    copy = *segment;
  }
  auto file = files_.open(copy.path, Files::Open::kRead);
  if (!file.ok()) {
    if (file.error().code == Code::kNotFound && !kept(copy)) return gone(Cut(copy.first.value - 1));
    return std::move(file).error();
  }
  Loaded loaded{copy.id, *file, nullptr, 0};
  if (copy.index == nullptr) {
    TRY_ASSIGN(loaded.index, load_index(**file, copy, check_));
    loaded.bytes = copy.index_length;
  }
  const std::lock_guard lock(mutex_);
  loaded_.remove_if([&](const Loaded& l) { return l.id == copy.id; });
  loaded_.push_front(loaded);
  size_t bytes = 0;
  size_t count = 0;
  for (auto it = loaded_.begin(); it != loaded_.end();) {
    bytes += it->bytes;
    const bool keep = ++count == 1 || (bytes <= kCachedIndexBytes && count <= kCachedSegments);
    it = keep ? std::next(it) : loaded_.erase(it);
  }
  return loaded;
}

// Looks into the segment's index: under the lock while it is in memory and may grow, else into the loaded
// one.
template <typename Look>
Result<std::invoke_result_t<Look, const SegmentIndex&>> FrameStore::with_index(const SegmentPtr& segment,
                                                                               Look look) {
  {
    const std::lock_guard lock(mutex_);
    if (segment->index != nullptr) return look(*segment->index);
  }
  TRY_ASSIGN(const Loaded loaded, load(segment));
  if (loaded.index != nullptr) return look(*loaded.index);
  return error(Code::kUnavailable, "MR-LOG-0013", "the segment's index is being written", "ask again");
}

// From the frame, or a little before it, over at least so many bytes: a read of exactly these has no frame that it
// does not hold to the end.
Result<FrameStore::Stretch> FrameStore::stretch_of(const SegmentPtr& segment, Cut cut, size_t bytes) {
  return with_index(segment, [&](const SegmentIndex& index) {
    Stretch stretch{{segment->first, segment->frames_begin}};
    if (const auto* entry = index.frame_at(cut)) stretch.begin = {Cut(entry->cut), entry->position};
    const uint64_t wanted = stretch.begin.position + std::min<uint64_t>(bytes, kLargestSegment);
    if (const auto* entry = index.frame_behind(wanted)) stretch.end = entry->position;
    return stretch;
  });
}

namespace {

constexpr size_t kReadBytes = 1u << 20;
constexpr size_t kSmallestRead = 64u << 10;
const WantsRecords kNothing = [](StreamPartition) { return false; };

// The next frame of the segment behind a bad place, from the one that was due there up to the one that is
// wanted.
std::optional<size_t> resume_in(std::string_view bytes, size_t from, const Segment& segment, Cut due,
                                Cut wanted, bool check) {
  for (size_t at = from + kFrameAlignment; at + kFrameHeader <= bytes.size(); at += kFrameAlignment) {
    const auto header = load_frame_header(bytes.substr(at), check);
    const bool ours = header && header->segment == segment.id && header->salt == segment.salt;
    if (ours && header->cut >= due && header->cut <= wanted) return at;
  }
  return std::nullopt;
}

}  // namespace

Status FrameStore::read_run(const SegmentPtr& segment, Run& run) {
  TRY_ASSIGN(const Loaded loaded, load(segment));
  const size_t wanted = run.max_bytes - std::min(run.max_bytes, run.bytes) + kIndexSpacing + kSegmentBlock;
  size_t size = std::clamp<size_t>(wanted, kSmallestRead, kReadBytes);
  if (run.end_position != UINT64_MAX && run.end_position > run.at.position) {
    const uint64_t left = run.end_position - run.at.position;
    size = run.ends_with_frame ? std::min<uint64_t>(left, kReadBytes)
                               : std::min<uint64_t>(size, round_to_block(left) + kSegmentBlock);
  }
  const uint64_t base = run.at.position;
  const bool in_parts = run.wants != nullptr && *run.wants;
  auto buffer = std::make_shared<ReadBuffer>(*loaded.file, base, size);
  size_t at = 0;
  // What is bad ends the run; it is an error only if nothing stands before it.
  const auto end_before = [&](Cut cut, uint64_t position) -> Status {
    if (run.out->empty()) return unreadable(*segment, cut, position);
    run.done = true;
    return {};
  };
  while (run.at.cut <= run.stop && base + at < run.end_position) {
    TRY(buffer->fill_to(in_parts ? at + kFrameHeader : buffer->size()));
    std::string_view bytes = buffer->bytes();
    auto header = load_frame_header(bytes.substr(std::min(at, bytes.size())), check_);
    const bool ours = header && header->segment == segment->id && header->salt == segment->salt &&
                      (!check_ || header->cut == run.at.cut);
    if (!ours) {
      if (at != 0 && bytes.size() - std::min(at, bytes.size()) < kFrameHeader) break;  // read on from here
      TRY(buffer->fill_to(buffer->size()));
      bytes = buffer->bytes();
      const auto resume = resume_in(bytes, at, *segment, run.at.cut, run.from, check_);
      if (resume) {
        at = *resume;
        run.at.cut = load_frame_header(bytes.substr(at), check_)->cut;
        continue;
      }
      return end_before(std::max(run.from, run.at.cut), base + at);
    }
    if (at + header->length > buffer->size()) {
      if (at != 0) break;
      TRY_ASSIGN(const uint64_t file_size, loaded.file->size());
      if (header->length > file_size - base) return end_before(run.at.cut, base);
      buffer = std::make_shared<ReadBuffer>(*loaded.file, base, header->length);
      continue;
    }
    if (in_parts) TRY(buffer->fill_frame(at, *header, header->cut >= run.from ? *run.wants : kNothing));
    bytes = buffer->bytes();
    if (at + header->length > bytes.size()) {  // the file ends inside
      if (at != 0) break;
      return end_before(run.at.cut, base);
    }
    if (header->cut >= run.from) {
      auto frame = view_frame(buffer, bytes.substr(at, header->length), *header, check_,
                              in_parts ? *run.wants : WantsRecords());
      if (!frame.ok()) return end_before(header->cut, base + at);
      if (!run.wanted || run.wanted(**frame)) {
        run.bytes += header->span();
        run.out->push_back(std::move(*frame));
      }
    }
    at += header->span();
    ++run.at.cut.value;
    if (run.bytes >= run.max_bytes && !run.out->empty()) {
      run.done = true;
      break;
    }
  }
  run.at.position = base + at;
  run.held = buffer->size();
  if (run.at.cut > run.stop || run.at.position >= run.end_position) run.done = true;
  return {};
}

Result<std::vector<FramePtr>> FrameStore::read_frames(Cut after, Cut upto, size_t max_bytes,
                                                      const WantsRecords& wants) {
  std::vector<FramePtr> out;
  size_t bytes = 0;
  while (out.empty() || bytes < max_bytes) {
    SegmentPtr segment;
    Cut stop;
    {
      const std::lock_guard lock(mutex_);
      upto = std::min(upto, end_);
      if (after >= upto) return out;
      if (after.value + 1 < segments_.front()->first.value) {
        if (!out.empty()) return out;
        return gone(after);
      }
      if (after.value + 1 >= tail_first_.value) {
        for (size_t i = tail_from(after); i < tail_.size() && tail_[i]->cut <= upto; ++i) {
          if (!out.empty() && bytes >= max_bytes) break;
          bytes += tail_[i]->bytes;
          out.push_back(tail_[i]);
        }
        return out;
      }
      segment = segment_of(Cut(after.value + 1));
      stop = std::min({upto, segment->last, Cut(tail_first_.value - 1)});
    }
    const Cut wanted(after.value + 1);
    if (stop < wanted) {
      if (!out.empty()) return out;
      return unreadable(*segment, wanted, segment->frames_end);
    }
    auto stretch = stretch_of(segment, wanted, std::max<size_t>(max_bytes - bytes, 1));
    if (!stretch.ok()) {
      if (!out.empty()) return out;
      return std::move(stretch).error();
    }
    Run run{.at = stretch->begin,
            .from = wanted,
            .stop = stop,
            .end_position = stretch->end,
            .ends_with_frame = true,
            .max_bytes = max_bytes,
            .wanted = nullptr,
            .wants = &wants,
            .out = &out,
            .bytes = bytes};
    while (!run.done) TRY(read_run(segment, run));
    bytes = run.bytes;
    if (out.empty() || out.back()->cut < stop) return out;
    after = stop;
  }
  return out;
}

Result<std::vector<FrameStore::Window>> FrameStore::windows_of(const SegmentPtr& segment, StreamId stream,
                                                               std::optional<PartitionId> partition,
                                                               Cut after) {
  return with_index(segment, [&](const SegmentIndex& index) {
    std::vector<const SegmentIndex::Part*> parts;
    if (!partition) {
      parts = index.parts_of(stream);
    } else if (const auto* part = index.find({stream, *partition})) {
      parts.push_back(part);
    }
    std::vector<Window> windows;
    for (const auto* part : parts) {
      auto it = std::upper_bound(part->entries.begin(), part->entries.end(), after.value,
                                 [](uint64_t c, const SegmentIndex::BatchEntry& e) { return c < e.cut; });
      if (it != part->entries.begin()) --it;  // its window may reach beyond `after`
      for (; it != part->entries.end(); ++it) {
        windows.push_back({it->position, it->position + uint64_t{kIndexSpacing}, Cut(it->cut)});
      }
    }
    std::sort(windows.begin(), windows.end(),
              [](const Window& a, const Window& b) { return a.from < b.from; });
    // Windows that touch are read as one.
    std::vector<Window> joined;
    for (const auto& w : windows) {
      if (!joined.empty() && w.from <= joined.back().to + kIndexSpacing) {
        joined.back().to = std::max(joined.back().to, w.to);
      } else {
        joined.push_back(w);
      }
    }
    return joined;
  });
}

// The first damaged place with frames beyond `after`.
Result<std::optional<SegmentIndex::Unreadable>> FrameStore::unreadable_after(const SegmentPtr& segment,
                                                                             Cut after) {
  return with_index(segment, [&](const SegmentIndex& index) -> std::optional<SegmentIndex::Unreadable> {
    for (const auto& u : index.unreadable()) {
      if (u.last > after.value) return u;
    }
    return std::nullopt;
  });
}

Cut FrameStore::cut_at(AppendTime time) {
  SegmentPtr segment;
  Cut before;
  {
    const std::lock_guard lock(mutex_);
    before = Cut(segments_.front()->first.value - 1);
    if (!tail_.empty() && tail_.front()->time < time) {
      auto it = std::lower_bound(tail_.begin(), tail_.end(), time,
                                 [](const FramePtr& f, AppendTime t) { return f->time < t; });
      return (*std::prev(it))->cut;
    }
    for (const auto& s : segments_) {
      if (s->last >= s->first && s->first_time < time) segment = s;
    }
  }
  if (segment == nullptr) return before;
  const auto entry = with_index(segment, [&](const SegmentIndex& index) {
    const auto* e = index.frame_before(time);
    return Cut(e != nullptr ? e->cut : segment->first.value);
  });
  if (!entry.ok()) return before;
  // From the entry on, frame by frame: it is at most kIndexSpacing away.
  Cut last(entry->value - 1);
  while (true) {
    const auto frames = read_frames(last, Cut(UINT64_MAX), kIndexSpacing, kNothing);
    if (!frames.ok() || frames->empty()) return last;
    for (const auto& frame : *frames) {
      if (frame->time >= time) return last;
      last = frame->cut;
    }
  }
}

// The cut before the first frame from `from` on that holds the offset or a higher one of the partition.
Result<Cut> FrameStore::search_offset(StreamPartition where, Offset offset, Cut from) {
  Cut after(from.value - 1);
  while (true) {
    TRY_ASSIGN(const auto found,
               read_stream(where.stream, where.partition, after, Cut(UINT64_MAX), kIndexSpacing));
    for (const auto& frame : found.frames) {
      for (const auto& batch : frame->batches) {
        if (batch.where == where && batch.first.value + batch.count > offset.value)
          return Cut(frame->cut.value - 1);
      }
    }
    if (found.scanned == after) return after;
    after = found.scanned;
  }
}

Result<Cut> FrameStore::cut_before(StreamPartition where, Offset offset) {
  std::vector<SegmentPtr> all;
  {
    const std::lock_guard lock(mutex_);
    all = segments_;
  }
  std::optional<Cut>
      from;  // the oldest place known to be at or before what is looked for, and after all that is less
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    auto entry = with_index(*it, [&](const SegmentIndex& index) -> std::optional<SegmentIndex::BatchEntry> {
      const auto* part = index.find(where);
      if (part == nullptr) return std::nullopt;
      auto e = std::upper_bound(part->entries.begin(), part->entries.end(), offset.value,
                                [](int64_t o, const SegmentIndex::BatchEntry& b) { return o < b.offset; });
      return e == part->entries.begin() ? *e : *std::prev(e);
    });
    if (!entry.ok()) {
      if (entry.error().code == Code::kGone) break;
      return std::move(entry).error();
    }
    if (!*entry) continue;
    from = Cut((*entry)->cut);
    if ((*entry)->offset <= offset.value) break;
  }
  return search_offset(
      where, offset,
      from.value_or(all.back()->last.value >= all.back()->first.value ? Cut(all.back()->last.value + 1)
                                                                      : all.back()->first));
}

}  // namespace millrace::log
