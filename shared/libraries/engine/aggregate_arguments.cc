#include "engine/aggregate_arguments.h"

#include <algorithm>

#include "engine/shared_values.h"

namespace millrace::engine {
namespace {

bool is_filtered(const Expr& argument) {
  return argument.op == Op::kCase && argument.args.size() == 3 && argument.args[2]->op == Op::kLiteral &&
         std::holds_alternative<std::monostate>(argument.args[2]->literal);
}

bool cannot_fail(Op op) {
  return op == Op::kColumn || op == Op::kLiteral || (op >= Op::kEqual && op <= Op::kNot);
}

// Without recursion: a chain a AND b AND … is as deep as it is long.
bool cannot_fail(const Expr& root) {
  std::vector<const Expr*> left{&root};
  while (!left.empty()) {
    const Expr* const expr = left.back();
    left.pop_back();
    if (!cannot_fail(expr->op)) return false;
    for (const ExprPtr& arg : expr->args) left.push_back(arg.get());
  }
  return true;
}

// Counted, it is its rows.
bool is_any_row(const AggregateCall& call, const Expr& argument) {
  return call.kind == AggregateKind::kCount && !call.distinct && argument.op == Op::kLiteral &&
         !std::holds_alternative<std::monostate>(argument.literal);
}

}  // namespace

const Expr& unfiltered(const Expr& argument) {
  return is_filtered(argument) ? *argument.args[1] : argument;
}

AggregateArguments::AggregateArguments(const QueryPlan& plan, SharedValues* shared) {
  for (const AggregateCall& call : plan.aggregates) {
    Source& source = sources_.emplace_back();
    if (!call.argument) continue;
    const Expr& inner = unfiltered(*call.argument);
    const bool any_row = is_any_row(call, inner);
    const bool apart = plan.options.optimize && is_filtered(*call.argument) &&
                       cannot_fail(*call.argument->args[0]) && (any_row || inner.op == Op::kColumn);
    if (apart) source.condition = condition_of(call.argument->args[0]);
    if (!apart || !any_row)
      source.values.emplace(apart ? call.argument->args[1] : call.argument, plan.on_error, plan.options,
                            shared);
  }
  arguments_.resize(sources_.size());
}

AggregateArguments::Condition* AggregateArguments::condition_of(const ExprPtr& filter) {
  std::string identity = identity_of(*filter);
  const auto found =
      std::ranges::find_if(conditions_, [&](const Condition& c) { return c.identity == identity; });
  if (found != conditions_.end()) return &*found;
  return &conditions_.emplace_back(Condition{std::move(identity), Evaluator(filter)});
}

const Arguments& AggregateArguments::evaluate(const Batch& batch, Selection& selection,
                                              std::vector<RowError>& errors) {
  for (Condition& condition : conditions_) {
    const Column& is_true = condition.evaluator.evaluate(batch, selection, errors);
    condition.passes.resize(batch.rows);
    for (const uint32_t row : selection) {
      condition.passes[row] =
          is_true.type != Type::kNull && !is_true.is_null(row) && is_true.booleans[row] != 0;
    }
  }
  for (size_t i = 0; i < sources_.size(); ++i) {
    Source& source = sources_[i];
    arguments_[i].values = source.values ? &source.values->evaluate(batch, selection, errors) : nullptr;
    arguments_[i].passes = source.condition != nullptr ? source.condition->passes.data() : nullptr;
  }
  return arguments_;
}

}  // namespace millrace::engine
