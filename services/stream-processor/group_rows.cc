#include "stream-processor/group_rows.h"

#include <algorithm>

#include "engine/select.h"

namespace millrace::processor {

GroupRows::GroupRows(engine::PlanPtr plan)
    : plan_(std::move(plan)),
      writer_(engine::names_of(plan_->outputs)),
      key_writer_(engine::names_of(plan_->group_keys)) {
  for (const auto& output : plan_->outputs)
    outputs_.emplace_back(output.expr, plan_->on_error, plan_->options);
}

void GroupRows::evaluate(Batch groups, Selection shown) {
  groups_ = std::move(groups);
  shown_ = std::move(shown);
  errors_.clear();
  next_shown_ = next_error_ = 0;
  engine::filter_groups(*plan_, groups_, shown_, errors_);
  columns_.clear();
  for (auto& output : outputs_) columns_.push_back(&output.evaluate(groups_, shown_, errors_));
  std::stable_sort(errors_.begin(), errors_.end(),
                   [](const auto& a, const auto& b) { return a.row < b.row; });
  keys_.clear();
  for (size_t i = 0; i < plan_->group_keys.size(); ++i) keys_.push_back(&groups_.columns[i]);
}

size_t GroupRows::write(size_t group, const Row& row, const Failed& failed) {
  size_t bytes = 0;
  while (next_error_ < errors_.size() && errors_[next_error_].row < group) ++next_error_;
  for (; next_error_ < errors_.size() && errors_[next_error_].row == group; ++next_error_) {
    json_.clear();
    key_writer_.append(json_, keys_, group);
    bytes += failed(errors_[next_error_], json_);
  }
  while (next_shown_ < shown_.size() && shown_[next_shown_] < group) ++next_shown_;
  if (next_shown_ == shown_.size() || shown_[next_shown_] != group) return bytes;
  json_.clear();
  writer_.append(json_, columns_, group);
  row(json_);
  return bytes + json_.size();
}

}  // namespace millrace::processor
