#include "avro/record_schema.h"

#include <fmt/format.h>

#include "avro/json_tree.h"
#include "event/row_type.h"
#include "schema/identifiers.h"

namespace millrace::avro {
namespace {

// What a type's own name may not be.
constexpr std::string_view kWords[] = {"null",   "boolean", "int",    "long",   "float",
                                       "double", "bytes",   "string", "record", "error",
                                       "enum",   "array",   "map",    "union",  "fixed"};

std::string_view simple_type(Type type) {
  switch (type) {
    case Type::kBoolean:
      return R"("boolean")";
    case Type::kSmallint:
    case Type::kInteger:
      return R"("int")";
    case Type::kBigint:
      return R"("long")";
    case Type::kReal:
      return R"("float")";
    case Type::kDouble:
      return R"("double")";
    case Type::kBytea:
      return R"("bytes")";
    case Type::kUuid:
      return R"({"type":"string","logicalType":"uuid"})";
    case Type::kDate:
      return R"({"type":"int","logicalType":"date"})";
    case Type::kTime:
      return R"({"type":"long","logicalType":"time-micros"})";
    case Type::kTimestamptz:
      return R"({"type":"long","logicalType":"timestamp-micros"})";
    case Type::kTimestamp:
      return R"({"type":"long","logicalType":"local-timestamp-micros"})";
    default:
      return R"("string")";
  }
}

// What the field's type does not say: another name, another type than text.
std::string doc_of(const ColumnDef& column, std::string_view name) {
  std::string doc = column.name == name ? "" : fmt::format("column \"{}\"", column.name);
  const Type type = element_of(column.type);
  const bool as_text =
      type == Type::kJsonb || type == Type::kInterval || (type == Type::kNumeric && !has_decimals(column));
  if (as_text) doc += (doc.empty() ? "" : ", ") + std::string(to_string(type));
  return doc;
}

class SchemaWriter {
 public:
  SchemaWriter() {
    for (const std::string_view word : kWords) names_.take(word);
  }

  void record(const millrace::Schema& fields, std::string_view wanted) {
    const std::string name = names_.take(wanted);
    out_ += fmt::format(R"({{"type":"record","name":"{}","fields":[)", name);
    std::vector<std::string_view> columns;
    for (const ColumnDef& field : fields) columns.push_back(field.name);
    const auto field_names = schema::Identifiers().take_all(columns);
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) out_ += ',';
      field(fields[i], field_names[i], name);
    }
    out_ += "]}";
  }
  std::string take() { return std::move(out_); }

 private:
  void field(const ColumnDef& column, const std::string& name, const std::string& record_name) {
    out_ += fmt::format(R"({{"name":"{}","type":)", name);
    nullable(column, column.type, record_name + "_" + name);
    const std::string doc = doc_of(column, name);
    if (!doc.empty()) append_quoted(out_ += R"(,"doc":)", doc);
    out_ += R"(,"default":null})";
  }

  void nullable(const ColumnDef& column, Type type, const std::string& name) {
    out_ += R"(["null",)";
    if (is_array(type)) {
      out_ += R"({"type":"array","items":)";
      nullable(column, element_of(type), name);
      out_ += '}';
    } else if (is_row(type)) {
      record(fields_of(type), name);
    } else if (has_decimals(column)) {
      out_ += fmt::format(R"({{"type":"bytes","logicalType":"decimal","precision":{},"scale":{}}})",
                          column.length, column.scale);
    } else {
      out_ += simple_type(type);
    }
    out_ += ']';
  }

  schema::Identifiers names_;
  std::string out_;
};

}  // namespace

bool has_decimals(const ColumnDef& column) {
  return element_of(column.type) == Type::kNumeric && column.length > 0 &&
         column.length <= kMaxDecimalPrecision && column.scale <= column.length;
}

std::string record_schema(const millrace::Schema& columns, std::string_view name) {
  SchemaWriter writer;
  writer.record(columns, name);
  return writer.take();
}

}  // namespace millrace::avro
