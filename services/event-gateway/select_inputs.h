// SelectInputs: what the SELECTs of a tree read, views at a cut and streams as one batch, before any of them is run.
//
// Bounds:  those of a scan (stream_scan.h), of each; all together what ReadBudget has.
// Threads: read_inputs() and its callback on the core loop; rows() once, anywhere.
#pragma once

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
  std::string reads_;
};

struct SelectReaders {
  engine::ViewReads* views;  // null: no processor here
  engine::StreamReads& streams;
  engine::Background& background;
  ReadBudget& budget;
};
// One after the other. `plan` has to live until the rows are there.
void read_inputs(const SelectReaders& readers, const engine::SelectPlan& plan,
                 std::function<void(Result<std::shared_ptr<SelectInputs>>)> done);

Error no_processor();  // MR-QRY-0001

}  // namespace millrace::gateway
