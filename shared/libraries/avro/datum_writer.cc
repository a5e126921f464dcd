#include "avro/datum_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_map>

#include "avro/datum_text.h"
#include "avro/defaults.h"
#include "avro/number_text.h"
#include "avro/pointer.h"
#include "base/bytes.h"

namespace millrace::avro {

namespace {

using Json = JsonValue::Kind;

// A text has at most half as many values; the rest is for branches that do not fit.
constexpr size_t kMaxTries = 1'000'000;

enum class Form : uint8_t { kPlain, kAvro, kDefault };

// Members of an object by name; looked up one after the other while there are few.
class Members {
 public:
  explicit Members(const JsonValue& object) : object_(object) {
    constexpr size_t kFew = 16;
    if (object.members.size() <= kFew) return;
    for (const JsonMember& m : object.members) index_.emplace(m.name, &m.value);
  }
  const JsonValue* find(std::string_view name) const {
    if (index_.empty()) return object_.find(name);
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : found->second;
  }

 private:
  const JsonValue& object_;
  std::unordered_map<std::string_view, const JsonValue*> index_;
};

// Whether a value of the JSON kind may be one of the type's at all.
bool may_fit(const Node& type, const JsonValue& value) {
  switch (type.kind) {
    case Kind::kNull:
      return value.is(Json::kNull);
    case Kind::kBoolean:
      return value.is(Json::kBoolean);
    case Kind::kInt:
    case Kind::kLong:
      return value.is(Json::kInteger) || (value.is(Json::kString) && type.logical != Logical::kNone);
    case Kind::kFloat:
    case Kind::kDouble:
      return value.is(Json::kInteger) || value.is(Json::kReal) || value.is(Json::kString);
    case Kind::kBytes:
    case Kind::kFixed:
      return value.is(Json::kString) || type.logical != Logical::kNone;
    case Kind::kString:
    case Kind::kEnum:
      return value.is(Json::kString);
    case Kind::kArray:
      return value.is(Json::kArray);
    case Kind::kRecord:
    case Kind::kMap:
      return value.is(Json::kObject);
    case Kind::kUnion:
      return true;
  }
  return false;
}

class Writer {
 public:
  Writer(Form form, std::string& out) : form_(form), out_(out) {}
  size_t values() const { return values_; }

  Status write(const Node& type, const JsonValue& value, const Pointer& where) {
    if (++values_ > kMaxTries)
      return error(Code::kInvalid, "MR-AVRO-0012", "the value takes too much work to fit it to its type",
                   "fewer unions of like branches within each other");
    if (out_.size() > kMaxDatumBytes)
      return error(Code::kInvalid, "MR-AVRO-0012",
                   fmt::format("the value has more than {} bytes", kMaxDatumBytes), "a smaller value");
    if (depth_ >= kMaxDatumDepth)
      return error(Code::kInvalid, "MR-AVRO-0012",
                   fmt::format("the value nests deeper than {}", kMaxDatumDepth), "a flatter value");
    ++depth_;
    Status done = dispatch(type, value, where);
    --depth_;
    return done;
  }

 private:
  Error no_value_of(const Node& type, const JsonValue& value, const Pointer& where) const {
    std::string text(to_string(value.kind));
    const bool parts = value.is(Json::kArray) || value.is(Json::kObject);
    if (!parts && value.text.size() <= 60) append_json(text = "", value);
    return error(Code::kInvalid, "MR-AVRO-0010",
                 fmt::format("{} is no value of {} (at {})", text, type.branch_name(), where.text()),
                 "a value of the field's type");
  }

  Status dispatch(const Node& type, const JsonValue& value, const Pointer& where) {
    switch (type.kind) {
      case Kind::kUnion:
        return form_ == Form::kAvro ? enclosed(type, value, where) : first_that_fits(type, value, where);
      case Kind::kArray:
        return array(type, value, where);
      case Kind::kMap:
        return map(type, value, where);
      case Kind::kRecord:
        return record(type, value, where);
      default:
        return simple(type, value) ? Status() : no_value_of(type, value, where);
    }
  }

  // Of a type without parts. False: the value is none of its.
  bool simple(const Node& type, const JsonValue& value) {
    switch (type.kind) {
      case Kind::kNull:
        return value.is(Json::kNull);
      case Kind::kBoolean:
        out_ += value.boolean ? '\1' : '\0';
        return value.is(Json::kBoolean);
      case Kind::kInt:
        return integer(type, value, INT32_MIN, INT32_MAX);
      case Kind::kLong:
        return integer(type, value, INT64_MIN, INT64_MAX);
      case Kind::kFloat:
      case Kind::kDouble:
        return real(type, value);
      case Kind::kString:
        append_bytes(out_, value.text, value.is(Json::kString));
        return value.is(Json::kString);
      case Kind::kEnum:
        return symbol(type, value);
      default:
        return bytes(type, value);
    }
  }
  static void append_bytes(std::string& out, std::string_view bytes, bool wanted) {
    if (wanted) append_long(out, static_cast<int64_t>(bytes.size())), out += bytes;
  }
  static void append_long(std::string& out, int64_t value) { append_varint(out, zigzag(value)); }

  bool integer(const Node& type, const JsonValue& value, int64_t least, int64_t greatest) {
    auto number = integer_of(value);
    if (!number && form_ == Form::kPlain && value.is(Json::kString))
      number = logical_integer(type, value.text);
    if (!number || *number < least || *number > greatest) return false;
    append_long(out_, *number);
    return true;
  }

  bool real(const Node& type, const JsonValue& value) {
    std::optional<double> number;
    if (value.is(Json::kInteger) || value.is(Json::kReal)) number = double_of(value.text);
    if (value.is(Json::kString)) {
      if (value.text == "NaN") number = NAN;
      if (value.text == "Infinity") number = INFINITY;
      if (value.text == "-Infinity") number = -INFINITY;
    }
    if (!number) return false;
    if (type.kind == Kind::kDouble)
      append_le(out_, std::bit_cast<int64_t>(*number));
    else
      append_le(out_, std::bit_cast<int32_t>(static_cast<float>(*number)));
    return true;
  }

  bool symbol(const Node& type, const JsonValue& value) {
    values_ += type.symbols.size() / 64;
    const auto found = std::find(type.symbols.begin(), type.symbols.end(), value.text);
    if (!value.is(Json::kString) || found == type.symbols.end()) return false;
    append_long(out_, found - type.symbols.begin());
    return true;
  }

  std::optional<std::string> bytes_of(const Node& type, const JsonValue& value) const {
    if (form_ != Form::kPlain) return value.is(Json::kString) ? bytes_of_latin1(value.text) : std::nullopt;
    if (type.logical == Logical::kDuration) return duration(value);
    const bool number = value.is(Json::kInteger) || value.is(Json::kReal);
    if (!value.is(Json::kString) && !(number && type.logical == Logical::kDecimal)) return std::nullopt;
    if (auto logical = logical_bytes(type, value.text)) return logical;
    return number ? std::nullopt : bytes_of_hex_text(value.text);
  }
  static std::optional<std::string> duration(const JsonValue& value) {
    std::string out;
    for (const std::string_view part : {"months", "days", "millis"}) {
      const JsonValue* member = value.find(part);
      const auto number = member == nullptr ? std::nullopt : integer_of(*member);
      if (!number || *number < 0 || *number > UINT32_MAX) return std::nullopt;
      append_le(out, static_cast<uint32_t>(*number));
    }
    return out;
  }
  bool bytes(const Node& type, const JsonValue& value) {
    const auto held = bytes_of(type, value);
    if (!held || (type.kind == Kind::kFixed && held->size() != static_cast<size_t>(type.size))) return false;
    if (type.kind == Kind::kFixed)
      out_ += *held;
    else
      append_bytes(out_, *held, true);
    return true;
  }

  Status array(const Node& type, const JsonValue& value, const Pointer& where) {
    if (!value.is(Json::kArray)) return no_value_of(type, value, where);
    if (!value.items.empty()) append_long(out_, static_cast<int64_t>(value.items.size()));
    for (size_t i = 0; i < value.items.size(); ++i)
      TRY(write(*type.element, value.items[i], Pointer(where, i)));
    append_long(out_, 0);
    return {};
  }

  Status map(const Node& type, const JsonValue& value, const Pointer& where) {
    if (!value.is(Json::kObject)) return no_value_of(type, value, where);
    if (!value.members.empty()) append_long(out_, static_cast<int64_t>(value.members.size()));
    for (const JsonMember& m : value.members) {
      append_bytes(out_, m.name, true);
      TRY(write(*type.element, m.value, Pointer(where, m.name)));
    }
    append_long(out_, 0);
    return {};
  }

  Status record(const Node& type, const JsonValue& value, const Pointer& where) {
    if (!value.is(Json::kObject)) return no_value_of(type, value, where);
    const Members members(value);
    size_t found = 0;
    for (const Field& field : type.fields) {
      const Pointer here(where, field.name);
      if (const JsonValue* member = members.find(field.name)) {
        ++found;
        TRY(write(*field.type, *member, here));
      } else if (field.default_value) {
        TRY(default_value(*field.type, *field.default_value, here));
      } else {
        return error(
            Code::kInvalid, "MR-AVRO-0010",
            fmt::format("the field \"{}\" is missing and has no default (at {})", field.name, where.text()),
            "give it a value");
      }
    }
    if (found < value.members.size() && form_ != Form::kDefault) return unknown_member(type, value, where);
    return {};
  }
  Status default_value(const Node& type, const JsonValue& value, const Pointer& where) {
    const Form form = std::exchange(form_, Form::kDefault);
    Status done = write(type, value, where);
    form_ = form;
    return done;
  }
  static Status unknown_member(const Node& type, const JsonValue& value, const Pointer& where) {
    for (const JsonMember& m : value.members)
      if (std::none_of(type.fields.begin(), type.fields.end(),
                       [&](const Field& f) { return f.name == m.name; }))
        return error(Code::kInvalid, "MR-AVRO-0010",
                     fmt::format("{} has no field \"{}\" (at {})", type.name, m.name, where.text()),
                     "leave it out");
    return {};
  }

  Status enclosed(const Node& type, const JsonValue& value, const Pointer& where) {
    const bool null = value.is(Json::kNull);
    if (!null && (!value.is(Json::kObject) || value.members.size() != 1))
      return no_value_of(type, value, where);
    const std::string_view name = null ? "null" : std::string_view(value.members[0].name);
    for (size_t i = 0; i < type.branches.size(); ++i) {
      if (type.branches[i]->branch_name() != name) continue;
      append_long(out_, static_cast<int64_t>(i));
      return write(*type.branches[i], null ? value : value.members[0].value, Pointer(where, name));
    }
    return no_value_of(type, value, where);
  }

  Status first_that_fits(const Node& type, const JsonValue& value, const Pointer& where) {
    const size_t start = out_.size();
    std::optional<Error> tried;
    for (size_t i = 0; i < type.branches.size(); ++i) {
      if (!may_fit(*type.branches[i], value)) continue;
      append_long(out_, static_cast<int64_t>(i));
      Status done = write(*type.branches[i], value, where);
      if (done.ok() || done.error().id != "MR-AVRO-0010") return done;
      tried = std::move(done).error();
      out_.resize(start);
    }
    return tried ? std::move(*tried) : no_value_of(type, value, where);
  }

  Form form_;
  std::string& out_;
  size_t values_ = 0;
  int depth_ = 0;
};

}  // namespace

Status write_default(const Node& type, const JsonValue& value, std::string& out, size_t& values) {
  Writer writer(Form::kDefault, out);
  Status done = writer.write(type, value, Pointer());
  values += writer.values();
  return done;
}

Result<std::string> from_json(const AvroSchema& schema, std::string_view json, JsonForm form) {
  TRY_ASSIGN(const JsonValue value, parse_json(json));
  std::string out;
  TRY(Writer(form == JsonForm::kAvro ? Form::kAvro : Form::kPlain, out)
          .write(schema.root(), value, Pointer()));
  return out;
}

}  // namespace millrace::avro
