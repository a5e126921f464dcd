// Regular expressions, by RE2. `~ ~* !~ !~*` are bound as regexp_like.
#include <array>
#include <cctype>

#include "engine/array_kernel.h"
#include "engine/regex.h"
#include "engine/utf8.h"

namespace millrace::engine {
namespace {

using View = std::string_view;
using Groups = std::array<View, kMaxRegexGroups + 1>;

struct Flags {
  bool ignore_case = false;
  bool all = false;
};

bool read_flags(Row& row, View text, bool may_be_global, Flags& flags) {
  for (const char c : text) {
    if (c == 'i' || c == 'c') {
      flags.ignore_case = c == 'i';
    } else if (c == 'g' && may_be_global) {
      flags.all = true;
    } else {
      row.fail(kBadArgument, "invalid regular expression option: \"" + std::string(1, c) + "\"");
      return false;
    }
  }
  return true;
}

// Null: the row has failed.
const Regex* compiled(Row& row, View pattern, bool ignore_case = false) {
  const Regex& regex = row.context.regexes.find(pattern, ignore_case);
  if (regex.error().empty()) return &regex;
  row.fail(kBadRegex, regex.error());
  return nullptr;
}

bool like_with_flags(Row& row, View text, View pattern, View options) {
  Flags flags;
  if (!read_flags(row, options, false, flags)) return false;
  const Regex* regex = compiled(row, pattern, flags.ignore_case);
  return regex != nullptr && regex->search(text, 0, {});
}
bool regexp_like(Row& row, View text, View pattern) {
  const Regex* regex = compiled(row, pattern);
  return regex != nullptr && regex->search(text, 0, {});
}

// The group, NULL where nothing matched.
View group_of(Row& row, const Regex& regex, View text, size_t group) {
  Groups groups;
  if (group <= regex.groups() && group <= kMaxRegexGroups && regex.search(text, 0, groups) &&
      groups[group].data() != nullptr) {
    return groups[group];
  }
  row.null();
  return {};
}
View regexp_extract(Row& row, View text, View pattern, int64_t group) {
  const Regex* regex = compiled(row, pattern);
  if (regex == nullptr) return {};
  return group_of(row, *regex, text, group < 0 ? kMaxRegexGroups + 1 : static_cast<size_t>(group));
}
View regexp_substr(Row& row, View text, View pattern) {
  return regexp_extract(row, text, pattern, 0);
}
View substring_of_pattern(Row& row, View text, View pattern) {
  const Regex* regex = compiled(row, pattern);
  return regex == nullptr ? View{} : group_of(row, *regex, text, regex->groups() > 0 ? 1 : 0);
}

// Calls f(groups) for every match; a match of nothing moves one character on.
template <typename F>
void for_matches(const Regex& regex, View text, F f) {
  Groups groups;
  for (size_t from = 0; from <= text.size() && regex.search(text, from, groups);) {
    const auto start = static_cast<size_t>(groups[0].data() - text.data());
    const size_t end = start + groups[0].size();
    if (!f(start, end, groups)) return;
    from = end > start ? end : end + (end < text.size() ? character_bytes(text, end) : 1);
  }
}

int64_t regexp_count(Row& row, View text, View pattern) {
  const Regex* regex = compiled(row, pattern);
  int64_t count = 0;
  if (regex != nullptr) for_matches(*regex, text, [&](size_t, size_t, const Groups&) { return ++count > 0; });
  return count;
}

// \1 to \9 are groups, \& is the match, \\ a backslash.
void append_replacement(std::string& out, View with, const Groups& groups, size_t known) {
  for (size_t i = 0; i < with.size(); ++i) {
    if (with[i] != '\\' || i + 1 == with.size()) {
      out += with[i];
      continue;
    }
    const char next = with[++i];
    if (next == '&') {
      out.append(groups[0]);
    } else if (next >= '1' && next <= '9') {
      if (static_cast<size_t>(next - '0') <= known) out.append(groups[static_cast<size_t>(next - '0')]);
    } else {
      if (next != '\\') out += '\\';
      out += next;
    }
  }
}

View replace_with_flags(Row& row, View text, View pattern, View with, View options) {
  Flags flags;
  if (!read_flags(row, options, true, flags)) return {};
  const Regex* regex = compiled(row, pattern, flags.ignore_case);
  if (regex == nullptr) return {};
  std::string out;
  size_t copied = 0;
  for_matches(*regex, text, [&](size_t start, size_t end, const Groups& groups) {
    out.append(text, copied, start - copied);
    append_replacement(out, with, groups, regex->groups());
    copied = end;
    return flags.all && out.size() <= kMaxTextBytes;
  });
  return row.keep(out.append(text, copied));
}
View regexp_replace(Row& row, View text, View pattern, View with) {
  return replace_with_flags(row, text, pattern, with, {});
}

// The groups of the first match, or the match.
TextArray match_with_flags(Row& row, View text, View pattern, View options) {
  Flags flags;
  if (!read_flags(row, options, false, flags)) return {};
  const Regex* regex = compiled(row, pattern, flags.ignore_case);
  if (regex == nullptr) return {};
  if (regex->groups() > kMaxRegexGroups)
    return row.fail(kBadArgument, "the pattern has more than 9 groups"), TextArray{};
  Groups groups;
  if (!regex->search(text, 0, groups)) return row.null(), TextArray{};
  ArrayMaker parts(Type::kText);
  for (size_t i = regex->groups() > 0 ? 1 : 0; i <= regex->groups(); ++i) {
    parts.add(groups[i].data() == nullptr ? Scalar() : Scalar(std::string(groups[i])));
  }
  return {made_array(row, parts.bytes(), Type::kText)};
}
TextArray regexp_match(Row& row, View text, View pattern) {
  return match_with_flags(row, text, pattern, {});
}

// A match of nothing splits inside of the text alone, and not right behind a match.
TextArray split_with_flags(Row& row, View text, View pattern, View options) {
  Flags flags;
  if (!read_flags(row, options, false, flags)) return {};
  const Regex* regex = compiled(row, pattern, flags.ignore_case);
  if (regex == nullptr) return {};
  ArrayMaker parts(Type::kText);
  size_t copied = 0;
  for_matches(*regex, text, [&](size_t start, size_t end, const Groups&) {
    if (start == end && (start == copied || end == text.size())) return true;
    parts.add(std::string(text.substr(copied, start - copied)));
    copied = end;
    return parts.bytes().size() <= kMaxTextBytes;
  });
  parts.add(std::string(text.substr(copied)));
  return {made_array(row, parts.bytes(), Type::kText)};
}
TextArray regexp_split(Row& row, View text, View pattern) {
  return split_with_flags(row, text, pattern, {});
}

// One character of SIMILAR TO's pattern that stands behind the escape character: itself, or a class like \d.
void append_escaped(std::string& out, View c) {
  const bool is_class = c.size() == 1 && View("dDsSwW").find(c[0]) != View::npos;
  const bool plain = c.size() > 1 || std::isalnum(static_cast<unsigned char>(c[0])) != 0;
  if (is_class || !plain) out += '\\';
  out += c;
}

// Outside of brackets: % and _ are LIKE's, | * + ? { } ( ) mean what they always do, all else is itself.
void append_similar(std::string& out, View c) {
  if (c == "%")
    out += ".*";
  else if (c == "_")
    out += '.';
  else if (c == "(")
    out += "(?:";
  else if (c == "." || c == "^" || c == "$" || c == "\\")
    out.append("\\").append(c);
  else
    out += c;
}

View similar_with_escape(Row& row, View pattern, View escape) {
  if (count_characters(escape) > 1)
    return row.fail("MR-SQL-0107", "the escape of SIMILAR TO must be empty or one character"), View();
  std::string out = "^(?:";
  size_t bracket = 0;  // where its content begins; 0: outside
  for (size_t at = 0; at < pattern.size();) {
    const View c = character_at(pattern, at);
    at += c.size();
    if (c == escape) {
      if (at == pattern.size())
        return row.fail("MR-SQL-0107", "the pattern ends with its escape character"), View();
      const View next = character_at(pattern, at);
      at += next.size();
      append_escaped(out, next);
    } else if (bracket == 0) {
      append_similar(out, c);
      if (c == "[") bracket = at + (pattern.substr(at).starts_with('^') ? 1 : 0);
    } else {
      if (c == "\\") out += '\\';
      out += c;
      if (c == "]" && at > bracket + 1) bracket = 0;
    }
  }
  return row.keep(out + ")$");
}
View similar_to_escape(Row& row, View pattern) {
  return similar_with_escape(row, pattern, "\\");
}

}  // namespace

FunctionFamily pattern_functions() {
  return {
      "Regular expressions",
      {
          {"regexp_like",
           "Whether the pattern matches somewhere; `i`: whatever the case; also `text ~ pattern`, `~*`, "
           "`!~`, `!~*`",
           {call<regexp_like>(), call<like_with_flags>()},
           {{"regexp_like('Hello World', 'world$', 'i')", "true"},
            {"'abc' ~ '^a.c$'", "true"},
            {"'abc' !~* 'B'", "false"}},
           {},
           1},
          {"regexp_replace",
           "The first match, with `g` all, becomes the third text, where `\\1` to `\\9` are groups and "
           "`\\&` is the match",
           {call<regexp_replace>(), call<replace_with_flags>()},
           {{"regexp_replace('Thomas', '.[mN]a.', 'M')", "ThM"},
            {"regexp_replace('a1b22', '([0-9]+)', '<\\1>', 'g')", "a<1>b<22>"}},
           {},
           1},
          {"regexp_match",
           "The groups of the first match, or the match if there are none; NULL if nothing matches",
           {call<regexp_match>(), call<match_with_flags>()},
           {{"regexp_match('a1b22', '([a-z])([0-9]+)')", "{a,1}"}, {"regexp_match('abc', 'B', 'i')", "{b}"}},
           {},
           1},
          {"regexp_split_to_array",
           "The parts of a text between the matches",
           {call<regexp_split>(), call<split_with_flags>()},
           {{"regexp_split_to_array('a, b,c', ',\\s*')", "{a,b,c}"}},
           {},
           1},
          {"regexp_substr",
           "The first match; NULL if there is none",
           {call<regexp_substr>()},
           {{"regexp_substr('foobarbaz', 'b..')", "bar"}},
           {},
           1},
          {"regexp_count",
           "The number of matches",
           {call<regexp_count>()},
           {{"regexp_count('123456', '[0-9]{2}')", "3"}},
           {},
           1},
          {"regexp_extract",
           "As in Flink: a group (0 to 9) of the first match, or the match; NULL if there is none",
           {call<regexp_substr>(), call<regexp_extract>()},
           {{"regexp_extract('x&channel_id=7', '(&|^)channel_id=([^&]*)', 2)", "7"}},
           {},
           1},
          {"similar_to_escape",
           "The regular expression of a pattern of `SIMILAR TO`, and its escape character if it is not `\\`",
           {call<similar_to_escape>(), call<similar_with_escape>()},
           {{"similar_to_escape('a%(b|c)_')", "^(?:a.*(?:b|c).)$"},
            {"'abcd' SIMILAR TO '%(b|x)c_'", "true"},
            {"'a.b' SIMILAR TO 'a.b|c+'", "true"},
            {"'axb' SIMILAR TO 'a.b'", "false"},
            {"'5%' NOT SIMILAR TO '[0-9]#%' ESCAPE '#'", "false"}}},
      }};
}

Signature substring_by_pattern() {
  return call<substring_of_pattern>();
}

}  // namespace millrace::engine
