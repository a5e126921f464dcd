#include "formats/row_text.h"

#include "event/text.h"
#include "formats/array_text.h"
#include "formats/internal/text_cursor.h"

namespace millrace::formats {
namespace {

// (a, "b"), from its parenthesis on.
class Reader : TextCursor {
 public:
  Reader(Type row, std::string_view text) : TextCursor(text), row_(row), text_(text) {}

  Result<std::string> read() {
    skip_space();
    if (!take('(')) return malformed();
    const Schema& fields = fields_of(row_);
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0 && !take(',')) return malformed();
      TRY(read_field(fields[i]));
    }
    if (!take(')')) return malformed();
    skip_space();
    if (!left_.empty()) return malformed();
    return std::move(bytes_);
  }

 private:
  Status read_field(const ColumnDef& field) {
    one_.type = field.type;
    one_.clear();
    value_.clear();
    Scalar parsed;  // NULL: nothing is written
    if (!left_.empty() && left_[0] != ',' && left_[0] != ')') {
      if (!read_value()) return malformed();
      TRY_ASSIGN(parsed, parse_value(field.type, value_));
    }
    one_.append(parsed);
    append_ordered(bytes_, one_, 0);
    return {};
  }
  // Up to a comma or the closing parenthesis, spaces too; parts of it may stand in quotes.
  bool read_value() {
    for (bool quoted = false; quoted || (left_[0] != ',' && left_[0] != ')');) {
      const char c = left_[0];
      left_.remove_prefix(1);
      const bool twice = quoted && c == '"' && left_.starts_with('"');
      if (c == '"' && !twice) {
        quoted = !quoted;
      } else if (c == '\\' || twice) {
        if (left_.empty()) return false;
        value_ += left_[0];
        left_.remove_prefix(1);
      } else {
        value_ += c;
      }
      if (left_.empty()) return false;
    }
    return true;
  }
  Error malformed() const {
    return invalid_text(row_, text_,
                        "a row is written (1,\"a b\",), with each of its " +
                            std::to_string(fields_of(row_).size()) + " fields, nothing for NULL");
  }

  Type row_;
  std::string_view text_;
  Column one_;
  std::string value_;
  std::string bytes_;
};

bool needs_quotes(std::string_view text) {
  return text.empty() || text.find_first_of("(),\"\\ \t\n\r\f\v") != std::string_view::npos;
}

void append_quoted(std::string& out, std::string_view text) {
  if (!needs_quotes(text)) return void(out += text);
  out += '"';
  for (const char c : text) out.append(c == '"' || c == '\\' ? 2 : 1, c);
  out += '"';
}

}  // namespace

Result<std::string> parse_row(Type row, std::string_view text) {
  return Reader(row, text).read();
}

void append_row(std::string& out, Type row, std::string_view bytes) {
  std::string text;
  char before = '(';
  visit_fields(bytes, row, [&](const ColumnDef&, const Column& value) {
    out += before;
    before = ',';
    text.clear();
    if (value.is_null(0)) return;
    append_output(text, value, 0);
    append_quoted(out, text);
  });
  out += ')';
}

}  // namespace millrace::formats
