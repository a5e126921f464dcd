// Scope: the names an expression may use, and what each stands for. One relation for now; joins will add
// more.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "engine/plan.h"
#include "sql/ast.h"

namespace millrace::sql {

class Scope {
 public:
  struct Column {
    std::string name;
    engine::ExprPtr expr;
  };

  Scope() = default;
  // `name` is what qualifies a column: the alias if there is one. Column i of the schema is column i of the
  // row.
  Scope(std::string name, const Schema& schema);

  // window_start and window_end of a window over a time expression.
  void add_window(const engine::ExprPtr& time, const engine::WindowSpec& window);
  // A row has many windows: their columns are group keys, and never computed for a row.
  bool has_many_windows() const { return window_.made_of_panes(); }
  const engine::WindowSpec& window() const { return window_; }

  const std::vector<Column>& columns() const { return columns_; }
  const std::string& name() const { return name_; }
  bool has(const std::string& column) const { return by_name_.count(column) > 0; }
  // Unknown and ambiguous names are the errors; `qualifier` may be empty.
  Result<engine::ExprPtr> find(const ast::Name& qualifier, const std::string& column,
                               const SourceSpan& span) const;
  Status check_qualifier(const ast::Name& qualifier) const;

 private:
  void add(std::string name, engine::ExprPtr expr);
  Error unknown_column(const ast::Name& qualifier, const std::string& column, const SourceSpan& span) const;

  std::string name_;
  engine::WindowSpec window_;
  std::vector<Column> columns_;
  std::unordered_map<std::string, std::vector<size_t>> by_name_;
};

engine::ExprPtr make_column(int index, Type type, const SourceSpan& span);
// Same operators, columns and constants; places in the text do not matter.
bool same_expr(const engine::Expr& a, const engine::Expr& b);
uint64_t expr_hash(const engine::Expr& expr);  // equal for the same expressions; not stored

}  // namespace millrace::sql
