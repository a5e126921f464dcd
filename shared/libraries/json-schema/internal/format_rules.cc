#include "json-schema/internal/format_rules.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

#include "json-schema/internal/pattern.h"

namespace millrace::json_schema {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_letter_or_digit(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}
bool is_one_of(char c, std::string_view of) {
  return of.find(c) != of.npos;
}

// What is left of a text that is read from its start.
class Rest {
 public:
  explicit Rest(std::string_view text) : text_(text) {}

  bool empty() const { return text_.empty(); }
  bool take(std::string_view any_of) {
    if (text_.empty() || !is_one_of(text_[0], any_of)) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Exactly so many digits; -1: they are not there.
  int number(size_t digits) {
    int value = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (i >= text_.size() || !is_digit(text_[i])) return -1;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(digits);
    return value;
  }
  size_t skip_digits() {
    const size_t count = std::min(text_.find_first_not_of("0123456789"), text_.size());
    text_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view text_;
};

// --- times ---------------------------------------------------------------------------------------------------------

bool take_date(Rest& rest) {
  const int year = rest.number(4);
  if (year < 0 || !rest.take("-")) return false;
  const int month = rest.number(2);
  if (month < 1 || month > 12 || !rest.take("-")) return false;
  const int day = rest.number(2);
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day >= 1 && day <= kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

// Minutes east of Greenwich.
std::optional<int> take_offset(Rest& rest) {
  if (rest.take("zZ")) return 0;
  const bool west = rest.take("-");
  if (!west && !rest.take("+")) return std::nullopt;
  const int hours = rest.number(2);
  if (hours < 0 || hours > 23 || !rest.take(":")) return std::nullopt;
  const int minutes = rest.number(2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  return (west ? -1 : 1) * (hours * 60 + minutes);
}

bool take_time(Rest& rest) {
  const int hour = rest.number(2);
  if (hour < 0 || hour > 23 || !rest.take(":")) return false;
  const int minute = rest.number(2);
  if (minute < 0 || minute > 59 || !rest.take(":")) return false;
  const int second = rest.number(2);
  if (second < 0 || second > 60 || (rest.take(".") && rest.skip_digits() == 0)) return false;
  const auto offset = take_offset(rest);
  if (!offset) return false;
  constexpr int kDay = 24 * 60;
  const int in_greenwich = ((hour * 60 + minute - *offset) % kDay + kDay) % kDay;
  return second < 60 || in_greenwich == kDay - 1;  // a leap second ends a day
}

bool is_date(std::string_view text) {
  Rest rest(text);
  return take_date(rest) && rest.empty();
}
bool is_time(std::string_view text) {
  Rest rest(text);
  return take_time(rest) && rest.empty();
}
bool is_date_time(std::string_view text) {
  Rest rest(text);
  return take_date(rest) && rest.take("tT") && take_time(rest) && rest.empty();
}

// Units one behind the other without a gap, as in RFC 3339's appendix A. Nothing: a text of another kind.
std::optional<size_t> take_units(Rest& rest, std::string_view units) {
  size_t taken = 0;
  size_t next = 0;
  while (rest.skip_digits() > 0) {
    const size_t from = next;
    while (next < units.size() && !rest.take(units.substr(next, 1))) ++next;
    if (next == units.size() || (taken > 0 && next != from)) return std::nullopt;
    ++next;
    ++taken;
  }
  return taken;
}

bool is_duration(std::string_view text) {
  Rest rest(text);
  if (!rest.take("P")) return false;
  if (text.back() == 'W') return rest.skip_digits() > 0 && rest.take("W") && rest.empty();
  const auto days = take_units(rest, "YMD");
  if (!days) return false;
  if (rest.empty()) return *days > 0;
  if (!rest.take("T")) return false;
  const auto times = take_units(rest, "HMS");
  return times && *times > 0 && rest.empty();
}

// --- the net -------------------------------------------------------------------------------------------------------

bool is_ipv4(std::string_view text) {
  in_addr address{};
  return inet_pton(AF_INET, std::string(text).c_str(), &address) == 1 && text.find('\0') == text.npos;
}
bool is_ipv6(std::string_view text) {
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1 && text.find('\0') == text.npos;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) { return is_letter_or_digit(c) || c == '-'; }) &&
         (label.size() < 4 || label.substr(2, 2) != "--" || label.substr(0, 4) == "xn--" ||
          label.substr(0, 4) == "XN--");
}

bool is_hostname(std::string_view text) {
  if (text.size() > 253) return false;
  for (;;) {
    const size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == text.npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_dot_atom(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != text.npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(c) || is_one_of(c, "!#$%&'*+-/=?^_`{|}~.") ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}

bool is_quoted(std::string_view text) {
  if (text.size() < 3 || text.front() != '"' || text.back() != '"') return false;
  text = text.substr(1, text.size() - 2);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      if (++i == text.size()) return false;
    } else if (text[i] == '"') {
      return false;
    }
  }
  return true;
}

bool is_mail_domain(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return is_hostname(text);
  text = text.substr(1, text.size() - 2);
  constexpr std::string_view kIpv6 = "IPv6:";
  return text.substr(0, kIpv6.size()) == kIpv6 ? is_ipv6(text.substr(kIpv6.size())) : is_ipv4(text);
}

bool is_idn_email(std::string_view text) {
  const size_t at = text.rfind('@');
  if (at == text.npos) return false;
  const std::string_view local = text.substr(0, at);
  const std::string_view domain = text.substr(at + 1);
  const bool international =
      std::any_of(domain.begin(), domain.end(), [](char c) { return (c & 0x80) != 0; });
  return (is_dot_atom(local) || is_quoted(local)) && (international || is_mail_domain(domain));
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}
bool is_email(std::string_view text) {
  return is_ascii(text) && is_idn_email(text);
}

// --- URIs ----------------------------------------------------------------------------------------------------------

bool has_uri_characters(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (static_cast<unsigned char>(text[i]) <= 0x20 || is_one_of(text[i], "\"<>\\^`{|}\x7f")) {
      return false;
    }
  }
  return true;
}

bool is_authority(std::string_view text) {
  if (const size_t at = text.rfind('@'); at != text.npos) {
    if (text.substr(0, at).find_first_of("[]@") != text.npos) return false;
    text.remove_prefix(at + 1);
  }
  std::string_view port;
  if (!text.empty() && text[0] == '[') {
    const size_t end = text.find(']');
    if (end == text.npos) return false;
    const std::string_view address = text.substr(1, end - 1);
    if (!is_ipv6(address) && (address.empty() || (address[0] | 0x20) != 'v')) return false;
    port = text.substr(end + 1);
    if (!port.empty() && port[0] != ':') return false;
  } else {
    port = text.substr(std::min(text.find(':'), text.size()));
    if (text.find_first_of("[]") != text.npos) return false;
  }
  return port.empty() || std::all_of(port.begin() + 1, port.end(), is_digit);
}

// What follows the scheme and its colon, or a whole text without one.
bool is_uri_behind_scheme(std::string_view text) {
  const size_t hash = text.find('#');
  if (hash != text.npos && text.find('#', hash + 1) != text.npos) return false;
  const bool has_authority = text.substr(0, 2) == "//";
  const std::string_view authority =
      has_authority ? text.substr(2, std::min(text.find_first_of("/?#", 2), text.size()) - 2)
                    : std::string_view();
  const std::string_view path = has_authority ? text.substr(2 + authority.size()) : text;
  return is_authority(authority) && path.find_first_of("[]") == path.npos;
}

size_t scheme_length(std::string_view text) {
  const size_t colon = text.find_first_of(":/?#");
  if (colon == text.npos || colon == 0 || text[colon] != ':') return 0;
  if (std::isalpha(static_cast<unsigned char>(text[0])) == 0) return 0;
  const bool fits = std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                                [](char c) { return is_letter_or_digit(c) || is_one_of(c, "+-."); });
  return fits ? colon : 0;
}

bool is_iri(std::string_view text) {
  const size_t scheme = scheme_length(text);
  return scheme > 0 && has_uri_characters(text) && is_uri_behind_scheme(text.substr(scheme + 1));
}
bool is_iri_reference(std::string_view text) {
  if (scheme_length(text) > 0) return is_iri(text);
  const std::string_view first = text.substr(0, text.find_first_of("/?#"));
  return first.find(':') == first.npos && has_uri_characters(text) && is_uri_behind_scheme(text);
}
bool is_uri(std::string_view text) {
  return is_ascii(text) && is_iri(text);
}
bool is_uri_reference(std::string_view text) {
  return is_ascii(text) && is_iri_reference(text);
}

bool is_uri_template(std::string_view text) {
  bool open = false;
  for (const char c : text) {
    if (c == (open ? '{' : '}')) return false;
    if (c == '{' || c == '}') open = c == '{';
  }
  return !open;
}

// --- others --------------------------------------------------------------------------------------------------------

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_json_pointer(std::string_view text) {
  if (text.empty()) return true;
  if (text[0] != '/') return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || !is_one_of(text[i + 1], "01"))) return false;
  }
  return true;
}

bool is_relative_json_pointer(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || (digits > 1 && text[0] == '0')) return false;
  return text.substr(digits) == "#" || is_json_pointer(text.substr(digits));
}

bool is_regex(std::string_view text) {
  return Pattern::compile(text).ok();
}

constexpr FormatRule kRules[] = {
    {"date", is_date},
    {"date-time", is_date_time},
    {"duration", is_duration},
    {"email", is_email},
    {"hostname", is_hostname},
    {"idn-email", is_idn_email},
    {"ipv4", is_ipv4},
    {"ipv6", is_ipv6},
    {"iri", is_iri},
    {"iri-reference", is_iri_reference},
    {"json-pointer", is_json_pointer},
    {"regex", is_regex, 10'000},
    {"relative-json-pointer", is_relative_json_pointer},
    {"time", is_time},
    {"uri", is_uri},
    {"uri-reference", is_uri_reference},
    {"uri-template", is_uri_template},
    {"uuid", is_uuid},
};

}  // namespace

const FormatRule* find_format(std::string_view name) {
  const auto found = std::find_if(std::begin(kRules), std::end(kRules),
                                  [&](const FormatRule& rule) { return rule.name == name; });
  return found == std::end(kRules) ? nullptr : &*found;
}

}  // namespace millrace::json_schema
