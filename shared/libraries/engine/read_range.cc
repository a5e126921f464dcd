#include "engine/read_range.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/plan.h"

namespace millrace::engine {
namespace {

constexpr Interval64 kNothing{INT64_MAX, INT64_MIN};

// The values for which `value op constant` is true. nullopt: they are no interval.
std::optional<Interval64> interval_of(Op op, int64_t constant) {
  switch (op) {
    case Op::kEqual:
      return Interval64{constant, constant};
    case Op::kLess:
      return constant == INT64_MIN ? kNothing : Interval64{INT64_MIN, constant - 1};
    case Op::kLessEqual:
      return Interval64{INT64_MIN, constant};
    case Op::kGreater:
      return constant == INT64_MAX ? kNothing : Interval64{constant + 1, INT64_MAX};
    case Op::kGreaterEqual:
      return Interval64{constant, INT64_MAX};
    default:
      return std::nullopt;
  }
}

bool is_comparison(Op op) {
  return op >= Op::kEqual && op <= Op::kGreaterEqual;
}

// With its sides exchanged.
Op mirrored(Op op) {
  switch (op) {
    case Op::kLess:
      return Op::kGreater;
    case Op::kLessEqual:
      return Op::kGreaterEqual;
    case Op::kGreater:
      return Op::kLess;
    case Op::kGreaterEqual:
      return Op::kLessEqual;
    default:
      return op;
  }
}

bool is_null(const Expr& expr) {
  return expr.op == Op::kLiteral && expr.literal.index() == 0;
}

class RangeFinder {
 public:
  explicit RangeFinder(const StreamDef& stream) : columns_(static_cast<int>(stream.columns.size())) {
    range_.partitions.assign(stream.partitions, true);
  }

  ReadRange find(const ExprPtr& filter) {
    if (filter) open_.push_back(filter.get());
    while (!open_.empty()) {
      const Expr& expr = *open_.back();
      open_.pop_back();
      take(expr);
    }
    return std::move(range_);
  }

 private:
  // One that has to be true. IS TRUE asks for no more.
  void take(const Expr& expr) {
    if (expr.op == Op::kAnd || expr.op == Op::kIsTrue) {
      for (const ExprPtr& arg : expr.args) open_.push_back(arg.get());
      return;
    }
    if (!taken(expr)) range_.exact = false;
  }

  bool taken(const Expr& expr) {
    if (expr.op == Op::kLiteral) {
      const auto* value = std::get_if<bool>(&expr.literal);
      if (value == nullptr || !*value) nothing();
      return true;
    }
    if (expr.op == Op::kIsNotNull) return column_of(*expr.args[0]).has_value();
    if (expr.op == Op::kInList) return take_list(expr);
    if (!is_comparison(expr.op)) return false;
    const Expr& left = *expr.args[0];
    const Expr& right = *expr.args[1];
    return right.op == Op::kLiteral ? compare(left, expr.op, right) : compare(right, mirrored(expr.op), left);
  }

  bool compare(const Expr& value, Op op, const Expr& constant) {
    const auto column = column_of(value);
    if (!column || constant.op != Op::kLiteral) return false;
    if (is_null(constant)) return nothing(), true;
    const int64_t number = integer_of(constant.literal);
    if (op == Op::kNotEqual && column == SystemColumn::kPartition) {
      keep_partitions([&](int64_t partition) { return partition != number; });
      return true;
    }
    const auto interval = interval_of(op, number);
    if (interval) cut(*column, *interval);
    return interval.has_value();
  }

  // Values that are no neighbours bound offsets and times by the least and the greatest.
  bool take_list(const Expr& expr) {
    const auto column = column_of(*expr.args[0]);
    if (!column) return false;
    std::vector<int64_t> values;
    for (size_t i = 1; i < expr.args.size(); ++i) {
      if (expr.args[i]->op != Op::kLiteral) return false;
      if (!is_null(*expr.args[i])) values.push_back(integer_of(expr.args[i]->literal));
    }
    if (values.empty()) return nothing(), true;
    if (column == SystemColumn::kPartition) {
      keep_partitions(
          [&](int64_t partition) { return std::ranges::find(values, partition) != values.end(); });
      return true;
    }
    const auto [least, greatest] = std::ranges::minmax(values);
    cut(*column, {least, greatest});
    return least == greatest;
  }

  // A cast of _partition to a wider integer keeps its value.
  std::optional<SystemColumn> column_of(const Expr& expr) const {
    if (expr.op == Op::kProctime) return SystemColumn::kTime;
    if (expr.op == Op::kCast && expr.type == Type::kBigint && expr.args[0]->type == Type::kInteger)
      return column_of(*expr.args[0]);
    if (expr.op != Op::kColumn || expr.column < columns_) return std::nullopt;
    return static_cast<SystemColumn>(expr.column - columns_);
  }

  void cut(SystemColumn column, const Interval64& interval) {
    switch (column) {
      case SystemColumn::kPartition:
        return keep_partitions([&](int64_t partition) { return interval.has(partition); });
      case SystemColumn::kOffset:
        return range_.events.offsets.cut(interval);
      case SystemColumn::kTime:
        return range_.events.times_us.cut(interval);
    }
  }

  void keep_partitions(const auto& keep) {
    for (size_t p = 0; p < range_.partitions.size(); ++p) {
      if (!keep(static_cast<int64_t>(p))) range_.partitions[p] = false;
    }
  }

  void nothing() { range_.events.offsets = kNothing; }

  const int columns_;  // the stream's own
  ReadRange range_;
  std::vector<const Expr*> open_;
};

std::string interval_text(std::string_view name, const Interval64& interval, bool from, bool to,
                          const auto& text) {
  if (interval.first == interval.last) return fmt::format("{} {}", name, text(interval.first));
  if (from && to) return fmt::format("{}s {} to {}", name, text(interval.first), text(interval.last));
  if (from) return fmt::format("{}s from {}", name, text(interval.first));
  return to ? fmt::format("{}s to {}", name, text(interval.last)) : std::string();
}

std::string offsets_text(const Interval64& offsets) {
  return interval_text("offset", offsets, offsets.first > 0, offsets.last < INT64_MAX,
                       [](int64_t offset) { return std::to_string(offset); });
}

std::string times_text(const Interval64& times) {
  return interval_text("time", times, times.first > INT64_MIN, times.last < INT64_MAX, [](int64_t micros) {
    std::string out;
    append_timestamp(out, Timestamp{micros});
    return out;
  });
}

std::string partitions_text(const std::vector<bool>& partitions) {
  std::string list;
  size_t count = 0;
  for (size_t p = 0; p < partitions.size(); ++p) {
    if (partitions[p]) list += fmt::format("{}{}", count++ > 0 ? ", " : "", p);
  }
  if (count == partitions.size()) return {};
  return (count == 1 ? "partition " : "partitions ") + list;
}

}  // namespace

void Interval64::cut(const Interval64& other) {
  first = std::max(first, other.first);
  last = std::min(last, other.last);
}

bool ReadRange::empty() const {
  return events.offsets.empty() || events.times_us.empty() ||
         std::ranges::find(partitions, true) == partitions.end();
}

bool ReadRange::all_partitions() const {
  return std::ranges::find(partitions, false) == partitions.end();
}

std::string ReadRange::to_string() const {
  if (empty()) return "no event";
  std::string out;
  for (const std::string& part :
       {partitions_text(partitions), offsets_text(events.offsets), times_text(events.times_us)}) {
    if (!part.empty()) out += (out.empty() ? "" : ", ") + part;
  }
  return out;
}

ReadRange read_range(const SelectPlan& plan) {
  return RangeFinder(plan.stream ? *plan.stream : *plan.dead_letters).find(plan.filter);
}

}  // namespace millrace::engine
