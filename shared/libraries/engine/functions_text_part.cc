// Functions that look for something in a text, or take a part of it: they copy nothing.
#include <emmintrin.h>

#include <algorithm>

#include "engine/call_kernel.h"
#include "engine/utf8.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

int64_t octet_length(View text) {
  return static_cast<int64_t>(text.size());
}
int64_t bytes_of(Bytea bytes) {
  return octet_length(bytes.value);
}
int64_t bit_length(View text) {
  return octet_length(text) * 8;
}

int64_t strpos(View text, View part) {
  const size_t at = text.find(part);
  return at == View::npos ? 0 : count_characters(text.substr(0, at)) + 1;
}
int64_t position(View part, View text) {
  return strpos(text, part);
}
// From a character on, counted from 1.
int64_t locate_from(View part, View text, int64_t start) {
  if (start < 1) return 0;
  const size_t from = offset_of(text, start - 1);
  const size_t at = text.find(part, from);
  return at == View::npos ? 0 : count_characters(text.substr(0, at)) + 1;
}
bool starts_with(View text, View prefix) {
  return text.starts_with(prefix);
}

// The places from `start` (counted from 1) that are before the first one count.
View substring_for(Row& row, View text, int64_t start, int64_t length) {
  if (length < 0) {
    row.fail(kBadArgument, "negative substring length not allowed");
    return {};
  }
  int64_t end = 0;
  if (__builtin_add_overflow(start, length, &end)) end = INT64_MAX;
  const int64_t first = std::max<int64_t>(start, 1);
  if (end <= first) return {};
  const View rest = text.substr(offset_of(text, first - 1));
  return rest.substr(0, offset_of(rest, end - first));
}
View substring_from(View text, int64_t start) {
  return text.substr(offset_of(text, std::max<int64_t>(start, 1) - 1));
}
Bytea bytes_from(Bytea bytes, int64_t start) {
  const auto before = static_cast<uint64_t>(std::max<int64_t>(start, 1) - 1);
  return {bytes.value.substr(std::min(before, bytes.value.size()))};
}
Bytea bytes_for(Row& row, Bytea bytes, int64_t start, int64_t length) {
  int64_t end = 0;
  if (length < 0) return row.fail(kBadArgument, "negative substring length not allowed"), Bytea();
  if (__builtin_add_overflow(start, length, &end)) end = INT64_MAX;
  const int64_t first = std::max<int64_t>(start, 1);
  if (end <= first) return {};
  return {bytes_from(bytes, first).value.substr(0, static_cast<size_t>(end - first))};
}

// A count of characters that may be negative: then all but so many.
int64_t wanted(View text, int64_t n) {
  return n >= 0 ? n : std::max<int64_t>(count_characters(text) + n, 0);
}
View left(View text, int64_t n) {
  return text.substr(0, offset_of(text, wanted(text, n)));
}
View right(View text, int64_t n) {
  const int64_t all = count_characters(text);
  return text.substr(offset_of(text, all - std::min(all, wanted(text, n))));
}

bool contains(View characters, View character) {
  if (character.size() == 1) return characters.find(character[0]) != View::npos;
  return characters.find(character) != View::npos;
}
View trim_left(View text, View characters) {
  size_t at = 0;
  while (at < text.size() && contains(characters, character_at(text, at))) at += character_bytes(text, at);
  return text.substr(at);
}
View trim_right(View text, View characters) {
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
    if (!contains(characters, text.substr(last))) break;
    text = text.substr(0, last);
  }
  return text;
}
View trim_both(View text, View characters) {
  return trim_right(trim_left(text, characters), characters);
}
template <View (*kTrim)(View, View)>
View trim_spaces(View text) {
  return kTrim(text, " ");
}

// Where the byte stands in a text, one place after the other: sixteen bytes are looked at together.
class Places {
 public:
  Places(View text, char byte) : text_(text), byte_(byte) { look(); }

  size_t next() {
    while (found_ == 0) {
      block_ += kBlock;
      if (block_ >= text_.size()) return View::npos;
      look();
    }
    const size_t at = block_ + static_cast<size_t>(__builtin_ctz(found_));
    found_ &= found_ - 1;
    return at;
  }

 private:
  static constexpr size_t kBlock = 16;

  void look() {
    const size_t left = text_.size() - block_;
    if (left < kBlock && text_.size() < kBlock) {
      found_ = 0;
      for (size_t i = 0; i < left; ++i) found_ |= unsigned{text_[i] == byte_} << i;
      return;
    }
    const size_t back = left < kBlock ? kBlock - left : 0;  // the last block once more, from its end
    const auto* from = reinterpret_cast<const __m128i*>(text_.data() + block_ - back);
    const __m128i same = _mm_cmpeq_epi8(_mm_loadu_si128(from), _mm_set1_epi8(byte_));
    found_ = static_cast<unsigned>(_mm_movemask_epi8(same)) >> back;
  }

  View text_;
  char byte_;
  size_t block_ = 0;
  unsigned found_ = 0;  // of this block, a bit each
};

bool part_between(View text, char separator, int64_t n, View& part) {
  Places places(text, separator);
  size_t begin = 0;
  for (; n >= 0; --n) {
    const size_t end = places.next();
    part = text.substr(begin, end - begin);
    if (end == View::npos) return n == 0;
    begin = end + 1;
  }
  return true;
}

// Part n (from 0); false: there are fewer.
bool part_of(View text, View separator, int64_t n, View& part) {
  if (separator.size() == 1) return part_between(text, separator.front(), n, part);
  for (; n >= 0; --n) {
    const size_t end = separator.empty() ? View::npos : text.find(separator);
    part = text.substr(0, end);
    if (end == View::npos) return n == 0;
    text.remove_prefix(end + separator.size());
  }
  return true;
}
int64_t count_parts(View text, View separator) {
  int64_t parts = 1;
  if (separator.empty()) return parts;
  for (size_t at = text.find(separator); at != View::npos; at = text.find(separator, at + separator.size()))
    ++parts;
  return parts;
}

View split_part(Row& row, View text, View separator, int64_t n) {
  if (n == 0) {
    row.fail(kBadArgument, "field position must not be zero");
    return {};
  }
  View part;
  const int64_t index = n > 0 ? n - 1 : count_parts(text, separator) + n;
  return index >= 0 && part_of(text, separator, index, part) ? part : View{};
}

View split_index(Row& row, View text, View separator, int64_t index) {
  View part;
  if (text.empty() || index < 0 || !part_of(text, separator, index, part)) row.null();
  return part;
}

}  // namespace

FunctionFamily text_part_functions() {
  return {
      "Parts of texts",
      {
          {"length",
           "The number of characters, of a bytea of bytes",
           {call<count_characters>(), call<bytes_of>()},
           {{"length('añ€')", "3"}, {"length('\\x0102'::bytea)", "2"}}},
          {"char_length",
           "The number of characters",
           {call<count_characters>()},
           {{"char_length('añ€')", "3"}}},
          {"character_length",
           "The number of characters",
           {call<count_characters>()},
           {{"character_length('')", "0"}}},
          {"octet_length",
           "The number of bytes",
           {call<octet_length>(), call<bytes_of>()},
           {{"octet_length('añ€')", "6"}}},
          {"bit_length", "The number of bits", {call<bit_length>()}, {{"bit_length('ab')", "16"}}},
          {"strpos",
           "Where the second text starts in the first, counted from 1; 0 if it does not",
           {call<strpos>()},
           {{"strpos('high', 'ig')", "2"}}},
          {"position",
           "Where the first text starts in the second, also `position(part IN text)`",
           {call<position>()},
           {{"position('om' IN 'Thomas')", "3"}}},
          {"instr", "As in Flink: `strpos`", {call<strpos>()}, {{"instr('high', 'ig')", "2"}}},
          {"locate",
           "As in Flink: where the first text starts in the second, from a character on; 0 if it does not",
           {call<position>(), call<locate_from>()},
           {{"locate('a', 'banana')", "2"}, {"locate('a', 'banana', 3)", "4"}}},
          {"starts_with",
           "Whether the first text starts with the second",
           {call<starts_with>()},
           {{"starts_with('alphabet', 'alph')", "true"}}},
          {"substring",
           "From a character, or byte, counted from 1, so many or all, also `substring(text FROM n FOR n)`; "
           "or what a "
           "regular expression matches (its first group, if it has one)",
           {call<substring_from>(), call<substring_for>(), substring_by_pattern(), call<bytes_from>(),
            call<bytes_for>()},
           {{"substring('Thomas' FROM 2 FOR 3)", "hom"},
            {"substring('Thomas', 3)", "omas"},
            {"substring('Thomas' FROM '...$')", "mas"}},
           {},
           1},
          {"substr",
           "From a character, or byte, counted from 1, so many or all",
           {call<substring_from>(), call<substring_for>(), call<bytes_from>(), call<bytes_for>()},
           {{"substr('alphabet', 3, 2)", "ph"}}},
          {"left",
           "The first characters, or all but the last so many",
           {call<left>()},
           {{"left('abcde', 2)", "ab"}, {"left('abcde', -2)", "abc"}}},
          {"right",
           "The last characters, or all but the first so many",
           {call<right>()},
           {{"right('abcde', 2)", "de"}}},
          {"btrim",
           "Without the given characters, or spaces, at both ends; also `trim([BOTH] characters FROM text)`",
           {call<trim_spaces<trim_both>>(), call<trim_both>()},
           {{"btrim('xyxtrimyyx', 'xyz')", "trim"},
            {"trim('  a ')", "a"},
            {"trim(both 'x' from 'xax')", "a"}}},
          {"ltrim",
           "The same at the start; also `trim(LEADING …)`",
           {call<trim_spaces<trim_left>>(), call<trim_left>()},
           {{"ltrim('zzzytest', 'xyz')", "test"}, {"trim(leading from '  a ')", "a "}}},
          {"rtrim",
           "The same at the end; also `trim(TRAILING …)`",
           {call<trim_spaces<trim_right>>(), call<trim_right>()},
           {{"rtrim('testxxzx', 'xyz')", "test"}}},
          {"split_part",
           "The part between separators, counted from 1, from the end if negative; empty if there is none",
           {call<split_part>()},
           {{"split_part('a/b/c', '/', 2)", "b"}, {"split_part('a/b/c', '/', -1)", "c"}}},
          {"split_index",
           "As in Flink: the part between separators, counted from 0; NULL if there is none",
           {call<split_index>()},
           {{"split_index('a/b/c', '/', 1)", "b"}, {"split_index('a/b/c', '/', 3)", "NULL"}}},
      }};
}

}  // namespace millrace::engine
