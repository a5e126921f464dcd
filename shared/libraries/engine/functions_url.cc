// Texts as parts of a URL, as Flink's url_encode and url_decode have them: application/x-www-form-urlencoded, in UTF-8.
#include "engine/call_kernel.h"
#include "formats/text_types.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         View(".-*_").find(c) != View::npos;
}

View url_encode(Row& row, View text) {
  constexpr View kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_plain(c))
      out += c;
    else if (c == ' ')
      out += '+';
    else
      out.append(1, '%').append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
  }
  return row.keep(out);
}

// NULL of what is not encoded so.
View url_decode(Row& row, View text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const View digits = text.substr(i + 1, 2);
    if (digits.size() < 2 || digits.find(' ') != View::npos || !formats::append_unhexed(out, digits))
      return row.null(), View();
    i += 2;
  }
  if (!formats::is_utf8(out) || out.find('\0') != View::npos) return row.null(), View();
  return row.keep(out);
}

}  // namespace

FunctionFamily url_functions() {
  return {"URLs",
          {
              {"url_encode",
               "As in Flink: a text as part of a URL, a space as `+`",
               {call<url_encode>()},
               {{"url_encode('a b/é')", "a+b%2F%C3%A9"}}},
              {"url_decode",
               "As in Flink: the text of that; NULL where it is not encoded so",
               {call<url_decode>()},
               {{"url_decode('a+b%2F%C3%A9')", "a b/é"},
                {"url_decode('%4')", "NULL"},
                {"url_decode('% 1')", "NULL"}}},
          }};
}

}  // namespace millrace::engine
