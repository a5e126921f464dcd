#include "protobuf/internal/column_program.h"

#include <fmt/format.h>

#include <unordered_map>

namespace millrace::protobuf {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

namespace {

constexpr uint32_t kDigitsOfUint64 = 20;
constexpr size_t kMaxColumns = INT16_MAX;
constexpr std::string_view kZeroNumeric = "\x80";

using Known = pb::Descriptor::WellKnownType;

bool is_clock(const Field& field) {
  if (field.type() != Field::TYPE_MESSAGE) return false;
  const Known known = field.message_type()->well_known_type();
  return known == Known::WELLKNOWNTYPE_TIMESTAMP || known == Known::WELLKNOWNTYPE_DURATION;
}

// What a wrapper wraps; nullptr: it is none.
const Field* wrapped(const Field& field) {
  if (field.type() != Field::TYPE_MESSAGE) return nullptr;
  const Known known = field.message_type()->well_known_type();
  const bool wraps = known >= Known::WELLKNOWNTYPE_DOUBLEVALUE && known <= Known::WELLKNOWNTYPE_BOOLVALUE;
  return wraps ? field.message_type()->FindFieldByNumber(1) : nullptr;
}

bool is_open(const Field& field) {
  return field.file()->syntax() == pb::FileDescriptor::SYNTAX_PROTO3;
}

WireType wire_of(const Field& field) {
  switch (field.type()) {
    case Field::TYPE_DOUBLE:
    case Field::TYPE_FIXED64:
    case Field::TYPE_SFIXED64:
      return WireType::kFixed64;
    case Field::TYPE_FLOAT:
    case Field::TYPE_FIXED32:
    case Field::TYPE_SFIXED32:
      return WireType::kFixed32;
    case Field::TYPE_STRING:
    case Field::TYPE_BYTES:
    case Field::TYPE_MESSAGE:
      return WireType::kBytes;
    case Field::TYPE_GROUP:
      return WireType::kGroup;
    default:
      return WireType::kVarint;
  }
}

OpCode code_of(const Field& field, Type column) {
  const bool numeric = column == Type::kNumeric;
  switch (field.type()) {
    case Field::TYPE_BOOL:
      return OpCode::kBoolean;
    case Field::TYPE_INT32:
      return OpCode::kInt32;
    case Field::TYPE_UINT32:
      return OpCode::kUint32;
    case Field::TYPE_SINT32:
      return OpCode::kSint32;
    case Field::TYPE_INT64:
      return OpCode::kInt64;
    case Field::TYPE_UINT64:
      return numeric ? OpCode::kNumeric : OpCode::kInt64;
    case Field::TYPE_SINT64:
      return OpCode::kSint64;
    case Field::TYPE_FIXED32:
      return OpCode::kFixed32;
    case Field::TYPE_SFIXED32:
      return OpCode::kSfixed32;
    case Field::TYPE_FIXED64:
      return numeric ? OpCode::kFixedNumeric : OpCode::kFixed64;
    case Field::TYPE_SFIXED64:
      return OpCode::kFixed64;
    case Field::TYPE_FLOAT:
      return OpCode::kFloat;
    case Field::TYPE_DOUBLE:
      return OpCode::kDouble;
    case Field::TYPE_STRING:
      return OpCode::kText;
    case Field::TYPE_ENUM:
      return is_open(field) ? OpCode::kSymbol : OpCode::kClosedSymbol;
    default:
      return OpCode::kBytes;
  }
}

// The greatest number that an integer has.
int64_t greatest_of(const Field& field) {
  return field.cpp_type() == Field::CPPTYPE_UINT32 ? UINT32_MAX : range_of(column_type(field)).greatest;
}

bool takes(const ColumnDef& column, Type field) {
  if (field == Type::kNull) return false;
  if (column.type == Type::kNumeric && field == Type::kNumeric)
    return column.length == 0 || column.length >= column.scale + kDigitsOfUint64;
  if (column.length != 0) return false;
  const bool integer = is_integer(field) || field == Type::kNumeric;
  return column.type == field || (integer && is_integer(column.type)) ||
         (field == Type::kReal && column.type == Type::kDouble);
}

Error no_column(const ColumnDef& column, std::string_view why) {
  return error(Code::kUnsupported, "MR-PROTO-0010", fmt::format("the column \"{}\": {}", column.name, why),
               "declare it as the field is, or read the messages by their JSON");
}

std::string why_not(const ColumnDef& column, const Field& field) {
  const Type type = column_type(field);
  if (field.is_map()) return "its field is a map";
  if (field.is_repeated()) return "its field is repeated";
  if (field.cpp_type() == Field::CPPTYPE_MESSAGE && type == Type::kNull)
    return fmt::format("its field is a message, {}", field.message_type()->full_name());
  if (type == Type::kNull) return "its field is always null";
  return fmt::format("its field goes into {}, not {}", to_string(type), declared_type(column));
}

class Compiler {
 public:
  Compiler(const pb::Descriptor& type, const millrace::Schema& columns) : type_(type) {
    out_->columns = columns;
    out_->initials.resize(columns.size());
  }

  Result<std::unique_ptr<ColumnProgram>> run() {
    TRY(place_columns());
    MessageTable& root = out_->tables.emplace_back();
    out_->root = &root;
    for (int i = 0; i < type_.field_count(); ++i) root_field(root, *type_.field(i));
    root.close();
    // Messages may contain each other a thousand deep: one after the other.
    for (; !waiting_.empty(); waiting_.pop_front()) {
      const auto [type, table] = waiting_.front();
      for (int i = 0; i < type->field_count(); ++i) checked_field(*table, *type->field(i), {});
      table->close();
    }
    return std::move(out_);
  }

 private:
  Status place_columns() {
    if (out_->columns.size() > kMaxColumns)
      return no_column(out_->columns[kMaxColumns], "there are too many");
    for (size_t i = 0; i < out_->columns.size(); ++i) {
      const ColumnDef& column = out_->columns[i];
      const Field* field =
          column.members().size() == 1 ? type_.FindFieldByName(column.members()[0]) : nullptr;
      if (field == nullptr) return no_column(column, fmt::format("{} has no such field", type_.full_name()));
      if (!takes(column, column_type(*field))) return no_column(column, why_not(column, *field));
      if (!places_.emplace(field, static_cast<int16_t>(i)).second)
        return no_column(column, "its field has a column already");
    }
    return {};
  }
  int16_t place_of(const Field& field) const {
    const auto found = places_.find(&field);
    return found == places_.end() ? int16_t{-1} : found->second;
  }

  void root_field(MessageTable& table, const Field& field) {
    FieldOp op;
    op.column = place_of(field);
    op.has_presence = op.column >= 0 && field.has_presence();
    op.oneof = oneof_of(field);
    if (field.is_required()) {
      op.required = static_cast<int32_t>(out_->required.size());
      out_->required.push_back(field.name());
    }
    if (op.column < 0) return checked_field(table, field, op);
    if (is_clock(field))
      clock(op, field);
    else if (const Field* inner = wrapped(field))
      wrapper(op, *inner, field.name());
    else
      value(op, field, field.name());
    op.name = field.name();
    table.add(tag_of(field.number(), wire_of(field)), op);
  }

  // Of a member of a oneof that has columns: its number.
  int16_t oneof_of(const Field& field) {
    const auto* oneof = field.real_containing_oneof();
    if (oneof == nullptr) return -1;
    const auto [found, is_new] = oneofs_.emplace(oneof, int16_t{-1});
    if (!is_new) return found->second;
    bool has_columns = false;
    for (int i = 0; i < oneof->field_count(); ++i) has_columns |= place_of(*oneof->field(i)) >= 0;
    if (has_columns) found->second = static_cast<int16_t>(out_->oneofs++);
    return found->second;
  }

  void value(FieldOp& op, const Field& field, std::string_view name) {
    const Type type = out_->columns[static_cast<size_t>(op.column)].type;
    Initial& initial = out_->initials[static_cast<size_t>(op.column)];
    initial.is_null = field.has_presence();
    if (type == Type::kNumeric) initial.text = kZeroNumeric;
    op.code = code_of(field, type);
    if (field.type() == Field::TYPE_ENUM) {
      op.symbols = symbols_of(*field.enum_type());
      initial.text = field.enum_type()->value(0)->name();
    }
    if (!is_integer(type)) return;
    const IntegerRange may = range_of(type);
    const bool is_unsigned = field.cpp_type() == Field::CPPTYPE_UINT64;
    if (greatest_of(field) > may.greatest || is_unsigned)
      out_->ranges.push_back({op.column, {is_unsigned ? 0 : may.least, may.greatest}, name});
  }

  void wrapper(FieldOp& op, const Field& wrapped, std::string_view name) {
    FieldOp inner;
    inner.column = op.column;
    inner.name = wrapped.name();
    value(inner, wrapped, name);
    out_->initials[static_cast<size_t>(op.column)].is_null = true;
    MessageTable& table = out_->tables.emplace_back();
    table.add(tag_of(wrapped.number(), wire_of(wrapped)), inner);
    table.close();
    op.code = OpCode::kMessage;
    op.inner = &table;
  }

  void clock(FieldOp& op, const Field& field) {
    op.code = OpCode::kMessage;
    op.clock = static_cast<int16_t>(out_->clocks.size());
    const bool is_interval = out_->columns[static_cast<size_t>(op.column)].type == Type::kInterval;
    out_->clocks.push_back({op.column, is_interval, field.name()});
    MessageTable& table = out_->tables.emplace_back();
    FieldOp part;
    part.column = op.clock;
    part.code = OpCode::kSeconds;
    part.name = "seconds";
    table.add(tag_of(1, WireType::kVarint), part);
    part.code = OpCode::kNanos;
    part.name = "nanos";
    table.add(tag_of(2, WireType::kVarint), part);
    table.close();
    op.inner = &table;
  }

  // A field without a column: what libprotobuf checks of it, and its place in a oneof.
  void checked_field(MessageTable& table, const Field& field, FieldOp op) {
    op.name = field.name();
    const bool counts = op.oneof >= 0 || op.required >= 0;
    if (field.is_packable()) packed(table, field);
    if (field.type() == Field::TYPE_STRING && is_open(field)) {
      op.code = OpCode::kText;
    } else if (field.type() == Field::TYPE_MESSAGE || field.type() == Field::TYPE_GROUP) {
      op.code = field.type() == Field::TYPE_GROUP ? OpCode::kGroup : OpCode::kMessage;
      op.inner = table_of(*field.message_type());
    } else if (field.type() == Field::TYPE_ENUM && !is_open(field) && counts) {
      op.code = OpCode::kClosedSymbol;
      op.symbols = symbols_of(*field.enum_type());
    } else if (!counts) {
      return;
    }
    table.add(tag_of(field.number(), wire_of(field)), op);
  }

  static void packed(MessageTable& table, const Field& field) {
    FieldOp op;
    op.name = field.name();
    op.code = wire_of(field) == WireType::kFixed64   ? OpCode::kPacked64
              : wire_of(field) == WireType::kFixed32 ? OpCode::kPacked32
                                                     : OpCode::kPackedVarints;
    table.add(tag_of(field.number(), WireType::kBytes), op);
  }

  const MessageTable* table_of(const pb::Descriptor& type) {
    const auto [found, is_new] = tables_.emplace(&type, nullptr);
    if (is_new) {
      found->second = &out_->tables.emplace_back();
      waiting_.emplace_back(&type, found->second);
    }
    return found->second;
  }

  const Symbols* symbols_of(const pb::EnumDescriptor& type) {
    const auto [found, is_new] = symbols_.emplace(&type, nullptr);
    if (!is_new) return found->second;
    std::vector<std::pair<int32_t, std::string_view>> names;
    for (int i = 0; i < type.value_count(); ++i)
      names.emplace_back(type.value(i)->number(), type.value(i)->name());
    return found->second = &out_->symbols.emplace_back(std::move(names));
  }

  const pb::Descriptor& type_;
  std::unique_ptr<ColumnProgram> out_ = std::make_unique<ColumnProgram>();
  std::unordered_map<const Field*, int16_t> places_;
  std::unordered_map<const pb::OneofDescriptor*, int16_t> oneofs_;
  std::unordered_map<const pb::Descriptor*, MessageTable*> tables_;
  std::unordered_map<const pb::EnumDescriptor*, const Symbols*> symbols_;
  std::deque<std::pair<const pb::Descriptor*, MessageTable*>> waiting_;
};

}  // namespace

Type column_type(const Field& field) {
  if (field.is_repeated()) return Type::kNull;
  if (const Field* inner = wrapped(field)) return column_type(*inner);
  if (is_clock(field)) {
    const Known known = field.message_type()->well_known_type();
    return known == Known::WELLKNOWNTYPE_TIMESTAMP ? Type::kTimestamptz : Type::kInterval;
  }
  switch (field.type()) {
    case Field::TYPE_BYTES:
      return Type::kBytea;
    case Field::TYPE_ENUM:  // NullValue is a null of JSON
      return field.enum_type()->full_name() == "google.protobuf.NullValue" ? Type::kNull : Type::kText;
    default:
      break;
  }
  switch (field.cpp_type()) {
    case Field::CPPTYPE_BOOL:
      return Type::kBoolean;
    case Field::CPPTYPE_INT32:
      return Type::kInteger;
    case Field::CPPTYPE_INT64:
    case Field::CPPTYPE_UINT32:
      return Type::kBigint;
    case Field::CPPTYPE_UINT64:
      return Type::kNumeric;
    case Field::CPPTYPE_FLOAT:
      return Type::kReal;
    case Field::CPPTYPE_DOUBLE:
      return Type::kDouble;
    case Field::CPPTYPE_STRING:
      return Type::kText;
    default:
      return Type::kNull;
  }
}

Result<std::unique_ptr<ColumnProgram>> column_program(const pb::Descriptor& type,
                                                      const millrace::Schema& columns) {
  return Compiler(type, columns).run();
}

}  // namespace millrace::protobuf
