#include "log/journal.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <thread>

#include "base/random.h"
#include "log/append_clock.h"
#include "log/internal/frame_store.h"
#include "log/internal/fresh_segment.h"
#include "log/internal/group_buffer.h"
#include "log/internal/partition_table.h"
#include "log/internal/segment_keeper.h"
#include "log/record_batch.h"
#include "log/recovery.h"

namespace millrace::log {
namespace {

constexpr int64_t kDiskCheckNs = 100'000'000;
constexpr uint64_t kStartToken = 1;
constexpr size_t kLongestPositionName = 255;
constexpr size_t kLongestPosition = 64u << 10;

bool checks(PlantedBug bug) {
  return bug != PlantedBug::kSkipChecksum;
}

Status check_options(const Journal::Options& o) {
  if (o.segment_bytes < 16 * kSegmentBlock || o.segment_bytes > kLargestSegment ||
      o.segment_bytes % kSegmentBlock != 0) {
    return error(Code::kInvalid, "MR-LOG-0014",
                 "segment_bytes must be whole 4 KB blocks, from 64 KB to 2 GB");
  }
  if (o.max_frame_bytes + kSegmentBlock > kLargestFrame) {
    return error(Code::kInvalid, "MR-LOG-0014", "max_frame_bytes must be below 1 GB");
  }
  return {};
}

class JournalImpl final : public Journal {
 public:
  JournalImpl(Files& files, const Clock& clock, Options options, const RecoveredLog& recovered)
      : files_(files),
        clock_(clock),
        options_(std::move(options)),
        append_clock_(clock, recovered.last_time, options_.max_wall_jump_us),
        report_(recovered.report),
        pool_(std::make_shared<ChunkPool>(round_to_block(options_.max_group_bytes))),
        store_(files, options_.tail_bytes, checks(options_.bug)),
        keeper_(files, keeper_options(recovered),
                [this](const SegmentPtr& s, const SegmentTrailer& t) { store_.sealed(s, t); }) {}

  ~JournalImpl() override {
    keeper_.stop_thread();
    wait_for_write();
  }

  Status start(RecoveredLog recovered) {
    epoch_ = recovered.epoch + 1;
    TRY_ASSIGN(auto file, keeper_.take_next());
    const uint32_t salt = make_salt(file.id);
    const auto write = [&] {
      return write_fresh_segment(files_, options_.directory, file, recovered, epoch_, salt,
                                 append_clock_.now(), options_.segment_bytes);
    };
    auto written = write();
    if (!written.ok() && written.error().code == Code::kExhausted) {
      TRY(give_back_tails(files_, recovered));
      written = write();
    }
    TRY_ASSIGN(FreshSegment fresh, std::move(written));
    file_ = fresh.file.file;
    tail_ = fresh.segment->frames_end;
    previous_ = fresh.segment->last_checksum;
    end_ = durable_ = fresh.segment->last.value;
    load_partitions(recovered);
    keeper_.set_active(fresh.file, tail_);
    for (const auto& segment : recovered.segments) {
      if (!segment->trailer_written) keeper_.seal(segment);
    }
    for (const auto& name : recovered.unused) keeper_.keep_spare(name);
    recovered.segments.push_back(fresh.segment);
    active_ = std::move(fresh.segment);
    store_.start(std::move(recovered.segments), Cut(end_.load()));
    if (options_.background_thread) keeper_.start_thread();
    return {};
  }

  // Journal.
  Result<Appended> append(Group group, Priority priority) override;
  bool flush() override;
  bool write_in_flight() const override { return writes_under_way_ > 0; }
  void poll() override;
  Cut end_cut() const override { return Cut(end_.load(std::memory_order_acquire)); }
  Cut durable_cut() const override {
    if (options_.bug == PlantedBug::kServeBeforeDurable) return end_cut();
    return Cut(durable_.load(std::memory_order_acquire));
  }
  Cut first_cut() const override { return store_.first_cut(); }
  AppendTime now() override { return append_clock_.now(); }
  const std::optional<Error>& failed() const override { return failed_; }
  const RecoveryReport& recovery() const override { return report_; }
  const JournalCounters& counters() const override { return counters_; }
  bool disk_low() const override { return disk_low_; }
  uint64_t start_epoch() const override { return epoch_; }
  uint64_t clock_jumps() const override { return append_clock_.jumps(); }
  Result<std::vector<FramePtr>> read_frames(Cut after, Cut upto, size_t max_bytes,
                                            const WantsRecords& wants) override {
    return store_.read_frames(after, upto, max_bytes, wants);
  }
  Result<StreamFrames> read_stream(StreamId stream, std::optional<PartitionId> partition, Cut after, Cut upto,
                                   size_t max_bytes) override {
    return store_.read_stream(stream, partition, after, upto, max_bytes);
  }
  Cut cut_at(AppendTime time) override { return store_.cut_at(time); }
  Result<Cut> cut_before(StreamPartition where, Offset offset) override {
    return store_.cut_before(where, offset);
  }
  std::vector<SegmentInfo> segments() override { return store_.segments(); }
  Status recycle_through(uint64_t id) override;
  Status close() override;

  // Log.
  Result<Ticket> append_group(Group group, std::vector<NamedPosition> positions) override;
  void poll_outcomes(std::vector<Outcome>& out) override;
  Result<Fetched> fetch(StreamPartition where, Offset from, size_t max_bytes) override;
  Result<OffsetRange> range(StreamPartition where) override { return partitions_.range(where); }
  Result<Offset> offset_at(StreamPartition where, AppendTime time) override;
  Result<std::string> last_position(const std::string& name) override { return partitions_.position(name); }

 private:
  struct Waiting {
    Ticket ticket;
    Cut cut;
    std::vector<BatchPlace> places;
  };

  SegmentKeeper::Options keeper_options(const RecoveredLog& recovered) const {
    return {options_.directory,     options_.segment_bytes, options_.spare_segments,
            options_.reserve_bytes, recovered.next_id,      recovered.spares};
  }
  void load_partitions(RecoveredLog& recovered) {
    Carry state = std::move(recovered.state);
    partitions_.load(std::move(state));
    for (const auto& unproven : recovered.unproven) {
      const auto frame = view_frame(nullptr, unproven.bytes, unproven.header, false);
      if (frame.ok()) partitions_.recover(**frame);
    }
    partitions_.set_starts(std::move(recovered.starts));
  }
  uint32_t make_salt(uint64_t id) const {
    const auto seed = static_cast<uint64_t>(clock_.wall_us()) ^
                      (static_cast<uint64_t>(clock_.monotonic_ns()) << 17) ^ (id << 48);
    return static_cast<uint32_t>(Random(seed).next());
  }

  Status admit(const Group& group, Priority priority, size_t span);
  Status check_space(Priority priority);
  void look_at_disk();
  Result<std::vector<BatchPlace>> places_of(const Group& group) const;
  void make_room(size_t span);
  void close_open_group();
  FramePtr write_frame(const Group& group, const std::vector<BatchPlace>& places, AppendTime time,
                       size_t length, uint32_t padding);
  bool submit();
  Status ensure_segment(size_t bytes);
  Status roll();
  void stamp(PendingGroup& group);
  void write_done();
  void fail(Error failure);
  void wait_for_write();
  std::vector<ControlAppend> take_dropped(Group& group) const;

  Files& files_;
  const Clock& clock_;
  const Options options_;
  AppendClock append_clock_;
  int64_t submitted_ns_ = 0;  // of the group under way; kept for options_.synced alone
  uint64_t leaps_told_ = 0;
  const RecoveryReport report_;
  std::shared_ptr<ChunkPool> pool_;
  PartitionTable partitions_;
  FrameStore store_;
  SegmentKeeper keeper_;
  uint32_t epoch_ = 0;

  // The place of the next write.
  SegmentPtr active_;
  std::shared_ptr<File> file_;
  uint64_t tail_ = 0;
  uint32_t previous_ = 0;
  std::string
      segment_start_;  // header and carry of a segment that has just begun; written with its first group

  // Groups: one open, some full, one on its way to the disk.
  std::shared_ptr<Chunk> chunk_;
  size_t chunk_used_ = 0;
  PendingGroup open_;
  std::deque<PendingGroup> full_;
  PendingGroup flying_;
  size_t pending_bytes_ = 0;
  int writes_under_way_ = 0;
  JournalCounters counters_;
  uint64_t next_token_ = kStartToken;
  uint64_t first_token_ = 0;

  std::atomic<uint64_t> end_{0};
  std::atomic<uint64_t> durable_{0};
  std::optional<Error> failed_;
  bool disk_low_ = false;
  bool disk_nearly_full_ = false;
  std::optional<int64_t> disk_looked_at_ns_;
  Ticket next_ticket_ = 1;
  std::deque<Waiting> waiting_;
};

Result<std::vector<BatchPlace>> JournalImpl::places_of(const Group& group) const {
  std::vector<BatchPlace> places;
  places.reserve(group.batches.size());
  for (const auto& batch : group.batches) {
    TRY_ASSIGN(const auto view, RecordBatchView::parse(batch.batch, false));
    if (view.last_offset().value - view.base_offset().value + 1 != view.count()) {
      return error(Code::kInvalid, "MR-LOG-0015",
                   "a batch that is appended must have no gaps between its offsets");
    }
    places.push_back({batch.where, Offset(0), view.count()});
  }
  return places;
}

Status JournalImpl::admit(const Group& group, Priority priority, size_t span) {
  if (failed_) {
    return error(Code::kUnavailable, "MR-LOG-0002", "the journal has failed: " + failed_->to_string(),
                 "restart the process once the disk is well");
  }
  if (group.batches.empty() && group.controls.empty()) {
    return error(Code::kInvalid, "MR-LOG-0016", "a group without batches and controls cannot be appended");
  }
  if (span > options_.max_frame_bytes) {
    return error(Code::kInvalid, "MR-LOG-0005",
                 "the group has " + std::to_string(span) + " bytes; a frame takes " +
                     std::to_string(options_.max_frame_bytes),
                 "send fewer events at once");
  }
  if (pending_bytes_ + span > options_.max_pending_bytes && pending_bytes_ > 0) {
    return error(Code::kExhausted, "MR-LOG-0003", "too much is waiting for the disk", "retry shortly");
  }
  return check_space(priority);
}

Status JournalImpl::check_space(Priority priority) {
  look_at_disk();
  if (!(priority == Priority::kIngest ? disk_low_ : disk_nearly_full_)) return {};
  return error(Code::kExhausted, "MR-LOG-0004", "the disk is full: nothing more is taken in; reads go on",
               "free some space, or shorten the retention");
}

void JournalImpl::look_at_disk() {
  const int64_t now = clock_.monotonic_ns();
  if (disk_looked_at_ns_ && now - *disk_looked_at_ns_ < kDiskCheckNs) return;
  disk_looked_at_ns_ = now;
  const auto free = files_.free_bytes(options_.directory);
  if (!free.ok()) return;
  const uint64_t next_segment = keeper_.next_ready() ? 0 : options_.segment_bytes;
  disk_low_ = *free < options_.reserve_bytes + next_segment;
  disk_nearly_full_ = *free < options_.reserve_bytes / 8;
}

// A planted bug: positions that are seen in memory and never written.
std::vector<ControlAppend> JournalImpl::take_dropped(Group& group) const {
  std::vector<ControlAppend> dropped;
  if (options_.bug != PlantedBug::kDropPosition) return dropped;
  std::erase_if(group.controls, [&](ControlAppend& c) {
    const bool drop = c.kind == ControlKind::kStep || c.kind == ControlKind::kPosition;
    if (drop) dropped.push_back(std::move(c));
    return drop;
  });
  return dropped;
}

Result<Appended> JournalImpl::append(Group group, Priority priority) {
  const AppendTime time = append_clock_.now();
  const bool leap = append_clock_.leaps() != leaps_told_;
  if (leap) group.controls.push_back({ControlKind::kLeap, ""});
  const size_t length = frame_length(group);
  const uint32_t padding = frame_padding(length);
  TRY(admit(group, priority, length + padding));
  TRY_ASSIGN(auto places, places_of(group));
  partitions_.assign(places);
  leaps_told_ = append_clock_.leaps();
  const auto dropped = take_dropped(group);
  make_room(length + padding);
  FramePtr frame = write_frame(group, places, time, frame_length(group), frame_padding(frame_length(group)));
  if (!dropped.empty()) {
    auto seen = std::make_shared<Frame>(*frame);
    for (const auto& c : dropped) seen->controls.push_back({c.kind, Buffer::copy(c.payload)});
    frame = std::move(seen);
  }
  pending_bytes_ += frame->bytes;
  ++counters_.frames;
  counters_.bytes += frame->bytes;
  store_.append(frame);
  end_.store(frame->cut.value, std::memory_order_release);
  return Appended{frame->cut, frame->time, std::move(places), frame};
}

// After it, `span` bytes and the padding of a block fit behind the open group's end.
void JournalImpl::make_room(size_t span) {
  if (!open_.empty() && open_.bytes() + span > options_.max_group_bytes) close_open_group();
  const size_t end = open_.empty() ? chunk_used_ : open_.end;
  if (chunk_ != nullptr && round_to_block(end + span) <= chunk_->capacity()) {
    if (open_.empty()) open_ = {chunk_, end, end, {}};
    return;
  }
  close_open_group();
  chunk_ = pool_->take(span);
  chunk_used_ = 0;
  open_ = {chunk_, 0, 0, {}};
}

FramePtr JournalImpl::write_frame(const Group& group, const std::vector<BatchPlace>& places, AppendTime time,
                                  size_t length, uint32_t padding) {
  char* const at = chunk_->data() + open_.end;
  FrameHeader header;
  header.length = static_cast<uint32_t>(length);
  header.padding = padding;
  header.cut = Cut(end_.load(std::memory_order_relaxed) + 1);
  header.time = time;
  header.batches = static_cast<uint32_t>(group.batches.size());
  header.controls = static_cast<uint32_t>(group.controls.size());
  const uint32_t body = encode_frame_body(at + kFrameHeader, group, places);
  std::memset(at + length, 0, padding);
  auto frame = view_frame(chunk_, {at, length}, header, false);
  CHECK(frame.ok(), "a frame that was just encoded is read back");
  open_.frames.push_back({*frame, open_.end, header.length, padding, body, header.controls});
  open_.end += length + padding;
  return std::move(*frame);
}

void JournalImpl::close_open_group() {
  if (open_.empty()) return;
  const size_t end = round_to_block(open_.end);
  std::memset(open_.chunk->data() + open_.end, 0, end - open_.end);
  open_.frames.back().padding += static_cast<uint32_t>(end - open_.end);
  open_.end = end;
  chunk_used_ = end;
  full_.push_back(std::move(open_));
  open_ = {};
}

bool JournalImpl::flush() {
  if (failed_ || writes_under_way_ > 0) return false;
  if (full_.empty()) close_open_group();
  return !full_.empty() && submit();
}

bool JournalImpl::submit() {
  const Status room = ensure_segment(full_.front().bytes());
  if (!room.ok()) {
    // Nothing was handed over yet: a full disk is waited out, anything else is final.
    if (room.error().code != Code::kExhausted) fail(room.error());
    disk_low_ = true;
    return false;
  }
  flying_ = std::move(full_.front());
  full_.pop_front();
  stamp(flying_);
  const bool sync = options_.bug != PlantedBug::kSkipSync;
  first_token_ = next_token_;
  if (!segment_start_.empty()) {
    files_.submit({file_, 0, segment_start_, false, (uint64_t{epoch_} << 32) | next_token_++});
    ++writes_under_way_;
  }
  files_.submit({file_, tail_, flying_.view(), sync, (uint64_t{epoch_} << 32) | next_token_++});
  ++writes_under_way_;
  tail_ += flying_.bytes();
  ++counters_.syncs;
  if (options_.synced) submitted_ns_ = clock_.monotonic_ns();
  return true;
}

// Makes sure that the group fits behind the tail, in this segment or in the next one.
Status JournalImpl::ensure_segment(size_t bytes) {
  const uint64_t seal = round_to_block(active_->index->encoded_size()) + 2 * kSegmentBlock;
  const bool empty = active_->last < active_->first;
  if (!empty && tail_ + bytes + seal > options_.segment_bytes) TRY(roll());
  const uint64_t written = keeper_.claim(tail_ + bytes);
  if (tail_ + bytes <= written) return {};
  const auto free = files_.free_bytes(options_.directory);
  if (free.ok() && *free < bytes + 16 * kSegmentBlock) {
    return error(Code::kExhausted, "MR-LOG-0004", "the disk is full", "free some space");
  }
  return {};
}

Status JournalImpl::roll() {
  TRY_ASSIGN(auto file, keeper_.take_next());
  auto next = std::make_shared<Segment>();
  SegmentHeader header{
      file.id, epoch_, Cut(active_->last.value + 1), previous_, make_salt(file.id), 0, active_->last_time};
  segment_start_ = encode_segment_start(header, partitions_.carry());
  next->id = file.id;
  next->path = file.path;
  next->epoch = epoch_;
  next->salt = header.salt;
  next->first = header.first;
  next->last = active_->last;
  next->frames_begin = next->frames_end = header.frames_begin;
  next->active = true;
  next->index = std::make_shared<SegmentIndex>();
  active_->last_checksum = previous_;
  store_.roll(next);
  keeper_.seal(active_);
  active_ = std::move(next);
  file_ = file.file;
  tail_ = header.frames_begin;
  keeper_.set_active(file, tail_);
  ++counters_.segment_changes;
  return {};
}

void JournalImpl::stamp(PendingGroup& group) {
  for (const auto& pending : group.frames) {
    FrameHeader header;
    header.length = pending.length;
    header.padding = pending.padding;
    header.body_checksum = pending.body_checksum;
    header.previous = previous_;
    header.segment = active_->id;
    header.cut = pending.frame->cut;
    header.frontier = Cut(durable_.load(std::memory_order_relaxed));
    header.time = pending.frame->time;
    header.epoch = epoch_;
    header.salt = active_->salt;
    header.batches = static_cast<uint32_t>(pending.frame->batches.size());
    header.controls = pending.controls;
    previous_ = store_frame_header(group.chunk->data() + pending.at, header);
    const uint64_t position = tail_ + pending.at - group.begin;
    store_.written(*pending.frame, position, position + header.span());
  }
}

void JournalImpl::poll() {
  if (!options_.background_thread) keeper_.step();
  look_at_disk();
  if (!failed_) {
    if (auto failure = keeper_.failure()) fail(std::move(*failure));
  }
  std::vector<WriteCompletion> done;
  files_.poll(done);
  for (auto& completion : done) {
    const bool ours = completion.token >> 32 == epoch_ && (completion.token & 0xFFFFFFFF) >= first_token_;
    if (!ours || writes_under_way_ == 0) continue;
    --writes_under_way_;
    if (!completion.status.ok()) fail(std::move(completion.status).error());
    if (writes_under_way_ == 0 && !failed_) write_done();
  }
  if (!failed_ && writes_under_way_ == 0 && !full_.empty()) submit();
}

void JournalImpl::write_done() {
  for (const auto& pending : flying_.frames) {
    partitions_.commit(*pending.frame);
    pending_bytes_ -= pending.frame->bytes;
  }
  const Cut cut = flying_.frames.back().frame->cut;
  if (options_.synced) options_.synced((clock_.monotonic_ns() - submitted_ns_) / 1000, flying_.bytes());
  segment_start_.clear();
  flying_ = {};
  durable_.store(cut.value, std::memory_order_release);
  store_.durable(cut);
}

void JournalImpl::fail(Error failure) {
  if (!failed_) failed_ = std::move(failure);
}

// The bytes under way must stay until the disk has let go of them.
void JournalImpl::wait_for_write() {
  for (int i = 0; i < 100'000 && writes_under_way_ > 0; ++i) {
    std::vector<WriteCompletion> done;
    files_.poll(done);
    writes_under_way_ -=
        static_cast<int>(std::min<size_t>(done.size(), static_cast<size_t>(writes_under_way_)));
    if (writes_under_way_ > 0 && options_.background_thread) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  // A disk that hangs for ten seconds keeps the memory: better a leak at the end than a write from freed
  // bytes.
  if (writes_under_way_ > 0) new PendingGroup(std::move(flying_));
}

Status JournalImpl::recycle_through(uint64_t id) {
  TRY_ASSIGN(const auto ends, store_.ends_through(id));
  // First: a reader on another thread that finds a frame gone asks what its stream has lost.
  partitions_.raise_starts(ends);
  auto taken = store_.take_through(id);
  if (!taken.empty()) keeper_.free(std::move(taken));
  return {};
}

Status JournalImpl::close() {
  for (uint64_t i = 0; !failed_ && durable_ < end_; ++i) {
    flush();
    poll();
    if (failed_ || durable_ >= end_) break;
    if (!write_in_flight() && disk_low_ && i > 10'000) {
      return error(Code::kExhausted, "MR-LOG-0004", "the disk is full: the last frames could not be written");
    }
    if (options_.background_thread) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  keeper_.stop_thread();
  if (failed_) return *failed_;
  return {};
}

Result<Ticket> JournalImpl::append_group(Group group, std::vector<NamedPosition> positions) {
  const Priority priority = positions.empty() ? Priority::kIngest : Priority::kStep;
  for (auto& p : positions) {
    if (p.name.empty() || p.name.size() > kLongestPositionName || p.position.size() > kLongestPosition) {
      return error(Code::kInvalid, "MR-LOG-0017",
                   "a position's name has 1 to 255 bytes, and it at most 64 KB");
    }
    if (partitions_.positions() >= PartitionTable::kMostPositions && !partitions_.position(p.name).ok()) {
      return error(Code::kExhausted, "MR-LOG-0018", "too many names of positions are in use");
    }
    group.controls.push_back({ControlKind::kPosition, encode_position(p.name, p.position)});
  }
  TRY_ASSIGN(auto appended, append(std::move(group), priority));
  waiting_.push_back({next_ticket_, appended.cut, std::move(appended.places)});
  return next_ticket_++;
}

void JournalImpl::poll_outcomes(std::vector<Outcome>& out) {
  poll();
  flush();
  while (!waiting_.empty() && waiting_.front().cut <= durable_cut()) {
    out.push_back({waiting_.front().ticket, true, std::move(waiting_.front().places)});
    waiting_.pop_front();
  }
}

Result<Fetched> JournalImpl::fetch(StreamPartition where, Offset from, size_t max_bytes) {
  const OffsetRange range = partitions_.range(where);
  if (from < range.first) {
    return error(Code::kGone, "MR-LOG-0011",
                 "offset " + std::to_string(from.value) + " has been removed by retention",
                 "the first kept offset is " + std::to_string(range.first.value));
  }
  if (from > range.end) {
    return error(Code::kInvalid, "MR-LOG-0012", "offset " + std::to_string(from.value) + " is beyond the end",
                 "the end is " + std::to_string(range.end.value));
  }
  Fetched out{{}, from, range.end};
  if (from == range.end) return out;
  const Cut durable(durable_.load(std::memory_order_acquire));
  TRY_ASSIGN(Cut after, store_.cut_before(where, from));
  size_t bytes = 0;
  while (after < durable && (out.batches.empty() || bytes < max_bytes)) {
    TRY_ASSIGN(const auto found,
               store_.read_stream(where.stream, where.partition, after, durable, max_bytes));
    for (const auto& frame : found.frames) {
      for (const auto& batch : frame->batches) {
        if (batch.where != where || batch.first.value + batch.count <= from.value) continue;
        if (!out.batches.empty() && bytes >= max_bytes) return out;
        out.batches.push_back({batch.first, batch.count, batch.bytes});
        out.next = Offset(batch.first.value + batch.count);
        bytes += batch.bytes.size();
      }
    }
    if (found.scanned == after) break;
    after = found.scanned;
  }
  return out;
}

Result<Offset> JournalImpl::offset_at(StreamPartition where, AppendTime time) {
  const OffsetRange range = partitions_.range(where);
  const Cut durable(durable_.load(std::memory_order_acquire));
  Cut after = store_.cut_at(time);
  while (after < durable) {
    TRY_ASSIGN(const auto found,
               store_.read_stream(where.stream, where.partition, after, durable, kIndexSpacing));
    for (const auto& frame : found.frames) {
      for (const auto& batch : frame->batches) {
        if (batch.where == where) return batch.first;
      }
    }
    if (found.scanned == after) break;
    after = found.scanned;
  }
  return range.end;
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(Files& files, const Clock& clock, Options options,
                                               std::function<void(uint64_t, uint64_t)> progress) {
  TRY(check_options(options));
  const std::string parent = options.directory;
  options.directory = parent + "/journal";
  TRY(files.make_directories(options.directory));
  TRY(files.sync_directory(parent));
  TRY_ASSIGN(auto recovered, recover(files, options.directory, checks(options.bug), progress));
  auto journal = std::make_unique<JournalImpl>(files, clock, std::move(options), recovered);
  TRY(journal->start(std::move(recovered)));
  return std::unique_ptr<Journal>(std::move(journal));
}

}  // namespace millrace::log
