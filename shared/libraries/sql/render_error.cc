// An error as a person reads it: the line, the place underlined, and what to do.
#include <fmt/format.h>

#include <algorithm>

#include "sql/sql.h"

namespace millrace::sql {
namespace {

constexpr size_t kShownBefore = 120;  // bytes of a long line before and from the place
constexpr size_t kShownFrom = 120;

struct Window {
  std::string_view line;
  size_t before = 0;  // bytes of the line before the span
};

// The line that holds `offset`; a long one is cut to what is near it, at characters' borders.
Window line_at(std::string_view text, size_t offset) {
  offset = std::min(offset, text.size());
  const size_t newline = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  size_t end = std::min(text.find('\n', offset), text.size());
  const auto inside = [&](size_t i) {
    return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
  };
  if (offset - start > kShownBefore) start = offset - kShownBefore;
  while (inside(start) && start < offset) ++start;
  end = std::min(end, offset + kShownFrom);
  while (end > offset && inside(end)) --end;
  if (end > start && text[end - 1] == '\r') --end;
  return {text.substr(start, end - start), std::min(offset, end) - start};
}

// Every tab as one space and every control character as a dot, so that columns line up.
std::string shown(std::string_view bytes) {
  std::string out(bytes);
  for (char& c : out) {
    if (c == '\t') c = ' ';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '.';
  }
  return out;
}

size_t characters(std::string_view bytes) {
  return static_cast<size_t>(std::count_if(
      bytes.begin(), bytes.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string render_error(const Error& error, std::string_view text) {
  std::string out = fmt::format("error {}: {}\n", error.id, error.message);
  if (error.span && error.span->line > 0) {
    const SourceSpan& span = *error.span;
    const Window window = line_at(text, span.offset);
    const std::string_view marked = window.line.substr(window.before, span.length);
    const std::string number = std::to_string(span.line);
    const std::string margin(number.size(), ' ');
    out += fmt::format("{} --> line {}, column {}\n", margin, span.line, span.column);
    out += fmt::format("{} |\n{} | {}\n", margin, number, shown(window.line));
    out +=
        fmt::format("{} | {}{}\n", margin, std::string(characters(window.line.substr(0, window.before)), ' '),
                    std::string(std::max<size_t>(1, characters(marked)), '^'));
  }
  if (!error.detail.empty()) out += fmt::format("note: {}\n", error.detail);
  if (!error.hint.empty()) out += fmt::format("hint: {}\n", error.hint);
  return out;
}

}  // namespace millrace::sql
