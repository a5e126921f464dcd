#include "formats/internal/event_reader.h"

#include <algorithm>
#include <cstring>

#include "event/array.h"
#include "formats/internal/array_elements.h"
#include "formats/internal/row_fields.h"
#include "formats/json.h"

namespace millrace::formats {

using json::Fault;
using json::Scan;

EventReader::EventReader(ColumnSlots& slots)
    : slots_(slots), misfits_(slots.size()), fields_(slots.members().objects()) {}

bool EventReader::read(std::string_view event, size_t row) {
  event_ = event;
  scan_ = Scan{event.data() + event.size()};
  bad_utf8_ = not_object_ = false;
  if (any_misfit_) [[unlikely]] {
    for (Misfit& misfit : misfits_) misfit.fault = ValueFault::kNone;
    any_misfit_ = false;
  }
  const char* p = json::skip_space(event.data(), scan_.end);
  if (p >= scan_.end || *p != '{') {
    not_object_ = p < scan_.end && json::skip_value(scan_, p, 0) != nullptr;
    if (scan_.fault == Fault::kNone && !not_object_) scan_.fail(p, Fault::kEnd);
    return false;
  }
  p = read_fields(scan_, p, MemberTree::kEvent, 1, row);
  if (p == nullptr) return false;
  p = json::skip_space(p, scan_.end);
  if (p != scan_.end) return scan_.fail(p, Fault::kSyntax), false;
  if (scan_.non_ascii && !json::is_utf8(event)) {
    bad_utf8_ = true;
    return false;
  }
  return !any_misfit_ || forgive_added(row);
}

// False: a value of another column does not fit either.
[[gnu::noinline]] bool EventReader::forgive_added(size_t row) {
  bool fits = true;
  for (size_t i = 0; i < misfits_.size(); ++i) {
    if (misfits_[i].fault == ValueFault::kNone) continue;
    const int slot = static_cast<int>(i);
    if (slots_.at(slot).added) {
      slots_.put_null(slot, row);  // an earlier one of this name may have filled it
      misfits_[i].fault = ValueFault::kNone;
    } else {
      fits = false;
    }
  }
  return fits;
}

namespace {

// A value that nobody reads is a string or a number most of the time.
inline const char* pass_value(Scan& scan, const char* p, unsigned depth) {
  if (p < scan.end && (json::is_digit(*p) || *p == '-')) return json::skip_number(scan, p);
  if (p >= scan.end || *p != '"') return json::skip_value(scan, p, depth);
  bool escaped = false;
  const char* const close = json::skip_string(scan, p + 1, escaped);
  return close == nullptr ? nullptr : close + 1;
}

}  // namespace

// The object at p, to the place behind it. `depth`: its own.
const char* EventReader::read_fields(Scan& scan, const char* p, int object, unsigned depth, size_t row) {
  p = json::skip_space(p + 1, scan.end);
  if (p < scan.end && *p == '}') return p + 1;
  const Fields& fields = fields_[static_cast<size_t>(object)];
  for (size_t position = 0;; ++position) {
    Member member;
    p = read_name(scan, p, object, fields, position, member);
    if (p == nullptr) return nullptr;
    if (member.slot != Member::kNone) {
      p = read_value(scan, p, member.slot, depth, row);
    } else if (member.object != Member::kNone) [[unlikely]] {
      p = read_object(scan, p, member.object, depth, row);
    } else {
      p = pass_value(scan, p, depth);
    }
    if (p == nullptr) return nullptr;
    p = json::skip_space(p, scan.end);
    if (p >= scan.end) return scan.fail(p, Fault::kEnd);
    if (*p != ',') return *p == '}' ? p + 1 : scan.fail(p, Fault::kSyntax);
    p = json::skip_space(p + 1, scan.end);
  }
}

// "name" : and the space behind it.
[[gnu::always_inline]] inline const char* EventReader::read_name(Scan& scan, const char* p, int object,
                                                                 const Fields& fields, size_t position,
                                                                 Member& member) {
  if (position < fields.size()) [[likely]] {
    const Field& field = fields[position];
    if (field.length != 0 && static_cast<size_t>(scan.end - p) > field.length &&
        json::same_bytes(field.token, p, field.length)) [[likely]] {
      member = field.member;
      return json::skip_space(p + field.length, scan.end);
    }
  }
  p = learn_name(scan, p, object, position, member);
  if (p == nullptr) return nullptr;
  p = json::skip_space(p, scan.end);
  if (p >= scan.end || *p != ':') return scan.fail(p, Fault::kSyntax);
  return json::skip_space(p + 1, scan.end);
}

const char* EventReader::learn_name(Scan& scan, const char* p, int object, size_t position, Member& member) {
  if (p >= scan.end || *p != '"') return scan.fail(p, Fault::kSyntax);
  bool escaped = false;
  const bool non_ascii_before = scan.non_ascii;
  scan.non_ascii = false;
  const char* const close = json::skip_string(scan, p + 1, escaped);
  const bool plain = !escaped && !scan.non_ascii;
  scan.non_ascii |= non_ascii_before;
  if (close == nullptr) return nullptr;
  const std::string_view inside(p + 1, static_cast<size_t>(close - p - 1));
  member = slots_.members().find(object, escaped ? json::unescape(inside, slots_.arena()) : inside);
  const size_t length = inside.size() + 3;
  const bool colon_follows = close + 1 < scan.end && close[1] == ':';
  Fields& fields = fields_[static_cast<size_t>(object)];
  const size_t more = position < fields.size() ? 0 : position + 1 - fields.size();
  if (plain && colon_follows && length <= sizeof(Field::token) && learnt_ + more <= kLearnt) {
    fields.resize(fields.size() + more);
    learnt_ += more;
    Field& field = fields[position];
    std::memcpy(field.token, p, length);
    field.length = static_cast<uint32_t>(length);
    field.member = member;
  }
  return close + 1;
}

[[gnu::always_inline]] inline void EventReader::note(int slot, ValueFault fault, const char* at) {
  misfits_[static_cast<size_t>(slot)] = {fault, at};
  if (fault != ValueFault::kNone) [[unlikely]]
    any_misfit_ = true;
}

[[gnu::always_inline]] inline const char* EventReader::read_value(Scan& scan, const char* p, int slot,
                                                                  unsigned depth, size_t row) {
  if (p >= scan.end) return scan.fail(p, Fault::kEnd);
  if (*p == '"') return read_string(scan, p, slot, row);
  if (json::is_digit(*p) || *p == '-') return read_number(scan, p, slot, row);
  if (*p == 't' || *p == 'f' || *p == 'n') return read_word(scan, p, slot, row);
  return read_nested(scan, p, slot, depth, row);
}

// An object or an array: no value of a column but of jsonb.
[[gnu::noinline]] const char* EventReader::read_nested(Scan& scan, const char* p, int slot, unsigned depth,
                                                       size_t row) {
  const char* const end = json::skip_value(scan, p, depth);
  if (end != nullptr) note(slot, slots_.put_json(slot, row, {p, static_cast<size_t>(end - p)}), p);
  return end;
}

// The value of a member on the way to columns. `depth`: of the object that holds it.
[[gnu::noinline]] const char* EventReader::read_object(Scan& scan, const char* p, int object, unsigned depth,
                                                       size_t row) {
  static_assert(kMaxPathMembers < kMaxJsonDepth, "the depth of these objects needs no check");
  for (const int slot : slots_.members().slots_in(object)) {
    slots_.put_null(slot, row);  // an earlier one of this name may have filled it
    note(slot, ValueFault::kNone, p);
  }
  const bool is_object = p < scan.end && *p == '{';
  return is_object ? read_fields(scan, p, object, depth + 1, row) : pass_value(scan, p, depth);
}

const char* EventReader::read_string(Scan& scan, const char* p, int slot, size_t row) {
  std::string_view text;
  const char* const end = json::take_string(scan, p, slots_.arena(), text);
  if (end != nullptr) note(slot, slots_.put_string(slot, row, text), p);
  return end;
}

[[gnu::always_inline]] inline const char* EventReader::read_number(Scan& scan, const char* p, int slot,
                                                                   size_t row) {
  json::Number number;
  const char* const end = json::take_number(scan, p, number);
  if (end != nullptr) note(slot, slots_.put_number(slot, row, number), p);
  return end;
}

const char* EventReader::read_word(Scan& scan, const char* p, int slot, size_t row) {
  const char* const end = json::take_word(scan, p, *p == 't' ? "true" : *p == 'f' ? "false" : "null");
  if (end == nullptr) return nullptr;
  if (*p == 'n') {
    slots_.put_null(slot, row);
    note(slot, ValueFault::kNone, p);
  } else {
    note(slot, slots_.put_boolean(slot, row, *p == 't'), p);
  }
  return end;
}

namespace {

std::string_view what_is_wrong(Fault fault) {
  switch (fault) {
    case Fault::kNone:
    case Fault::kSyntax:
      return "unexpected character";
    case Fault::kControlCharacter:
      return "a control character in a string must be escaped";
    case Fault::kEscape:
      return "unknown escape in a string";
    case Fault::kSurrogate:
      return "half of a surrogate pair";
    case Fault::kNumber:
      return "not a JSON number";
    case Fault::kEnd:
      return "the text ends too early";
    case Fault::kDepth:
      return "nested too deep";
  }
  return "unexpected character";
}

std::string json_form(Type type, TimestampUnit unit) {
  if (is_array(type)) return "an array, each element " + json_form(element_of(type), unit) + " or null,";
  if (is_row(type)) return "an object";
  switch (type) {
    case Type::kBoolean:
      return "true or false";
    case Type::kSmallint:
    case Type::kInteger:
    case Type::kBigint:
      return "a whole number";
    case Type::kReal:
    case Type::kDouble:
      return "a number";
    case Type::kDate:
      return "a string like \"2001-01-31\"";
    case Type::kTime:
      return "a string like \"00:47:00\"";
    case Type::kTimestamp:
    case Type::kTimestamptz:
      return "an RFC 3339 string or a Unix time in " + std::string(to_string(unit));
    case Type::kInterval:
      return "a string like \"10 minutes\"";
    case Type::kBytea:
      return "a string like \"\\\\x0a1b\"";
    case Type::kNumeric:
      return "a number of at most a thousand digits";
    case Type::kUuid:
      return "a string of 32 hexadecimal digits";
    case Type::kJsonb:
      return "a value without zero characters and numbers of a thousand digits";
    default:
      return "a string";
  }
}

std::string number(size_t value) {
  return std::to_string(value);
}

}  // namespace

EventReader::Failure EventReader::failure() const {
  const auto place = [&](const char* at) {
    return " at byte " + number(static_cast<size_t>(at - event_.data()));
  };
  if (not_object_) return {"MR-EVT-0002", "an event is a JSON object"};
  if (scan_.fault == Fault::kDepth) {
    return {"MR-EVT-0004", "nested deeper than " + number(kMaxJsonDepth) + place(scan_.at)};
  }
  if (scan_.fault != Fault::kNone) {
    return {"MR-EVT-0001",
            "malformed JSON" + place(scan_.at) + ": " + std::string(what_is_wrong(scan_.fault))};
  }
  if (bad_utf8_) return {"MR-EVT-0003", "the event is not valid UTF-8"};
  return misfit("", event_.data());
}

namespace {

EventReader::Failure misfit_of(const Slot& slot, ValueFault fault, const std::string& name,
                               const std::string& place, const char* event) {
  if (fault == ValueFault::kField) {
    if (slot.elements) return slot.elements->element().fields->failure(name + "[]", event);
    return slot.fields->failure(name, event);
  }
  const std::string where = "column \"" + name + "\" (" + std::string(to_string(slot.type)) + ")" + place;
  if (fault == ValueFault::kRange)
    return {"MR-EVT-0007",
            where + (is_integer(element_of(slot.type)) ? ": the number is out of range or not whole"
                                                       : ": the value is out of range")};
  if (fault == ValueFault::kLength)
    return {"MR-EVT-0009", where + ": the text has more than " + number(slot.length) + " characters"};
  if (fault == ValueFault::kElements)
    return {"MR-EVT-0009", where + ": the array has more than " + number(kMaxArrayElements) + " elements"};
  return {fault == ValueFault::kType ? "MR-EVT-0006" : "MR-EVT-0008",
          where + ": " + json_form(slot.type, slot.unit) + " is expected"};
}

}  // namespace

EventReader::Failure EventReader::misfit(const std::string& within, const char* event) const {
  for (size_t i = 0; i < misfits_.size(); ++i) {
    const Misfit& at = misfits_[i];
    if (at.fault == ValueFault::kNone) continue;
    const Slot& slot = slots_.at(static_cast<int>(i));
    return misfit_of(slot, at.fault, within + slot.name,
                     " at byte " + number(static_cast<size_t>(at.at - event)), event);
  }
  return {"MR-EVT-0001", "malformed JSON"};
}

}  // namespace millrace::formats
