#include "json-schema/uri.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

namespace millrace::json_schema {

namespace {

struct Parts {
  std::optional<std::string_view> scheme;
  std::optional<std::string_view> authority;
  std::string_view path;
  std::optional<std::string_view> query;
  std::optional<std::string_view> fragment;
};

std::optional<std::string_view> take_scheme(std::string_view& rest) {
  const size_t colon = rest.find_first_of(":/?#");
  if (colon == rest.npos || colon == 0 || rest[colon] != ':') return std::nullopt;
  const std::string_view scheme = rest.substr(0, colon);
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.';
  };
  if (!std::all_of(scheme.begin(), scheme.end(), fits)) return std::nullopt;
  rest.remove_prefix(colon + 1);
  return scheme;
}

std::optional<std::string_view> cut_from(std::string_view& rest, char mark) {
  const size_t at = rest.find(mark);
  if (at == rest.npos) return std::nullopt;
  const std::string_view tail = rest.substr(at + 1);
  rest = rest.substr(0, at);
  return tail;
}

Parts parts_of(std::string_view uri) {
  Parts parts;
  parts.fragment = cut_from(uri, '#');
  parts.query = cut_from(uri, '?');
  parts.scheme = take_scheme(uri);
  if (uri.substr(0, 2) == "//") {
    uri.remove_prefix(2);
    const size_t end = std::min(uri.find('/'), uri.size());
    parts.authority = uri.substr(0, end);
    uri.remove_prefix(end);
  }
  parts.path = uri;
  return parts;
}

void drop_last_segment(std::string& path) {
  path.resize(path.rfind('/') == path.npos ? 0 : path.rfind('/'));
}

std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    const std::string_view name = segment[0] == '/' ? segment.substr(1) : segment;
    if (name == "..") drop_last_segment(out);
    if (name != "." && name != "..") {
      out += segment;
    } else if (path.empty() && segment[0] == '/') {
      out += '/';
    }
  }
  return out;
}

std::string merged(const Parts& base, std::string_view path) {
  if (base.authority && base.path.empty()) return fmt::format("/{}", path);
  return fmt::format("{}{}", base.path.substr(0, base.path.rfind('/') + 1), path);
}

std::string written(const Parts& parts) {
  std::string out;
  if (parts.scheme) out += fmt::format("{}:", *parts.scheme);
  if (parts.authority) out += fmt::format("//{}", *parts.authority);
  out += parts.path;
  if (parts.query) out += fmt::format("?{}", *parts.query);
  if (parts.fragment) out += fmt::format("#{}", *parts.fragment);
  return out;
}

}  // namespace

UriParts split_fragment(std::string_view uri) {
  const size_t hash = uri.find('#');
  if (hash == uri.npos) return {uri, {}};
  return {uri.substr(0, hash), uri.substr(hash + 1)};
}

std::string resolve_uri(std::string_view base_uri, std::string_view reference) {
  const Parts base = parts_of(base_uri);
  Parts out = parts_of(reference);
  std::string path;
  if (out.scheme || (out.authority && !base.scheme)) return std::string(reference);
  out.scheme = base.scheme;
  if (out.authority) return written(out);
  out.authority = base.authority;
  if (out.path.empty()) {
    out.path = base.path;
    if (!out.query) out.query = base.query;
  } else {
    path = without_dot_segments(out.path[0] == '/' ? std::string(out.path) : merged(base, out.path));
    out.path = path;
  }
  return written(out);
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [&](size_t at) -> int {
    const auto c = static_cast<unsigned char>(at < text.size() ? text[at] : 0);
    if (std::isxdigit(c) == 0) return -1;
    return std::isdigit(c) != 0 ? c - '0' : std::tolower(c) - 'a' + 10;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && digit(i + 1) >= 0 && digit(i + 2) >= 0) {
      out += static_cast<char>(digit(i + 1) << 4 | digit(i + 2));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace millrace::json_schema
