#include "protobuf/internal/plain_json.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <cmath>
#include <unordered_map>
#include <vector>

#include "base/base64.h"
#include "formats/json.h"

namespace millrace::protobuf {

namespace pb = google::protobuf;

namespace {

using Field = pb::FieldDescriptor;

class Printer {
 public:
  Printer(std::string& out, pb::util::TypeResolver& types, size_t end)
      : out_(out), types_(types), end_(end) {}

  Status message(const pb::Message& message) {
    const pb::Descriptor& type = *message.GetDescriptor();
    if (type.well_known_type() != pb::Descriptor::WELLKNOWNTYPE_UNSPECIFIED) return well_known(message);
    const pb::Reflection& reflection = *message.GetReflection();
    char separator = '{';
    for (int i = 0; i < type.field_count() && whole(); ++i) {
      const Field& field = *type.field(i);
      if (field.has_presence() && !reflection.HasField(message, &field)) continue;
      out_ += separator;
      separator = ',';
      ((out_ += '"') += field.name()) += "\":";
      if (field.is_map()) {
        TRY(map(message, reflection, field));
      } else if (field.is_repeated()) {
        TRY(array(message, reflection, field));
      } else {
        TRY(value(message, reflection, field, -1));
      }
    }
    out_ += separator == '{' ? "{}" : "}";
    return {};
  }
  bool whole() const { return out_.size() <= end_; }

 private:
  Status well_known(const pb::Message& message) {
    pb::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    options.always_print_primitive_fields = true;
    std::string text;
    const auto status = pb::util::BinaryToJsonString(
        &types_, fmt::format("{}/{}", kTypePrefix, message.GetDescriptor()->full_name()),
        message.SerializePartialAsString(), &text, options);
    if (!status.ok())
      return error(Code::kInvalid, "MR-PROTO-0007", "the payload has no form in JSON: " + status.ToString(),
                   "write it with the schema that its id names");
    out_ += text.empty() ? "null" : text;  // a Value of no kind
    return {};
  }

  Status array(const pb::Message& message, const pb::Reflection& reflection, const Field& field) {
    out_ += '[';
    const int count = reflection.FieldSize(message, &field);
    for (int i = 0; i < count && whole(); ++i) {
      if (i > 0) out_ += ',';
      TRY(value(message, reflection, field, i));
    }
    out_ += ']';
    return {};
  }

  // Of a key that comes twice the last one counts.
  Status map(const pb::Message& message, const pb::Reflection& reflection, const Field& field) {
    const Field& key = *field.message_type()->map_key();
    const Field& item = *field.message_type()->map_value();
    const int count = reflection.FieldSize(message, &field);
    std::vector<std::string> keys;
    std::unordered_map<std::string_view, int> last;
    keys.reserve(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) {
      const pb::Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      last[keys.emplace_back(key_text(entry, key))] = i;
    }
    char separator = '{';
    for (int i = 0; i < count && whole(); ++i) {
      const std::string& name = keys[static_cast<size_t>(i)];
      if (last[name] != i) continue;
      out_ += separator;
      separator = ',';
      (out_ += name) += ':';
      const pb::Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      TRY(value(entry, *entry.GetReflection(), item, -1));
    }
    out_ += separator == '{' ? "{}" : "}";
    return {};
  }
  std::string key_text(const pb::Message& entry, const Field& key) {
    std::string out;
    Printer printer(out, types_, SIZE_MAX);
    const bool is_text = key.cpp_type() == Field::CPPTYPE_STRING;
    if (!is_text) out += '"';
    (void)printer.value(entry, *entry.GetReflection(), key, -1);  // a scalar: it cannot fail
    if (!is_text) out += '"';
    return out;
  }

  // Of a repeated field the `at`-th; below 0: of one that is not.
  Status value(const pb::Message& message, const pb::Reflection& reflection, const Field& field, int at) {
    const auto get = [&](auto one, auto repeated) {
      return at < 0 ? (reflection.*one)(message, &field) : (reflection.*repeated)(message, &field, at);
    };
    using R = pb::Reflection;
    switch (field.cpp_type()) {
      case Field::CPPTYPE_INT32:
        return number(get(&R::GetInt32, &R::GetRepeatedInt32));
      case Field::CPPTYPE_INT64:
        return number(get(&R::GetInt64, &R::GetRepeatedInt64));
      case Field::CPPTYPE_UINT32:
        return number(get(&R::GetUInt32, &R::GetRepeatedUInt32));
      case Field::CPPTYPE_UINT64:
        return number(get(&R::GetUInt64, &R::GetRepeatedUInt64));
      case Field::CPPTYPE_FLOAT:
        return real(get(&R::GetFloat, &R::GetRepeatedFloat));
      case Field::CPPTYPE_DOUBLE:
        return real(get(&R::GetDouble, &R::GetRepeatedDouble));
      case Field::CPPTYPE_BOOL:
        out_ += get(&R::GetBool, &R::GetRepeatedBool) ? "true" : "false";
        return {};
      case Field::CPPTYPE_ENUM:
        return symbol(field, get(&R::GetEnumValue, &R::GetRepeatedEnumValue));
      case Field::CPPTYPE_STRING:
        return text(field, at < 0 ? reflection.GetStringReference(message, &field, &scratch_)
                                  : reflection.GetRepeatedStringReference(message, &field, at, &scratch_));
      case Field::CPPTYPE_MESSAGE:
        return this->message(at < 0 ? reflection.GetMessage(message, &field)
                                    : reflection.GetRepeatedMessage(message, &field, at));
    }
    return {};
  }

  template <typename T>
  Status number(T value) {
    fmt::format_to(std::back_inserter(out_), "{}", value);
    return {};
  }
  template <typename T>
  Status real(T value) {
    if (std::isfinite(value)) return number(value);
    out_ += std::isnan(value) ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
    return {};
  }
  // One that the schema does not know is its number.
  Status symbol(const Field& field, int value) {
    if (field.enum_type()->full_name() == "google.protobuf.NullValue") {
      out_ += "null";
      return {};
    }
    const auto* known = field.enum_type()->FindValueByNumber(value);
    if (known == nullptr) return number(value);
    ((out_ += '"') += known->name()) += '"';
    return {};
  }
  Status text(const Field& field, const std::string& value) {
    if (field.type() == Field::TYPE_STRING) {
      formats::append_json_string(out_, value);
      return {};
    }
    out_ += '"';
    append_base64(out_, value);
    out_ += '"';
    return {};
  }

  std::string& out_;
  pb::util::TypeResolver& types_;
  const size_t end_;
  std::string scratch_;
};

}  // namespace

Status append_plain_json(std::string& out, const pb::Message& message, pb::util::TypeResolver& types,
                         size_t end, bool& whole) {
  Printer printer(out, types, end);
  TRY(printer.message(message));
  whole = printer.whole();
  return {};
}

}  // namespace millrace::protobuf
