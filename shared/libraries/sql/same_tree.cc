#include <algorithm>

#include "sql/ast.h"

namespace millrace::sql::ast {
namespace {

bool same_type(const TypeName& a, const TypeName& b) {
  return a.type == b.type && a.length == b.length && a.scale == b.scale && a.precision == b.precision;
}

}  // namespace

bool same_tree(const Expr& a, const Expr& b) {
  const bool alike = a.kind == b.kind && a.text == b.text && same_type(a.type, b.type) &&
                     a.negated == b.negated && a.star == b.star && a.tries == b.tries &&
                     a.has_operand == b.has_operand && a.has_else == b.has_else;
  return alike && std::ranges::equal(a.args, b.args,
                                     [](const ExprPtr& x, const ExprPtr& y) { return same_tree(*x, *y); });
}

}  // namespace millrace::sql::ast
