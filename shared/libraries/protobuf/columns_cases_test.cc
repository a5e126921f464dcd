// tests/schemas/protobuf/columns/*.test: the rows that payloads become.
//
// `reader` is the schema of a message M. `writer` is payloads, a line each, as bytes in hexadecimal or as JSON, `#` begins a
// comment; a line "columns a bigint, b numeric(20,0)" says which columns those after it are read into, without one all it has.
#include <fmt/format.h>

#include <charconv>

#include "protobuf/columns.h"
#include "protobuf/message_codec.h"
#include "protobuf/protobuf_schema.h"
#include "protobuf/testing/columns_oracle.h"
#include "tests/schemas/cases.h"

namespace millrace::protobuf {
namespace {

std::string bytes_of(std::string_view hexadecimal) {
  std::string out;
  for (std::istringstream words{std::string(hexadecimal)}; words;) {
    std::string word;
    unsigned byte = 0;
    if (words >> word && std::from_chars(word.data(), word.data() + word.size(), byte, 16).ec == std::errc())
      out += static_cast<char>(byte);
  }
  return out;
}

Type type_named(std::string_view name) {
  for (uint32_t type = 1; type <= static_cast<uint32_t>(Type::kNumeric); ++type)
    if (to_string(static_cast<Type>(type)) == name) return static_cast<Type>(type);
  ADD_FAILURE() << "no type " << name;
  return Type::kText;
}

ColumnDef column_in(std::string_view text) {
  const size_t space = text.find(' '), bracket = text.find('(');
  ColumnDef out{.name = std::string(text.substr(0, space)),
                .type = type_named(text.substr(space + 1, bracket - space - 1))};
  if (bracket != std::string_view::npos) {
    EXPECT_EQ(std::sscanf(std::string(text.substr(bracket)).c_str(), "(%u,%u)", &out.length, &out.scale), 2);
  }
  return out;
}

millrace::Schema columns_in(std::string_view text) {
  millrace::Schema out;
  for (bool more = true; more;) {
    const size_t end = text.find(", ");
    out.push_back(column_in(text.substr(0, end)));
    more = end != std::string_view::npos;
    if (more) text.remove_prefix(end + 2);
  }
  return out;
}

std::string listed(const millrace::Schema& columns) {
  std::string out;
  for (const ColumnDef& column : columns)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", column.name, declared_type(column));
  return out + "\n";
}

std::string row_of(ColumnReader& reader, const millrace::Schema& columns, const std::string& payload) {
  Batch batch;
  std::vector<RowError> errors;
  reader.decode({payload}, batch, errors);
  if (!errors.empty()) return fmt::format("{}: {}\n", errors[0].id, errors[0].message);
  std::string out;
  for (size_t i = 0; i < columns.size(); ++i)
    out += (i == 0 ? "" : " | ") + shown(columns[i].type, batch.columns[i].scalar(0));
  return out + "\n";
}

std::string rows_of(const schema_cases::Case& c) {
  const auto schema = kFormat.parse(c.reader.text, c.reader.references);
  if (!schema.ok()) return "reader: " + schema.error().to_string() + "\n";
  const auto codec = MessageCodec::of(*schema, "M");
  auto columns = *columns_of(**schema, "M");
  std::string out;
  std::istringstream lines(c.writer.text);
  for (std::string line; std::getline(lines, line);) {
    line.resize(std::min(line.size(), line.find('#')));
    if (line.empty()) continue;
    const bool declares = line.starts_with("columns ");
    if (declares) columns = columns_in(std::string_view(line).substr(8));
    if (declares || out.empty()) out += listed(columns);
    const auto reader = ColumnReader::make(*schema, "M", columns);
    if (!reader.ok()) {
      out += reader.error().to_string() + "\n";
    } else if (!declares) {
      const auto payload = line[0] == '{' ? codec->from_json(line) : bytes_of(line);
      out += payload.ok() ? row_of(**reader, columns, *payload) : payload.error().to_string() + "\n";
    }
  }
  return out;
}

TEST(ColumnsCases, GiveTheRowsTheyExpect) {
  schema_cases::run_folder(MILLRACE_CASES "/columns", rows_of);
}

}  // namespace
}  // namespace millrace::protobuf
