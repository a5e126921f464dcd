#include "json-schema/internal/pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <optional>

namespace millrace::json_schema {

namespace {

// White space and line ends of ECMA-262.
constexpr std::string_view kSpace =
    R"(\t\n\v\f\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff})";
constexpr std::string_view kNotSpace =
    R"(\x{0}-\x{8}\x{e}-\x{1f}!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff})";
constexpr std::string_view kAnyButLineEnd = R"([^\n\r\x{2028}\x{2029}])";

// The long names of Unicode's general categories, which RE2 knows by the short ones.
constexpr std::pair<std::string_view, std::string_view> kCategories[] = {
    {"Cased_Letter", "LC"},
    {"Close_Punctuation", "Pe"},
    {"Connector_Punctuation", "Pc"},
    {"Control", "Cc"},
    {"Currency_Symbol", "Sc"},
    {"Dash_Punctuation", "Pd"},
    {"Decimal_Number", "Nd"},
    {"Enclosing_Mark", "Me"},
    {"Final_Punctuation", "Pf"},
    {"Format", "Cf"},
    {"Initial_Punctuation", "Pi"},
    {"Letter", "L"},
    {"Letter_Number", "Nl"},
    {"Line_Separator", "Zl"},
    {"Lowercase_Letter", "Ll"},
    {"Mark", "M"},
    {"Math_Symbol", "Sm"},
    {"Modifier_Letter", "Lm"},
    {"Modifier_Symbol", "Sk"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Open_Punctuation", "Ps"},
    {"Other", "C"},
    {"Other_Letter", "Lo"},
    {"Other_Number", "No"},
    {"Other_Punctuation", "Po"},
    {"Other_Symbol", "So"},
    {"Paragraph_Separator", "Zp"},
    {"Private_Use", "Co"},
    {"Punctuation", "P"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Spacing_Mark", "Mc"},
    {"Symbol", "S"},
    {"Titlecase_Letter", "Lt"},
    {"Uppercase_Letter", "Lu"},
    {"digit", "Nd"},
    {"punct", "P"},
};

std::string_view property_of(std::string_view name) {
  for (const std::string_view prefix :
       {"General_Category=", "gc=", "Script_Extensions=", "Script=", "scx=", "sc="}) {
    if (name.substr(0, prefix.size()) == prefix) name.remove_prefix(prefix.size());
  }
  for (const auto& [full, brief] : kCategories) {
    if (full == name) return brief;
  }
  return name;
}

// The pattern in RE2's spelling: what `\d`, `\s`, `.`, `\cX`, `\u…`, `\p{Letter}` mean is ECMA's.
class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern) {}

  Result<std::string> translate() {
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_++];
      if (c == '\\') {
        TRY(escape(false));
      } else if (c == '[') {
        TRY(character_class());
      } else if (c == '(') {
        TRY(group());
      } else if (c == '.') {
        out_ += kAnyButLineEnd;
      } else {
        out_ += c;
      }
    }
    return std::move(out_);
  }

 private:
  Error cannot(std::string_view what, std::string_view hint) const {
    return error(Code::kUnsupported, "MR-JSCH-0006", fmt::format("the pattern `{}` {}", pattern_, what),
                 std::string(hint));
  }
  Error wrong(std::string_view what) const { return cannot(what, "correct the pattern"); }

  Status group() {
    out_ += '(';
    if (peek() != '?') return {};
    const std::string_view rest = pattern_.substr(at_);
    for (const std::string_view look : {"?=", "?!", "?<=", "?<!"}) {
      if (rest.substr(0, look.size()) == look) {
        return cannot("looks ahead or behind, which takes time without bound",
                      "say it without: as two schemas in `allOf`, with `not`, or with other keywords");
      }
    }
    if (rest.substr(0, 2) == "?:") {
      out_ += "?:";
      at_ += 2;
      return {};
    }
    const size_t end = rest.find('>');
    if (rest.substr(0, 2) != "?<" || end == rest.npos) return wrong("has a group of an unknown kind");
    at_ += end + 1;  // the name of a group means nothing to a test
    return {};
  }

  Status character_class() {
    out_ += '[';
    if (peek() == '^') take();
    if (peek() == ']') {  // [] is nothing, [^] everything
      ++at_;
      const bool all = out_.back() == '^';
      out_.resize(out_.size() - (all ? 2 : 1));
      out_ += all ? "(?s:.)" : R"([^\x{0}-\x{10ffff}])";
      return {};
    }
    while (at_ < pattern_.size() && peek() != ']') TRY(class_part());
    if (at_ == pattern_.size()) return wrong("has a '[' without its ']'");
    take();
    return {};
  }

  // A character, a class or a range. Between a class and what follows, '-' is itself.
  Status class_part() {
    bool stands_for_many = is_class_escape();
    TRY(class_atom());
    if (peek() != '-' || at_ + 1 >= pattern_.size() || pattern_[at_ + 1] == ']') return {};
    const size_t dash = out_.size();
    take();
    stands_for_many |= is_class_escape();
    TRY(class_atom());
    if (stands_for_many) out_.insert(dash, 1, '\\');
    return {};
  }
  bool is_class_escape() const {
    constexpr std::string_view kClasses = "dDwWsSpP";
    return peek() == '\\' && at_ + 1 < pattern_.size() && kClasses.find(pattern_[at_ + 1]) != kClasses.npos;
  }
  Status class_atom() {
    if (peek() == '\\') {
      ++at_;
      TRY(escape(true));
    } else {
      if (peek() == '[' || peek() == '-') out_ += '\\';  // [: has no meaning of its own
      take();
    }
    while ((static_cast<unsigned char>(peek()) & 0xC0) == 0x80) take();  // the rest of its bytes
    return {};
  }

  Status escape(bool in_class) {
    if (at_ == pattern_.size()) return wrong("ends with '\\'");
    const char c = pattern_[at_++];
    switch (c) {
      case 's':
        add(in_class, kSpace);
        return {};
      case 'S':
        add(in_class, kNotSpace);
        return {};
      case 'b':
        out_ += in_class ? "\\x08" : "\\b";
        return {};
      case 'B':
        out_ += "\\B";
        return in_class ? Status(wrong("has \\B in a class")) : Status();
      case 'd':
      case 'D':
      case 'w':
      case 'W':
      case 't':
      case 'n':
      case 'v':
      case 'f':
      case 'r':
        out_ += '\\';
        out_ += c;
        return {};
      case '0':
        out_ += "\\x00";
        return {};
      case 'c':
        return control();
      case 'x':
        return point(2);
      case 'u':
        return unicode();
      case 'p':
      case 'P':
        return property(c, in_class);
      default:
        return literal(c, in_class);
    }
  }

  void add(bool in_class, std::string_view ranges) {
    out_ += in_class ? std::string(ranges) : fmt::format("[{}]", ranges);
  }

  Status literal(char c, bool in_class) {
    const auto byte = static_cast<unsigned char>(c);
    if (!in_class && std::isdigit(byte) != 0) return cannot("refers back to a group", "say it without");
    if (!in_class && c == 'k') return cannot("refers back to a group", "say it without");
    if (std::isalnum(byte) != 0) return wrong(fmt::format("has the unknown escape \\{}", c));
    if (byte < 0x80 && c != '_') out_ += '\\';
    out_ += c;
    return {};
  }

  Status control() {
    const auto letter = static_cast<unsigned char>(peek());
    if (std::isalpha(letter) == 0) return wrong("has \\c without a letter");
    ++at_;
    out_ += fmt::format("\\x{:02x}", letter & 31);
    return {};
  }

  std::optional<uint32_t> hex(size_t digits) {
    const std::string text(pattern_.substr(at_, digits));
    if (text.size() < digits || text.find_first_not_of("0123456789abcdefABCDEF") != text.npos)
      return std::nullopt;
    at_ += digits;
    return static_cast<uint32_t>(std::stoul(text, nullptr, 16));
  }

  Status point(size_t digits) {
    const auto value = hex(digits);
    if (!value) return wrong("has an escape with too few hexadecimal digits");
    out_ += fmt::format("\\x{{{:x}}}", *value);
    return {};
  }

  Status unicode() {
    if (peek() == '{') {
      const size_t end = pattern_.find('}', at_);
      if (end == pattern_.npos || end - at_ > 8 || end == at_ + 1) return wrong("has a \\u{ without its end");
      ++at_;
      TRY(point(end - at_));
      ++at_;
      return {};
    }
    const size_t from = at_;
    const auto high = hex(4);
    if (high && *high >= 0xD800 && *high < 0xDC00 && pattern_.substr(at_, 2) == "\\u") {
      at_ += 2;
      if (const auto low = hex(4); low && *low >= 0xDC00 && *low < 0xE000) {
        out_ += fmt::format("\\x{{{:x}}}", 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00));
        return {};
      }
    }
    at_ = from;
    return point(4);
  }

  Status property(char p, bool in_class) {
    const size_t end = pattern_.find('}', at_);
    if (peek() != '{' || end == pattern_.npos) return wrong("has \\p without {…}");
    const std::string_view name = pattern_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (name == "ASCII") {
      const std::string_view ascii = p == 'p' ? "[:ascii:]" : "[:^ascii:]";
      out_ += in_class ? std::string(ascii) : fmt::format("[{}]", ascii);
    } else if (name == "Any") {
      out_ += "\\p{Any}";
    } else {
      out_ += fmt::format("\\{}{{{}}}", p, property_of(name));
    }
    return {};
  }

  char peek() const { return at_ < pattern_.size() ? pattern_[at_] : '\0'; }
  void take() { out_ += pattern_[at_++]; }

  std::string_view pattern_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

Pattern::Pattern(std::string text) : text_(std::move(text)) {}
Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;

Result<Pattern> Pattern::compile(std::string_view pattern) {
  TRY_ASSIGN(const std::string translated, Translator(pattern).translate());
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(kMostPatternMemory);
  Pattern compiled{std::string(pattern)};
  compiled.expression_ = std::make_unique<re2::RE2>(translated, options);
  if (!compiled.expression_->ok()) {
    return error(
        Code::kUnsupported, "MR-JSCH-0006",
        fmt::format("the pattern `{}` cannot be carried out: {}", pattern, compiled.expression_->error()),
        "correct the pattern, or say it with a simpler one");
  }
  return compiled;
}

bool Pattern::is_in(std::string_view text) const {
  return expression_->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace millrace::json_schema
