// GroupRows: groups that are final, as rows of a derived stream: HAVING and the outputs, evaluated once for all of them.
//
// Order: the groups'. Those that do not pass HAVING give nothing; one for which HAVING or an output fails gives its
//        failures, with the group keys as JSON.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "formats/json.h"

namespace millrace::processor {

class GroupRows {
 public:
  explicit GroupRows(engine::PlanPtr plan);

  void evaluate(Batch groups, Selection shown);
  void clear() { groups_ = Batch(); }
  const Batch& groups() const { return groups_; }

  // What the group gives, in ascending order of groups. The bytes that it makes; `failed` says those of a failure.
  using Row = std::function<void(std::string_view row)>;
  using Failed = std::function<size_t(const RowError& error, std::string_view keys)>;
  size_t write(size_t group, const Row& row, const Failed& failed);

 private:
  const engine::PlanPtr plan_;
  Batch groups_;
  Selection shown_;               // ascending
  std::vector<RowError> errors_;  // by row
  size_t next_shown_ = 0;
  size_t next_error_ = 0;
  std::vector<engine::Evaluator> outputs_;
  std::vector<const Column*> columns_;
  std::vector<const Column*> keys_;
  formats::JsonRowWriter writer_;
  formats::JsonRowWriter key_writer_;
  std::string json_;  // scratch
};

}  // namespace millrace::processor
