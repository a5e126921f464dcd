#include "log/inspect.h"

#include <algorithm>

#include "base/crc32c.h"
#include "log/internal/segment_listing.h"
#include "log/record_batch.h"

namespace millrace::log {
namespace {

std::string text(Cut cut) {
  return std::to_string(cut.value);
}
std::string text(StreamPartition where) {
  return "stream " + std::to_string(where.stream.value) + ", partition " +
         std::to_string(where.partition.value);
}

class Verify {
 public:
  Verify(Files& files, const std::string& directory, const std::function<void(uint64_t, uint64_t)>& progress)
      : files_(files), directory_(directory), progress_(progress) {}

  Result<VerifyReport> run() {
    TRY_ASSIGN(auto listing, list_segments(files_, directory_, true));
    for (const auto& c : listing.candidates) total_bytes_ += c.size;
    for (size_t i = 0; i < listing.candidates.size(); ++i) {
      const SegmentCandidate* next = i + 1 < listing.candidates.size() ? &listing.candidates[i + 1] : nullptr;
      TRY(segment(listing.candidates[i], next));
      done_bytes_ += listing.candidates[i].size;
      if (progress_) progress_(done_bytes_, total_bytes_);
    }
    if (listing.claimed > last_) {
      find_in(listing.claimed_by, 0, Cut(0),
              "it is damaged at its start; its frames say that everything up to frame " +
                  text(listing.claimed) + " was durable");
    }
    report_.partitions = state_.next.size();
    return std::move(report_);
  }

 private:
  Status segment(const SegmentCandidate& c, const SegmentCandidate* next) {
    at_ = &c;
    ++report_.segments;
    if (!c.header_damage.empty()) find(0, Cut(0), c.header_damage);
    const Segment& s = *c.segment;
    if (!started_) begin(s);
    if (s.first.value > last_.value + 1) {
      find(0, s.first,
           "frames " + text(Cut(last_.value + 1)) + " to " + text(Cut(s.first.value - 1)) +
               " are missing before it: a segment file is missing or was replaced");
      skip_to(Cut(s.first.value - 1));
    } else if (s.first <= last_) {
      find(0, s.first, "it begins with a frame that an earlier segment has: frame " + text(last_));
    }
    check_header(c);
    TRY(check_carry(c));
    const auto limit = end_of(c, next);
    if (limit && *limit <= s.first) return {};  // none of its frames was proven: written again in the next
    return check_frames(c, limit);
  }

  void begin(const Segment& s) {
    started_ = true;
    last_ = Cut(s.first.value - 1);
    report_.first = s.first;
    offsets_known_ = true;  // of frame 1 all is known: nothing was before it
    chain_known_ = s.first.value == 1;
  }

  // What follows cannot be compared with what came before.
  void skip_to(Cut last) {
    last_ = last;
    chain_known_ = false;
    offsets_known_ = false;
  }

  void check_header(const SegmentCandidate& c) {
    if (!c.header) return;
    if (chain_known_ && c.header->first.value == last_.value + 1 && c.header->previous != last_checksum_) {
      find(0, c.header->first, "its header names another predecessor than frame " + text(last_));
    }
    if (c.header->time < last_time_) find(0, c.header->first, "its header's time goes back");
    if (c.header->epoch < epoch_) find(0, c.header->first, "its epoch goes back");
    epoch_ = std::max(epoch_, c.header->epoch);
  }

  Status check_carry(const SegmentCandidate& c) {
    TRY_ASSIGN(auto carry, read_carry(*c.file, c.segment->id));
    carry_lost_ = !carry;
    if (!carry) return {};
    const bool oldest = report_.segments == 1;
    if (offsets_known_ && !oldest && c.segment->first.value == last_.value + 1) compare(*carry);
    state_ = std::move(*carry);
    offsets_known_ = true;
    return {};
  }

  void compare(const Carry& carry) {
    for (const auto& [where, next] : carry.next) {
      const auto it = state_.next.find(where);
      const int64_t due = it == state_.next.end() ? 0 : it->second.value;
      if (next.value == due) continue;
      find(kSegmentBlock, Cut(0),
           "the carry has offset " + std::to_string(next.value) + " next for " + text(where) +
               ", and the frames before it end at " + std::to_string(due));
    }
    for (const auto& [where, next] : state_.next) {
      if (next.value > 0 && !carry.next.contains(where)) {
        find(kSegmentBlock, Cut(0), "the carry lacks " + text(where));
      }
    }
    if (carry.positions != state_.positions) {
      find(kSegmentBlock, Cut(0), "the carry's positions are not those of the frames before it");
    }
  }

  Status check_frames(const SegmentCandidate& c, std::optional<Cut> limit) {
    const Segment& s = *c.segment;
    SegmentIndex index;
    std::optional<AppendTime> first_time;
    std::optional<uint32_t> previous;
    if (c.header) previous = c.header->previous;
    ScanRequest request{s.id, s.first, s.frames_begin, s.salt, previous, limit, true, nullptr};
    request.progress = [&](uint64_t position) {
      if (progress_) progress_(done_bytes_ + position, total_bytes_);
    };
    auto scanned = scan_segment(*c.file, request, [&](const ScannedFrame& f) -> Status {
      TRY_ASSIGN(const auto frame, view_frame(nullptr, f.bytes, f.header, false));
      if (f.after_damage) offsets_known_ = false;
      if (!first_time) first_time = f.header.time;
      add_to_index(index, *frame, f.position, f.after_damage);
      check_frame_of(s, f, *frame);
      return {};
    });
    if (!scanned.ok()) return std::move(scanned).error();
    for (const auto& d : scanned->damage) find(d.position, d.first, to_string(d));
    finish_segment(*scanned);
    if (!c.trailer) return {};
    return check_trailer(c, *scanned, first_time.value_or(AppendTime(0)), index);
  }

  void finish_segment(const ScanResult& scanned) {
    report_.torn_bytes = scanned.discarded_bytes;
    // Without a frame that was acknowledged it may be lost like its frames.
    const bool proven = scanned.frontier >= at_->segment->first;
    if (carry_lost_ && proven) find(kSegmentBlock, Cut(0), "the carry is unreadable");
    if (scanned.damage.empty() || scanned.damage.back().last < scanned.last) {
      last_checksum_ = scanned.last_checksum;
      chain_known_ = true;
    }
    if (!scanned.damage.empty()) offsets_known_ = false;
    if (scanned.last > last_) skip_to(scanned.last);  // damage up to its end
    report_.last = last_;
  }

  void check_frame_of(const Segment& s, const ScannedFrame& f, const Frame& frame) {
    position_ = f.position;
    cut_ = f.header.cut;
    if (f.header.time < last_time_) find_here("its append time goes back");
    if (f.header.epoch != s.epoch) find_here("it has the epoch of another start");
    if (f.header.frontier < frontier_) find_here("its durable frontier goes back");
    frontier_ = std::max(frontier_, f.header.frontier);
    last_time_ = std::max(last_time_, f.header.time);
    last_ = f.header.cut;
    if (report_.frames == 0) report_.first_time = f.header.time;
    report_.last_time = f.header.time;
    ++report_.frames;
    report_.bytes += f.header.span();
    for (const auto& batch : frame.batches) check_batch(batch);
    for (const auto& control : frame.controls) check_control(control);
  }

  void check_batch(const FrameBatch& batch) {
    ++report_.batches;
    Offset& next = state_.next[batch.where];
    if (batch.first < next || (batch.first > next && offsets_known_)) {
      find_here("a batch of " + text(batch.where) + " has offset " + std::to_string(batch.first.value) +
                " where " + std::to_string(next.value) + " was due");
    }
    next = std::max(next, Offset(batch.first.value + batch.count));
    const auto view = RecordBatchView::parse(batch.bytes.view(), true);
    if (!view.ok()) return find_here("a batch fails its checks");
    if (view->last_offset().value - view->base_offset().value + 1 != view->count()) {
      find_here("a batch of " + text(batch.where) + " has gaps between its offsets");
    }
    RecordBatchView::Cursor cursor(*view);
    Record record;
    uint64_t records = 0;
    while (cursor.next(record)) ++records;
    report_.records += records;
    if (!cursor.ok() || records != view->count()) {
      find_here("record " + std::to_string(records) + " of a batch of " + text(batch.where) +
                " does not parse");
    }
  }

  void check_control(const FrameControl& control) {
    ++report_.controls;
    if (control.kind == ControlKind::kStart) ++report_.starts;
    if (control.kind != ControlKind::kPosition) return;
    std::string_view name;
    std::string_view value;
    if (!decode_position(control.payload.view(), name, value)) return find_here("a position does not parse");
    state_.positions[std::string(name)] = std::string(value);
  }

  Status check_trailer(const SegmentCandidate& c, const ScanResult& scanned, AppendTime first_time,
                       const SegmentIndex& index) {
    const SegmentTrailer& t = *c.trailer;
    const uint64_t at = c.size - kSegmentBlock;
    if (c.header && (t.first != c.header->first || t.epoch != c.header->epoch || t.salt != c.header->salt ||
                     t.frames_begin != c.header->frames_begin)) {
      find(at, Cut(0), "the trailer says otherwise than the header");
    }
    if (t.last != scanned.last) {
      find(at, t.last,
           "the trailer ends with frame " + text(t.last) + ", the frames with " + text(scanned.last));
    } else if (scanned.damage.empty() &&
               (t.last_checksum != scanned.last_checksum || t.frames_end != scanned.end ||
                t.last_time != scanned.last_time || t.first_time != first_time)) {
      find(at, t.last, "the trailer does not say what the frames say");
    }
    std::string bytes(std::min<uint64_t>(t.index_length, kLargestIndex), '\0');
    TRY_ASSIGN(const size_t got, c.file->read_at(t.index_position, bytes.data(), bytes.size()));
    bytes.resize(got);
    if (crc32c(0, bytes) != t.index_checksum || !SegmentIndex::decode(bytes)) {
      find(t.index_position, Cut(0), "the index is damaged; reads scan the segment instead");
    } else if (scanned.damage.empty() && bytes != index.encode()) {
      find(t.index_position, Cut(0), "the index does not say what the frames say");
    }
    return {};
  }

  void find_here(std::string what) { find(position_, cut_, std::move(what)); }
  void find(uint64_t position, Cut cut, std::string what) {
    find_in(at_->name, position, cut, std::move(what));
  }
  void find_in(const std::string& segment, uint64_t position, Cut cut, std::string what) {
    ++report_.findings_in_all;
    if (report_.findings.size() >= kMostFindings) return;
    report_.findings.push_back({segment, position, cut, std::move(what)});
  }

  Files& files_;
  const std::string& directory_;
  const std::function<void(uint64_t, uint64_t)>& progress_;
  VerifyReport report_;
  const SegmentCandidate* at_ = nullptr;
  uint64_t done_bytes_ = 0;
  uint64_t total_bytes_ = 0;

  // What is known behind the last frame.
  bool started_ = false;
  bool chain_known_ = false;
  bool offsets_known_ = false;
  bool carry_lost_ = false;
  Cut last_;
  Cut frontier_;
  uint32_t last_checksum_ = 0;
  AppendTime last_time_;
  uint32_t epoch_ = 0;
  Carry state_;

  // The frame that is being checked.
  uint64_t position_ = 0;
  Cut cut_;
};

}  // namespace

std::string to_string(const Finding& finding) {
  std::string out = finding.segment + ", byte " + std::to_string(finding.position);
  if (finding.cut.value > 0) out += ", frame " + text(finding.cut);
  return out + ": " + finding.what;
}

Result<VerifyReport> verify(Files& files, const std::string& directory,
                            const std::function<void(uint64_t, uint64_t)>& progress) {
  return Verify(files, directory, progress).run();
}

}  // namespace millrace::log
