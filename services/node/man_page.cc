#include "node/man_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "node/cli.h"

namespace millrace::cli {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

std::string_view escape(char c) {
  switch (c) {
    case '\\':
      return "\\e";
    case '-':
      return "\\-";  // else it may come out as a hyphen, which nobody can paste
    case '\'':
      return "\\(aq";
    case '`':
      return "\\(ga";
    case '^':
      return "\\(ha";
    case '~':
      return "\\(ti";
    case '"':
      return "\\(dq";
    default:
      return {};
  }
}

// Of UTF-8; a line that begins with a dot would be a request.
std::string roff(std::string_view text) {
  std::string out;
  bool starts = true;
  for (const char c : text) {
    if (starts && c == '.') out += "\\&";
    const std::string_view special = escape(c);
    special.empty() ? out += c : out += special;
    starts = c == '\n';
  }
  return out;
}

}  // namespace

ManPage::ManPage(std::string_view name, int section, std::string_view what)
    : text_(fmt::format(".TH {} {} \"\" \"millrace {}\" \"Millrace\"\n.SH NAME\n{} \\- {}\n",
                        roff(upper(name)), section, kVersion, roff(name), roff(what))) {}

// A heading begins one itself.
std::string_view ManPage::begin_paragraph() const {
  const size_t last = text_.rfind('\n', text_.size() - 2) + 1;
  return text_.compare(last, 2, ".S") == 0 ? "" : ".PP\n";
}

void ManPage::heading(std::string_view text) {
  text_ += fmt::format(".SH {}\n", roff(text));
}

void ManPage::subheading(std::string_view text) {
  text_ += fmt::format(".SS {}\n", roff(text));
}

void ManPage::paragraph(std::string_view text) {
  std::string lines = roff(text);
  for (size_t at = lines.find('\n'); at != std::string::npos; at = lines.find('\n', at + 5))
    lines.replace(at, 1, "\n.br\n");
  text_ += fmt::format("{}{}\n", begin_paragraph(), lines);
}

void ManPage::item(std::string_view term, std::string_view text) {
  text_ += fmt::format(".TP\n.B {}\n{}\n", roff(term), roff(text));
}

void ManPage::verbatim(std::string_view lines) {
  text_ += fmt::format("{}.nf\n{}\n.fi\n", begin_paragraph(), roff(lines));
}

}  // namespace millrace::cli
