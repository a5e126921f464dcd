#include "tests/fuzz/http_reference.h"

#include <charconv>

#include "tests/fuzz/require.h"

namespace millrace::fuzz {
namespace {

using gateway::iequals;

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";

bool is_token(std::string_view text) {
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && kTokenMarks.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

// Visible, a space or a tab, or beyond ASCII.
bool is_text(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7F) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view take_line(std::string_view& bytes) {
  const size_t end = bytes.find("\r\n");
  require(end != std::string_view::npos, "a line ends in CR LF", std::string(bytes));
  const auto line = bytes.substr(0, end);
  bytes.remove_prefix(end + 2);
  return line;
}

struct Framing {
  int lengths = 0;
  int encodings = 0;
  int hosts = 0;
};

void check_field(std::string_view line, const gateway::HttpHead& head, Framing& framing) {
  const size_t colon = line.find(':');
  require(colon != std::string_view::npos && is_token(line.substr(0, colon)), "a field has a name",
          std::string(line));
  require(is_text(line), "a field is text", std::string(line));
  const auto name = line.substr(0, colon);
  const auto value = trimmed(line.substr(colon + 1));
  if (iequals(name, "Content-Length")) {
    uint64_t length = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), length);
    require(parsed.ec == std::errc() && parsed.ptr == value.data() + value.size(), "a length is digits");
    require(head.content_length == length, "the length is the field's", std::string(value));
    ++framing.lengths;
  } else if (iequals(name, "Transfer-Encoding")) {
    require(iequals(value, "chunked") && head.chunked, "the only encoding is chunked", std::string(value));
    ++framing.encodings;
  } else if (iequals(name, "Host")) {
    require(head.has_host, "Host is seen");
    require(framing.hosts++ == 0 || !head.repeated.empty(), "a second Host is noticed");
  }
}

void check_start_line(std::string_view line, const gateway::HttpHead& head) {
  const std::string again = head.method + " " + head.target + (head.http11 ? " HTTP/1.1" : " HTTP/1.0");
  require(line == again, "the start line has a method, a target and a version", std::string(line));
  require(is_token(head.method), "a method is a token", head.method);
  require(
      is_text(head.target) && head.target.find_first_of(" \t") == std::string::npos && !head.target.empty(),
      "a target has no gaps", head.target);
}

}  // namespace

void check_head(std::string_view bytes, const gateway::HttpHead& head) {
  check_start_line(take_line(bytes), head);
  Framing framing;
  for (auto line = take_line(bytes); !line.empty(); line = take_line(bytes)) check_field(line, head, framing);
  require(bytes.empty(), "a head ends at its empty line", std::string(bytes));
  require(framing.lengths + framing.encodings <= 1, "one thing says how long the body is");
  require(framing.lengths == (head.content_length ? 1 : 0), "a length comes from a field");
  require(framing.encodings == (head.chunked ? 1 : 0), "chunks are announced");
  require(!head.chunked || head.http11, "HTTP/1.0 has no chunks");
}

void check_chunks(std::string_view bytes, std::string_view content) {
  while (true) {
    const auto line = take_line(bytes);
    size_t size = 0;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    require(parsed.ec == std::errc() && line.front() != '-', "a chunk has a size", std::string(line));
    const auto rest = line.substr(static_cast<size_t>(parsed.ptr - line.data()));
    require(rest.empty() || trimmed(rest).starts_with(';'), "behind the size come extensions",
            std::string(line));
    require(is_text(rest), "extensions are text", std::string(line));
    if (size == 0) break;
    require(size <= bytes.size() && size <= content.size(), "a chunk is as long as it says");
    require(bytes.substr(0, size) == content.substr(0, size), "chunks are the content");
    require(bytes.substr(size, 2) == "\r\n", "a chunk ends in CR LF");
    bytes.remove_prefix(size + 2);
    content.remove_prefix(size);
  }
  require(content.empty(), "all content is in chunks", std::string(content));
  while (!take_line(bytes).empty()) {
  }
  require(bytes.empty(), "a body ends at the empty line", std::string(bytes));
}

}  // namespace millrace::fuzz
