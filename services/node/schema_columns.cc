#include "node/schema_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "avro/avro_schema.h"
#include "engine/quoted_name.h"
#include "event/decimal.h"
#include "event/row_type.h"
#include "json-schema/json_schema.h"
#include "sql/ast.h"
#include "sql/lexer.h"

namespace millrace::node {
namespace {

constexpr int kMostDepth = 8;  // of rows in rows; what lies deeper is JSONB
// Of all rows together, the columns included: declared, they fit into a statement's text. A schema of a few lines can
// name many more.
constexpr size_t kMostFields = 4 * kMaxRowLeaves;
constexpr std::string_view kOpen = "JSONB";

struct ColumnType {
  ColumnType(std::string_view declared, size_t all_fields = 0) : text(declared), fields(all_fields) {}
  std::string text;
  size_t fields;                   // of a row, with those of the rows in it
  gateway::SchemaColumns members;  // of a row, or an array of rows
};

struct Named {
  std::string name;
  ColumnType type;
};

Error no_columns(std::string why) {
  return error(Code::kInvalid, "MR-SCH-0002", "no columns follow from the schema: " + std::move(why),
               "declare those to be read: CREATE STREAM name (column TYPE, …) WITH (schema = …)");
}

Status check_count(size_t columns, const char* none) {
  if (columns == 0) return no_columns(none);
  if (columns <= sql::ast::kMaxColumns) return {};
  return no_columns(
      fmt::format("it has {} fields, and a stream at most {} columns", columns, sql::ast::kMaxColumns));
}

std::string declare(const std::vector<Named>& columns) {
  std::string out;
  for (const auto& column : columns) {
    if (!out.empty()) out += ", ";
    engine::append_quoted_name(out, column.name);
    out += ' ';
    out += column.type.text;
  }
  return out;
}

gateway::SchemaColumns tree_of(const std::vector<Named>& columns) {
  gateway::SchemaColumns out;
  for (const auto& column : columns) out.push_back({column.name, column.type.text, column.type.members});
  return out;
}

// What the parser refuses is open.
ColumnType row_of(const std::vector<Named>& fields) {
  size_t all = fields.size();
  for (const auto& field : fields) {
    if (field.name.empty() || field.name.size() > sql::kMaxNameBytes) return kOpen;
    all += field.type.fields;
  }
  if (fields.empty() || all > kMaxRowLeaves) return kOpen;
  ColumnType row(fmt::format("ROW<{}>", declare(fields)), all);
  row.members = tree_of(fields);
  return row;
}

// Arrays have one dimension, and no documents in them.
ColumnType array_of(ColumnType element) {
  if (element.text == kOpen || element.text.ends_with("[]")) return kOpen;
  element.text += "[]";
  return element;
}

// Which types are being written out, and how many fields may still be.
class Expansion {
 public:
  void begin(const void* root, size_t columns) {
    left_ = kMostFields - columns;
    inside_ = {root};
  }
  // False: the row is inside itself, or has too many fields; it is open.
  bool enter(const void* type, size_t fields) {
    if (fields > kMaxRowFields || fields > left_) return false;
    if (std::find(inside_.begin(), inside_.end(), type) != inside_.end()) return false;
    left_ -= fields;
    inside_.push_back(type);
    return true;
  }
  void leave() { inside_.pop_back(); }

 private:
  size_t left_ = 0;
  std::vector<const void*> inside_;
};

// JSON Schema says what values may be, not what they are: a column follows where one type is left.
class JsonColumns {
 public:
  explicit JsonColumns(const json_schema::Document& document) : document_(document) {}

  Result<std::vector<Named>> columns() {
    const auto& root = referred(document_.root());
    const auto properties = properties_of(root);
    TRY(check_count(properties.size(), "it names no properties"));
    expansion_.begin(&root, properties.size());
    return of_properties(properties, 0);
  }

 private:
  using Value = json_schema::Value;
  using Properties = std::span<const json_schema::Member>;

  Properties properties_of(const json_schema::Subschema& schema) const {
    const auto* properties = document_.keyword(schema, "properties");
    return properties == nullptr ? Properties() : Properties(properties->members);
  }

  std::vector<Named> of_properties(Properties properties, int depth) {
    std::vector<Named> columns;
    for (const auto& member : properties) columns.push_back({member.name, type_of(member.value, depth)});
    return columns;
  }

  ColumnType object_type(const json_schema::Subschema& schema, int depth) {
    const auto properties = properties_of(schema);
    if (!expansion_.enter(&schema, properties.size())) return kOpen;
    const auto fields = of_properties(properties, depth);
    expansion_.leave();
    return row_of(fields);
  }

  const json_schema::Subschema& referred(const json_schema::Subschema& asked) const {
    const auto* schema = &asked;
    for (int steps = 0; schema->ref != nullptr && steps < kMostDepth; ++steps) schema = schema->ref;
    return *schema;
  }

  ColumnType type_of(const Value& value, int depth) {
    const auto* found = document_.find(value);
    if (found == nullptr || depth >= kMostDepth) return kOpen;
    const auto& schema = referred(*found);
    const std::string name = type_name(schema);
    if (name == "string") return text_type(schema);
    if (name == "integer") return {"BIGINT"};
    if (name == "number") return {"DOUBLE PRECISION"};
    if (name == "boolean") return {"BOOLEAN"};
    if (name == "object") return object_type(schema, depth + 1);
    if (name != "array") return kOpen;
    const auto* items = document_.keyword(schema, "items");
    return items == nullptr ? kOpen : array_of(type_of(*items, depth + 1));
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

  ColumnType text_type(const json_schema::Subschema& schema) const {
    const auto* format = document_.keyword(schema, "format");
    if (format == nullptr) return {"TEXT"};
    if (format->text == "date-time") return {"TIMESTAMPTZ"};
    if (format->text == "date") return {"DATE"};
    return {format->text == "uuid" ? "UUID" : "TEXT"};
  }

  const json_schema::Document& document_;
  Expansion expansion_;
};

// Of values in the plain JSON that avro/codec.h describes.
class AvroColumns {
 public:
  explicit AvroColumns(const avro::Node& root) : root_(root) {}

  Result<std::vector<Named>> columns() {
    TRY(check_count(root_.fields.size(), "it is no record with fields"));
    expansion_.begin(&root_, root_.fields.size());
    return of_fields(root_, 0);
  }

 private:
  std::vector<Named> of_fields(const avro::Node& record, int depth) {
    std::vector<Named> columns;
    for (const auto& field : record.fields) columns.push_back({field.name, type_of(*field.type, depth)});
    return columns;
  }

  ColumnType record_type(const avro::Node& record, int depth) {
    if (!expansion_.enter(&record, record.fields.size())) return kOpen;
    const auto fields = of_fields(record, depth);
    expansion_.leave();
    return row_of(fields);
  }

  ColumnType type_of(const avro::Node& node, int depth) {
    using enum avro::Kind;
    if (depth >= kMostDepth) return kOpen;
    if (node.logical != avro::Logical::kNone) return logical_type(node);
    switch (node.kind) {
      case kBoolean:
        return {"BOOLEAN"};
      case kInt:
        return {"INTEGER"};
      case kLong:
        return {"BIGINT"};
      case kFloat:
        return {"REAL"};
      case kDouble:
        return {"DOUBLE PRECISION"};
      case kBytes:
      case kFixed:
        return {"BYTEA"};
      case kString:
      case kEnum:
        return {"TEXT"};
      case kRecord:
        return record_type(node, depth + 1);
      case kArray:
        return array_of(type_of(*node.element, depth + 1));
      case kUnion:
        return union_type(node, depth);
      default:
        return kOpen;
    }
  }

  ColumnType union_type(const avro::Node& node, int depth) {
    const avro::Node* one = nullptr;
    for (const auto* branch : node.branches) {
      if (branch->kind == avro::Kind::kNull) continue;
      if (one != nullptr) return kOpen;
      one = branch;
    }
    return one == nullptr ? kOpen : type_of(*one, depth);
  }

  static ColumnType logical_type(const avro::Node& node) {
    using enum avro::Logical;
    switch (node.logical) {
      case kDecimal:
        if (node.precision > kMaxDecimalDigits) return kOpen;
        return {fmt::format("NUMERIC({}, {})", node.precision, node.scale)};
      case kUuid:
        return {"UUID"};
      case kDate:
        return {"DATE"};
      case kTimeMillis:
      case kTimeMicros:
        return {"TIME"};
      case kTimestampMillis:
      case kTimestampMicros:
      case kTimestampNanos:
        return {"TIMESTAMPTZ"};
      case kLocalTimestampMillis:
      case kLocalTimestampMicros:
      case kLocalTimestampNanos:
        return {"TIMESTAMP"};
      default:
        return kOpen;
    }
  }

  const avro::Node& root_;
  Expansion expansion_;
};

Result<std::vector<Named>> named_columns_of(const schema::Schema& schema) {
  switch (schema.type()) {
    case schema::SchemaType::kJson:
      return JsonColumns(*static_cast<const json_schema::JsonSchema&>(schema).document()).columns();
    case schema::SchemaType::kAvro:
      return AvroColumns(static_cast<const avro::AvroSchema&>(schema).root()).columns();
    case schema::SchemaType::kProtobuf:
      return no_columns("that is not supported for Protobuf");
  }
  return no_columns("its format is not known");
}

}  // namespace

Result<std::string> columns_of(const schema::Schema& schema) {
  TRY_ASSIGN(const auto columns, named_columns_of(schema));
  return declare(columns);
}

Result<gateway::SchemaColumns> column_tree_of(const schema::Schema& schema) {
  TRY_ASSIGN(const auto columns, named_columns_of(schema));
  return tree_of(columns);
}

}  // namespace millrace::node
