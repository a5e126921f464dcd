#include "log/internal/segment_keeper.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/crc32c.h"

namespace millrace::log {

SegmentKeeper::SegmentKeeper(Files& files, Options options, OnSealed on_sealed)
    : files_(files),
      options_(std::move(options)),
      on_sealed_(std::move(on_sealed)),
      next_id_(options_.next_id),
      spares_(options_.spares) {}

SegmentKeeper::~SegmentKeeper() {
  stop_thread();
}

void SegmentKeeper::start_thread() {
  thread_ = std::thread([this] { run(); });
}

void SegmentKeeper::stop_thread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SegmentKeeper::run() {
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);  // best effort
  while (true) {
    const bool worked = step();
    std::unique_lock lock(mutex_);
    if (stopping_ || failure_) return;
    // A pause a piece leaves the disk to the syncs; it is short while the next segment is not there.
    const auto pause =
        !worked ? std::chrono::milliseconds(50) : std::chrono::milliseconds(next_there_ ? 4 : 1);
    changed_.wait_for(lock, pause, [this] { return stopping_ || !to_seal_.empty() || !to_free_.empty(); });
    if (stopping_) return;
  }
}

bool SegmentKeeper::step() {
  bool worked = false;
  const Status status = work(worked);
  if (!status.ok() && status.error().code != Code::kExhausted) {
    const std::lock_guard lock(mutex_);
    failure_ = status.error();
    changed_.notify_all();
  }
  return worked && status.ok();
}

Status SegmentKeeper::work(bool& worked) {
  const std::lock_guard work_lock(work_mutex_);
  SegmentPtr sealing;
  SegmentPtr freeing;
  std::string keeping;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) return {};
    // What recovery found replaced goes before its replacement may be freed: alone, it would pass for the
    // oldest segment of the log. Then freeing: on a full disk it is what helps.
    if (!to_keep_.empty()) {
      keeping = to_keep_.back();
    } else if (!to_free_.empty()) {
      freeing = to_free_.front();
    } else if (!to_seal_.empty()) {
      sealing = to_seal_.front();
    }
  }
  worked = true;
  if (sealing != nullptr) {
    TRY(seal_one(sealing));
    const std::lock_guard lock(mutex_);
    to_seal_.pop_front();
    return {};
  }
  if (freeing != nullptr) {
    TRY(free_one(freeing));
    const std::lock_guard lock(mutex_);
    to_free_.pop_front();
    return {};
  }
  if (!keeping.empty()) {
    TRY(retire(keeping, segment_id(keeping).value_or(0)));
    const std::lock_guard lock(mutex_);
    to_keep_.pop_back();
    return {};
  }
  TRY_ASSIGN(worked, extend_active());
  if (worked) return {};
  TRY_ASSIGN(worked, prepare_next());
  return {};
}

// Index and trailer go behind the frames; a segment that is mostly empty gives its rest back to the disk.
Status SegmentKeeper::seal_one(const SegmentPtr& segment) {
  if (!files_.exists(segment->path)) return {};  // freed before its turn came
  const std::string index = segment->index->encode();
  SegmentTrailer t;
  t.id = segment->id;
  t.first = segment->first;
  t.last = segment->last;
  t.first_time = segment->first_time;
  t.last_time = segment->last_time;
  t.frames_begin = segment->frames_begin;
  t.frames_end = segment->frames_end;
  t.last_checksum = segment->last_checksum;
  t.epoch = segment->epoch;
  t.salt = segment->salt;
  t.index_position = round_to_block(t.frames_end);
  t.index_length = index.size();
  t.index_checksum = crc32c(0, index);
  TRY_ASSIGN(auto file, files_.open(segment->path, Files::Open::kWrite));
  TRY_ASSIGN(const uint64_t size, file->size());
  const uint64_t needed = t.index_position + round_to_block(index.size()) + kSegmentBlock;
  const bool keep_size = size >= needed && needed > size - size / 8 && size % kSegmentBlock == 0;
  const uint64_t end = keep_size ? size : needed;
  TRY(file->write_at(t.index_position, index));
  TRY(file->write_at(end - kSegmentBlock, encode_trailer(t)));
  if (end != size) TRY(file->resize(end));
  TRY(file->sync());
  on_sealed_(segment, t);
  return {};
}

// Oldest first, each durable before the next: a crash must not leave a hole.
Status SegmentKeeper::free_one(const SegmentPtr& segment) {
  const std::string name = segment_name(segment->id);
  if (!segment->damaged) return retire(name, segment->id);
  const std::string quarantine = options_.directory + "/quarantine";
  TRY(files_.make_directories(quarantine));
  TRY(files_.sync_directory(options_.directory));
  TRY(files_.rename(path(name), path_in(quarantine, name)));
  TRY(files_.sync_directory(quarantine));
  return files_.sync_directory(options_.directory);
}

Status SegmentKeeper::retire(const std::string& name, uint64_t id) {
  if (!files_.exists(path(name))) return {};
  if (spares_.size() + (next_ ? 1 : 0) > options_.spare_segments) {
    TRY(files_.remove(path(name)));
    return files_.sync_directory(options_.directory);
  }
  TRY(files_.rename(path(name), path(spare_name(id))));
  TRY(files_.sync_directory(options_.directory));
  spares_.push_back(spare_name(id));
  return {};
}

Result<bool> SegmentKeeper::zero_piece(File& file, uint64_t& written, uint64_t from) {
  TRY_ASSIGN(const uint64_t free, files_.free_bytes(options_.directory));
  const uint64_t size = std::min<uint64_t>(kPiece, options_.segment_bytes - from);
  if (free < options_.reserve_bytes + size) return false;
  TRY(file.write_at(from, {zeros_.data(), size}));
  written = from + size;
  return true;
}

Result<bool> SegmentKeeper::extend_active() {
  SegmentFile active;
  uint64_t from = 0;
  {
    const std::lock_guard lock(mutex_);
    // A tail that has overtaken the zeros extends the file itself; they go on ahead of it.
    const uint64_t ahead = round_to_block(tail_ + std::min(kAhead, options_.segment_bytes / 4));
    if (active_.file == nullptr || tail_ >= options_.segment_bytes) return false;
    from = active_.written < tail_ ? ahead : active_.written;
    if (from >= options_.segment_bytes) return false;
    active = active_;
    zeroing_id_ = active_.id;
    zeroing_from_ = from;
    zeroing_to_ = std::min<uint64_t>(from + kPiece, options_.segment_bytes);
  }
  uint64_t written = active.written;
  auto wrote = zero_piece(*active.file, written, from);
  Status synced;
  if (wrote.ok() && *wrote && written == options_.segment_bytes) synced = active.file->sync();
  const std::lock_guard lock(mutex_);
  zeroing_to_ = 0;
  changed_.notify_all();
  if (!wrote.ok()) return wrote;
  if (!synced.ok()) return std::move(synced).error();
  if (*wrote && active_.id == active.id) active_.written = written;
  return wrote;
}

uint64_t SegmentKeeper::claim(uint64_t end) {
  std::unique_lock lock(mutex_);
  tail_ = end;
  changed_.wait(lock, [&] { return zeroing_to_ == 0 || zeroing_id_ != active_.id || end <= zeroing_from_; });
  return active_.written;
}

Result<SegmentFile> SegmentKeeper::make_file(bool may_use_reserve) {
  const std::string name = segment_name(next_id_);
  const bool spare = !spares_.empty();
  if (spare) {
    TRY(files_.rename(path(spares_.back()), path(name)));
    spares_.pop_back();
  } else if (!may_use_reserve) {
    TRY_ASSIGN(const uint64_t free, files_.free_bytes(options_.directory));
    if (free < options_.reserve_bytes + options_.segment_bytes) {
      return error(Code::kExhausted, "MR-LOG-0004", "the disk has no room for another segment",
                   "free some space, or shorten the retention");
    }
  }
  SegmentFile made;
  made.id = next_id_;
  made.path = path(name);
  TRY_ASSIGN(made.file, files_.open(made.path, Files::Open::kDirectWrite));
  TRY(files_.sync_directory(options_.directory));
  if (spare) {
    TRY_ASSIGN(made.written, made.file->size());
  }
  made.written = std::min(made.written, options_.segment_bytes) / kSegmentBlock * kSegmentBlock;
  ++next_id_;
  return made;
}

Result<bool> SegmentKeeper::prepare_next() {
  if (options_.spare_segments == 0) return false;
  if (!next_) {
    auto made = make_file(false);
    if (!made.ok()) return std::move(made).error();
    next_ = std::move(*made);
    next_full_ = false;
    const std::lock_guard lock(mutex_);
    next_there_ = true;
    return true;
  }
  if (next_->written < options_.segment_bytes) {
    // In step with the tail: a burst of zeros would stand in the way of the syncs, and nobody waits for it.
    if (next_->written > zeros_due()) return false;
    return zero_piece(*next_->file, next_->written, next_->written);
  }
  if (next_full_) return false;
  next_full_ = true;
  TRY(next_->file->sync());
  return true;
}

// The next segment is full of zeros when the active one is four fifths full of frames.
uint64_t SegmentKeeper::zeros_due() const {
  const std::lock_guard lock(mutex_);
  return tail_ + tail_ / 4 + kPiece;
}

Result<SegmentFile> SegmentKeeper::take_next() {
  const std::lock_guard work_lock(work_mutex_);
  if (next_) {
    SegmentFile taken = std::move(*next_);
    next_.reset();
    const std::lock_guard lock(mutex_);
    next_there_ = false;
    return taken;
  }
  return make_file(true);
}

bool SegmentKeeper::next_ready() const {
  const std::lock_guard lock(mutex_);
  return next_there_;
}

void SegmentKeeper::set_active(const SegmentFile& file, uint64_t tail) {
  const std::lock_guard lock(mutex_);
  active_ = file;
  tail_ = tail;
}

void SegmentKeeper::seal(SegmentPtr segment) {
  const std::lock_guard lock(mutex_);
  to_seal_.push_back(std::move(segment));
  changed_.notify_all();
}

void SegmentKeeper::free(std::vector<SegmentPtr> segments) {
  const std::lock_guard lock(mutex_);
  for (auto& segment : segments) to_free_.push_back(std::move(segment));
  changed_.notify_all();
}

void SegmentKeeper::keep_spare(const std::string& name) {
  const std::lock_guard lock(mutex_);
  to_keep_.push_back(name);
}

bool SegmentKeeper::idle() const {
  const std::lock_guard lock(mutex_);
  return to_seal_.empty() && to_free_.empty() && to_keep_.empty();
}

std::optional<Error> SegmentKeeper::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace millrace::log
