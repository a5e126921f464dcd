#include "engine/expr.h"

#include <algorithm>
#include <span>

#include "engine/format_cache.h"
#include "engine/functions.h"
#include "engine/kernels.h"
#include "engine/program.h"
#include "engine/regex.h"

namespace millrace::engine {

Expr::~Expr() {
  // Each turn frees one node whose arguments were moved out before, so no destructor nests.
  std::vector<ExprPtr> doomed = std::move(args);
  while (!doomed.empty()) {
    const ExprPtr last = std::move(doomed.back());
    doomed.pop_back();
    if (last == nullptr || last.use_count() != 1) continue;
    // The only owner may take it apart; nobody else can see it.
    auto& inner = const_cast<Expr&>(*last).args;
    std::move(inner.begin(), inner.end(), std::back_inserter(doomed));
    inner.clear();
  }
}

int64_t tumble_start(int64_t time_us, int64_t size_us, int64_t offset_us) {
  if (size_us <= 0) return time_us;
  int64_t since = 0;
  if (__builtin_sub_overflow(time_us, offset_us % size_us, &since)) return time_us;
  int64_t into = since % size_us;
  if (into < 0) into += size_us;
  int64_t start = 0;
  return __builtin_sub_overflow(time_us, into, &start) ? INT64_MIN : start;
}

void Context::fail(size_t row, const SourceSpan& span, std::string_view id, std::string message) {
  if (failed_.size() < batch.rows) failed_.resize(batch.rows);
  if (failed_[row] != 0) return;
  failed_[row] = 1;
  ++count_;
  errors_.push_back(RowError{static_cast<uint32_t>(row), id, std::move(message), span});
}

void Context::drop_failed(Selection& selection) const {
  std::erase_if(selection, [&](uint32_t row) { return failed_[row] != 0; });
}

namespace {

bool is_lazy(Op op) {
  return op == Op::kAnd || op == Op::kOr || op == Op::kCase || op == Op::kCoalesce || op == Op::kInList;
}

bool is_leaf(Op op) {
  return op == Op::kLiteral || op == Op::kColumn || op == Op::kProctime;
}

// An operator that a NULL does not make NULL.
bool takes_nulls(Op op) {
  return op == Op::kIsDistinct || op == Op::kIsNotDistinct || op == Op::kNullIf || op == Op::kIsNull ||
         op == Op::kIsNotNull || op == Op::kIsTrue || op == Op::kIsNotTrue || op == Op::kIsFalse ||
         op == Op::kIsNotFalse;
}

Kernel find_kernel(const Expr& expr) {
  const auto is_bare_null = [](const ExprPtr& arg) { return arg->type == Type::kNull; };
  if (!takes_nulls(expr.op) && std::any_of(expr.args.begin(), expr.args.end(), is_bare_null))
    return null_kernel;
  for (const auto family :
       {compare_kernel, arithmetic_kernel, logic_kernel, time_kernel, text_kernel, cast_kernel}) {
    if (const Kernel kernel = family(expr)) return kernel;
  }
  return nullptr;
}

// A column of one value. A NULL has a value of every type behind it, so that no kernel reads past an empty
// vector.
Column constant_column(const Expr& literal) {
  Column c;
  c.type = literal.type;
  if (!std::holds_alternative<std::monostate>(literal.literal)) {
    c.append(literal.literal);
    if (physical(c.type) == Physical::kText) c.texts[0] = std::get<std::string>(literal.literal);
    return c;
  }
  c.valid = {0};
  c.booleans = {0};
  c.integers = {0};
  c.doubles = {0};
  c.texts = {{}};
  c.intervals = {{}};
  return c;
}

// A register keeps the values of the batch before: a NULL that was not computed must not refer to its text,
// for a strict operator looks at it.
void forget_texts(Column& out, const Selection& selection) {
  if (physical(out.type) != Physical::kText) return;
  for (const uint32_t i : selection) out.texts[i] = {};
}

void copy_append_times(const Batch& batch, const Selection& selection, Column& out) {
  CHECK(batch.origins.size() == batch.rows, "PROCTIME() over rows of unknown origin");
  for (const uint32_t i : selection) out.integers[i] = batch.origins[i].append_time.value;
}

void copy_rows(const Operand& from, const Selection& selection, Column& to) {
  const auto copy = [&](auto& target, const auto& source) {
    for (const uint32_t i : selection) target[i] = source[from.at(i)];
  };
  for (const uint32_t i : selection) to.valid[i] = !from.is_null(i);
  if (from.column->type == Type::kNull) return forget_texts(to, selection);
  switch (physical(to.type)) {
    case Physical::kNone:
      break;
    case Physical::kBoolean:
      return copy(to.booleans, from.column->booleans);
    case Physical::kInteger:
      return copy(to.integers, from.column->integers);
    case Physical::kDouble:
      return copy(to.doubles, from.column->doubles);
    case Physical::kText:
      return copy(to.texts, from.column->texts);
    case Physical::kInterval:
      return copy(to.intervals, from.column->intervals);
  }
}

}  // namespace

// A selection from the pool, given back at the end of the scope.
class Program::Lease {
 public:
  explicit Lease(Program& program) : program_(program) {
    if (program.pool_.empty()) {
      rows_ = std::make_unique<Selection>();
    } else {
      rows_ = std::move(program.pool_.back());
      program.pool_.pop_back();
      rows_->clear();
    }
  }
  ~Lease() { program_.pool_.push_back(std::move(rows_)); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Selection& operator*() { return *rows_; }
  Selection* operator->() { return rows_.get(); }

 private:
  Program& program_;
  std::unique_ptr<Selection> rows_;
};

Program::Program(const Expr& root, PlanOptions options, SharedValues* shared)
    : options_(options),
      regexes_(std::make_unique<RegexCache>(options)),
      formats_(std::make_unique<FormatCache>()) {
  add(root);
  for (uint32_t i = 0; i < nodes_.size(); ++i) expand(i, shared);
}

Program::~Program() = default;

uint32_t Program::add(const Expr& expr) {
  nodes_.emplace_back();
  nodes_.back().expr = &expr;
  return static_cast<uint32_t>(nodes_.size() - 1);
}

void Program::expand(uint32_t index, SharedValues* shared) {
  const Expr* expr = nodes_[index].expr;
  std::vector<const Expr*> args;
  if (expr->op == Op::kAnd || expr->op == Op::kOr) {
    const Expr* left = expr;
    for (; left->op == expr->op; left = left->args[0].get()) {
      for (size_t i = left->args.size(); i-- > 1;) args.push_back(left->args[i].get());
    }
    args.push_back(left);
    std::reverse(args.begin(), args.end());
  } else {
    for (const ExprPtr& arg : expr->args) args.push_back(arg.get());
  }
  for (const Expr* arg : args) {
    const uint32_t child = add(*arg);
    nodes_[index].args.push_back(child);
  }
  Node& node = nodes_[index];
  if (expr->op == Op::kLiteral) node.constant = constant_column(*expr);
  if (expr->op == Op::kInList && options_.optimize) prepare_list(node);
  if (expr->op == Op::kCall && shared != nullptr) node.shared = shared->find(*expr);
  if (is_leaf(expr->op) || expr->op == Op::kCall || is_lazy(expr->op)) return;
  node.kernel = find_kernel(*expr);
  CHECK(node.kernel != nullptr && !node.args.empty() && node.args.size() <= 2,
        "an operator without a kernel");
}

// A list of literals is searched, not compared one after the other.
void Program::prepare_list(Node& node) {
  const auto& args = node.expr->args;
  const Type type = args[0]->type;
  const bool literals = std::all_of(args.begin() + 1, args.end(), [&](const ExprPtr& arg) {
    return arg->op == Op::kLiteral && arg->type == type && arg->literal.index() != 0;
  });
  if (!literals || args.size() < 2) return;
  for (size_t i = 1; i < args.size(); ++i) {
    if (physical(type) == Physical::kInteger) node.int_list.push_back(integer_of(args[i]->literal));
    if (physical(type) == Physical::kText) node.text_list.push_back(std::get<std::string>(args[i]->literal));
  }
  std::sort(node.int_list.begin(), node.int_list.end());
  std::sort(node.text_list.begin(), node.text_list.end());
}

Column& Program::reg(unsigned index) {
  while (registers_.size() <= index) registers_.push_back(std::make_unique<Column>());
  return *registers_[index];
}

const Column& Program::run(const Batch& batch, Selection& selection, std::vector<RowError>& errors) {
  failed_.clear();
  Context context(batch, errors, failed_, *regexes_, *formats_);
  const Operand result = eval(0, 0, selection, context);
  if (!result.constant) return *result.column;
  Column& out = reg(0);
  set_type(out, result.column->type, batch.rows);
  out.valid.assign(batch.rows, 1);
  copy_rows(result, selection, out);
  return out;
}

// Runs what fills `out`; what fails in it is NULL instead where the node tries.
template <typename Run>
void Program::tried(const Node& node, Column& out, Context& context, Run run) {
  if (!node.expr->tries) return run(context);
  std::vector<RowError> errors;
  std::vector<uint8_t> failed;
  Context own(context.batch, errors, failed, context.regexes, context.formats);
  run(own);
  if (errors.empty()) return;
  if (out.valid.empty()) out.valid.assign(context.batch.rows, 1);
  for (const RowError& error : errors) {
    out.valid[error.row] = 0;
    if (physical(out.type) == Physical::kText) out.texts[error.row] = {};
  }
}

Operand Program::eval(uint32_t index, unsigned reg_index, Selection& selection, Context& context) {
  const size_t base = spine_.size();
  uint32_t at = index;
  for (; nodes_[at].kernel != nullptr; at = nodes_[at].args[0]) spine_.push_back(at);
  Operand left = eval_leaf(nodes_[at], reg_index, selection, context);
  while (spine_.size() > base) {
    const Node& node = nodes_[spine_.back()];
    Operand right = left;
    if (node.args.size() > 1) right = eval(node.args[1], reg_index + 1, selection, context);
    const size_t failures = context.failures();
    Column& out = reg(reg_index);
    tried(node, out, context, [&](Context& own) { node.kernel(node, left, right, selection, out, own); });
    if (context.failures() != failures) context.drop_failed(selection);
    left = {&out, false};
    spine_.pop_back();
  }
  return left;
}

Operand Program::eval_leaf(const Node& node, unsigned reg_index, Selection& selection, Context& context) {
  const Op op = node.expr->op;
  if (op == Op::kColumn) return {&context.batch.columns[static_cast<size_t>(node.expr->column)], false};
  if (op == Op::kLiteral) return literal(node, reg_index, selection, context);
  const size_t failures = context.failures();
  Column& out = reg(reg_index);
  if (op == Op::kCall) {
    const Column* made = &out;
    if (node.shared != nullptr)
      made = &eval_shared(node, reg_index, selection, context);
    else
      eval_call(node, reg_index, selection, out, context);
    if (context.failures() != failures) context.drop_failed(selection);
    return {made, false};
  }
  set_type(out, node.expr->type, context.batch.rows);
  out.valid.assign(context.batch.rows, 1);
  if (op == Op::kProctime) copy_append_times(context.batch, selection, out);
  if (op == Op::kCase) eval_case(node, reg_index, selection, context);
  if (op == Op::kCoalesce) eval_coalesce(node, reg_index, selection, context);
  if (op == Op::kInList) eval_in_list(node, reg_index, selection, context);
  if (op == Op::kAnd || op == Op::kOr) eval_and_or(node, reg_index, selection, context);
  if (context.failures() != failures) context.drop_failed(selection);
  return {&out, false};
}

Operand Program::literal(const Node& node, unsigned reg_index, const Selection& selection,
                         const Context& context) {
  const Operand one{&node.constant, true};
  if (options_.optimize) return one;
  Column& out = reg(reg_index);
  set_type(out, node.expr->type, context.batch.rows);
  out.valid.assign(context.batch.rows, 1);
  copy_rows(one, selection, out);
  return {&out, false};
}

// Starts as the neutral value; an argument of the other value decides a row, a NULL stays unless that
// happens.
void Program::eval_and_or(const Node& node, unsigned reg_index, Selection& selection, Context& context) {
  const uint8_t deciding = node.expr->op == Op::kOr;
  Column& out = reg(reg_index);
  Lease pending(*this);
  *pending = selection;
  for (const uint32_t i : *pending) out.booleans[i] = !deciding;
  for (const uint32_t arg : node.args) {
    if (pending->empty()) return;
    const Operand value = eval(arg, reg_index + 1, *pending, context);
    const bool all_null = value.column->type == Type::kNull;
    size_t kept = 0;
    for (const uint32_t i : *pending) {
      const bool null = all_null || value.is_null(i);
      if (!null && value.column->booleans[value.at(i)] == deciding) {
        out.booleans[i] = deciding;
        out.valid[i] = 1;
        continue;
      }
      if (null) out.valid[i] = 0;
      (*pending)[kept++] = i;
    }
    pending->resize(kept);
  }
}

void Program::eval_case(const Node& node, unsigned reg_index, Selection& selection, Context& context) {
  Column& out = reg(reg_index);
  Lease pending(*this);
  Lease taken(*this);
  *pending = selection;
  size_t arg = 0;
  for (; arg + 1 < node.args.size() && !pending->empty(); arg += 2) {
    const Operand when = eval(node.args[arg], reg_index + 1, *pending, context);
    taken->clear();
    size_t kept = 0;
    for (const uint32_t i : *pending) {
      const bool yes =
          when.column->type != Type::kNull && !when.is_null(i) && when.column->booleans[when.at(i)] != 0;
      if (yes) {
        taken->push_back(i);
      } else {
        (*pending)[kept++] = i;
      }
    }
    pending->resize(kept);
    if (taken->empty()) continue;
    const Operand then = eval(node.args[arg + 1], reg_index + 1, *taken, context);
    copy_rows(then, *taken, out);
  }
  if (pending->empty()) return;
  copy_rows(eval(node.args.back(), reg_index + 1, *pending, context), *pending, out);
}

void Program::eval_coalesce(const Node& node, unsigned reg_index, Selection& selection, Context& context) {
  Column& out = reg(reg_index);
  Lease pending(*this);
  *pending = selection;
  for (const uint32_t arg : node.args) {
    if (pending->empty()) return;
    const Operand value = eval(arg, reg_index + 1, *pending, context);
    copy_rows(value, *pending, out);
    std::erase_if(*pending, [&](uint32_t i) { return out.valid[i] != 0; });
  }
}

// x IN (a, b, …): TRUE if one is equal, else NULL if x or one of them is NULL, else FALSE.
void Program::eval_in_list(const Node& node, unsigned reg_index, Selection& selection, Context& context) {
  Column& out = reg(reg_index);
  const Operand x = eval(node.args[0], reg_index + 1, selection, context);
  Lease pending(*this);
  for (const uint32_t i : selection) {
    out.booleans[i] = 0;
    out.valid[i] = !x.is_null(i);
    if (out.valid[i]) pending->push_back(i);
  }
  if (!node.int_list.empty() || !node.text_list.empty()) {
    for (const uint32_t i : *pending) {
      out.booleans[i] =
          node.int_list.empty()
              ? std::binary_search(node.text_list.begin(), node.text_list.end(), x.column->texts[x.at(i)])
              : std::binary_search(node.int_list.begin(), node.int_list.end(), x.column->integers[x.at(i)]);
    }
    return;
  }
  for (size_t arg = 1; arg < node.args.size() && !pending->empty(); ++arg) {
    const Operand item = eval(node.args[arg], reg_index + 2, *pending, context);
    size_t kept = 0;
    for (const uint32_t i : *pending) {
      if (item.is_null(i)) {
        out.valid[i] = 0;
      } else if (compare_values(*x.column, x.at(i), *item.column, item.at(i)) == 0) {
        out.booleans[i] = 1;
        out.valid[i] = 1;
        continue;
      }
      (*pending)[kept++] = i;
    }
    pending->resize(kept);
  }
}

void Program::eval_call(const Node& node, unsigned reg_index, Selection& selection, Column& out,
                        Context& context) {
  std::vector<Operand> args;
  args.reserve(node.args.size());
  for (const uint32_t arg : node.args) {
    const auto own = static_cast<unsigned>(reg_index + 1 + args.size());
    args.push_back(eval(arg, own, selection, context));
  }
  tried(node, out, context,
        [&](Context& own) { node.expr->function->kernel(*node.expr, args, selection, out, own); });
}

// The first evaluation over a batch writes its values where they stay; a later one adds the rows that it needs.
const Column& Program::eval_shared(const Node& node, unsigned reg_index, const Selection& selection,
                                   Context& context) {
  SharedValues::Call& call = *node.shared;
  const size_t rows = context.batch.rows;
  const bool first = call.known.empty();
  if (first) call.known.assign(rows, 0);
  Lease missing(*this);
  for (const uint32_t i : selection) {
    if (call.known[i] == 0) missing->push_back(i);
  }
  if (missing->empty() && !first) return call.values;
  const size_t failures = context.failures();
  Column& out = first ? call.values : reg(reg_index);
  eval_call(node, reg_index, *missing, out, context);
  if (context.failures() != failures) context.drop_failed(*missing);
  if (first && out.valid.empty()) out.valid.assign(rows, 1);
  if (!first) copy_rows({&out, false}, *missing, call.values);
  for (const uint32_t i : *missing) call.known[i] = 1;
  return call.values;
}

struct Evaluator::Impl {
  Impl(ExprPtr e, OnError o, PlanOptions p, SharedValues* s)
      : expr(std::move(e)), program(*expr, p, s), on_error(o) {}
  ExprPtr expr;
  Program program;
  OnError on_error;
  Column with_nulls;

  const Column& keep(const Column& made, Selection& selection, std::span<RowError> failed);
};

// The failed rows are back in the selection, with NULL.
const Column& Evaluator::Impl::keep(const Column& made, Selection& selection, std::span<RowError> failed) {
  with_nulls = made;
  if (with_nulls.valid.empty()) with_nulls.valid.assign(made.size(), 1);
  const auto passed = static_cast<std::ptrdiff_t>(selection.size());
  for (RowError& error : failed) {
    error.kept = true;
    with_nulls.valid[error.row] = 0;
    selection.push_back(error.row);
  }
  std::sort(selection.begin() + passed, selection.end());
  std::inplace_merge(selection.begin(), selection.begin() + passed, selection.end());
  selection.erase(std::unique(selection.begin(), selection.end()), selection.end());
  return with_nulls;
}

Evaluator::Evaluator(ExprPtr expr, OnError on_error, PlanOptions options, SharedValues* shared)
    : impl_(std::make_unique<Impl>(std::move(expr), on_error, options, shared)) {}
Evaluator::~Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator& Evaluator::operator=(Evaluator&&) noexcept = default;

const Column& Evaluator::evaluate(const Batch& batch, Selection& selection, std::vector<RowError>& errors) {
  const size_t before = errors.size();
  const Column& made = impl_->program.run(batch, selection, errors);
  if (errors.size() == before || impl_->on_error == OnError::kDeadLetter) return made;
  return impl_->keep(made, selection, std::span(errors).subspan(before));
}

void Evaluator::filter(const Batch& batch, Selection& selection, std::vector<RowError>& errors) {
  const Column& keep = evaluate(batch, selection, errors);
  if (keep.type == Type::kNull) return selection.clear();
  size_t kept = 0;
  for (const uint32_t i : selection) {
    selection[kept] = i;
    kept += !keep.is_null(i) && keep.booleans[i] != 0;
  }
  selection.resize(kept);
}

Result<Scalar> evaluate_constant(const Expr& expr, PlanOptions options) {
  Batch batch;
  batch.rows = 1;
  Selection selection = {0};
  std::vector<RowError> errors;
  Program program(expr, options);
  const Column& value = program.run(batch, selection, errors);
  if (errors.empty()) return value.scalar(0);
  Error failure = error(Code::kInvalid, errors[0].id, errors[0].message);
  if (errors[0].span.line != 0) failure.span = errors[0].span;
  return failure;
}

}  // namespace millrace::engine
