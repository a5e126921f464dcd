#include "formats/jsonb.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/buffer.h"
#include "event/text.h"
#include "formats/internal/json_scan.h"
#include "formats/json.h"

namespace millrace::formats {
namespace {

using json::Scan;

// Writes a value canonically while it is read. The text was scanned before, or is while it is written.
class Writer {
 public:
  explicit Writer(std::string_view text) : scan_{text.data() + text.size()} {}

  const char* value(const char* p, std::string& out, unsigned depth);
  const Scan& scan() const { return scan_; }
  bool refused() const { return refused_; }

 private:
  const char* object(const char* p, std::string& out, unsigned depth);
  const char* array(const char* p, std::string& out, unsigned depth);
  const char* string(const char* p, std::string& text);
  const char* refuse() {
    refused_ = true;
    return nullptr;
  }
  // Behind white space; at the text's end the fault is noted.
  const char* next(const char* p) {
    p = json::skip_space(p, scan_.end);
    return p < scan_.end ? p : scan_.fail(p, json::Fault::kEnd);
  }

  Scan scan_;
  Arena arena_;
  bool refused_ = false;  // JSON, but no jsonb
};

const char* Writer::value(const char* p, std::string& out, unsigned depth) {
  p = next(p);
  if (p == nullptr) return nullptr;
  if (depth > kMaxJsonDepth) return scan_.fail(p, json::Fault::kDepth);
  if (*p == '{') return object(p, out, depth);
  if (*p == '[') return array(p, out, depth);
  if (*p == '"') {
    std::string text;
    p = string(p, text);
    if (p != nullptr) append_jsonb_string(out, text);
    return p;
  }
  if (json::is_digit(*p) || *p == '-') {
    json::Number number;
    p = json::take_number(scan_, p, number);
    return p == nullptr || append_jsonb_number(out, number.text) ? p : refuse();
  }
  const std::string_view word = *p == 't' ? "true" : *p == 'f' ? "false" : "null";
  out += word;
  return json::take_word(scan_, p, word);
}

const char* Writer::string(const char* p, std::string& text) {
  std::string_view inside;
  p = json::take_string(scan_, p, arena_, inside);
  if (p == nullptr) return nullptr;
  if (inside.find('\0') != std::string_view::npos) return refuse();
  text = inside;
  return p;
}

const char* Writer::array(const char* p, std::string& out, unsigned depth) {
  out += '[';
  p = next(p + 1);
  if (p == nullptr) return nullptr;
  for (bool first = true; *p != ']' || !first; first = false) {
    if (!first) out += ", ";
    p = value(p, out, depth + 1);
    if (p == nullptr || (p = next(p)) == nullptr) return nullptr;
    if (*p == ']') break;
    if (*p != ',') return scan_.fail(p, json::Fault::kSyntax);
    ++p;
  }
  out += ']';
  return p + 1;
}

const char* Writer::object(const char* p, std::string& out, unsigned depth) {
  std::vector<JsonbMember> members;
  p = next(p + 1);
  if (p == nullptr) return nullptr;
  for (bool first = true; *p != '}' || !first; first = false) {
    if ((p = next(p)) == nullptr) return nullptr;
    if (*p != '"') return scan_.fail(p, json::Fault::kSyntax);
    JsonbMember& member = members.emplace_back();
    p = string(p, member.name);
    if (p == nullptr || (p = next(p)) == nullptr) return nullptr;
    if (*p != ':') return scan_.fail(p, json::Fault::kSyntax);
    p = value(p + 1, member.value, depth + 1);
    if (p == nullptr || (p = next(p)) == nullptr) return nullptr;
    if (*p == '}') break;
    if (*p != ',') return scan_.fail(p, json::Fault::kSyntax);
    ++p;
  }
  append_jsonb_object(out, std::move(members));
  return p + 1;
}

// Behind the string whose opening quote stands at `at`.
size_t behind_string(std::string_view text, size_t at) {
  for (++at; text[at] != '"'; ++at) at += text[at] == '\\';
  return at + 1;
}

// Behind the value at `at`.
size_t behind_value(std::string_view text, size_t at) {
  if (text[at] == '"') return behind_string(text, at);
  size_t open = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      at = behind_string(text, at) - 1;
    } else if (c == '{' || c == '[') {
      ++open;
    } else if (open == 0 && (c == ',' || c == '}' || c == ']')) {
      return at;
    } else if (c == '}' || c == ']') {
      if (--open == 0) return at + 1;
    }
  }
  return at;
}

int unescaped(char escape) {
  constexpr std::string_view kFrom = "bfnrt";
  const size_t at = kFrom.find(escape);
  return at == std::string_view::npos ? escape : "\b\f\n\r\t"[at];
}

}  // namespace

void append_jsonb_object(std::string& out, std::vector<JsonbMember> members) {
  // By the length of their names, then by bytes: PostgreSQL's order.
  std::ranges::stable_sort(members, [](const JsonbMember& a, const JsonbMember& b) {
    return a.name.size() != b.name.size() ? a.name.size() < b.name.size() : a.name < b.name;
  });
  out += '{';
  for (size_t i = 0; i < members.size(); ++i) {
    if (i + 1 < members.size() && members[i].name == members[i + 1].name) continue;  // the last counts
    if (out.back() != '{') out += ", ";
    append_jsonb_string(out, members[i].name);
    out.append(": ").append(members[i].value);
  }
  out += '}';
}

void append_jsonb_string(std::string& out, std::string_view text) {
  append_json_string(out, text);
}

// The digits around the point, moved by the exponent.
bool append_jsonb_number(std::string& out, std::string_view number) {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  const size_t exponent_at = std::min(number.find_first_of("eE"), number.size());
  const std::string_view mantissa = number.substr(0, exponent_at);
  int64_t exponent = 0;
  std::string_view written = number.substr(exponent_at);
  if (!written.empty()) written.remove_prefix(written.size() > 1 && written[1] == '+' ? 2 : 1);
  const bool small =
      written.empty() ||
      std::from_chars(written.data(), written.data() + written.size(), exponent).ec == std::errc();
  std::string digits(mantissa.substr(0, mantissa.find('.')));
  auto point = static_cast<int64_t>(digits.size());
  if (mantissa.find('.') != std::string_view::npos) digits += mantissa.substr(mantissa.find('.') + 1);
  const size_t leading = std::min(digits.find_first_not_of('0'), digits.size());
  digits.erase(0, leading);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.empty()) {
    out += '0';
    return true;
  }
  point -= static_cast<int64_t>(leading);
  if (!small || std::abs(exponent) > 2 * kMaxJsonbDigits) return false;
  point += exponent;
  const auto size = static_cast<int64_t>(digits.size());
  if (std::max(size, point) - std::min<int64_t>(point, 0) > kMaxJsonbDigits) return false;
  if (negative) out += '-';
  if (point <= 0) {
    out.append("0.").append(static_cast<size_t>(-point), '0').append(digits);
  } else if (point >= size) {
    out.append(digits).append(static_cast<size_t>(point - size), '0');
  } else {
    out.append(digits, 0, static_cast<size_t>(point)).append(1, '.');
    out.append(digits, static_cast<size_t>(point));
  }
  return true;
}

bool append_canonical(std::string& out, std::string_view value) {
  Writer writer(value);
  return writer.value(value.data(), out, 0) != nullptr;
}

Result<std::string> parse_jsonb(std::string_view text) {
  const Buffer padded = Buffer::copy(text);
  const std::string_view own = padded.view();
  Writer writer(own);
  std::string out;
  const char* end = writer.value(own.data(), out, 0);
  const bool whole =
      end != nullptr && json::skip_space(end, own.data() + own.size()) == own.data() + own.size();
  if (whole && (!writer.scan().non_ascii || json::is_utf8(own))) return out;
  if (writer.refused()) return out_of_range(Type::kJsonb, text);
  return invalid_text(Type::kJsonb, text, "JSON is expected");
}

JsonbKind jsonb_kind(std::string_view value) {
  switch (value.empty() ? 'n' : value[0]) {
    case 'n':
      return JsonbKind::kNull;
    case 't':
    case 'f':
      return JsonbKind::kBoolean;
    case '"':
      return JsonbKind::kString;
    case '[':
      return JsonbKind::kArray;
    case '{':
      return JsonbKind::kObject;
    default:
      return JsonbKind::kNumber;
  }
}

void visit_jsonb(std::string_view container, const JsonbVisit& visit) {
  const bool object = jsonb_kind(container) == JsonbKind::kObject;
  if (container.size() <= 2) return;
  for (size_t at = 1; at < container.size();) {
    std::string_view name;
    if (object) {
      const size_t behind = behind_string(container, at);
      name = container.substr(at, behind - at);
      at = behind + 2;  // ": "
    }
    const size_t behind = behind_value(container, at);
    if (!visit(name, container.substr(at, behind - at))) return;
    at = behind + 2;  // ", "
  }
}

std::optional<std::string_view> jsonb_member(std::string_view object, std::string_view name) {
  if (jsonb_kind(object) != JsonbKind::kObject) return std::nullopt;
  std::string wanted;
  append_jsonb_string(wanted, name);
  std::optional<std::string_view> found;
  visit_jsonb(object, [&](std::string_view at, std::string_view value) {
    if (at == wanted) found = value;
    return !found;
  });
  return found;
}

std::optional<std::string_view> jsonb_element(std::string_view array, int64_t index) {
  if (jsonb_kind(array) != JsonbKind::kArray) return std::nullopt;
  std::vector<std::string_view> elements;
  visit_jsonb(array, [&](std::string_view, std::string_view value) {
    elements.push_back(value);
    return index < 0 || static_cast<int64_t>(elements.size()) <= index;
  });
  const auto size = static_cast<int64_t>(elements.size());
  if (index < 0) index += size;
  if (index < 0 || index >= size) return std::nullopt;
  return elements[static_cast<size_t>(index)];
}

void append_jsonb_text(std::string& out, std::string_view value) {
  if (jsonb_kind(value) != JsonbKind::kString) {
    out += value;
    return;
  }
  for (size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] != '\\') {
      out += value[i];
    } else if (value[++i] != 'u') {
      out += static_cast<char>(unescaped(value[i]));
    } else {  // of a control character
      int code = 0;
      std::from_chars(value.data() + i + 1, value.data() + i + 5, code, 16);
      out += static_cast<char>(code);
      i += 4;
    }
  }
}

namespace {

bool is_container(JsonbKind kind) {
  return kind == JsonbKind::kArray || kind == JsonbKind::kObject;
}

bool holds(std::string_view outer, std::string_view inner);

// Members stand in one order in both: neither is gone through twice.
bool holds_members(std::string_view outer, std::string_view inner) {
  std::vector<std::pair<std::string_view, std::string_view>> wanted;
  visit_jsonb(inner, [&](std::string_view name, std::string_view value) {
    wanted.emplace_back(name, value);
    return true;
  });
  size_t found = 0;
  visit_jsonb(outer, [&](std::string_view name, std::string_view value) {
    if (found < wanted.size() && wanted[found].first == name) {
      if (!holds(value, wanted[found].second)) return false;
      ++found;
    }
    return found < wanted.size();
  });
  return found == wanted.size();
}

// Bare values are looked up; only arrays and objects are tried one with another.
bool holds_elements(std::string_view outer, std::string_view inner) {
  std::vector<std::string_view> bare;
  std::vector<std::string_view> containers;
  visit_jsonb(outer, [&](std::string_view, std::string_view value) {
    (is_container(jsonb_kind(value)) ? containers : bare).push_back(value);
    return true;
  });
  std::ranges::sort(bare);
  bool all = true;
  visit_jsonb(inner, [&](std::string_view, std::string_view wanted) {
    all = is_container(jsonb_kind(wanted))
              ? std::ranges::any_of(containers, [&](std::string_view value) { return holds(value, wanted); })
              : std::ranges::binary_search(bare, wanted);
    return all;
  });
  return all;
}

// An array holds each of the other's elements, an object each member with a value that holds the other's.
bool holds(std::string_view outer, std::string_view inner) {
  const JsonbKind kind = jsonb_kind(inner);
  if (!is_container(kind)) return outer == inner;
  if (jsonb_kind(outer) != kind) return false;
  return kind == JsonbKind::kObject ? holds_members(outer, inner) : holds_elements(outer, inner);
}

}  // namespace

// An array holds a bare value, too, but only at the top.
bool jsonb_contains(std::string_view outer, std::string_view inner) {
  if (is_container(jsonb_kind(inner)) || jsonb_kind(outer) != JsonbKind::kArray) return holds(outer, inner);
  bool found = false;
  visit_jsonb(outer, [&](std::string_view, std::string_view value) {
    found = value == inner;
    return !found;
  });
  return found;
}

std::optional<std::string_view> jsonb_step(std::string_view value, std::string_view name) {
  if (jsonb_kind(value) == JsonbKind::kObject) return jsonb_member(value, name);
  const auto index = parse_bigint(name);
  return index.ok() ? jsonb_element(value, *index) : std::nullopt;
}

bool jsonb_exists(std::string_view value, std::string_view name) {
  std::string wanted;
  append_jsonb_string(wanted, name);
  const JsonbKind kind = jsonb_kind(value);
  if (!is_container(kind)) return value == wanted;
  bool found = false;
  visit_jsonb(value, [&](std::string_view at, std::string_view element) {
    found = (kind == JsonbKind::kObject ? at : element) == wanted;
    return !found;
  });
  return found;
}

}  // namespace millrace::formats
