#include "node/resource_printer.h"

#include <unistd.h>

#include <algorithm>
#include <vector>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "node/csv.h"
#include "node/shell/terminal.h"

namespace millrace::cli {
namespace {

using Words = std::vector<std::string>;

// Too long for a row of a table; `show` has them.
const Words kNotInLists = {"columns", "definition", "failure"};

// In a table a column's definition, or a scope, is read, not parsed.
std::string text_of_list(const Json& list) {
  std::string out;
  for (const auto& one : list) {
    if (!out.empty()) out += ", ";
    out += one.is_string() ? one.get<std::string>()
                           : fmt::format("{} {}", one.value("name", ""), one.value("type", ""));
  }
  return out;
}

AnswerValue value_of(const std::string& name, const Json& value, bool as_table) {
  using Kind = AnswerValue::Kind;
  if (value.is_null()) return {name, Kind::kNull, {}};
  if (value.is_string()) return {name, Kind::kText, value.get<std::string>()};
  const bool is_list = name == "columns" || name == "scopes";
  if (as_table && is_list && value.is_array()) return {name, Kind::kOther, text_of_list(value)};
  return {name, value.is_number() ? Kind::kNumber : Kind::kOther, value.dump()};
}

// On a terminal a list is as wide as that, or has a line for each value; a program gets all of it.
TableStyle style_of_lists() {
  TableStyle style;
  if (::isatty(STDOUT_FILENO) == 0) return style;
  style.width = terminal_size().columns;
  style.expanded = Expanded::kIfTooWide;
  return style;
}

}  // namespace

ResourcePrinter::ResourcePrinter(std::string form)
    : form_(std::move(form)), table_(stdout, style_of_lists()) {}

void ResourcePrinter::add_to_list(const Json& item) {
  ++items_;
  if (form_ == "json") {
    fmt::print("{}\n", item.dump());
    return;
  }
  const bool as_table = form_ == "table";
  AnswerRow row;
  for (const auto& [name, value] : item.items()) {
    const bool long_one = std::find(kNotInLists.begin(), kNotInLists.end(), name) != kNotInLists.end();
    if (!as_table || !long_one) row.push_back(value_of(name, value, as_table));
  }
  as_table ? table_.add(row) : print_csv(row);
}

void ResourcePrinter::end_list() {
  if (form_ != "table") return;
  table_.end();
  fmt::print(stderr, "({})\n", counted(items_, "row"));
}

void ResourcePrinter::show(const Json& item) {
  if (form_ != "table") return add_to_list(item);
  Table table(stdout);
  for (const auto& [name, value] : item.items()) {
    AnswerValue shown = value_of(name, value, true);
    if (shown.kind == AnswerValue::Kind::kNumber) shown.kind = AnswerValue::Kind::kOther;
    shown.name = "value";
    table.add({{"property", AnswerValue::Kind::kText, name}, shown});
  }
  table.end();
}

void ResourcePrinter::print_csv(const AnswerRow& row) const {
  if (items_ == 1) {
    Words names;
    for (const auto& value : row) names.push_back(value.name);
    fmt::print("{}", csv_line(names));
  }
  Words texts;
  for (const auto& value : row) texts.push_back(value.text);
  fmt::print("{}", csv_line(texts));
}

void add_output_option(CLI::App& command, std::string& output) {
  output = "table";
  command.add_option("--output", output, "table, json: one object a line, or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
}

Result<Json> call_api(HttpClient& client, const HttpRequest& request) {
  TRY_ASSIGN(const HttpAnswer answer, client.call(request));
  if (answer.status >= 300) return error_of(answer);
  Json parsed = Json::parse(answer.body, nullptr, false);
  if (answer.status == 204 || parsed.is_object()) return parsed;
  return error(Code::kCorrupt, "MR-CLI-0010", "the server sent what is no JSON object");
}

}  // namespace millrace::cli
