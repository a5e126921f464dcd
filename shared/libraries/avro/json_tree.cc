#include "avro/json_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "avro/number_text.h"
#include "avro/utf8.h"
#include "base/utf8.h"

namespace millrace::avro {

namespace {

using Kind = JsonValue::Kind;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<JsonValue> whole() {
    if (text_.size() > kMaxJsonBytes)
      return error(Code::kInvalid, "MR-AVRO-0002",
                   fmt::format("the text has {} bytes, more than {}", text_.size(), kMaxJsonBytes),
                   "split what it describes");
    JsonValue value;
    TRY(read(value, 0));
    skip_space();
    if (at_ < text_.size()) return wrong("there is something behind the end of the JSON value");
    return value;
  }

 private:
  Error wrong(std::string message, std::string_view id = "MR-AVRO-0001") const {
    Error failure = error(Code::kInvalid, id, std::move(message), "correct the JSON text");
    failure.span = span_at(text_, static_cast<uint32_t>(at_));
    return failure;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }
  bool take(char c) {
    skip_space();
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  Status read(JsonValue& value, int depth) {
    if (depth > kMaxJsonDepth)
      return wrong(fmt::format("the text nests deeper than {}", kMaxJsonDepth), "MR-AVRO-0002");
    skip_space();
    value.offset = static_cast<uint32_t>(at_);
    switch (peek()) {
      case '{':
        return read_object(value, depth);
      case '[':
        return read_array(value, depth);
      case '"':
        value.kind = Kind::kString;
        return read_string(value.text);
      case 't':
        value.boolean = true;
        return read_word("true", Kind::kBoolean, value);
      case 'f':
        return read_word("false", Kind::kBoolean, value);
      case 'n':
        return read_word("null", Kind::kNull, value);
      default:
        return read_number(value);
    }
  }

  Status read_word(std::string_view word, Kind kind, JsonValue& value) {
    if (text_.substr(at_, word.size()) != word) return wrong("this is no JSON value");
    at_ += word.size();
    value.kind = kind;
    return {};
  }

  size_t digits() {
    const size_t from = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ - from;
  }
  Status read_number(JsonValue& value) {
    const size_t from = at_;
    value.kind = Kind::kInteger;
    if (peek() == '-') ++at_;
    const bool zero = peek() == '0';
    const size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return at_ = from, wrong("this is no JSON value");
    if (peek() == '.') {
      ++at_;
      value.kind = Kind::kReal;
      if (digits() == 0) return wrong("a digit is missing");
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      value.kind = Kind::kReal;
      if (peek() == '+' || peek() == '-') ++at_;
      if (digits() == 0) return wrong("a digit is missing");
    }
    value.text = text_.substr(from, at_ - from);
    return {};
  }

  Status read_array(JsonValue& value, int depth) {
    value.kind = Kind::kArray;
    ++at_;
    if (take(']')) return {};
    do {
      TRY(read(value.items.emplace_back(), depth + 1));
    } while (take(','));
    if (!take(']')) return wrong("',' or ']' is missing");
    return {};
  }

  Status read_object(JsonValue& value, int depth) {
    value.kind = Kind::kObject;
    ++at_;
    if (take('}')) return {};
    do {
      skip_space();
      JsonMember& member = value.members.emplace_back();
      if (peek() != '"') return wrong("a member's name is missing");
      TRY(read_string(member.name));
      if (!take(':')) return wrong("':' is missing");
      TRY(read(member.value, depth + 1));
    } while (take(','));
    if (!take('}')) return wrong("',' or '}' is missing");
    unite(value.members);
    return {};
  }

  static bool any_twice(const std::vector<JsonMember>& members) {
    std::vector<std::string_view> names;
    for (const JsonMember& m : members) names.push_back(m.name);
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) != names.end();
  }
  static void unite(std::vector<JsonMember>& members) {
    if (members.size() < 2 || !any_twice(members)) return;
    std::vector<size_t> order(members.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return members[a].name < members[b].name; });
    std::vector<bool> gone(members.size(), false);
    for (size_t i = 0; i < order.size();) {
      const size_t first = order[i];
      size_t last = first;
      for (; i < order.size() && members[order[i]].name == members[first].name; ++i) {
        last = order[i];
        gone[last] = last != first;
      }
      if (last != first) members[first].value = std::move(members[last].value);
    }
    size_t kept = 0;
    for (size_t i = 0; i < members.size(); ++i)
      if (!gone[i] && kept++ != i) members[kept - 1] = std::move(members[i]);
    members.resize(kept);
  }

  Status read_string(std::string& out) {
    ++at_;
    while (true) {
      const size_t from = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20)
        ++at_;
      const std::string_view run = text_.substr(from, at_ - from);
      if (!is_utf8(run)) return wrong("the text is not UTF-8");
      out.append(run);
      if (at_ >= text_.size()) return wrong("the text ends within a string");
      if (text_[at_] == '"') return ++at_, Status();
      if (text_[at_] != '\\') return wrong("a control character in a string needs an escape");
      TRY(read_escape(out));
    }
  }

  Result<uint32_t> hex4() {
    uint32_t v = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      if (c >= '0' && c <= '9')
        v = v * 16 + static_cast<uint32_t>(c - '0');
      else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        v = v * 16 + static_cast<uint32_t>((c | 0x20) - 'a' + 10);
      else
        return wrong("\\u needs four hexadecimal digits");
    }
    return v;
  }
  Status read_escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
    ++at_;
    const char c = peek();
    if (const size_t i = kLetters.find(c); c != '\0' && i != std::string_view::npos) {
      out += kMeant[i];
      return ++at_, Status();
    }
    if (c != 'u') return wrong("there is no such escape");
    ++at_;
    TRY_ASSIGN(uint32_t code, hex4());
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      TRY_ASSIGN(const uint32_t low, hex4());
      if (low < 0xDC00 || low >= 0xE000) return wrong("half a pair of surrogates");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code >= 0xD800 && code < 0xE000) return wrong("half a pair of surrogates");
    append_utf8(out, code);
    return {};
  }

  std::string_view text_;
  size_t at_ = 0;
};

void append_members(std::string& out, const JsonValue& value, bool sorted) {
  std::vector<const JsonMember*> members;
  for (const JsonMember& m : value.members) members.push_back(&m);
  if (sorted)
    std::sort(members.begin(), members.end(),
              [](const JsonMember* a, const JsonMember* b) { return a->name < b->name; });
  std::string_view separator = "{";
  for (const JsonMember* m : members) {
    out += separator;
    append_quoted(out, m->name);
    out += ':';
    append_json(out, m->value, sorted);
    separator = ",";
  }
  out += members.empty() ? "{}" : "}";
}

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  for (const JsonMember& m : members)
    if (m.name == name) return &m.value;
  return nullptr;
}

std::string_view to_string(Kind kind) {
  constexpr std::array<std::string_view, 7> kNames = {"null",     "a boolean", "an integer", "a number",
                                                      "a string", "an array",  "an object"};
  return kNames[static_cast<size_t>(kind)];
}

Result<JsonValue> parse_json(std::string_view text) {
  return Reader(text).whole();
}

SourceSpan span_at(std::string_view text, uint32_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {.line = static_cast<uint32_t>(1 + std::count(before.begin(), before.end(), '\n')),
          .column = static_cast<uint32_t>(1 + before.size() - line_start),
          .offset = static_cast<uint32_t>(before.size()),
          .length = before.size() < text.size() ? 1u : 0u};
}

void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view kShort = "\b\t\n\f\r\"\\", kLetters = "btnfr\"\\";
  out += '"';
  for (const char c : text) {
    const size_t i = kShort.find(c);
    if (i != std::string_view::npos)
      (out += '\\') += kLetters[i];
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    else
      out += c;
  }
  out += '"';
}

void append_json(std::string& out, const JsonValue& value, bool sorted) {
  switch (value.kind) {
    case Kind::kNull:
      out += "null";
      return;
    case Kind::kBoolean:
      out += value.boolean ? "true" : "false";
      return;
    case Kind::kInteger:
      out += value.text;
      return;
    case Kind::kReal:
      out += real_text(value.text);
      return;
    case Kind::kString:
      return append_quoted(out, value.text);
    case Kind::kArray: {
      out += '[';
      for (const JsonValue& item : value.items) {
        if (&item != value.items.data()) out += ',';
        append_json(out, item, sorted);
      }
      out += ']';
      return;
    }
    case Kind::kObject:
      return append_members(out, value, sorted);
  }
}

}  // namespace millrace::avro
