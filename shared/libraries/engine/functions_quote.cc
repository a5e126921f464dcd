// Texts put together of others: format(), literals of SQL, and one text in another's place.
#include <algorithm>

#include "engine/call_kernel.h"
#include "engine/quoted_name.h"
#include "engine/utf8.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

constexpr int64_t kMaxWidth = 64 * 1024;  // as lpad's

// PostgreSQL's: with a backslash in it, it is one of E'…'.
void append_literal(std::string& out, View text) {
  if (text.find('\\') != View::npos) out += 'E';
  out += '\'';
  for (const char c : text) out.append(c == '\'' || c == '\\' ? 2 : 1, c);
  out += '\'';
}
View quote_literal(Row& row, View text) {
  std::string out;
  append_literal(out, text);
  return row.keep(out);
}
View quote_ident(Row& row, View text) {
  std::string out;
  append_quoted_name(out, text);
  return row.keep(out);
}
void quote_nullable(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
                    Context& context) {
  set_type(out, Type::kText, context.batch.rows);
  out.valid.clear();
  Row row(call, out, context);
  for_rows(selection, context.batch.rows, [&](size_t i) {
    row.index = i;
    out.texts[i] = args[0].is_null(i) ? "NULL" : quote_literal(row, args[0].column->texts[args[0].at(i)]);
  });
}

// One row's format(): %[n$][-][width]type, where the width may be an argument, too.
class Formatter {
 public:
  Formatter(Row& row, std::span<const Operand> args, View format) : row_(row), args_(args), rest_(format) {}

  View write() {
    while (!rest_.empty() && !failed_) {
      const size_t plain = std::min(rest_.find('%'), rest_.size());
      out_.append(rest_.substr(0, plain));
      rest_.remove_prefix(plain);
      if (rest_.empty()) break;
      rest_.remove_prefix(1);
      if (!has_more()) break;
      rest_.front() == '%' ? plain_percent() : specifier();
      if (out_.size() > kMaxTextBytes) break;
    }
    return failed_ ? View() : row_.keep(out_);
  }

 private:
  using Text = std::optional<View>;  // nothing of NULL

  void fail(std::string why) {
    if (!failed_) row_.fail(kBadArgument, std::move(why));
    failed_ = true;
  }
  bool has_more() {
    if (rest_.empty()) fail("unterminated format() type specifier");
    return !rest_.empty();
  }
  bool take(char c) {
    if (failed_ || !has_more() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return has_more();
  }
  void plain_percent() {
    out_ += '%';
    rest_.remove_prefix(1);
  }
  std::optional<int64_t> number() {
    const size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (digits == 0 || failed_) return std::nullopt;
    const auto value = parse_bigint(rest_.substr(0, digits));
    rest_.remove_prefix(digits);
    if (!value.ok() || *value > INT32_MAX) return fail("number is out of range"), std::nullopt;
    return has_more() ? std::optional(*value) : std::nullopt;
  }

  void specifier() {
    bool left = false;
    int64_t width = 0;
    size_t place = 0;  // the argument's; 0: the next
    const auto first = number();
    if (first && !take('$')) {
      width = *first;
    } else {
      if (first) place = place_of(*first);
      while (take('-')) left = true;
      if (take('*'))
        width = width_argument();
      else
        width = number().value_or(0);
    }
    if (failed_) return;
    const char type = rest_.front();
    if (type != 's' && type != 'L' && type != 'I')
      return fail("unrecognized format() type specifier \"" + std::string(character_at(rest_, 0)) + "\"");
    rest_.remove_prefix(1);
    const Text value = argument(place);
    if (!failed_) append(value, type, left, width);
  }
  size_t place_of(int64_t number) {
    if (number == 0) fail("format specifies argument 0, but arguments are numbered from 1");
    return static_cast<size_t>(number);
  }
  int64_t width_argument() {
    size_t place = 0;
    if (const auto number = this->number()) {
      place = place_of(*number);
      if (!take('$')) fail("width argument position must be ended by \"$\"");
    }
    const Text text = argument(place);
    if (failed_ || !text) return 0;
    const auto width = parse_bigint(*text);
    if (!width.ok() || *width <= INT32_MIN || *width > INT32_MAX)
      return fail("a width must be an integer"), 0;
    return *width;
  }
  Text argument(size_t place) {
    if (place > 0) next_ = place;
    if (failed_ || next_ >= args_.size()) return fail("too few arguments for format()"), std::nullopt;
    const Operand& arg = args_[next_++];
    return arg.is_null(row_.index) ? Text() : arg.column->texts[arg.at(row_.index)];
  }

  void append(Text value, char type, bool left, int64_t width) {
    std::string quoted;
    if (type == 'L') {
      value ? append_literal(quoted, *value) : void(quoted = "NULL");
      value = quoted;
    }
    if (type == 'I') {
      if (!value) return fail("null values cannot be formatted as an SQL identifier");
      append_quoted_name(quoted, *value);
      value = quoted;
    }
    const View text = value.value_or(View());
    left = left || width < 0;
    const int64_t missing = width == 0 ? 0 : std::max<int64_t>(std::abs(width) - count_characters(text), 0);
    if (missing > kMaxWidth) {
      failed_ = true;
      return row_.fail(kLongText, "a width of format() is at most 65536");
    }
    if (!left) out_.append(static_cast<size_t>(missing), ' ');
    out_ += text;
    if (left) out_.append(static_cast<size_t>(missing), ' ');
  }

  Row& row_;
  std::span<const Operand> args_;
  View rest_;
  std::string out_;
  size_t next_ = 1;  // behind the format itself
  bool failed_ = false;
};

void format(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
            Context& context) {
  const bool nulls = strict_nulls(args.first(1), selection, context.batch.rows, out);
  set_type(out, Type::kText, context.batch.rows);
  Row row(call, out, context);
  for_rows(selection, context.batch.rows, [&](size_t i) {
    row.index = i;
    out.texts[i] = {};
    if (nulls && out.valid[i] == 0) return;
    out.texts[i] = Formatter(row, args, args[0].column->texts[args[0].at(i)]).write();
  });
}
std::vector<Signature> formats_of() {
  using enum Type;
  return {{.args = {kText}, .result = kText, .kernel = format, .strict = false},
          {.args = {kText, kText}, .result = kText, .kernel = format, .variadic = true, .strict = false}};
}

View overlay_for(Row& row, View text, View part, int64_t start, int64_t length) {
  if (start <= 0) return row.fail(kBadArgument, "negative substring length not allowed"), View();
  int64_t end = 0;
  if (__builtin_add_overflow(start, length, &end) || end > INT32_MAX || end < INT32_MIN)
    return row.fail(kIntegerOutOfRange, "integer out of range"), View();
  const View after = text.substr(offset_of(text, std::max<int64_t>(end, 1) - 1));
  std::string out(text.substr(0, offset_of(text, start - 1)));
  return row.keep(out.append(part).append(after));
}
View overlay(Row& row, View text, View part, int64_t start) {
  return overlay_for(row, text, part, start, count_characters(part));
}

}  // namespace

FunctionFamily quote_functions() {
  return {
      "Texts put together",
      {
          {"format",
           "The first argument with the others in it: `%s` a text, `%L` a literal of SQL, `%I` a name of "
           "SQL, `%%` a "
           "percent sign; "
           "`%2$s` the second, `%5s` and `%-5s` in so many characters, `%*s` in so many as an argument says",
           formats_of(),
           {{"format('%s is %L, %2$s, 100 %%', 'x', 'it''s')", "x is 'it''s', it's, 100 %"},
            {"format('|%-5s|%3s|', 'ab', 7)", "|ab   |  7|"},
            {"format('%I', 'a b')", "\"a b\""},
            {"format('%s')", "MR-SQL-0120"}},
           "format(text, any, …) → text"},
          {"quote_literal",
           "The text as a literal of SQL",
           {call<quote_literal>()},
           {{"quote_literal('it''s')", "'it''s'"}}},
          {"quote_ident",
           "The text as a name of SQL: in double quotes where it needs them",
           {call<quote_ident>()},
           {{"quote_ident('a b')", "\"a b\""},
            {"quote_ident('total')", "total"},
            {"quote_ident('order')", "\"order\""}}},
          {"quote_nullable",
           "The same; of NULL it is NULL as a text",
           {{.args = {Type::kText}, .result = Type::kText, .kernel = quote_nullable, .strict = false}},
           {{"quote_nullable(NULL)", "NULL"}}},
          {"overlay",
           "With another text from a place on, instead of as many characters or of so many; also "
           "`overlay(text "
           "PLACING text FROM n FOR n)`",
           {call<overlay>(), call<overlay_for>()},
           {{"overlay('Txxxxas', 'hom', 2, 4)", "Thomas"},
            {"overlay('Txxxxas' PLACING 'hom' FROM 2 FOR 4)", "Thomas"}}},
      }};
}

}  // namespace millrace::engine
