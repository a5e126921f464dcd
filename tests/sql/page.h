// Pages of docs/ as cases: their blocks of SQL and the rows of their tables.
#pragma once

#include <string>
#include <vector>

#include "node/query_tests/case.h"

namespace millrace::query_tests {

std::vector<std::string> lines_of(const std::string& path);
Step statement(int line, std::string text);
// The statement fails with this id.
void add_refused(int line, std::string text, const std::string& id, Case& out);
// Every ```sql block, statement by statement; a statement ends with a line. Empty title: the text ends inside one.
Case example_blocks(const std::string& path);
// "| `a` | b |" without its bars and backticks; a bar inside a cell is written \|.
std::vector<std::string> cells(const std::string& row);

}  // namespace millrace::query_tests
