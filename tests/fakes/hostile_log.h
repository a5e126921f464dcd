// HostileLog: a Log in memory that keeps the contract of log/log.h and nothing more.
//
// Why:     what is written against the journal must not come to rely on what only the journal does.
// Does:    leaves gaps in offsets; answers late and out of order; commits before it answers; aborts groups;
//          refuses appends that may be retried; answers one batch where it may; is taken over by another
//          process.
// Never:   half a group, a batch twice, another order within a partition, an answer that does not hold.
// A store  outlives its logs, as a broker does; the newest log on it is the only one that may write. Same
//          seed, same calls: same outcome.
// Threads: one.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "log/log.h"

namespace millrace::fakes {

class HostileLog final : public log::Log {
 public:
  // What a broker keeps.
  struct Store {
    struct Stored {
      Offset first;
      uint32_t count = 0;
      AppendTime time;
      Buffer bytes;
    };
    struct Partition {
      std::vector<Stored> batches;
      Offset first, end;
    };
    std::map<StreamPartition, Partition> partitions;
    std::map<std::string, std::string> positions;
    uint64_t writer = 0;  // the epoch of the log that may write
  };
  struct Options {
    size_t pending_bytes = 128u << 10;
    uint32_t abort_one_in = 8;
    uint32_t refuse_one_in = 6;
  };

  // Takes the store over: what an earlier log had under way is committed up to some group, and no further.
  HostileLog(std::shared_ptr<Store> store, const Clock& clock, uint64_t seed, Options options);
  ~HostileLog() override;

  // The process ends: some of the groups under way, from the first on, are still committed.
  void die();
  // Retention: removes some of the oldest batches of every partition.
  void forget_some();

  Result<log::Ticket> append_group(log::Group group, std::vector<log::NamedPosition> positions) override;
  void poll_outcomes(std::vector<log::Outcome>& out) override;
  Result<log::Fetched> fetch(StreamPartition where, Offset from, size_t max_bytes) override;
  Result<log::OffsetRange> range(StreamPartition where) override;
  Result<Offset> offset_at(StreamPartition where, AppendTime time) override;
  Result<std::string> last_position(const std::string& name) override;

 private:
  struct Pending {
    log::Ticket ticket = 0;
    log::Group group;
    std::vector<log::NamedPosition> positions;
    std::vector<uint32_t> counts;
    size_t bytes = 0;
  };

  bool fenced() const { return store_->writer != epoch_; }
  void commit(Pending pending);
  void abort(Pending pending);

  std::shared_ptr<Store> store_;
  const Clock& clock_;
  Random random_;
  const Options options_;
  uint64_t epoch_;
  log::Ticket next_ticket_;
  std::deque<Pending> pending_;
  size_t pending_bytes_ = 0;
  std::vector<log::Outcome> answers_;  // not yet told
};

}  // namespace millrace::fakes
