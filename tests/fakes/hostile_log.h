// HostileLog: a Log in memory that keeps the contract of log/log.h and nothing more. It behaves as a cluster
// of brokers does at its worst (docs/adr/0002-log-seam-on-kafka.md).
//
// Why:     what is written against the journal must not come to rely on what only the journal does.
// Does:    commits several groups in one transaction, or aborts them together; leaves gaps in offsets, also
//          behind the last record; shows a transaction to readers partition by partition; answers late and
//          out of order; refuses appends that may be retried; cuts what it answers to a fetch into batches of
//          its own; is taken over by another process.
// Never:   half a group, a batch twice, another order within a partition, an answer that does not hold.
// A store  outlives its logs, as a broker does; the newest log on it is the only one that may write. Same
//          seed, same calls: same outcome.
// Threads: one.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "log/log.h"

namespace millrace::fakes {

// For tests of the conformance suite only: a promise that is broken must be seen.
enum class Broken : uint8_t {
  kNone,
  kHalfGroup,        // a group's last batch is lost
  kAnswerEarly,      // answered before readers can see it
  kReadUncommitted,  // what is under way can be fetched
  kTwice,            // a transaction is sent again though it was committed
  kReorder,          // a transaction's groups arrive in another order
  kKeepAborted,      // an aborted transaction's batches stay
  kLosePosition,     // a group's positions are not committed
  kPositionAlone,    // an aborted group's positions are committed
  kZombie,           // the log that was taken over still writes
  kUnbounded,        // takes whatever comes
  kSkip,             // a fetch inside a gap leaves out a batch
  kStandStill,       // a fetch that finds nothing does not move on
  kEarlierTime,      // the offset found by time is the one before
  kForgetNew,        // retention takes the newest
  kLast = kForgetNew,
};

class HostileLog final : public log::Log {
 public:
  // What the brokers keep.
  struct Store {
    struct Stored {
      Offset first;
      uint32_t count = 0;
      AppendTime time;
      Buffer bytes;
    };
    struct Partition {
      std::vector<Stored> batches;
      Offset first;
      Offset stable;  // readers see what is before it
      Offset end;
    };
    // A transaction that is decided; its markers are not in every partition yet.
    struct Closing {
      std::set<StreamPartition> unmarked;
      std::map<std::string, std::string> positions;
    };
    std::map<StreamPartition, Partition> partitions;
    std::map<std::string, std::string> positions;
    std::optional<Closing> closing;
    uint64_t writer = 0;  // the epoch of the log that may write
  };
  struct Options {
    size_t pending_bytes = 128u << 10;
    uint32_t abort_one_in = 8;
    uint32_t refuse_one_in = 6;
    Broken broken = Broken::kNone;
  };

  // Takes the store over; a transaction that an earlier log had decided is finished first.
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
  using Stored = Store::Stored;

  bool broken(Broken what) const { return options_.broken == what; }
  bool fenced() const { return store_->writer != epoch_ && !broken(Broken::kZombie); }
  std::vector<Pending> take_transaction();
  void decide(std::vector<Pending> groups, bool commit);
  log::Outcome commit(const Pending& pending);
  void abort(const Pending& pending);
  void write_markers(bool all);
  void release_answers();
  std::vector<Stored> visible(const Store::Partition& partition, Offset from, size_t max_bytes);
  void answer_cut_anew(const std::vector<Stored>& batches, Offset from, size_t max_bytes,
                       std::vector<log::FetchedBatch>& out);

  std::shared_ptr<Store> store_;
  const Clock& clock_;
  Random random_;
  const Options options_;
  uint64_t epoch_;
  log::Ticket next_ticket_;
  std::deque<Pending> pending_;
  size_t pending_bytes_ = 0;
  std::vector<log::Outcome> decided_;  // not to be told before every marker is written
  std::vector<log::Outcome> answers_;  // not yet told
};

}  // namespace millrace::fakes
