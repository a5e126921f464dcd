// SegmentKeeper looks after the files of the journal beside its writes: the next segment is made and filled
// with zeros ahead, closed ones get their index and trailer, freed ones become spares.
//
// Why:     overwriting written blocks syncs a third faster than extending a file, and neither a new file nor
//          a directory sync may stand in the way of a frame.
// Order:   what recovery left, freeing, sealing, zeros ahead of the tail, the next segment. One small piece a
//          step.
// Threads: step() by one thread of its own (start), or by the core loop (a simulation). take_next and claim:
//          core loop. One lock; a piece of zeros is written outside it, see claim().
// Space:   zeros and new files stay out of the reserve.
// Failure: an I/O error is kept for failure(): the journal fails with it. A full disk is waited out.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "log/internal/frame_store.h"
#include "log/internal/group_buffer.h"

namespace millrace::log {

// A file that is, or will be, a segment.
struct SegmentFile {
  uint64_t id = 0;
  std::string path;
  std::shared_ptr<File> file;
  uint64_t written = 0;  // bytes that have blocks on the disk
};

class SegmentKeeper {
 public:
  struct Options {
    std::string directory;
    uint64_t segment_bytes = 0;
    uint64_t spare_segments = 0;
    uint64_t reserve_bytes = 0;
    uint64_t next_id = 1;
    std::vector<std::string> spares;  // names
  };
  using OnSealed = std::function<void(const SegmentPtr&, const SegmentTrailer&)>;

  SegmentKeeper(Files& files, Options options, OnSealed on_sealed);
  ~SegmentKeeper();
  void start_thread();
  void stop_thread();

  // One piece of work; false if there is nothing to do now.
  bool step();

  // A file for the next segment: the prepared one, a spare or a new one. Its name is durable.
  Result<SegmentFile> take_next();
  bool next_ready() const;
  void set_active(const SegmentFile& file, uint64_t tail);
  // The core will write up to here: waits until no zeros are under way below it, and keeps them out. Answers
  // how far the file has blocks on the disk already.
  uint64_t claim(uint64_t end);
  void seal(SegmentPtr segment);
  void free(std::vector<SegmentPtr> segments);
  void keep_spare(const std::string& name);  // a file without use, left by recovery
  bool idle() const;                         // no sealing or freeing is waiting
  std::optional<Error> failure() const;

 private:
  static constexpr size_t kPiece = 256u << 10;
  static constexpr uint64_t kAhead = 8u << 20;  // zeros keep this far from the tail

  void run();
  Status work(bool& worked);
  Status seal_one(const SegmentPtr& segment);
  Status free_one(const SegmentPtr& segment);
  Status retire(const std::string& name, uint64_t id);
  Result<bool> extend_active();
  Result<bool> prepare_next();
  uint64_t zeros_due() const;
  Result<SegmentFile> make_file(bool may_use_reserve);
  Result<bool> zero_piece(File& file, uint64_t& written, uint64_t from);
  std::string path(std::string_view name) const { return path_in(options_.directory, name); }

  Files& files_;
  Options options_;
  OnSealed on_sealed_;
  const Chunk zeros_{kPiece};  // aligned: zeros in the page cache would all be written by one sync

  mutable std::mutex work_mutex_;  // held for a step; the file of the next segment and the spares
  std::optional<SegmentFile> next_;
  uint64_t next_id_;
  std::vector<std::string> spares_;
  bool next_full_ = false;

  mutable std::mutex mutex_;  // leaf: what the core loop hands over
  std::condition_variable changed_;
  std::deque<SegmentPtr> to_seal_;
  std::deque<SegmentPtr> to_free_;
  std::vector<std::string> to_keep_;
  SegmentFile active_;
  uint64_t tail_ = 0;
  uint64_t zeroing_id_ = 0;
  uint64_t zeroing_from_ = 0;
  uint64_t zeroing_to_ = 0;  // 0: none under way
  bool next_there_ = false;
  bool stopping_ = false;
  std::optional<Error> failure_;
  std::thread thread_;
};

}  // namespace millrace::log
