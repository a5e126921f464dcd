#include "engine/select_tree.h"

#include <fmt/format.h>

#include <optional>
#include <unordered_set>
#include <utility>

#include "engine/aggregate.h"
#include "engine/key_hash.h"

namespace millrace::engine {
namespace {

void for_each_below(const SelectPlan& plan, const auto& visit) {
  if (plan.input) visit(*plan.input);
  if (!plan.set) return;
  visit(*plan.set->left);
  visit(*plan.set->right);
}

bool reads(const SelectPlan& plan) {
  return plan.view || plan.stream || plan.dead_letters;
}

std::string key_of(const Batch& batch, uint32_t row) {
  std::string key;
  for (const Column& column : batch.columns) encode_key(key, column, row);
  return key;
}

// The rows of the left side that stay, and of the right one.
struct Kept {
  Selection left, right;
};

// nullopt: it was stopped.
std::optional<Kept> unite(const SetPlan& set, const Batch& left, const Batch& right, StopPoll poll) {
  Kept kept{all_rows(left), all_rows(right)};
  if (set.all) return kept;
  std::unordered_set<std::string, KeyHash, std::equal_to<>> seen;
  bool stopped = false;
  const auto keep_new = [&](const Batch& batch, Selection& rows) {
    std::erase_if(rows, [&](uint32_t row) {
      stopped |= poll.stopped();
      return stopped || !seen.insert(key_of(batch, row)).second;
    });
  };
  keep_new(left, kept.left);
  keep_new(right, kept.right);
  if (stopped) return std::nullopt;
  return kept;
}

// INTERSECT and EXCEPT: a row of the left side meets one of the right side; of those alike, ALL lets each of the
// right side be met once.
std::optional<Kept> match(const SetPlan& set, const Batch& left, const Batch& right, StopPoll poll) {
  std::unordered_map<std::string, size_t, KeyHash, std::equal_to<>> rights;
  for (uint32_t row = 0; row < right.rows; ++row) {
    if (poll.stopped()) return std::nullopt;
    ++rights[key_of(right, row)];
  }
  std::unordered_set<std::string, KeyHash, std::equal_to<>> seen;
  Kept kept;
  for (uint32_t row = 0; row < left.rows; ++row) {
    if (poll.stopped()) return std::nullopt;
    std::string key = key_of(left, row);
    const auto found = rights.find(key);
    const bool met = found != rights.end() && found->second > 0;
    if (met && set.all) --found->second;
    if (met != (set.operation == SetOperation::kIntersect)) continue;
    if (set.all || seen.insert(std::move(key)).second) kept.left.push_back(row);
  }
  return kept;
}

Result<Batch> combine(const SetPlan& set, const Batch& left, const Batch& right, const Stop* stop) {
  const bool both = set.operation == SetOperation::kUnion;
  const auto kept = both ? unite(set, left, right, StopPoll(stop)) : match(set, left, right, StopPoll(stop));
  if (!kept) return stopped();
  Batch out;
  out.set_schema(set.left->output_schema());
  for (size_t i = 0; i < out.columns.size(); ++i) {
    gather(left.columns[i], kept->left, out.columns[i], *out.arena);
    gather(right.columns[i], kept->right, out.columns[i], *out.arena);
  }
  out.rows = kept->left.size() + kept->right.size();
  return out;
}

Result<Batch> values_of(const SelectPlan& plan) {
  Batch out;
  Schema schema;
  for (const ExprPtr& value : plan.values.front()) schema.push_back({"", value->type});
  out.set_schema(schema);
  for (const auto& row : plan.values) {
    for (size_t i = 0; i < row.size(); ++i) {
      TRY_ASSIGN(const Scalar value, evaluate_constant(*row[i]));
      Column& column = out.columns[i];
      column.append(value);
      if (physical(column.type) == Physical::kText && !column.is_null(out.rows))
        column.texts.back() = out.arena->keep(column.texts.back());
    }
    ++out.rows;
  }
  return out;
}

size_t bytes_of(const Batch& batch) {
  constexpr size_t kValueBytes = 17;  // of the widest storage, and whether it is NULL
  return batch.rows * batch.columns.size() * kValueBytes + batch.arena->bytes();
}

class TreeRun {
 public:
  TreeRun(SelectRows read, const SelectBounds& bounds) : read_(std::move(read)), bounds_(bounds) {}

  void count(const SelectPlan& plan) {
    if (++uses_[&plan] > 1) return;
    for_each_below(plan, [this](const SelectPlan& below) { count(below); });
  }

  // Kept where it is used again.
  Result<Batch> run(const SelectPlan& plan) {
    const auto known = done_.find(&plan);
    if (known != done_.end()) return known->second;
    TRY_ASSIGN(const Batch rows, input_of(plan));
    TRY_ASSIGN(Batch out, run_select(plan, rows, bounds_));
    if (uses_[&plan] > 1) {
      TRY(hold(out));
      done_.emplace(&plan, out);
    }
    return out;
  }

 private:
  Result<Batch> input_of(const SelectPlan& plan) {
    if (reads(plan)) return std::move(read_.at(&plan));
    if (plan.input) return checked(run(*plan.input));
    if (plan.set) return combined(*plan.set);
    if (!plan.values.empty()) return values_of(plan);
    Batch one;
    one.rows = 1;
    return one;
  }

  Result<Batch> combined(const SetPlan& set) {
    TRY_ASSIGN(const Batch left, run(*set.left));
    TRY(hold(left));
    TRY_ASSIGN(const Batch right, run(*set.right));
    Result<Batch> out = checked(combine(set, left, right, bounds_.stop));
    held_ -= bytes_of(left);
    return out;
  }

  Result<Batch> checked(Result<Batch> rows) const {
    if (!rows.ok() || held_ + bytes_of(*rows) <= bounds_.max_bytes) return rows;
    return too_much();
  }

  Status hold(const Batch& rows) {
    held_ += bytes_of(rows);
    return held_ <= bounds_.max_bytes ? Status() : Status(too_much());
  }

  Error too_much() const {
    return error(Code::kExhausted, "MR-QRY-0006",
                 fmt::format("the rows between the queries of the SELECT take more than {} MB",
                             bounds_.max_bytes >> 20),
                 "select fewer rows or columns in the inner queries, or make a view of one of them");
  }

  SelectRows read_;
  const SelectBounds bounds_;
  size_t held_ = 0;  // bytes of what waits to be used
  std::unordered_map<const SelectPlan*, size_t> uses_;
  SelectRows done_;
};

void collect_reads(const SelectPlan& plan, std::unordered_set<const SelectPlan*>& seen,
                   std::vector<const SelectPlan*>& out) {
  if (!seen.insert(&plan).second) return;
  if (reads(plan)) out.push_back(&plan);
  for_each_below(plan, [&](const SelectPlan& below) { collect_reads(below, seen, out); });
}

}  // namespace

std::vector<const SelectPlan*> reads_of(const SelectPlan& plan) {
  std::unordered_set<const SelectPlan*> seen;
  std::vector<const SelectPlan*> out;
  collect_reads(plan, seen, out);
  return out;
}

Result<Batch> run_select_tree(const SelectPlan& plan, SelectRows read, const SelectBounds& bounds) {
  TreeRun run(std::move(read), bounds);
  run.count(plan);
  return run.run(plan);
}

}  // namespace millrace::engine
