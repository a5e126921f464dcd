// LogWriter: one user of a Log who remembers all it sent and all it read, and the rules that must hold between
// that and what the log gives back. A broken rule is an error that says which.
//
// Records are compared, not batches: how a fetch cuts them into batches is the log's business.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "tests/conformance/log_subject.h"

namespace millrace::conformance {

Error broken(std::string rule);

class LogWriter {
 public:
  static constexpr uint32_t kStreams = 3;
  static constexpr uint16_t kPartitions = 2;

  LogWriter(LogSubject& subject, uint64_t seed) : subject_(subject), random_(seed) {}

  // Appends a group of up to four batches, with positions now and then; false if it was refused.
  bool send(size_t largest_value = 300);
  const std::optional<Error>& refusal() const { return refusal_; }  // of the last send()
  Status take_answers();
  Status settle();  // until all is answered
  // What is unanswered may be there or not, from now on for good; what retention removed may be back.
  void restarted();
  Status check();  // reads everything
  // Every offset, also of a gap, leads to the record at it or the next one. After check().
  Status check_every_offset();

  size_t unanswered() const;
  size_t committed() const;

 private:
  enum class Fate : uint8_t { kOpen, kCommitted, kAborted, kUnknown };
  struct SentBatch {
    StreamPartition where;
    std::vector<std::string> records;
  };
  struct Sent {
    log::Ticket ticket = 0;
    std::vector<SentBatch> batches;
    std::map<std::string, std::string> positions;
    std::vector<log::BatchPlace> places;
    Fate fate = Fate::kOpen;
  };
  struct Found {
    StreamPartition where;
    Offset offset;
  };
  using Records = std::map<std::string, Found>;  // every record's value is its own
  using Ends = std::map<StreamPartition, Offset>;

  SentBatch make_batch(uint64_t number, size_t largest_value, log::Group& group);
  Status take_answer(const log::Outcome& outcome);
  Status check_answered(const SentBatch& batch, const log::BatchPlace& place);
  Status read_partition(StreamPartition where, Records& found);
  Status check_end(StreamPartition where, Offset end);
  Status read_fetched(StreamPartition where, Offset from, size_t max_bytes, const log::Fetched& fetched,
                      Records& found);
  Status read_batch(StreamPartition where, Offset from, const log::FetchedBatch& batch, Records& found);
  Status check_range(StreamPartition where, log::OffsetRange range);
  Status check_seen(const Records& found);
  Status check_group(Sent& sent, const Records& found, Ends& last);
  // Where the batch stands; nothing if it is not there, or retention took it.
  Result<std::optional<Offset>> find_batch(const SentBatch& batch, const Records& found, Ends& last);
  Status check_position(const std::string& name);

  LogSubject& subject_;
  Random random_;
  std::vector<Sent> sent_;
  std::optional<Error> refusal_;
  Records seen_;  // what the last check() read
  std::map<StreamPartition, log::OffsetRange> ranges_;
};

}  // namespace millrace::conformance
