// SelectInputs: what the SELECTs of a tree read, views at a cut and streams as one batch, before any of them is run.
//
// Bounds:  those of a scan (stream_scan.h), of each; all together what ReadBudget has.
// Threads: read_inputs() and its callback on the core loop; rows() or let_go() anywhere, by who has taken them.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/select_tree.h"
#include "engine/serving.h"
#include "event-gateway/stream_scan.h"

namespace millrace::gateway {

class SelectInputs {
 public:
  void add(const engine::SelectPlan* plan, std::function<Result<Batch>()> rows, std::shared_ptr<void> keep);
  // Once: whoever got true may use them or let them go, nobody else.
  bool take() { return !taken_.exchange(true); }
  void let_go() { inputs_.clear(); }
  // What the rows' text views lives as long as this.
  Result<engine::SelectRows> rows();
  // What was read of streams, a line a partition, for EXPLAIN ANALYZE.
  void add_reads(const std::string& stream, const std::vector<PartitionRead>& reads);
  const std::string& reads() const { return reads_; }

 private:
  struct Input {
    const engine::SelectPlan* plan;
    std::function<Result<Batch>()> rows;
    std::shared_ptr<void> keep;
  };
  std::vector<Input> inputs_;
  std::atomic<bool> taken_{false};
  std::string reads_;
};

struct SelectReaders {
  engine::ViewReads* views;  // null: no processor here
  engine::StreamReads& streams;
  engine::Background& background;
  ReadBudget& budget;
};
// One after the other. `plan` has to live until the rows are there. Where `work` is stopped the callback may not come.
void read_inputs(const SelectReaders& readers, const engine::SelectPlan& plan,
                 std::shared_ptr<StatementLimits::Work> work,
                 std::function<void(Result<std::shared_ptr<SelectInputs>>)> done);

Error no_processor();  // MR-QRY-0001

}  // namespace millrace::gateway
