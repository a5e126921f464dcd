#include "protobuf/testing/columns_oracle.h"

#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/common.h>

#include <bit>

#include "event/decimal.h"
#include "protobuf/internal/schema_impl.h"
#include "protobuf/message_codec.h"

namespace millrace::protobuf {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

struct ColumnsOracle::Impl {
  schema::SchemaPtr schema;
  millrace::Schema columns;
  const pb::Descriptor* type = nullptr;
  pb::DynamicMessageFactory factory;
  const pb::Message* prototype = nullptr;
};

namespace {

using Value = std::optional<Scalar>;  // nullopt: it does not fit

Value integer(Type column, int64_t value, bool is_unsigned) {
  const auto bits = static_cast<uint64_t>(value);
  if (column == Type::kNumeric) return decimal_bytes(decimal_of(static_cast<__int128>(bits), 0));
  const int64_t most = column == Type::kSmallint  ? INT16_MAX
                       : column == Type::kInteger ? INT32_MAX
                                                  : INT64_MAX;
  if (is_unsigned && value < 0) return std::nullopt;
  if (value > most || value < -most - 1) return std::nullopt;
  return value;
}

Value plain(const pb::Message& message, const Field& field, Type column) {
  const auto& in = *message.GetReflection();
  switch (field.cpp_type()) {
    case Field::CPPTYPE_BOOL:
      return in.GetBool(message, &field);
    case Field::CPPTYPE_INT32:
      return integer(column, in.GetInt32(message, &field), false);
    case Field::CPPTYPE_INT64:
      return integer(column, in.GetInt64(message, &field), false);
    case Field::CPPTYPE_UINT32:
      return integer(column, in.GetUInt32(message, &field), false);
    case Field::CPPTYPE_UINT64:
      return integer(column, static_cast<int64_t>(in.GetUInt64(message, &field)), true);
    case Field::CPPTYPE_FLOAT:
      return double{in.GetFloat(message, &field)};
    case Field::CPPTYPE_DOUBLE:
      return in.GetDouble(message, &field);
    case Field::CPPTYPE_ENUM: {
      const int number = in.GetEnumValue(message, &field);
      const auto* known = field.enum_type()->FindValueByNumber(number);
      return known != nullptr ? known->name() : std::to_string(number);
    }
    default: {
      std::string text = in.GetString(message, &field);
      if (field.type() == Field::TYPE_STRING && !pb::internal::IsStructurallyValidUTF8(text))
        return std::nullopt;
      return text;
    }
  }
}

Value clock(const pb::Message& message, Type column) {
  const auto& in = *message.GetReflection();
  const auto* type = message.GetDescriptor();
  const int64_t seconds = in.GetInt64(message, type->FindFieldByNumber(1));
  const int32_t nanos = in.GetInt32(message, type->FindFieldByNumber(2));
  if (nanos > 999'999'999 || nanos < -999'999'999) return std::nullopt;
  if (column == Type::kTimestamptz) {
    if (nanos < 0 || seconds < -62'135'596'800 || seconds > 253'402'300'799) return std::nullopt;
    return Timestamp{seconds * 1'000'000 + nanos / 1'000};
  }
  if (seconds > 315'576'000'000 || seconds < -315'576'000'000) return std::nullopt;
  if ((seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0)) return std::nullopt;
  return Interval{0, 0, seconds * 1'000'000 + nanos / 1'000};
}

Value value(const pb::Message& message, const Field& field, Type column) {
  const auto& in = *message.GetReflection();
  if (field.has_presence() && !in.HasField(message, &field)) return Scalar();
  if (field.cpp_type() != Field::CPPTYPE_MESSAGE) return plain(message, field, column);
  const pb::Message& inner = in.GetMessage(message, &field);
  if (column == Type::kTimestamptz || column == Type::kInterval) return clock(inner, column);
  return plain(inner, *inner.GetDescriptor()->FindFieldByNumber(1), column);
}

bool parse(pb::Message& message, std::string_view payload) {
  if (payload.size() > kMaxMessageBytes) return false;
  pb::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(payload.data()),
                              static_cast<int>(payload.size()));
  in.SetRecursionLimit(kMaxMessageDepth - 1);  // the message itself does not count there
  if (!message.MergePartialFromCodedStream(&in) || !in.ConsumedEntireMessage()) return false;
  const auto& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i)
    if (type.field(i)->is_required() && !message.GetReflection()->HasField(message, type.field(i)))
      return false;
  return true;
}

}  // namespace

ColumnsOracle::ColumnsOracle(schema::SchemaPtr schema, std::string_view full_name, millrace::Schema columns)
    : impl_(std::make_unique<Impl>()) {
  impl_->type = *message_named(as_protobuf(*schema), full_name);
  impl_->prototype = impl_->factory.GetPrototype(impl_->type);
  impl_->schema = std::move(schema);
  impl_->columns = std::move(columns);
}
ColumnsOracle::~ColumnsOracle() = default;

std::unique_ptr<pb::Message> ColumnsOracle::message() const {
  return std::unique_ptr<pb::Message>(impl_->prototype->New());
}

std::optional<std::vector<Scalar>> ColumnsOracle::row(std::string_view payload) const {
  const auto read = message();
  if (!parse(*read, payload)) return std::nullopt;
  std::vector<Scalar> out;
  for (const ColumnDef& column : impl_->columns) {
    Value one = value(*read, *impl_->type->FindFieldByName(column.members()[0]), column.type);
    if (!one) return std::nullopt;
    out.push_back(std::move(*one));
  }
  return out;
}

bool same(const Scalar& a, const Scalar& b) {
  const auto *x = std::get_if<double>(&a), *y = std::get_if<double>(&b);
  if (x == nullptr || y == nullptr) return a == b;
  return std::bit_cast<uint64_t>(*x) == std::bit_cast<uint64_t>(*y);
}

std::string shown(Type type, const Scalar& value) {
  std::string out;
  if (std::holds_alternative<std::monostate>(value)) return "NULL";
  switch (physical(type)) {
    case Physical::kBoolean:
      return std::get<bool>(value) ? "true" : "false";
    case Physical::kInteger:
      append_integer_text(out, type, integer_of(value));
      break;
    case Physical::kDouble:
      append_double_text(out, type, std::get<double>(value));
      break;
    case Physical::kInterval:
      append_interval(out, std::get<Interval>(value));
      break;
    default:
      out = std::get<std::string>(value);
      if (type != Type::kNumeric) break;
      const Decimal number = decimal_from(out);
      out.clear();
      append_decimal(out, number);
  }
  return out;
}

}  // namespace millrace::protobuf
