// Scope: the names an expression may use, and what each stands for: a column of the row that is read, or what a
// subquery, a CTE or a view computes of it. One relation for now; joins will add more.
#pragma once

#include <optional>
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
    size_t size = 1;  // parts, counted as if shared ones were written out
  };

  Scope() = default;
  // `name` is what qualifies a column: the alias if there is one. Column i of the schema is column i of the
  // row.
  Scope(std::string name, const Schema& schema);
  Scope(std::string name, std::vector<Column> columns);

  // window_start and window_end of a window over a time expression.
  void add_window(const engine::ExprPtr& time, const engine::WindowSpec& window);
  void add_count_window(const engine::CountWindow& window);
  // The window function that made this row stands further in.
  void take_window(const Scope& inner) {
    window_ = inner.window_;
    count_window_ = inner.count_window_;
  }
  bool has_window() const { return window_.size_us > 0 || count_window_.any(); }
  // A row has many windows, or one by its group: their columns are group keys, and never computed for a row.
  bool has_many_windows() const { return window_.made_of_panes() || count_window_.any(); }
  const engine::WindowSpec& window() const { return window_; }
  const engine::CountWindow& count_window() const { return count_window_; }
  // The rows come from the journal, so that PROCTIME() has a meaning.
  void allow_append_time() { has_append_time_ = true; }
  bool has_append_time() const { return has_append_time_; }
  // They are stored events as an ad-hoc SELECT reads them: engine::system_columns() stand in the row from `first` on.
  // They are found by name where no column has it, and are none of columns().
  void add_system_columns(int first) { first_system_column_ = first; }
  // A continuous query: its answer is no matter of where an event stands.
  void refuse_system_columns() { refuses_system_columns_ = true; }
  // The same rows, whose columns have other names.
  void take_rows(const Scope& from);
  // What now() is; none in a continuous query.
  void set_now(std::optional<Timestamp> now) { now_ = now; }
  std::optional<Timestamp> now() const { return now_; }
  // They are what the events of a stream with a primary key make: a row has no time of its own.
  void set_updating(std::string stream) { updating_ = std::move(stream); }
  const std::string& updating() const { return updating_; }  // empty: they are not

  // How what is bound in it is planned.
  void set_options(engine::PlanOptions options) { options_ = options; }
  const engine::PlanOptions& options() const { return options_; }

  const std::vector<Column>& columns() const { return columns_; }
  const std::string& name() const { return name_; }
  bool has(const std::string& column) const { return by_name_.count(column) > 0; }
  // Unknown and ambiguous names are the errors; `qualifier` may be empty.
  Result<Column> find(const ast::Name& qualifier, const std::string& column, const SourceSpan& span) const;
  Status check_qualifier(const ast::Name& qualifier) const;

 private:
  void add(Column column);
  Error unknown_column(const ast::Name& qualifier, const std::string& column, const SourceSpan& span) const;
  Result<Column> system_column(const ast::Name& qualifier, size_t place, const SourceSpan& span) const;

  std::string name_;
  engine::WindowSpec window_;
  engine::CountWindow count_window_;
  bool has_append_time_ = false;
  int first_system_column_ = -1;  // -1: the rows have none
  bool refuses_system_columns_ = false;
  std::optional<Timestamp> now_;
  std::string updating_;
  engine::PlanOptions options_;
  std::vector<Column> columns_;
  std::unordered_map<std::string, std::vector<size_t>> by_name_;
};

engine::ExprPtr make_column(int index, Type type, const SourceSpan& span);
// Same operators, columns and constants; places in the text do not matter.
bool same_expr(const engine::Expr& a, const engine::Expr& b);
uint64_t expr_hash(const engine::Expr& expr);  // equal for the same expressions; not stored

}  // namespace millrace::sql
