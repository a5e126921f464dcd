#include "avro/defaults.h"

#include <algorithm>
#include <charconv>

#include "avro/number_text.h"

namespace millrace::avro {

using Json = JsonValue::Kind;

std::optional<int64_t> integer_of(const JsonValue& value) {
  int64_t number = 0;
  if (!value.is(Json::kInteger)) return std::nullopt;
  const auto [end, failure] =
      std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
  if (failure != std::errc()) return std::nullopt;
  return number;
}

void spell_number(const Node& type, JsonValue& value) {
  if ((type.kind != Kind::kFloat && type.kind != Kind::kDouble) || !value.is(Json::kString)) return;
  const auto number = double_of(value.text);
  if (!number) return;
  const std::string text = double_text(*number);
  const bool finite = text.find_first_not_of("-+.0123456789E") == std::string::npos;
  if (finite) value.kind = Json::kReal;
  value.text = text;
}

namespace {

bool fits_number(const JsonValue& value, int64_t least, int64_t greatest) {
  const auto number = integer_of(value);
  return number && *number >= least && *number <= greatest;
}

bool fits_real(const JsonValue& value) {
  if (value.is(Json::kInteger) || value.is(Json::kReal)) return true;
  return value.is(Json::kString) &&
         (value.text == "NaN" || value.text == "Infinity" || value.text == "-Infinity");
}

}  // namespace

bool DefaultCheck::fits(const Node& type, const JsonValue& value) {
  if (++steps_ > kMaxSteps || depth_ > kMaxDepth) return steps_ = kMaxSteps + 1, false;
  switch (type.kind) {
    case Kind::kNull:
      return value.is(Json::kNull);
    case Kind::kBoolean:
      return value.is(Json::kBoolean);
    case Kind::kInt:
      return fits_number(value, INT32_MIN, INT32_MAX);
    case Kind::kLong:
      return fits_number(value, INT64_MIN, INT64_MAX);
    case Kind::kFloat:
    case Kind::kDouble:
      return fits_real(value);
    case Kind::kBytes:
    case Kind::kString:
    case Kind::kEnum:
    case Kind::kFixed:
      return value.is(Json::kString);
    default:
      break;
  }
  ++depth_;
  const bool fit = parts_fit(type, value);
  --depth_;
  return fit;
}

bool DefaultCheck::parts_fit(const Node& type, const JsonValue& value) {
  switch (type.kind) {
    case Kind::kArray:
      return value.is(Json::kArray) &&
             std::all_of(value.items.begin(), value.items.end(),
                         [&](const JsonValue& item) { return fits(*type.element, item); });
    case Kind::kMap:
      return value.is(Json::kObject) &&
             std::all_of(value.members.begin(), value.members.end(),
                         [&](const JsonMember& m) { return fits(*type.element, m.value); });
    case Kind::kUnion:
      return std::any_of(type.branches.begin(), type.branches.end(),
                         [&](const Node* branch) { return fits(*branch, value); });
    default:  // a record
      return value.is(Json::kObject) &&
             std::all_of(type.fields.begin(), type.fields.end(), [&](const Field& f) {
               steps_ += value.members.size() / kMembersAStep;
               const JsonValue* member = value.find(f.name);
               if (member == nullptr && f.default_value) member = &*f.default_value;
               return member != nullptr && fits(*f.type, *member);
             });
  }
}

}  // namespace millrace::avro
