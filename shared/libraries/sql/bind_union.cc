// UNION ALL in a view or a derived stream: the streams that its queries read become one source, each query an arm of
// it. The rows keep their streams' partitions, so neither order nor lateness depends on how the streams interleave.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "sql/errors.h"
#include "sql/flatten.h"

namespace millrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::NamedExpr;
using engine::Op;
using engine::QueryPlan;
using engine::StreamDef;
using engine::UnionArm;

namespace {

// Expressions over an arm's columns as expressions over what its stream has.
class Substitution {
 public:
  explicit Substitution(const UnionArm& arm) : arm_(arm) {}
  ExprPtr apply(const ExprPtr& expr) {
    if (!expr) return expr;
    if (expr->op == Op::kColumn) return arm_.outputs[static_cast<size_t>(expr->column)];
    const auto known = done_.find(expr.get());
    if (known != done_.end()) return known->second;
    auto out = std::make_shared<Expr>(*expr);
    for (auto& arg : out->args) arg = apply(arg);
    done_.emplace(expr.get(), out);
    return out;
  }
  size_t parts() const { return done_.size(); }

 private:
  const UnionArm& arm_;
  std::unordered_map<const Expr*, ExprPtr> done_;
};

class UnionBinder {
 public:
  UnionBinder(const ast::Query& tree, const BindContext& context)
      : tree_(tree),
        context_(context),
        what_(fmt::format("{}{}", set_name(tree.set), tree.set_all ? " ALL" : "")) {}

  Result<FlatQuery> run() {
    TRY_ASSIGN(FlatQuery left, side(*tree_.left, true));
    TRY_ASSIGN(FlatQuery right, side(*tree_.right, false));  // the names are the left's
    TRY(unify_columns(left, right));
    const size_t width = left.plan.outputs.size();
    if (tree_.set != ast::SetOperation::kUnion) {
      add_side(kLeftSide, left);
      add_side(kLeftSide + 1, right);
    }
    FlatQuery out;
    out.plan.shape = QueryPlan::Shape::kRows;
    for (const FlatQuery* one : {&left, &right}) {
      TRY(add_arms(one->plan, out.plan.arms));
      out.plan.views.insert(out.plan.views.end(), one->plan.views.begin(), one->plan.views.end());
    }
    TRY_ASSIGN(out.plan.source, source_of(left.plan.outputs, out.plan.arms));
    for (size_t i = 0; i < width; ++i) {
      const NamedExpr& output = left.plan.outputs[i];
      out.plan.outputs.push_back(
          {output.name, make_column(static_cast<int>(i), output.expr->type, output.expr->span)});
      out.unknown.push_back(false);
    }
    return out;
  }

 private:
  void add_side(int64_t side, FlatQuery& query) const {
    query.plan.outputs.push_back({"side", make_literal(side, Type::kBigint, tree_.set_span).expr});
  }

  // UNION in UNION is one: copies go at the end.
  bool is_same_union(const ast::Query& inner) const {
    const auto plain_union = [](const ast::Query& query) {
      return query.set == ast::SetOperation::kUnion && !query.set_all;
    };
    return plain_union(tree_) && plain_union(inner) && inner.with.empty() && inner.tail_span.length == 0;
  }

  Result<FlatQuery> side(const ast::Query& tree, bool by_name) const {
    if (is_same_union(tree)) return flatten_union(tree, context_);
    TRY_ASSIGN(FlatQuery flat, flatten(tree, context_, by_name));
    if (flat.plan.shape == QueryPlan::Shape::kAggregate) {
      return unsupported_at(
          tree.span, fmt::format("{} of rows that are grouped is not supported in a continuous query", what_),
          "group what it puts together: SELECT … FROM (… UNION ALL …) GROUP BY …");
    }
    if (flat.plan.updating()) {
      return unsupported_at(
          tree.span,
          fmt::format("{} over \"{}\", which has a primary key, is not supported", what_,
                      flat.plan.source->name),
          "make a view of it, and put its rows together with the others where you read them");
    }
    if (!flat.windows.has_many_windows()) return flat;
    return unsupported_at(flat.window_from->span,
                          fmt::format("{} needs a GROUP BY over its window", window_name(*flat.window_from)),
                          "use it where you group: FROM HOP((… UNION ALL …), …) GROUP BY window_start");
  }

  Status unify_columns(FlatQuery& left, FlatQuery& right) const {
    auto& lefts = left.plan.outputs;
    auto& rights = right.plan.outputs;
    if (lefts.size() != rights.size()) {
      return invalid_at(
          kTypeMismatch, tree_.right->span,
          fmt::format("each {} query must have the same number of columns", set_name(tree_.set)),
          fmt::format("the first has {}, the second {}", lefts.size(), rights.size()));
    }
    for (size_t i = 0; i < lefts.size(); ++i) {
      Bound a{lefts[i].expr, left.unknown[i]};
      Bound b{rights[i].expr, right.unknown[i]};
      TRY(unify({&a, &b}, set_name(tree_.set)));
      lefts[i].expr = std::move(a.expr);
      rights[i].expr = std::move(b.expr);
    }
    return {};
  }

  Status add_arms(const QueryPlan& plan, std::vector<UnionArm>& arms) const {
    std::vector<ExprPtr> outputs;
    for (const NamedExpr& output : plan.outputs) outputs.push_back(output.expr);
    if (plan.arms.empty()) {
      arms.push_back({plan.source, plan.filter, std::move(outputs)});
      return {};
    }
    for (const UnionArm& inner : plan.arms) {
      Substitution put(inner);
      UnionArm arm{inner.source, both(inner.filter, put.apply(plan.filter)), {}};
      for (const auto& output : outputs) arm.outputs.push_back(put.apply(output));
      context_.work->copied += put.parts() + outputs.size();
      if (context_.work->copied > kMaxCopiedParts) return too_large(tree_.span);
      arms.push_back(std::move(arm));
    }
    return {};
  }

  // What all arms together are to the query around them.
  Result<engine::StreamPtr> source_of(const std::vector<NamedExpr>& outputs,
                                      std::vector<UnionArm>& arms) const {
    auto source = std::make_shared<StreamDef>();
    source->kind = engine::StreamKind::kDerived;
    source->tenant = context_.tenant;
    for (const NamedExpr& output : outputs) source->columns.push_back({output.name, output.expr->type});
    size_t partitions = 0;
    for (UnionArm& arm : arms) {
      TRY(check_size(arm));
      arm.first_partition = static_cast<uint16_t>(partitions);
      partitions += arm.source->partitions;
      if (partitions > static_cast<size_t>(kMaxPartitions)) {
        return invalid_at(
            kTooComplex, tree_.set_span,
            fmt::format("the streams of UNION ALL have more than {} partitions together", kMaxPartitions),
            "make a derived stream of some of them");
      }
      if (!source->name.empty()) source->name += ", ";
      source->name += arm.source->name;
    }
    source->partitions = static_cast<uint16_t>(partitions);
    set_watermark(arms, *source);
    if (source->watermark_column >= 0) TRY(check_watermark(arms));
    return engine::StreamPtr(std::move(source));
  }

  Status check_size(const UnionArm& arm) const {
    const auto fits = [&](const ExprPtr& expr) { return !expr || context_.work->measure.of(expr).fits(); };
    if (fits(arm.filter) && std::all_of(arm.outputs.begin(), arm.outputs.end(), fits)) return {};
    return too_large(tree_.span);
  }

  // The first column that is the watermark's in every arm. Of the arms' disorders the largest counts, of their idle
  // timeouts the longest.
  static void set_watermark(const std::vector<UnionArm>& arms, StreamDef& source) {
    const auto is_watermark = [](const UnionArm& arm, size_t column) {
      const Expr& expr = *arm.outputs[column];
      return expr.op == Op::kColumn && expr.column == arm.source->watermark_column;
    };
    for (size_t c = 0; c < source.columns.size() && source.watermark_column < 0; ++c) {
      if (std::all_of(arms.begin(), arms.end(), [&](const UnionArm& arm) { return is_watermark(arm, c); }))
        source.watermark_column = static_cast<int>(c);
    }
    bool never_idle = false;
    source.idle_timeout_us = 0;
    for (const UnionArm& arm : arms) {
      source.disorder_us = std::max(source.disorder_us, arm.source->disorder_us);
      source.idle_timeout_us = std::max(source.idle_timeout_us, arm.source->idle_timeout_us);
      never_idle = never_idle || arm.source->idle_timeout_us == 0;
    }
    if (never_idle) source.idle_timeout_us = 0;
  }

  // A stream of closed windows is as far as its query tells, which an arm does not hear.
  Status check_watermark(const std::vector<UnionArm>& arms) const {
    const auto told =
        std::ranges::find_if(arms, [](const UnionArm& arm) { return arm.source->watermark_told; });
    if (told == arms.end()) return {};
    return unsupported_at(
        tree_.set_span,
        fmt::format("UNION ALL of \"{}\", a stream of closed windows, by its windows' time is not supported",
                    told->source->name),
        "leave that column out, or put the streams together before they are grouped");
  }

  const ast::Query& tree_;
  const BindContext& context_;
  const std::string what_;
};

}  // namespace

Result<FlatQuery> flatten_union(const ast::Query& tree, const BindContext& context) {
  return UnionBinder(tree, context).run();
}

size_t place_at(UnionArm& arm, const SourceSpan& span) {
  std::vector<int> same(arm.source->columns.size());
  std::iota(same.begin(), same.end(), 0);
  ColumnMap map = ColumnMap::from_places(same, span);
  arm.filter = map.apply(arm.filter);
  for (auto& output : arm.outputs) output = map.apply(output);
  return map.parts();
}

}  // namespace millrace::sql
