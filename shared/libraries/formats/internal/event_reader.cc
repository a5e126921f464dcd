#include "formats/internal/event_reader.h"

#include <simdjson.h>

#include <cmath>
#include <cstring>

#include "event/text.h"
#include "formats/json.h"

namespace millrace::formats {

using json::Fault;
using json::Scan;

EventReader::EventReader(const Schema& schema, const std::vector<int>& wanted) {
  for (const int index : wanted) {
    const ColumnDef& column = schema[static_cast<size_t>(index)];
    slots_.push_back({column.type, column.name, column.unit});
  }
  fields_.reserve(16);
}

void EventReader::attach(std::vector<Column>& columns, Arena& arena) {
  arena_ = &arena;
  for (size_t i = 0; i < slots_.size(); ++i) {
    Column& c = columns[i];
    slots_[i].valid = c.valid.data();
    switch (c.type) {
      case Type::kNull:
        break;
      case Type::kBoolean:
        slots_[i].values = c.booleans.data();
        break;
      case Type::kBigint:
      case Type::kTimestamptz:
        slots_[i].values = c.integers.data();
        break;
      case Type::kDouble:
        slots_[i].values = c.doubles.data();
        break;
      case Type::kText:
        slots_[i].values = c.texts.data();
        break;
      case Type::kInterval:
        slots_[i].values = c.intervals.data();
        break;
    }
  }
}

namespace {

template <typename T>
void store(void* values, size_t row, const T& value) {
  static_cast<T*>(values)[row] = value;
}

// Compares the learnt name with the bytes at p: 16 at a time, those behind the name masked.
inline bool same_token(const char* token, uint32_t length, const char* p) {
  const auto differs = [&](uint32_t from) {
    const __m128i a = _mm_load_si128(reinterpret_cast<const __m128i*>(token + from));
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + from));
    return ~static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(a, b))) & 0xFFFFu;
  };
  if (length <= 16) return (differs(0) & ((1u << length) - 1)) == 0;
  return differs(0) == 0 && (differs(16) & ((1u << (length - 16)) - 1)) == 0;
}

}  // namespace

bool EventReader::read(std::string_view event, size_t row) {
  event_ = event;
  scan_ = Scan{event.data() + event.size()};
  bad_utf8_ = not_object_ = false;
  if (any_fault_) [[unlikely]] {
    for (Slot& slot : slots_) slot.fault = ValueFault::kNone;
    any_fault_ = false;
  }
  const char* p = json::skip_space(event.data(), scan_.end);
  if (p >= scan_.end || *p != '{') {
    not_object_ = p < scan_.end && json::skip_value(scan_, p, 0) != nullptr;
    if (scan_.fault == Fault::kNone && !not_object_) scan_.fail(p, Fault::kEnd);
    return false;
  }
  p = read_fields(scan_, p, row);
  if (p == nullptr) return false;
  p = json::skip_space(p, scan_.end);
  if (p != scan_.end) return scan_.fail(p, Fault::kSyntax), false;
  if (scan_.non_ascii && !simdjson::validate_utf8(event.data(), event.size())) {
    bad_utf8_ = true;
    return false;
  }
  if (!any_fault_) [[likely]]
    return true;
  for (const Slot& slot : slots_) {
    if (slot.fault != ValueFault::kNone) return false;
  }
  return true;
}

namespace {

// A value that nobody reads is a string or a number most of the time.
inline const char* pass_value(Scan& scan, const char* p) {
  if (p < scan.end && (json::is_digit(*p) || *p == '-')) {
    json::Number n;
    return json::take_number(scan, p, n);
  }
  if (p >= scan.end || *p != '"') return json::skip_value(scan, p, 1);
  bool escaped = false;
  const char* const close = json::skip_string(scan, p + 1, escaped);
  return close == nullptr ? nullptr : close + 1;
}

}  // namespace

const char* EventReader::read_fields(Scan& scan, const char* p, size_t row) {
  p = json::skip_space(p + 1, scan.end);
  if (p < scan.end && *p == '}') return p + 1;
  for (size_t position = 0;; ++position) {
    int slot = kUnread;
    p = read_name(scan, p, position, slot);
    if (p == nullptr) return nullptr;
    p = slot == kUnread ? pass_value(scan, p) : read_value(scan, p, slots_[static_cast<size_t>(slot)], row);
    if (p == nullptr) return nullptr;
    p = json::skip_space(p, scan.end);
    if (p >= scan.end) return scan.fail(p, Fault::kEnd);
    if (*p != ',') return *p == '}' ? p + 1 : scan.fail(p, Fault::kSyntax);
    p = json::skip_space(p + 1, scan.end);
  }
}

// "name" : and the space behind it.
[[gnu::always_inline]] inline const char* EventReader::read_name(Scan& scan, const char* p, size_t position,
                                                                 int& slot) {
  if (position < fields_.size()) [[likely]] {
    const Field& field = fields_[position];
    if (field.length != 0 && static_cast<size_t>(scan.end - p) > field.length &&
        same_token(field.token, field.length, p)) [[likely]] {
      slot = field.slot;
      return json::skip_space(p + field.length, scan.end);
    }
  }
  p = learn_name(scan, p, position, slot);
  if (p == nullptr) return nullptr;
  p = json::skip_space(p, scan.end);
  if (p >= scan.end || *p != ':') return scan.fail(p, Fault::kSyntax);
  return json::skip_space(p + 1, scan.end);
}

const char* EventReader::learn_name(Scan& scan, const char* p, size_t position, int& slot) {
  if (p >= scan.end || *p != '"') return scan.fail(p, Fault::kSyntax);
  bool escaped = false;
  const bool non_ascii_before = scan.non_ascii;
  scan.non_ascii = false;
  const char* const close = json::skip_string(scan, p + 1, escaped);
  const bool plain = !escaped && !scan.non_ascii;
  scan.non_ascii |= non_ascii_before;
  if (close == nullptr) return nullptr;
  const std::string_view inside(p + 1, static_cast<size_t>(close - p - 1));
  slot = find(escaped ? json::unescape(inside, *arena_) : inside);
  const size_t length = inside.size() + 3;
  const bool colon_follows = close + 1 < scan.end && close[1] == ':';
  if (plain && colon_follows && length <= sizeof(Field::token) && position < kLearnt) {
    if (fields_.size() <= position) fields_.resize(position + 1);
    Field& field = fields_[position];
    std::memcpy(field.token, p, length);
    field.length = static_cast<uint32_t>(length);
    field.slot = slot;
  }
  return close + 1;
}

int EventReader::find(std::string_view name) const {
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].name == name) return static_cast<int>(i);
  }
  return kUnread;
}

inline void EventReader::set_valid(Slot& slot, size_t row, bool valid) {
  slot.valid[row] = valid;
  slot.fault = ValueFault::kNone;
}

void EventReader::set_fault(Slot& slot, ValueFault fault, const char* at) {
  slot.fault = fault;
  slot.fault_at = at;
  any_fault_ = true;
}

[[gnu::always_inline]] inline const char* EventReader::read_value(Scan& scan, const char* p, Slot& slot,
                                                                  size_t row) {
  if (p >= scan.end) return scan.fail(p, Fault::kEnd);
  if (*p == '"') return read_string(scan, p, slot, row);
  if (json::is_digit(*p) || *p == '-') return read_number(scan, p, slot, row);
  if (*p == 't' || *p == 'f' || *p == 'n') return read_word(scan, p, slot, row);
  if (*p == '{' || *p == '[') set_fault(slot, ValueFault::kType, p);
  return json::skip_value(scan, p, 1);
}

const char* EventReader::read_string(Scan& scan, const char* p, Slot& slot, size_t row) {
  bool escaped = false;
  const char* const close = json::skip_string(scan, p + 1, escaped);
  if (close == nullptr) return nullptr;
  std::string_view text(p + 1, static_cast<size_t>(close - p - 1));
  if (escaped) [[unlikely]]
    text = json::unescape(text, *arena_);
  if (slot.type == Type::kText) {
    store(slot.values, row, text);
    set_valid(slot, row, true);
  } else if (slot.type == Type::kTimestamptz) {
    int64_t micros = 0;
    bool ok = parse_rfc3339_utc(text.data(), text.size(), micros);
    if (!ok) {
      const auto parsed = parse_timestamp(text);
      ok = parsed.ok();
      if (ok) micros = parsed->micros;
    }
    store(slot.values, row, micros);
    ok ? set_valid(slot, row, true) : set_fault(slot, ValueFault::kFormat, p);
  } else if (slot.type == Type::kInterval) {
    const auto parsed = parse_interval(text);
    if (parsed.ok()) store(slot.values, row, *parsed);
    parsed.ok() ? set_valid(slot, row, true) : set_fault(slot, ValueFault::kFormat, p);
  } else if (slot.type == Type::kDouble && (text == "NaN" || text == "Infinity" || text == "-Infinity")) {
    // What the row writer makes of the values that a JSON number cannot be.
    store(slot.values, row, text == "NaN" ? std::nan("") : text[0] == '-' ? -INFINITY : INFINITY);
    set_valid(slot, row, true);
  } else {
    set_fault(slot, ValueFault::kType, p);
  }
  return close + 1;
}

namespace {

// A whole number of another unit than milliseconds; nanoseconds are rounded, a half goes up.
bool whole_time(TimestampUnit unit, int64_t count, int64_t& micros) {
  if (unit == TimestampUnit::kSeconds) return !__builtin_mul_overflow(count, int64_t{1'000'000}, &micros);
  micros = count;
  if (unit != TimestampUnit::kNanoseconds) return true;
  const int64_t rest = (count % 1000 + 1000) % 1000;
  micros = (count - count % 1000) / 1000 - (count % 1000 < 0) + (rest >= 500);
  return true;
}

bool timestamp_in(TimestampUnit unit, const json::Number& n, int64_t& micros) {
  int64_t count = 0;
  if (json::to_bigint(n, count)) return whole_time(unit, count, micros) && timestamp_in_range(micros);
  double value = 0;
  if (!json::to_double(n, value)) return false;
  if (unit == TimestampUnit::kSeconds) value *= 1e6;
  if (unit == TimestampUnit::kNanoseconds) value /= 1e3;
  if (!(std::fabs(value) < 1e18)) return false;
  micros = static_cast<int64_t>(std::rint(value));
  return timestamp_in_range(micros);
}

// Unix milliseconds, a fraction allowed, to microseconds.
bool timestamp_of(const json::Number& n, int64_t& micros) {
  int64_t millis = 0;
  if (json::to_bigint(n, millis))
    return !__builtin_mul_overflow(millis, 1000, &micros) && timestamp_in_range(micros);
  double value = 0;
  if (!json::to_double(n, value) || !(std::fabs(value) < 1e15)) return false;
  micros = static_cast<int64_t>(std::rint(value * 1000));
  return timestamp_in_range(micros);
}

}  // namespace

[[gnu::always_inline]] inline const char* EventReader::read_number(Scan& scan, const char* p, Slot& slot,
                                                                   size_t row) {
  json::Number n;
  const char* const end = json::take_number(scan, p, n);
  if (end == nullptr) return nullptr;
  bool ok = true;
  if (slot.type == Type::kBigint || slot.type == Type::kTimestamptz) {
    int64_t value = 0;
    if (slot.type == Type::kBigint)
      ok = json::to_bigint(n, value);
    else if (slot.unit == TimestampUnit::kMilliseconds) [[likely]]
      ok = timestamp_of(n, value);
    else
      ok = timestamp_in(slot.unit, n, value);
    store(slot.values, row, value);
  } else if (slot.type == Type::kDouble) {
    double value = 0;
    ok = json::to_double(n, value);
    store(slot.values, row, value);
  } else {
    set_fault(slot, ValueFault::kType, p);
    return end;
  }
  ok ? set_valid(slot, row, true) : set_fault(slot, ValueFault::kRange, p);
  return end;
}

const char* EventReader::read_word(Scan& scan, const char* p, Slot& slot, size_t row) {
  const char* const end = json::take_word(scan, p, *p == 't' ? "true" : *p == 'f' ? "false" : "null");
  if (end == nullptr) return nullptr;
  if (*p == 'n') {
    set_valid(slot, row, false);
  } else if (slot.type == Type::kBoolean) {
    store<uint8_t>(slot.values, row, *p == 't');
    set_valid(slot, row, true);
  } else {
    set_fault(slot, ValueFault::kType, p);
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
  switch (type) {
    case Type::kBoolean:
      return "true or false";
    case Type::kBigint:
      return "a whole number";
    case Type::kDouble:
      return "a number";
    case Type::kTimestamptz:
      return "an RFC 3339 string or a Unix time in " + std::string(to_string(unit));
    case Type::kInterval:
      return "a string like \"10 minutes\"";
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
  for (const Slot& slot : slots_) {
    if (slot.fault == ValueFault::kNone) continue;
    const std::string where =
        "column \"" + slot.name + "\" (" + std::string(to_string(slot.type)) + ")" + place(slot.fault_at);
    if (slot.fault == ValueFault::kType) {
      return {"MR-EVT-0006", where + ": " + json_form(slot.type, slot.unit) + " is expected"};
    }
    if (slot.fault == ValueFault::kRange)
      return {"MR-EVT-0007", where + ": the number is out of range or not whole"};
    return {"MR-EVT-0008", where + ": " + json_form(slot.type, slot.unit) + " is expected"};
  }
  return {"MR-EVT-0001", "malformed JSON"};
}

}  // namespace millrace::formats
