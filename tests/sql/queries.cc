// Answers queries for postgres_queries.py: one query a line, that reads nothing but its own VALUES; for each a line of its rows,
// their values separated by \x1f and they by \x1e, or the id of its error. Plans that are not optimized, run two rows at a time, have to give the same:
// else the line says so.
#include <fmt/format.h>

#include <iostream>
#include <string>

#include "engine/select_tree.h"
#include "sql/sql.h"
#include "tests/sql/scalar_text.h"

namespace millrace {
namespace {

Result<Batch> answer(const std::string& text, engine::PlanOptions options) {
  engine::SelectBounds bounds;
  if (!options.optimize) bounds.piece_rows = 2;
  TRY_ASSIGN(const auto statements, sql::parse(text));
  TRY_ASSIGN(auto bound, sql::bind(*statements.front(), *sql::Catalog::empty(options), TenantId(1)));
  return engine::run_select_tree(std::get<sql::Select>(bound).plan, {}, bounds);
}

std::string line_of(const Batch& rows) {
  std::string out;
  for (size_t row = 0; row < rows.rows; ++row) {
    if (row > 0) out += '\x1e';
    for (size_t i = 0; i < rows.columns.size(); ++i) {
      if (i > 0) out += '\x1f';
      out += text_of(rows.columns[i].scalar(row), rows.columns[i].type);
    }
  }
  return out;
}

std::string answer_line(const std::string& text, engine::PlanOptions options) {
  const auto rows = answer(text, options);
  return rows.ok() ? line_of(*rows) : std::string(rows.error().id);
}

}  // namespace
}  // namespace millrace

int main() {
  std::string text;
  while (std::getline(std::cin, text)) {
    const std::string optimized = millrace::answer_line(text, {});
    const std::string plain = millrace::answer_line(text, {.optimize = false});
    std::cout << (plain == optimized ? plain : optimized + " NOT OPTIMIZED " + plain) << "\n";
  }
}
