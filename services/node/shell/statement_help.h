// What \h shows: how each statement is written, in short. docs/sql/reference.md has all of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

struct StatementHelp {
  std::string_view head;  // CREATE STREAM
  std::string_view what;
  std::string_view form;
};
const std::vector<StatementHelp>& statement_help();
std::vector<std::string> statement_heads();

}  // namespace millrace::cli
