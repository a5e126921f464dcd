#include "event-gateway/http_target.h"

#include <fmt/format.h>

#include "event-gateway/http_message.h"

namespace millrace::gateway {
namespace {

Error bad_target(std::string_view what) {
  return error(Code::kInvalid, "MR-API-0013", fmt::format("the request's target is wrong: {}", what),
               "percent-encode names as UTF-8, as in /v1/streams/my%20stream/events");
}

// RFC 3629: the shortest form, no surrogates, nothing above U+10FFFF. Control characters are refused as well.
bool is_clean_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F) return false;
    const size_t size = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
    if (size == 0 || i + size > text.size()) return false;
    for (size_t n = 1; n < size; ++n) {
      if ((static_cast<unsigned char>(text[i + n]) & 0xC0) != 0x80) return false;
    }
    const auto second = size > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((c == 0xE0 && second < 0xA0) || (c == 0xED && second > 0x9F)) return false;
    if ((c == 0xF0 && second < 0x90) || (c == 0xF4 && second > 0x8F)) return false;
    i += size;
  }
  return true;
}

Status parse_query(std::string_view text, HttpTarget& target, bool repeating) {
  while (!text.empty()) {
    const size_t end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    TRY_ASSIGN(std::string name, percent_decode(pair.substr(0, equals)));
    std::string value;
    if (equals != std::string_view::npos) {
      TRY_ASSIGN(value, percent_decode(pair.substr(equals + 1)));
    }
    if (!repeating && target.parameter(name) != nullptr)
      return bad_target("the parameter \"" + name + "\" is given twice");
    target.query.emplace_back(std::move(name), std::move(value));
  }
  return {};
}

Status parse_path(std::string_view path, HttpTarget& target) {
  path.remove_prefix(1);
  while (true) {
    const size_t end = path.find('/');
    auto segment = percent_decode(path.substr(0, end));
    if (!segment.ok()) return segment.error();
    if (*segment == "." || *segment == "..") return bad_target("it has a \".\" or \"..\" segment");
    target.segments.push_back(std::move(*segment));
    if (end == std::string_view::npos) return {};
    path.remove_prefix(end + 1);
  }
}

Result<HttpTarget> parse(std::string_view text, bool repeating) {
  HttpTarget target;
  if (text.find('#') != std::string_view::npos) return bad_target("it has a fragment");
  const size_t scheme = text.find("://");
  if (!text.starts_with('/') && scheme != std::string_view::npos &&
      (iequals(text.substr(0, scheme), "http") || iequals(text.substr(0, scheme), "https"))) {
    text.remove_prefix(scheme + 3);
    const size_t end = text.find_first_of("/?");
    target.authority = std::string(text.substr(0, end));
    if (target.authority.empty()) return bad_target("it names no host");
    text = end == std::string_view::npos ? std::string_view() : text.substr(end);
    if (!text.starts_with('/')) {
      TRY(parse_path("/", target));
      if (text.starts_with('?')) TRY(parse_query(text.substr(1), target, repeating));
      return target;
    }
  }
  if (!text.starts_with('/')) return bad_target("it has to be a path that begins with /");
  const size_t question = text.find('?');
  TRY(parse_path(text.substr(0, question), target));
  if (question != std::string_view::npos) TRY(parse_query(text.substr(question + 1), target, repeating));
  return target;
}

}  // namespace

const std::string* HttpTarget::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return &value;
  }
  return nullptr;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_percent_encoded(std::string& out, std::string_view text) {
  static constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) return bad_target("a % is not followed by two hexadecimal digits");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_clean_utf8(out)) return bad_target("it has bytes that are not UTF-8 text, or control characters");
  return out;
}

Result<HttpTarget> parse_target(std::string_view text) {
  return parse(text, false);
}

Result<HttpTarget> parse_repeating_target(std::string_view text) {
  return parse(text, true);
}

bool split_authority(std::string_view authority, std::string_view& host, std::string_view& port) {
  port = {};
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return false;
    host = authority.substr(1, end - 1);
    authority.remove_prefix(end + 1);
    if (!authority.empty() && authority.front() != ':') return false;
    if (!authority.empty()) port = authority.substr(1);
  } else {
    const size_t colon = authority.find(':');
    host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  const bool digits = port.find_first_not_of("0123456789") == std::string_view::npos && port.size() <= 5;
  return digits && !host.empty() && host.find_first_of("@/?#,\\ \t") == std::string_view::npos;
}

}  // namespace millrace::gateway
