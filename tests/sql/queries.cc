// Answers queries for postgres_queries.py: one query a line, that reads nothing but its own VALUES; for each a line of its rows,
// their values separated by \x1f and they by \x1e, or the id of its error.
#include <fmt/format.h>

#include <iostream>
#include <string>

#include "engine/select_tree.h"
#include "sql/sql.h"
#include "tests/sql/scalar_text.h"

namespace millrace {
namespace {

Result<Batch> answer(const std::string& text) {
  TRY_ASSIGN(const auto statements, sql::parse(text));
  TRY_ASSIGN(auto bound, sql::bind(*statements.front(), *sql::Catalog::empty(), TenantId(1)));
  return engine::run_select_tree(std::get<sql::Select>(bound).plan, {});
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

}  // namespace
}  // namespace millrace

int main() {
  std::string text;
  while (std::getline(std::cin, text)) {
    const auto rows = millrace::answer(text);
    std::cout << (rows.ok() ? millrace::line_of(*rows) : std::string(rows.error().id)) << "\n";
  }
}
