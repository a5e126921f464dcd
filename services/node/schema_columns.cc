#include "node/schema_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "avro/avro_schema.h"
#include "engine/quoted_name.h"
#include "event/decimal.h"
#include "json-schema/json_schema.h"

namespace millrace::node {
namespace {

constexpr int kMostDepth = 8;  // of rows in rows; what lies deeper is JSONB
constexpr std::string_view kOpen = "JSONB";

struct Named {
  std::string name, type;
};

Error no_columns(std::string why) {
  return error(Code::kInvalid, "MR-SCH-0002", "no columns follow from the schema: " + std::move(why),
               "declare those to be read: CREATE STREAM name (column TYPE, …) WITH (schema = …)");
}

std::string declare(const std::vector<Named>& columns) {
  std::string out;
  for (const auto& column : columns) {
    if (!out.empty()) out += ", ";
    engine::append_quoted_name(out, column.name);
    out += ' ';
    out += column.type;
  }
  return out;
}

std::string row_of(const std::vector<Named>& fields) {
  return fields.empty() ? std::string(kOpen) : fmt::format("ROW<{}>", declare(fields));
}

// Arrays have one dimension, and no documents in them.
std::string array_of(const std::string& element) {
  const bool can = element != kOpen && !element.ends_with("[]");
  return can ? element + "[]" : std::string(kOpen);
}

// JSON Schema says what values may be, not what they are: a column follows where one type is left.
class JsonColumns {
 public:
  explicit JsonColumns(const json_schema::Document& document) : document_(document) {}

  std::vector<Named> of_object(const json_schema::Subschema& asked, int depth) const {
    const auto& schema = referred(asked);
    std::vector<Named> columns;
    const auto* properties = document_.keyword(schema, "properties");
    if (properties == nullptr) return columns;
    for (const auto& member : properties->members)
      columns.push_back({member.name, type_of(member.value, depth)});
    return columns;
  }

 private:
  using Value = json_schema::Value;

  const json_schema::Subschema& referred(const json_schema::Subschema& asked) const {
    const auto* schema = &asked;
    for (int steps = 0; schema->ref != nullptr && steps < kMostDepth; ++steps) schema = schema->ref;
    return *schema;
  }

  std::string type_of(const Value& value, int depth) const {
    const auto* found = document_.find(value);
    if (found == nullptr || depth >= kMostDepth) return std::string(kOpen);
    const auto& schema = referred(*found);
    const std::string name = type_name(schema);
    if (name == "string") return text_type(schema);
    if (name == "integer") return "BIGINT";
    if (name == "number") return "DOUBLE PRECISION";
    if (name == "boolean") return "BOOLEAN";
    if (name == "object") return row_of(of_object(schema, depth + 1));
    if (name != "array") return std::string(kOpen);
    const auto* items = document_.keyword(schema, "items");
    return items == nullptr ? std::string(kOpen) : array_of(type_of(*items, depth + 1));
  }

  // The one type beside "null"; empty: there is none, or several.
  std::string type_name(const json_schema::Subschema& schema) const {
    const auto* type = document_.keyword(schema, "type");
    if (type == nullptr) return "";
    if (type->is(Value::Type::kString)) return type->text;
    std::string one;
    for (const auto& item : type->items) {
      if (item.text == "null") continue;
      if (!one.empty()) return "";
      one = item.text;
    }
    return one;
  }

  std::string text_type(const json_schema::Subschema& schema) const {
    const auto* format = document_.keyword(schema, "format");
    if (format == nullptr) return "TEXT";
    if (format->text == "date-time") return "TIMESTAMPTZ";
    if (format->text == "date") return "DATE";
    return format->text == "uuid" ? "UUID" : "TEXT";
  }

  const json_schema::Document& document_;
};

// Of values in the plain JSON that avro/codec.h describes.
class AvroColumns {
 public:
  static std::vector<Named> of_record(const avro::Node& record, int depth) {
    std::vector<Named> columns;
    for (const auto& field : record.fields) columns.push_back({field.name, type_of(*field.type, depth)});
    return columns;
  }

 private:
  static std::string type_of(const avro::Node& node, int depth) {
    using enum avro::Kind;
    if (depth >= kMostDepth) return std::string(kOpen);
    if (node.logical != avro::Logical::kNone) return logical_type(node);
    switch (node.kind) {
      case kBoolean:
        return "BOOLEAN";
      case kInt:
        return "INTEGER";
      case kLong:
        return "BIGINT";
      case kFloat:
        return "REAL";
      case kDouble:
        return "DOUBLE PRECISION";
      case kBytes:
      case kFixed:
        return "BYTEA";
      case kString:
      case kEnum:
        return "TEXT";
      case kRecord:
        return row_of(of_record(node, depth + 1));
      case kArray:
        return array_of(type_of(*node.element, depth + 1));
      case kUnion:
        return union_type(node, depth);
      default:
        return std::string(kOpen);
    }
  }

  static std::string union_type(const avro::Node& node, int depth) {
    const avro::Node* one = nullptr;
    for (const auto* branch : node.branches) {
      if (branch->kind == avro::Kind::kNull) continue;
      if (one != nullptr) return std::string(kOpen);
      one = branch;
    }
    return one == nullptr ? std::string(kOpen) : type_of(*one, depth);
  }

  static std::string logical_type(const avro::Node& node) {
    using enum avro::Logical;
    switch (node.logical) {
      case kDecimal:
        if (node.precision > kMaxDecimalDigits) return std::string(kOpen);
        return fmt::format("NUMERIC({}, {})", node.precision, node.scale);
      case kUuid:
        return "UUID";
      case kDate:
        return "DATE";
      case kTimeMillis:
      case kTimeMicros:
        return "TIME";
      case kTimestampMillis:
      case kTimestampMicros:
      case kTimestampNanos:
        return "TIMESTAMPTZ";
      case kLocalTimestampMillis:
      case kLocalTimestampMicros:
      case kLocalTimestampNanos:
        return "TIMESTAMP";
      default:
        return std::string(kOpen);
    }
  }
};

Result<std::string> declared(const std::vector<Named>& columns, const char* none) {
  if (columns.empty()) return no_columns(none);
  return declare(columns);
}

}  // namespace

Result<std::string> columns_of(const schema::Schema& schema) {
  switch (schema.type()) {
    case schema::SchemaType::kJson: {
      const auto& document = *static_cast<const json_schema::JsonSchema&>(schema).document();
      return declared(JsonColumns(document).of_object(document.root(), 0), "it names no properties");
    }
    case schema::SchemaType::kAvro:
      return declared(AvroColumns::of_record(static_cast<const avro::AvroSchema&>(schema).root(), 0),
                      "it is no record with fields");
    case schema::SchemaType::kProtobuf:
      return no_columns("that is not supported for Protobuf");
  }
  return no_columns("its format is not known");
}

}  // namespace millrace::node
