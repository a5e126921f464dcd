#include "stream-processor/group_changes.h"

#include <fmt/format.h>

#include "engine/group_names.h"
#include "engine/select.h"
#include "stream-processor/view_changes.h"

namespace millrace::processor {
namespace {

bool keeps_told(const engine::QueryPlan& plan, bool changelog) {
  return changelog || (!plan.window.is_session() && (plan.having || plan.aggregates.empty()));
}

}  // namespace

GroupChanges::GroupChanges(engine::PlanPtr plan)
    : plan_(std::move(plan)),
      changelog_(!plan_->output_stream->updating()),
      partition_(*plan_),
      upserts_(engine::names_of(plan_->outputs), op_member("upsert")),
      deletes_(engine::names_of(engine::naming_outputs(*plan_)), op_member(engine::kDeleteOp)),
      rows_(engine::names_of(plan_->outputs)),
      keys_(engine::names_of(plan_->group_keys)) {
  if (keeps_told(*plan_, changelog_)) told_.emplace(*plan_);
  for (const auto& output : plan_->outputs)
    outputs_.emplace_back(output.expr, plan_->on_error, plan_->options);
  for (const auto& name : engine::naming_outputs(*plan_))
    names_.emplace_back(name.expr, plan_->on_error, plan_->options);
}

Status GroupChanges::write(const Batch& groups, const Batch& gone, state::StateStore& store, const Row& row,
                           const Failed& failed) {
  evaluate_names(gone);
  for (size_t group = 0; group < gone.rows; ++group) hide(gone, group, store, row);
  if (groups.rows == 0) return {};
  evaluate(groups, failed);
  for (size_t group = 0; group < groups.rows; ++group) {
    if (shown_[group]) {
      TRY(show(groups, group, store, row));
    } else {
      hide(groups, group, store, row);
    }
  }
  return {};
}

void GroupChanges::evaluate_names(const Batch& groups) {
  if (groups.rows == 0) return;
  Selection all = engine::all_rows(groups);
  std::vector<RowError> none;
  name_columns_.clear();
  for (auto& name : names_) name_columns_.push_back(&name.evaluate(groups, all, none));
}

void GroupChanges::evaluate(const Batch& groups, const Failed& failed) {
  Selection selection = engine::all_rows(groups);
  std::vector<RowError> errors;
  engine::filter_groups(*plan_, groups, selection, errors);
  output_columns_.clear();
  for (auto& output : outputs_) output_columns_.push_back(&output.evaluate(groups, selection, errors));
  shown_.assign(groups.rows, false);
  for (const uint32_t group : selection) shown_[group] = true;
  std::vector<const Column*> keys;
  for (size_t i = 0; i < plan_->group_keys.size(); ++i) keys.push_back(&groups.columns[i]);
  for (const RowError& error : errors) {
    text_.clear();
    keys_.append(text_, keys, error.row);
    failed(error, text_);
  }
  evaluate_names(groups);
}

Status GroupChanges::show(const Batch& groups, size_t group, state::StateStore& store, const Row& row) {
  const auto before = told_ ? told_->find(groups, group, store) : std::nullopt;
  text_.clear();
  if (!changelog_) {
    if (before && plan_->aggregates.empty()) return {};  // what it tells of the group never changes
    if (told_ && !before) TRY(told_->put(groups, group, {}, store));
    upserts_.append(text_, output_columns_, group);
    row(partition_.of(groups, group), text_);
    return {};
  }
  rows_.append(text_, output_columns_, group);
  if (before == text_) return {};
  if (before) log(groups, group, "update_before", *before, row);
  log(groups, group, before ? "update_after" : "insert", text_, row);
  return told_->put(groups, group, text_, store);
}

void GroupChanges::hide(const Batch& groups, size_t group, state::StateStore& store, const Row& row) {
  if (told_) {
    const auto before = told_->find(groups, group, store);
    if (!before) return;
    told_->erase(groups, group, store);
    if (changelog_) return log(groups, group, "delete", *before, row);
  }
  text_.clear();
  deletes_.append(text_, name_columns_, group);
  row(partition_.of(groups, group), text_);
}

// A row as it was told, with one more member before the others. One that the disk has not given back makes the step
// void.
void GroupChanges::log(const Batch& groups, size_t group, std::string_view op, std::string_view told,
                       const Row& row) {
  if (told.empty()) return;
  logged_ = fmt::format("{{\"{}\":\"{}\",{}", engine::kChangelogColumn, op, told.substr(1));
  row(partition_.of(groups, group), logged_);
}

}  // namespace millrace::processor
