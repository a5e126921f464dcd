#include "formats/array_text.h"

#include "event/text.h"
#include "formats/internal/text_cursor.h"
#include "formats/text_types.h"

namespace millrace::formats {
namespace {

bool is_null_word(std::string_view text) {
  return text.size() == 4 && (text[0] | 32) == 'n' && (text[1] | 32) == 'u' && (text[2] | 32) == 'l' &&
         (text[3] | 32) == 'l';
}

// {a, "b", NULL}, from its brace on.
class Reader : TextCursor {
 public:
  Reader(Type array, std::string_view text)
      : TextCursor(text), array_(array), text_(text), made_(element_of(array)) {}

  Result<std::string> read() {
    skip_space();
    if (!take('{')) return malformed();
    skip_space();
    for (bool more = !take('}'); more;) {
      if (count_++ == kMaxArrayElements) return too_many();
      TRY(read_element());
      more = take(',');
      if (!more && !take('}')) return malformed();
      skip_space();
    }
    skip_space();
    if (!left_.empty()) return malformed();
    return made_.bytes();
  }

 private:
  Status read_element() {
    std::string value;
    const bool quoted = take('"');
    if (!(quoted ? read_quoted(value) : read_bare(value))) return malformed();
    skip_space();
    Scalar parsed;  // NULL
    if (quoted || !bare_null_) {
      TRY_ASSIGN(parsed, parse_value(element_of(array_), value));
    }
    made_.add(parsed);
    return {};
  }
  bool read_quoted(std::string& value) {
    for (; !left_.empty() && left_[0] != '"'; left_.remove_prefix(1)) {
      if (left_[0] == '\\') left_.remove_prefix(1);
      if (left_.empty()) return false;
      value += left_[0];
    }
    return take('"');
  }
  // Up to a comma or the closing brace, without the spaces around; an escaped character is itself, a space too.
  bool read_bare(std::string& value) {
    size_t kept = 0;
    bool escaped = false;
    for (; !left_.empty() && left_[0] != ',' && left_[0] != '}'; left_.remove_prefix(1)) {
      if (left_[0] == '{' || left_[0] == '"') return false;
      const bool escape = left_[0] == '\\';
      if (escape) left_.remove_prefix(1);
      if (left_.empty()) return false;
      value += left_[0];
      escaped = escaped || escape;
      if (escape || kSpace.find(left_[0]) == std::string_view::npos) kept = value.size();
    }
    value.resize(kept);
    bare_null_ = !escaped && is_null_word(value);
    return !value.empty();
  }
  Error malformed() const {
    return invalid_text(array_, text_, "an array of one dimension is written {1,2} or {\"a b\",NULL}");
  }
  Error too_many() const {
    return invalid_text(array_, text_,
                        "an array has at most " + std::to_string(kMaxArrayElements) + " elements");
  }

  Type array_;
  std::string_view text_;
  ArrayMaker made_;
  size_t count_ = 0;
  bool bare_null_ = false;
};

bool needs_quotes(std::string_view text) {
  return text.empty() || is_null_word(text) || text.find_first_of("{},\"\\") != std::string_view::npos ||
         text.find_first_of(kSpace) != std::string_view::npos;
}

void append_quoted(std::string& out, std::string_view text) {
  if (!needs_quotes(text)) return void(out += text);
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace

Result<Scalar> parse_value(Type type, std::string_view text) {
  switch (physical(type)) {
    case Physical::kNone:
      break;
    case Physical::kBoolean: {
      TRY_ASSIGN(const bool value, parse_boolean(text));
      return Scalar(value);
    }
    case Physical::kInteger: {
      TRY_ASSIGN(const int64_t value, parse_integer_text(type, text));
      return integer_scalar(type, value);
    }
    case Physical::kDouble: {
      TRY_ASSIGN(const double value, parse_double_text(type, text));
      return Scalar(value);
    }
    case Physical::kInterval: {
      TRY_ASSIGN(const Interval value, parse_interval(text));
      return Scalar(value);
    }
    case Physical::kText: {
      TRY_ASSIGN(std::string value, parse_text(type, text));
      return Scalar(std::move(value));
    }
  }
  return Scalar(std::string(text));
}

void append_output(std::string& out, const Column& column, size_t row) {
  switch (physical(column.type)) {
    case Physical::kNone:
      return;
    case Physical::kBoolean:
      out += column.booleans[row] != 0 ? 't' : 'f';
      return;
    case Physical::kInteger:
      return append_integer_text(out, column.type, column.integers[row]);
    case Physical::kDouble:
      return append_double_text(out, column.type, column.doubles[row]);
    case Physical::kText:
      return append_text(out, column.type, column.texts[row]);
    case Physical::kInterval:
      return append_interval(out, column.intervals[row]);
  }
}

Result<std::string> parse_array(Type array, std::string_view text) {
  return Reader(array, text).read();
}

void append_array(std::string& out, Type array, std::string_view bytes) {
  Column elements;
  Arena arena;
  std::string text;
  elements.type = element_of(array);
  append_elements(bytes, elements, arena);
  out += '{';
  for (size_t i = 0; i < elements.size(); ++i) {
    if (i > 0) out += ',';
    text.clear();
    if (elements.is_null(i)) {
      out += "NULL";
      continue;
    }
    append_output(text, elements, i);
    append_quoted(out, text);
  }
  out += '}';
}

}  // namespace millrace::formats
