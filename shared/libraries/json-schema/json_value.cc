#include "json-schema/json_value.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <numeric>

#include "base/utf8.h"

namespace millrace::json_schema {

namespace {

using Type = Value::Type;

SourceSpan place_of(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n'));
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {line + 1, static_cast<uint32_t>(offset - line_start + 1), static_cast<uint32_t>(offset), 1};
}

// Sorts the names; of members with one name the last value stays, at the first one's place, as Jackson keeps it.
void index_members(Value& object) {
  auto& members = object.members;
  auto& order = object.by_name;
  order.resize(members.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return members[a].name < members[b].name; });
  std::vector<bool> doubled(members.size());
  uint32_t first = 0;
  for (size_t i = 1; i < order.size(); ++i) {
    if (members[order[i]].name != members[order[first]].name) {
      first = static_cast<uint32_t>(i);
      continue;
    }
    members[order[first]].value = std::move(members[order[i]].value);
    doubled[order[i]] = true;
  }
  if (std::find(doubled.begin(), doubled.end(), true) == doubled.end()) return;
  std::vector<Member> kept;
  for (size_t i = 0; i < members.size(); ++i) {
    if (!doubled[i]) kept.push_back(std::move(members[i]));
  }
  members = std::move(kept);
  index_members(object);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Value> parse() {
    if (text_.size() > kMostTextBytes) return too_much(fmt::format("more than {} bytes", kMostTextBytes));
    if (!simdjson::validate_utf8(text_.data(), text_.size())) return wrong("the text is not UTF-8");
    Value root;
    TRY(value(root, 0));
    skip_space();
    if (at_ != text_.size()) return wrong("something follows the end of the value");
    return root;
  }

 private:
  Error wrong(std::string_view what) const {
    Error failure = error(Code::kInvalid, "MR-JSCH-0001", fmt::format("the schema is not JSON: {}", what),
                          "correct the text at this place");
    failure.span = place_of(text_, at_);
    return failure;
  }
  Error too_much(std::string_view what) const {
    return error(Code::kInvalid, "MR-JSCH-0002", fmt::format("the schema is too large: {}", what),
                 "split it into several schemas that refer to each other");
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Status value(Value& out, size_t depth) {
    if (depth > kMostDepth) return too_much(fmt::format("nested more than {} deep", kMostDepth));
    if (++values_ > kMostValues) return too_much(fmt::format("more than {} values", kMostValues));
    skip_space();
    const char next = at_ < text_.size() ? text_[at_] : '\0';
    if (next == '{') return object(out, depth);
    if (next == '[') return array(out, depth);
    if (next == '"') {
      out.type = Type::kString;
      return string(out.text);
    }
    if (next == '-' || (next >= '0' && next <= '9')) return number(out);
    return word(out);
  }

  Status word(Value& out) {
    if (take_word("null")) return {};
    out.type = Type::kBoolean;
    out.boolean = take_word("true");
    if (out.boolean || take_word("false")) return {};
    return wrong(at_ == text_.size() ? "the text ends where a value should stand" : "no value stands here");
  }

  Status array(Value& out, size_t depth) {
    out.type = Type::kArray;
    ++at_;
    if (take(']')) return {};
    do {
      TRY(value(out.items.emplace_back(), depth + 1));
    } while (take(','));
    if (!take(']')) return wrong("a comma or ']' is missing");
    return {};
  }

  Status object(Value& out, size_t depth) {
    out.type = Type::kObject;
    ++at_;
    if (take('}')) return {};
    do {
      Member& member = out.members.emplace_back();
      skip_space();
      if (at_ == text_.size() || text_[at_] != '"') return wrong("a member's name is missing");
      TRY(string(member.name));
      if (!take(':')) return wrong("':' is missing after a member's name");
      TRY(value(member.value, depth + 1));
    } while (take(','));
    if (!take('}')) return wrong("a comma or '}' is missing");
    index_members(out);
    return {};
  }

  bool take_digits() {
    const size_t from = at_;
    at_ = std::min(text_.find_first_not_of("0123456789", at_), text_.size());
    return at_ > from;
  }
  bool take_one(std::string_view of) {
    if (at_ == text_.size() || of.find(text_[at_]) == of.npos) return false;
    ++at_;
    return true;
  }

  Status number(Value& out) {
    const size_t from = at_;
    take_one("-");
    const bool zero = at_ < text_.size() && text_[at_] == '0';
    const size_t digits = at_;
    if (!take_digits() || (zero && at_ > digits + 1)) return wrong("a number is badly written");
    if (take_one(".") && !take_digits()) return wrong("digits are missing after the point");
    if (take_one("eE")) {
      take_one("+-");
      if (!take_digits()) return wrong("digits are missing in the exponent");
    }
    out.type = Type::kNumber;
    out.text = text_.substr(from, at_ - from);
    return {};
  }

  Status string(std::string& out) {
    ++at_;
    for (;;) {
      const size_t from = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20) {
        ++at_;
      }
      out.append(text_, from, at_ - from);
      if (at_ == text_.size()) return wrong("a string does not end");
      if (take_one("\"")) return {};
      if (!take_one("\\")) return wrong("a control character stands in a string");
      TRY(escape(out));
    }
  }

  Status escape(std::string& out) {
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (take_one("u")) return unicode_escape(out);
    const size_t which = at_ < text_.size() ? kLetters.find(text_[at_]) : kLetters.npos;
    if (which == kLetters.npos) return wrong("no such escape in a string");
    out += kMeanings[which];
    ++at_;
    return {};
  }

  Status unicode_escape(std::string& out) {
    uint32_t point = 0;
    if (!four_digits(point)) return wrong("\\u needs four hexadecimal digits");
    if (point >= 0xD800 && point < 0xDC00) {
      uint32_t low = 0;
      if (!take_word("\\u") || !four_digits(low) || low < 0xDC00 || low > 0xDFFF) {
        return wrong("half of a surrogate pair");
      }
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    } else if (point >= 0xDC00 && point < 0xE000) {
      return wrong("half of a surrogate pair");
    }
    append_utf8(out, point);
    return {};
  }
  bool four_digits(uint32_t& point) {
    static constexpr std::string_view kHex = "0123456789abcdef0123456789ABCDEF";
    for (int i = 0; i < 4; ++i, ++at_) {
      const size_t digit = at_ < text_.size() ? kHex.find(text_[at_]) : kHex.npos;
      if (digit == kHex.npos) return false;
      point = point << 4 | (digit & 15);
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t values_ = 0;
};

void write_string(std::string& out, std::string_view text) {
  static constexpr std::string_view kMeanings = "\"\\\b\f\n\r\t";
  static constexpr std::string_view kLetters = "\"\\bfnrt";
  out += '"';
  for (const char c : text) {
    const size_t which = kMeanings.find(c);
    if (which != kMeanings.npos) {
      out += '\\';
      out += kLetters[which];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void write(std::string& out, const Value& value, MemberOrder order);

void write_members(std::string& out, const Value& object, MemberOrder order) {
  out += '{';
  for (size_t i = 0; i < object.members.size(); ++i) {
    const Member& member = object.members[order == MemberOrder::kByName ? object.by_name[i] : i];
    if (i > 0) out += ',';
    write_string(out, member.name);
    out += ':';
    write(out, member.value, order);
  }
  out += '}';
}

void write(std::string& out, const Value& value, MemberOrder order) {
  switch (value.type) {
    case Type::kNull:
      out += "null";
      break;
    case Type::kBoolean:
      out += value.boolean ? "true" : "false";
      break;
    case Type::kNumber:
      out += value.text;
      break;
    case Type::kString:
      write_string(out, value.text);
      break;
    case Type::kArray:
      out += '[';
      for (size_t i = 0; i < value.items.size(); ++i) {
        if (i > 0) out += ',';
        write(out, value.items[i], order);
      }
      out += ']';
      break;
    case Type::kObject:
      write_members(out, value, order);
      break;
  }
}

}  // namespace

std::string_view to_string(Value::Type type) {
  static constexpr std::string_view kNames[] = {"null", "boolean", "number", "string", "array", "object"};
  return kNames[static_cast<size_t>(type)];
}

const Value* Value::find(std::string_view name) const {
  const auto found =
      std::lower_bound(by_name.begin(), by_name.end(), name,
                       [&](uint32_t place, std::string_view wanted) { return members[place].name < wanted; });
  if (found == by_name.end() || members[*found].name != name) return nullptr;
  return &members[*found].value;
}

Result<Value> parse_json(std::string_view text) {
  return Parser(text).parse();
}

std::string write_json(const Value& value, MemberOrder order) {
  std::string out;
  write(out, value, order);
  return out;
}

}  // namespace millrace::json_schema
