#include "protobuf/message_file.h"

#include <fmt/format.h>

#include "event/row_type.h"
#include "schema/identifiers.h"

namespace millrace::protobuf {
namespace {

std::string_view field_type(Type type) {
  switch (type) {
    case Type::kBoolean:
      return "bool";
    case Type::kSmallint:
    case Type::kInteger:
      return "int32";
    case Type::kBigint:
      return "int64";
    case Type::kReal:
      return "float";
    case Type::kDouble:
      return "double";
    case Type::kBytea:
      return "bytes";
    case Type::kTimestamp:
    case Type::kTimestamptz:
      return "google.protobuf.Timestamp";
    case Type::kDate:
      return "google.type.Date";
    case Type::kTime:
      return "google.type.TimeOfDay";
    default:
      return "string";
  }
}

// Two fields whose names differ in case or '_' alone have one name in JSON.
std::string compared_name(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (c != '_') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

class FileWriter {
 public:
  void message(const millrace::Schema& fields, std::string_view name, size_t depth) {
    const std::string indent(2 * depth, ' ');
    body_ += fmt::format("{}message {} {{\n", indent, name);
    std::vector<std::string_view> columns;
    for (const ColumnDef& field : fields) columns.push_back(field.name);
    const auto names = schema::Identifiers(compared_name).take_all(columns);
    // Types and fields share a scope.
    schema::Identifiers types;
    for (const std::string& taken : names) types.take(taken);
    std::string inner;
    for (size_t i = 0; i < fields.size(); ++i)
      inner += fmt::format("{}  {};\n", indent, field(fields[i], names[i], field_number(i), types, depth));
    body_ += fmt::format("{}{}}}\n", inner, indent);
  }

  std::string take() {
    std::string out = "syntax = \"proto3\";\n";
    if (imports_time_) out += "\nimport \"google/protobuf/timestamp.proto\";";
    if (imports_date_) out += "\nimport \"google/type/date.proto\";";
    if (imports_time_of_day_) out += "\nimport \"google/type/timeofday.proto\";";
    return out + (out.ends_with('\n') ? "\n" : "\n\n") + body_;
  }

 private:
  // A row's message is written on the way: before the fields of the message that it is in.
  std::string field(const ColumnDef& column, const std::string& name, uint32_t number,
                    schema::Identifiers& types, size_t depth) {
    const Type type = element_of(column.type);
    std::string type_name(field_type(type));
    if (is_row(type)) {
      type_name = types.take(schema::camel_case(name));
      message(fields_of(type), type_name, depth + 1);
    }
    imports_time_ |= is_timestamp(type);
    imports_date_ |= type == Type::kDate;
    imports_time_of_day_ |= type == Type::kTime;
    const bool has_presence = is_row(type) || type_name.find('.') != std::string::npos;
    const std::string_view label = is_array(column.type) ? "repeated " : has_presence ? "" : "optional ";
    return fmt::format("{}{} {} = {}", label, type_name, name, number);
  }

  std::string body_;
  bool imports_time_ = false, imports_date_ = false, imports_time_of_day_ = false;
};

}  // namespace

uint32_t field_number(size_t place) {
  constexpr uint32_t kKeptFrom = 19'000, kKept = 1'000;
  const auto number = static_cast<uint32_t>(place) + 1;
  return number < kKeptFrom ? number : number + kKept;
}

std::string message_file(const millrace::Schema& columns, std::string_view name) {
  FileWriter writer;
  writer.message(columns, schema::camel_case(schema::identifier_of(name)), 0);
  return writer.take();
}

}  // namespace millrace::protobuf
