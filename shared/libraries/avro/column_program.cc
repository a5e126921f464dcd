#include "avro/column_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "avro/columns.h"
#include "avro/datum_text.h"

namespace millrace::avro {

namespace {

// The type that a null may stand beside; nullptr: the union has other branches.
const Node* nullable(const Node& node) {
  if (node.kind != Kind::kUnion) return &node;
  if (node.branches.size() == 1) return node.branches[0];
  if (node.branches.size() != 2) return nullptr;
  const bool first = node.branches[0]->kind == Kind::kNull;
  return first || node.branches[1]->kind == Kind::kNull ? node.branches[first ? 1 : 0] : nullptr;
}

Type bytes_type(const Node& node) {
  if (node.logical == Logical::kDecimal) return Type::kNumeric;
  if (node.logical == Logical::kUuid) return Type::kUuid;
  return node.logical == Logical::kDuration ? Type::kInterval : Type::kBytea;
}

// kNull: a field of this type has no column.
Type type_of(const Node& declared) {
  const Node* node = nullable(declared);
  if (node == nullptr) return Type::kNull;
  switch (node->kind) {
    case Kind::kBoolean:
      return Type::kBoolean;
    case Kind::kInt:
      return node->logical == Logical::kNone ? Type::kInteger : column_type(node->logical);
    case Kind::kLong:
      return column_type(node->logical);
    case Kind::kFloat:
      return Type::kReal;
    case Kind::kDouble:
      return Type::kDouble;
    case Kind::kString:
      return node->logical == Logical::kUuid ? Type::kUuid : Type::kText;
    case Kind::kEnum:
      return Type::kText;
    case Kind::kBytes:
    case Kind::kFixed:
      return bytes_type(*node);
    default:
      return Type::kNull;
  }
}

bool takes(const ColumnDef& column, const Node& field) {
  const Type type = type_of(field);
  if (type == Type::kNumeric) {
    const Node& decimal = *nullable(field);
    return column.type == type &&
           (column.length == 0 || (column.length == decimal.precision && column.scale == decimal.scale));
  }
  if (column.length != 0) return false;
  return column.type == type || (type == Type::kInteger && column.type == Type::kBigint) ||
         (type == Type::kReal && column.type == Type::kDouble);
}

class Compiler {
 public:
  Compiler(const millrace::Schema& columns, const Node& reader) {
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto field = std::find_if(reader.fields.begin(), reader.fields.end(),
                                      [&](const Field& f) { return f.name == columns[i].name; });
      if (field != reader.fields.end() && takes(columns[i], *field->type))
        places_.emplace(&*field, static_cast<int>(i));
      else if (wrong_.empty())
        wrong_ = columns[i].name;
    }
  }
  const std::string& wrong() const { return wrong_; }

  std::vector<ColumnOp> record(const Step& root) const {
    std::vector<ColumnOp> ops;
    for (const FieldStep& field : root.fields) {
      const int place = field.field == nullptr ? -1 : place_of(*field.field);
      ops.push_back(place < 0 ? skip(*field.written->type) : value(*field.step, place));
      ops.back().field = field.written->name;
    }
    for (const MissingField& missing : root.missing) {
      const int place = place_of(*missing.field);
      if (place < 0) continue;
      ops.push_back(value(*missing.step, place));
      ops.back().missing = true;
      ops.back().constant = missing.value;
      ops.back().field = missing.field->name;
    }
    return ops;
  }

 private:
  int place_of(const Field& field) const {
    const auto found = places_.find(&field);
    return found == places_.end() ? -1 : found->second;
  }
  static ColumnOp skip(const Node& node) {
    ColumnOp op;
    op.node = &node;
    return op;
  }

  static ColumnOp value(const Step& step, int column) {
    if (step.action == Step::Action::kEnclose) return value(*step.inner, column);
    ColumnOp op;
    op.column = column;
    op.node = step.reader;
    op.step = &step;
    if (step.action == Step::Action::kChoose) {
      op.code = OpCode::kBranches;
      for (const Step* branch : step.branches) op.branches.push_back(value(*branch, column));
    } else if (step.action == Step::Action::kValue) {
      simple(op, *step.writer, *step.reader);
    } else {
      op.code = OpCode::kSkip;  // does not fit: a value that comes to it fails
    }
    return op;
  }

  static void simple(ColumnOp& op, const Node& writer, const Node& reader) {
    op.narrow = writer.kind == Kind::kInt;
    op.to_real = reader.kind == Kind::kFloat;
    op.size = static_cast<size_t>(writer.size);
    switch (writer.kind) {
      case Kind::kNull:
        op.code = OpCode::kNull;
        return;
      case Kind::kBoolean:
        op.code = OpCode::kBoolean;
        return;
      case Kind::kInt:
      case Kind::kLong:
        op.code = reader.kind == Kind::kFloat || reader.kind == Kind::kDouble ? OpCode::kIntegerReal
                  : column_type(reader.logical) == Type::kBigint              ? OpCode::kInteger
                                                                              : OpCode::kClock;
        return;
      case Kind::kFloat:
        op.code = OpCode::kFloat;
        return;
      case Kind::kDouble:
        op.code = OpCode::kDouble;
        return;
      case Kind::kEnum:
        op.code = OpCode::kSymbol;
        return;
      case Kind::kFixed:
        op.code = reader.logical == Logical::kDecimal    ? OpCode::kFixedDecimal
                  : reader.logical == Logical::kUuid     ? OpCode::kFixedUuid
                  : reader.logical == Logical::kDuration ? OpCode::kDuration
                                                         : OpCode::kFixed;
        return;
      default:
        op.code = reader.kind == Kind::kString
                      ? (reader.logical == Logical::kUuid ? OpCode::kUuid : OpCode::kText)
                  : reader.logical == Logical::kDecimal ? OpCode::kDecimal
                                                        : OpCode::kBytes;
    }
  }

  std::unordered_map<const Field*, int> places_;
  std::string wrong_;
};

}  // namespace

Error no_column(std::string message) {
  return error(Code::kUnsupported, "MR-AVRO-0014", std::move(message), "read the values by their JSON");
}

Result<std::vector<ColumnOp>> column_program(const millrace::Schema& columns, const Node& reader,
                                             const Step& root) {
  const Compiler compiler(columns, reader);
  if (!compiler.wrong().empty())
    return no_column(
        fmt::format("the column \"{}\" is no field of {} of its type", compiler.wrong(), reader.name));
  return compiler.record(root);
}

Result<millrace::Schema> columns_of(const AvroSchema& schema) {
  if (schema.root().kind != Kind::kRecord) return no_column("the schema is no record");
  millrace::Schema columns;
  for (const Field& field : schema.root().fields) {
    const Type type = type_of(*field.type);
    if (type == Type::kNull) continue;
    ColumnDef column{.name = field.name, .type = type};
    if (type == Type::kNumeric) {
      column.length = nullable(*field.type)->precision;
      column.scale = nullable(*field.type)->scale;
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace millrace::avro
