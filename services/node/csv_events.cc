#include "node/csv_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sql/errors.h"

namespace millrace::cli {
namespace {

// Bytes that are no UTF-8 go as they are: it is the server's to refuse them.
void append_text(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_number_type(std::string_view type) {
  return is_one_of(type, {"smallint", "integer", "bigint", "real", "double precision"}) ||
         type.starts_with("numeric");
}

bool is_nested_type(std::string_view type) {
  return type == "jsonb" || type == "json" || type.ends_with("[]") || type.starts_with("row<") ||
         type.starts_with("map<");
}

// Valid JSON of the kind that the type takes is sent bare.
bool is_bare(std::string_view text, std::string_view type) {
  if (type == "boolean") return text == "true" || text == "false";
  if (is_number_type(type)) {
    return text.find_first_not_of("0123456789+-.eE") == std::string_view::npos &&
           nlohmann::json::accept(text);
  }
  // nlohmann takes a zero for the end.
  const bool is_line = text.find_first_of(std::string_view("\n\0", 2)) == std::string_view::npos;
  return is_nested_type(type) && is_line && nlohmann::json::accept(text);
}

}  // namespace

Result<CsvEvents> CsvEvents::of_header(const CsvRecord& header, const std::vector<StreamColumn>& columns) {
  CsvEvents out;
  for (const auto& field : header.fields) {
    const auto same = [&](const StreamColumn& column) { return column.name == field.text; };
    const auto at = std::find_if(columns.begin(), columns.end(), same);
    if (at == columns.end()) {
      std::vector<std::string> names;
      for (const auto& column : columns) names.push_back(column.name);
      const std::string close = sql::did_you_mean(field.text, names);
      return error(
          Code::kInvalid, "MR-CLI-0031", fmt::format("the stream has no column \"{}\"", field.text),
          close.empty() ? "the first line names columns; there are " + sql::list_names(names) : close);
    }
    if (std::any_of(out.columns_.begin(), out.columns_.end(), same)) {
      return error(Code::kInvalid, "MR-CLI-0031",
                   fmt::format("the first line names \"{}\" twice", field.text));
    }
    out.columns_.push_back(*at);
  }
  return out;
}

Status CsvEvents::append(const CsvRecord& record, std::string& out) const {
  if (record.fields.size() != columns_.size()) {
    return error(Code::kInvalid, "MR-CLI-0030",
                 fmt::format("line {}: {} fields, the first line has {}", record.line, record.fields.size(),
                             columns_.size()),
                 "a comma inside a field needs quotes around it");
  }
  const size_t start = out.size();
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto& field = record.fields[i];
    if (field.text.empty() && !field.quoted) continue;
    out += out.size() == start ? '{' : ',';
    append_text(columns_[i].name, out);
    out += ':';
    is_bare(field.text, columns_[i].type) ? void(out += field.text) : append_text(field.text, out);
  }
  out += out.size() == start ? "{}\n" : "}\n";
  return {};
}

}  // namespace millrace::cli
