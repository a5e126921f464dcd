// UnionRows: the new events of the streams of a UNION ALL, as rows of the one source that they are to the query.
//
// Rows:    of every arm, put together in journal order; partitions count in the source (UnionArm). A row that the arm's
//          WHERE leaves out is there, too, with nothing but its plain columns: it moves its partition's watermark.
// Owns:    the arms' decoded rows: text values view them. Not shared with other queries.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "engine/expr.h"
#include "stream-processor/stream_rows.h"

namespace millrace::processor {

class UnionRows final : public StepRows {
 public:
  UnionRows(const engine::QueryPlan& plan, uint32_t worker, uint32_t workers);

  void decode(std::span<const log::FramePtr> frames) override;
  void release() override;

 private:
  struct Arm {
    Arm(const engine::QueryPlan& plan, const engine::UnionArm& arm, uint32_t worker, uint32_t workers);
    void compute();
    void append(size_t column, uint32_t row, Column& out) const;

    uint16_t first_partition;
    StreamRows rows;
    std::optional<engine::Evaluator> filter;
    std::vector<engine::Evaluator> outputs;
    std::vector<int> plain;  // by output: the column that it is; -1: it is computed
    // Of a step:
    std::vector<const Column*> columns;
    std::vector<RowError> failed;
    std::vector<uint8_t> decoded, passes;  // by row
    std::vector<uint32_t> at;              // by row: its row in the union
  };
  struct Place {
    Cut cut;
    Arm* arm;
    uint32_t row;
  };
  void put_together(const std::vector<Place>& order);

  std::deque<Arm> arms_;
};

// The rows of a plan that no other query shares.
std::unique_ptr<StepRows> make_rows(const engine::QueryPlan& plan, uint32_t worker, uint32_t workers);

}  // namespace millrace::processor
