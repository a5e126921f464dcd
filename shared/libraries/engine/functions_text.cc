// Functions that make one text of another: case, padding, replacing, joining.
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/call_kernel.h"
#include "engine/utf8.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

// repeat, lpad and rpad grow with a number, not with what came in: a smaller bound than || has, so that a
// batch of them stays small.
constexpr size_t kMaxPaddedBytes = 64 * 1024;

bool is_ascii(View text) {
  unsigned char seen = 0;
  for (const char c : text) seen |= static_cast<unsigned char>(c);
  return seen < 0x80;
}
char upper_ascii(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
char lower_ascii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Calls map(code point) for every character; a mapping changes a character's length by a few bytes at most.
template <typename Map>
View map_characters(Row& row, View text, Map map) {
  std::string out;
  out.reserve(text.size());
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t code = 0;
    const auto n = utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    if (n <= 0) {
      out += text[at++];
      continue;
    }
    std::array<utf8proc_uint8_t, 4> buffer{};
    const auto size = utf8proc_encode_char(map(code), buffer.data());
    out.append(reinterpret_cast<const char*>(buffer.data()), static_cast<size_t>(size));
    at += static_cast<size_t>(n);
  }
  return row.keep(out);
}

// Unicode's simple mapping. utf8proc has one of its own for the sharp s, which is two letters in upper case.
utf8proc_int32_t to_upper(utf8proc_int32_t code) {
  constexpr utf8proc_int32_t kSharpS = 0xDF;
  return code == kSharpS ? code : utf8proc_toupper(code);
}

template <char (*kAscii)(char), utf8proc_int32_t (*kUnicode)(utf8proc_int32_t)>
View change_case(Row& row, View text) {
  if (!is_ascii(text)) return map_characters(row, text, kUnicode);
  char* place = row.room(text.size());
  if (place == nullptr) return {};
  std::transform(text.begin(), text.end(), place, kAscii);
  return {place, text.size()};
}

bool is_word_character(utf8proc_int32_t code) {
  const auto category = utf8proc_category(code);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

View initcap(Row& row, View text) {
  bool inside = false;
  return map_characters(row, text, [&](utf8proc_int32_t code) {
    const auto mapped = inside ? utf8proc_tolower(code) : to_upper(code);
    inside = is_word_character(code);
    return mapped;
  });
}

View reverse(Row& row, View text) {
  char* place = row.room(text.size());
  if (place == nullptr) return {};
  char* end = place + text.size();
  for (size_t at = 0; at < text.size();) {
    const View c = character_at(text, at);
    end -= c.size();
    std::memcpy(end, c.data(), c.size());
    at += c.size();
  }
  return {place, text.size()};
}

View repeat(Row& row, View text, int64_t times) {
  if (times <= 0 || text.empty()) return {};
  const auto n = static_cast<size_t>(times);
  const bool fits = n <= kMaxPaddedBytes / text.size();
  char* place = row.room(fits ? n * text.size() : kMaxPaddedBytes + 1, kMaxPaddedBytes);
  if (place == nullptr) return {};
  for (size_t i = 0; i < n; ++i) std::memcpy(place + i * text.size(), text.data(), text.size());
  return {place, n * text.size()};
}

// The first `length` characters of fill fill fill …
size_t filled_bytes(View fill, int64_t length) {
  const int64_t whole = count_characters(fill);
  return static_cast<size_t>(length / whole) * fill.size() + offset_of(fill, length % whole);
}

template <bool kLeft>
View pad(Row& row, View text, int64_t length, View fill) {
  length = std::max<int64_t>(length, 0);
  const int64_t missing = length - count_characters(text);
  if (missing <= 0 || fill.empty()) return text.substr(0, offset_of(text, length));
  const bool fits = missing <= static_cast<int64_t>(kMaxPaddedBytes);
  const size_t filling = fits ? filled_bytes(fill, missing) : kMaxPaddedBytes + 1;
  char* place = row.room(text.size() + filling, kMaxPaddedBytes);
  if (place == nullptr) return {};
  char* at = kLeft ? place : place + text.size();
  for (size_t done = 0; done < filling; done += fill.size())
    std::memcpy(at + done, fill.data(), std::min(fill.size(), filling - done));
  std::memcpy(kLeft ? place + filling : place, text.data(), text.size());
  return {place, text.size() + filling};
}
template <bool kLeft>
View pad_with_spaces(Row& row, View text, int64_t length) {
  return pad<kLeft>(row, text, length, " ");
}

View replace(Row& row, View text, View from, View to) {
  size_t next = from.empty() ? View::npos : text.find(from);
  if (next == View::npos) return text;
  std::string out;
  size_t at = 0;
  for (; next != View::npos && out.size() <= kMaxTextBytes; next = text.find(from, at)) {
    out.append(text, at, next - at).append(to);
    at = next + from.size();
  }
  return row.keep(out.append(text, at));
}

// The characters of `from` become those at the same place of `to`, or nothing where `to` is shorter.
class Translation {
 public:
  Translation(View from, View to) {
    for (size_t f = 0, t = 0; f < from.size();) {
      const View key = character_at(from, f);
      const View value = t < to.size() ? character_at(to, t) : View{};
      const bool known = std::any_of(pairs_.begin(), pairs_.end(), [&](auto& p) { return p.first == key; });
      if (!known) pairs_.emplace_back(key, value);
      f += key.size();
      t += value.size();
    }
  }
  View operator()(View character) const {
    for (const auto& [key, value] : pairs_) {
      if (key == character) return value;
    }
    return character;
  }
  size_t size() const { return pairs_.size(); }

 private:
  std::vector<std::pair<View, View>> pairs_;
};

View translate(Row& row, View text, View from, View to) {
  constexpr size_t kMaxTranslated = 256;  // a text's cost is its length times this
  if (from.size() > kMaxTranslated * 4 || count_characters(from) > static_cast<int64_t>(kMaxTranslated)) {
    row.fail(kBadArgument, "translate takes at most 256 characters to replace");
    return {};
  }
  const Translation translation(from, to);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const View c = character_at(text, at);
    out.append(translation(c));
    at += c.size();
  }
  return row.keep(out);
}

View chr(Row& row, int64_t code) {
  std::array<utf8proc_uint8_t, 4> buffer{};
  if (code <= 0 || code > 0x10FFFF || !utf8proc_codepoint_valid(static_cast<utf8proc_int32_t>(code))) {
    row.fail(kBadArgument, code == 0 ? "null character not permitted" : "there is no such character");
    return {};
  }
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), buffer.data());
  return row.keep({reinterpret_cast<const char*>(buffer.data()), static_cast<size_t>(size)});
}

int64_t ascii(View text) {
  utf8proc_int32_t code = 0;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto n = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size()), &code);
  if (text.empty()) return 0;
  return n > 0 ? code : static_cast<unsigned char>(text[0]);
}

// LIKE … ESCAPE: the pattern with '\' as its escape character.
View like_escape(Row& row, View pattern, View escape) {
  if (count_characters(escape) > 1) {
    row.fail("MR-SQL-0107", "the escape of LIKE must be empty or one character");
    return {};
  }
  if (escape == "\\") return pattern;
  std::string out;
  bool escaped = false;
  for (size_t at = 0; at < pattern.size();) {
    const View c = character_at(pattern, at);
    at += c.size();
    if (c == escape && !escaped) {
      out += '\\';
      escaped = true;
      continue;
    }
    if (c == "\\" && !escaped) out += '\\';
    out.append(c);
    escaped = false;
  }
  return row.keep(out);
}

// concat and concat_ws: NULLs are left out. One pass counts, one copies.
View join(Row& row, View separator, std::span<const Operand> args) {
  size_t bytes = 0;
  size_t parts = 0;
  for (const Operand& arg : args) {
    if (arg.is_null(row.index)) continue;
    bytes += arg.column->texts[arg.at(row.index)].size();
    ++parts;
  }
  if (parts > 1) bytes += separator.size() * (parts - 1);
  char* const place = row.room(bytes);
  if (place == nullptr) return {};
  char* at = place;
  const auto append = [&at](View part) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  };
  for (const Operand& arg : args) {
    if (arg.is_null(row.index)) continue;
    append(arg.column->texts[arg.at(row.index)]);
    if (--parts > 0) append(separator);
  }
  return {place, bytes};
}

void concat(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
            Context& context) {
  set_type(out, Type::kText, context.batch.rows);
  out.valid.clear();
  Row row(call, out, context);
  for_rows(selection, context.batch.rows, [&](size_t i) {
    row.index = i;
    out.texts[i] = join(row, {}, args);
  });
}
void concat_ws(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
               Context& context) {
  const bool nulls = strict_nulls(args.first(1), selection, context.batch.rows, out);
  set_type(out, Type::kText, context.batch.rows);
  Row row(call, out, context);
  for_rows(selection, context.batch.rows, [&](size_t i) {
    row.index = i;
    out.texts[i] = {};
    if (nulls && out.valid[i] == 0) return;
    out.texts[i] = join(row, args[0].column->texts[args[0].at(i)], args.subspan(1));
  });
}
Signature joined(CallKernel kernel, std::vector<Type> args) {
  return {
      .args = std::move(args), .result = Type::kText, .kernel = kernel, .variadic = true, .strict = false};
}

}  // namespace

FunctionFamily text_functions() {
  return {
      "Texts",
      {
          {"lower",
           "All letters in lower case, by Unicode's simple mapping",
           {call<change_case<lower_ascii, utf8proc_tolower>>()},
           {{"lower('Straße ÉTÉ')", "straße été"}}},
          {"upper",
           "All letters in upper case, by Unicode's simple mapping",
           {call<change_case<upper_ascii, to_upper>>()},
           {{"upper('été 1')", "ÉTÉ 1"}}},
          {"initcap",
           "Every word's first letter in upper case, the others in lower case",
           {call<initcap>()},
           {{"initcap('hi THOMAS o''neil')", "Hi Thomas O'Neil"}}},
          {"concat",
           "The arguments as texts one behind the other; NULLs are left out",
           {joined(concat, {Type::kText})},
           {{"concat('a', NULL, 1, true)", "a1t"}},
           "concat(any, …) → text"},
          {"concat_ws",
           "The arguments after the first as texts, with the first between them; NULLs are left out",
           {joined(concat_ws, {Type::kText, Type::kText})},
           {{"concat_ws(', ', 'a', NULL, 2)", "a, 2"}},
           "concat_ws(text, any, …) → text"},
          {"repeat",
           "The text so many times, up to 64 KiB",
           {call<repeat>()},
           {{"repeat('ab', 3)", "ababab"}, {"repeat('ab', 1000000)", "MR-SQL-0108"}}},
          {"lpad",
           "Filled up on the left to a number of characters, up to 64 KiB, or cut to it; spaces if no "
           "filling is given",
           {call<pad_with_spaces<true>>(), call<pad<true>>()},
           {{"lpad('7', 3, '0')", "007"}, {"lpad('abc', 2)", "ab"}}},
          {"rpad",
           "The same on the right",
           {call<pad_with_spaces<false>>(), call<pad<false>>()},
           {{"rpad('hi', 5, 'xy')", "hixyx"}}},
          {"replace",
           "Every occurrence of the second text becomes the third",
           {call<replace>()},
           {{"replace('abcabc', 'bc', 'X')", "aXaX"}}},
          {"translate",
           "Every character of the second text becomes the one at its place in the third, or nothing",
           {call<translate>()},
           {{"translate('12345', '143', 'ax')", "a2x5"}}},
          {"reverse", "The characters in the other order", {call<reverse>()}, {{"reverse('añb')", "bña"}}},
          {"chr",
           "The character of a Unicode number",
           {call<chr>()},
           {{"chr(8364)", "€"}, {"chr(0)", "MR-SQL-0120"}}},
          {"unistr",
           "With characters in place of their Unicode numbers in hexadecimal: `\\XXXX`, `\\+XXXXXX`, "
           "`\\uXXXX`, `\\UXXXXXXXX`; `\\\\` is a backslash",
           {unicode_text()},
           {{"unistr('d\\0061t\\+000061')", "data"},
            {"unistr('\\D83D\\DE00')", "😀"},
            {"unistr('\\00')", "MR-SQL-0120"}}},
          {"ascii",
           "The Unicode number of the first character; 0 of an empty text",
           {call<ascii>()},
           {{"ascii('€uro')", "8364"}}},
          {"like_escape",
           "A LIKE pattern with another escape character, rewritten for `\\`: what `LIKE … ESCAPE` does",
           {call<like_escape>()},
           {{"like_escape('10#%%', '#')", "10\\%%"}, {"'10%' LIKE '10#%' ESCAPE '#'", "true"}}},
      }};
}

}  // namespace millrace::engine
