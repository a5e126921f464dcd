#include "log/recovery.h"

#include <algorithm>
#include <deque>

#include "log/internal/segment_listing.h"

namespace millrace::log {
namespace {

using Candidate = SegmentCandidate;

class Recovery {
 public:
  Recovery(Files& files, const std::string& directory, bool check,
           const std::function<void(uint64_t, uint64_t)>& progress)
      : files_(files), directory_(directory), check_(check), progress_(progress) {}

  Result<RecoveredLog> run() {
    TRY(list());
    TRY(read_segments());
    TRY(check_end());
    TRY(find_state());
    finish();
    return std::move(log_);
  }

 private:
  Status list() {
    TRY_ASSIGN(auto listing, list_segments(files_, directory_, check_));
    log_.spares = std::move(listing.spares);
    log_.unused = std::move(listing.unused);
    for (const auto& name : log_.unused) log_.tails.push_back({path_in(directory_, name), 0});
    log_.next_id = listing.next_id;
    candidates_ = std::move(listing.candidates);
    claimed_ = listing.claimed;
    claimed_by_ = path_in(directory_, listing.claimed_by);
    for (const auto& c : candidates_) {
      if (c.header) log_.last_time = std::max(log_.last_time, c.header->time);
      if (!c.header_damage.empty()) report(c.segment->path, 0, c.segment->first, c.header_damage);
      log_.epoch = std::max(log_.epoch, c.segment->epoch);
    }
    return {};
  }

  void report(const std::string& file, uint64_t position, Cut cut, std::string what) {
    log_.report.damage.push_back({file, position, cut, std::move(what)});
  }

  Status read_segments() {
    for (size_t i = 0; i < candidates_.size(); ++i) {
      Candidate& c = candidates_[i];
      const bool is_last = i + 1 == candidates_.size();
      const std::optional<Cut> limit =
          is_last ? std::nullopt : std::optional(candidates_[i + 1].segment->first);
      if (limit && *limit < c.segment->first)
        return missing(candidates_[i + 1], "begins before its predecessor");
      if (i == 0) log_.last = Cut(c.segment->first.value - 1);
      if (c.segment->first.value > log_.last.value + 1) return missing(c, "does not follow its predecessor");
      if (c.trailer && (!limit || c.trailer->last.value + 1 == limit->value)) {
        take_trailer(c);
      } else if (c.trailer && limit && c.trailer->last.value + 1 < limit->value) {
        return missing(candidates_[i + 1], "does not follow its predecessor");
      } else if (!limit || *limit > c.segment->first) {
        TRY(scan(c, limit));
      }
      if (c.segment->last < c.segment->first) {
        log_.unused.push_back(c.name);
        continue;
      }
      log_.last = c.segment->last;
      log_.last_checksum = c.segment->last_checksum;
      log_.last_time = std::max(log_.last_time, c.segment->last_time);
      log_.segments.push_back(c.segment);
    }
    return {};
  }

  // Nothing that was durable may be beyond the end.
  Status check_end() const {
    const Cut end = log_.unproven.empty() ? log_.last : log_.unproven.back().header.cut;
    if (claimed_ <= end) return {};
    return error(Code::kCorrupt, "MR-LOG-0010",
                 "the segment " + claimed_by_ +
                     " is damaged at its start; its frames say that everything up to frame " +
                     std::to_string(claimed_.value) + " was durable, and the other segments end with frame " +
                     std::to_string(end.value),
                 "restore the file from a copy; do not remove others");
  }

  static std::optional<uint32_t> previous_of(const Candidate& c) {
    return c.header ? std::optional(c.header->previous) : std::nullopt;
  }

  Error missing(const Candidate& c, const char* what) const {
    return error(Code::kCorrupt, "MR-LOG-0010",
                 "the segment " + c.segment->path + ", which starts with frame " +
                     std::to_string(c.segment->first.value) + ", " + what + " (the last frame before it is " +
                     std::to_string(log_.last.value) + "): a segment file is missing or was replaced",
                 "restore the missing file of the journal; do not remove others");
  }

  static void take_trailer(Candidate& c) {
    Segment& s = *c.segment;
    s.last = c.trailer->last;
    s.first_time = c.trailer->first_time;
    s.last_time = c.trailer->last_time;
    s.frames_end = c.trailer->frames_end;
    s.last_checksum = c.trailer->last_checksum;
    s.index_position = c.trailer->index_position;
    s.index_length = c.trailer->index_length;
    s.index_checksum = c.trailer->index_checksum;
    s.trailer_written = true;
  }

  // Reads every frame. In the last segment, those that nothing proves are kept apart.
  Status scan(Candidate& c, std::optional<Cut> limit) {
    Segment& s = *c.segment;
    s.index = std::make_shared<SegmentIndex>();
    std::deque<Waiting> waiting;
    Cut proven(limit ? limit->value - 1 : s.first.value - 1);
    ScanRequest request{s.id, s.first, s.frames_begin, s.salt, previous_of(c), limit, check_, nullptr};
    request.progress = [&](uint64_t position) {
      if (progress_) progress_(position, c.size);
    };
    auto result = scan_segment(*c.file, request, [&](const ScannedFrame& f) -> Status {
      log_.epoch = std::max(log_.epoch, f.header.epoch);
      proven = std::max(proven, f.header.frontier);
      while (!waiting.empty() && waiting.front().unproven.header.cut <= proven) {
        TRY(take_frame(s, waiting.front()));
        waiting.pop_front();
      }
      waiting.push_back({{f.header, std::string(f.bytes)}, f.position, f.after_damage});
      return {};
    });
    if (!result.ok()) return std::move(result).error();
    while (!waiting.empty() && waiting.front().unproven.header.cut <= proven) {
      TRY(take_frame(s, waiting.front()));
      waiting.pop_front();
    }
    for (auto& w : waiting) log_.unproven.push_back(std::move(w.unproven));
    add_to_index(*s.index, result->damage);
    s.damaged = !s.index->unreadable().empty();
    s.last = std::max(s.last, proven);  // damage may be the last of what was proven
    for (const auto& d : result->damage) {
      report(s.path, d.position, d.first, to_string(d));
      s.frames_end = std::max(s.frames_end, d.position + d.bytes);  // the index must not be written over it
    }
    log_.tails.push_back({s.path, std::max(result->end, s.frames_end)});
    log_.report.scanned_bytes += result->end;
    log_.report.discarded_tail_bytes += result->discarded_bytes;
    return {};
  }

  struct Waiting {
    UnprovenFrame unproven;
    uint64_t position;
    bool after_damage;
  };

  static Status take_frame(Segment& s, const Waiting& w) {
    const FrameHeader& h = w.unproven.header;
    TRY_ASSIGN(const auto frame, view_frame(nullptr, w.unproven.bytes, h, false));
    add_to_index(*s.index, *frame, w.position, w.after_damage);
    if (s.first_time.value == 0) s.first_time = h.time;
    s.last = h.cut;
    s.last_time = h.time;
    s.last_checksum = h.checksum;
    s.frames_end = w.position + h.span();
    return {};
  }

  // Next offsets and positions: the newest carry that can be read, and the segments from there on.
  Status find_state() {
    size_t from = candidates_.size();
    bool found = candidates_.empty();
    while (!found && from > 0) {
      const Candidate& c = candidates_[--from];
      TRY_ASSIGN(auto carry, read_carry(*c.file, c.segment->id));
      if (carry) log_.state = std::move(*carry);
      found = carry.has_value();
    }
    if (!found && candidates_.front().segment->first.value > 1) {
      report(candidates_.front().segment->path, kSegmentBlock, candidates_.front().segment->first,
             "the carry is unreadable: offsets of partitions without records since are unknown");
    }
    if (!candidates_.empty()) {
      TRY_ASSIGN(auto oldest, read_carry(*candidates_.front().file, candidates_.front().segment->id));
      if (oldest) log_.starts = std::move(oldest->next);
    }
    for (size_t i = from; i < candidates_.size(); ++i) TRY(apply(candidates_[i]));
    return {};
  }

  Status apply(const Candidate& c) {
    std::shared_ptr<const SegmentIndex> index = c.segment->index;
    if (c.segment->last < c.segment->first) return {};
    if (index == nullptr) {
      TRY_ASSIGN(index, load_index(*c.file, *c.segment, check_));
    }
    for (const auto& part : index->parts()) {
      Offset& next = log_.state.next[part.where];
      next = std::max(next, Offset(part.end));
    }
    for (const auto& [name, position] : index->positions()) log_.state.positions[name] = position;
    for (const auto& u : index->unreadable()) damaged_bytes_ += u.bytes;
    return {};
  }

  void finish() {
    // Unreadable frames may have held offsets that were given out: leave room for as many as could fit in.
    constexpr uint64_t kSmallestRecord = 7;
    if (damaged_bytes_ > 0) {
      const auto room = static_cast<int64_t>(damaged_bytes_ / kSmallestRecord + 1);
      for (auto& [where, next] : log_.state.next) next.value += room;
    }
    for (const auto& u : log_.unproven) log_.last_time = std::max(log_.last_time, u.header.time);
    log_.report.segments = log_.segments.size();
    log_.report.end = log_.unproven.empty() ? log_.last : log_.unproven.back().header.cut;
  }

  Files& files_;
  const std::string& directory_;
  const bool check_;
  const std::function<void(uint64_t, uint64_t)>& progress_;
  std::vector<Candidate> candidates_;
  Cut claimed_;
  std::string claimed_by_;
  uint64_t damaged_bytes_ = 0;
  RecoveredLog log_;
};

}  // namespace

Result<RecoveredLog> recover(Files& files, const std::string& directory, bool check,
                             const std::function<void(uint64_t, uint64_t)>& progress) {
  return Recovery(files, directory, check, progress).run();
}

}  // namespace millrace::log
