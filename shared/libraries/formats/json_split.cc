#include <cstring>

#include "formats/internal/json_scan.h"
#include "formats/json.h"

namespace millrace::formats {
namespace {

std::string_view without_space(std::string_view text) {
  const char* end = text.data() + text.size();
  const char* p = json::skip_space(text.data(), end);
  while (end > p && (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\r' || end[-1] == '\t')) --end;
  return {p, static_cast<size_t>(end - p)};
}

Error cannot_split(size_t at, std::string_view why) {
  return error(Code::kInvalid, "MR-EVT-0010",
               "the body is not JSON at byte " + std::to_string(at) + ": " + std::string(why),
               "send one object, an array of objects, or one object a line as application/x-ndjson");
}

// Behind the string that starts at p; the end of the text if it never closes.
const char* pass_string(const char* p, const char* end) {
  for (++p; p < end; ++p) {
    if (*p == '\\') {
      ++p;
    } else if (*p == '"') {
      return p + 1;
    }
  }
  return end;
}

// The end of an array's element: the first ',' or ']' that is in no string and no bracket.
const char* pass_element(const char* p, const char* end) {
  size_t depth = 0;
  while (p < end) {
    switch (*p) {
      case '"':
        p = pass_string(p, end);
        continue;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
        if (depth == 0) return p;
        --depth;
        break;
      case ']':
        if (depth == 0) return p;
        --depth;
        break;
      case ',':
        if (depth == 0) return p;
        break;
      default:
        break;
    }
    ++p;
  }
  return end;
}

Result<std::vector<std::string_view>> split_array(std::string_view body, const char* start) {
  const char* const end = start + body.size();
  std::vector<std::string_view> events;
  const char* p = json::skip_space(start + 1, end);
  if (p < end && *p == ']') {
    if (p + 1 != end) return cannot_split(static_cast<size_t>(p + 1 - start), "something follows the array");
    return events;
  }
  for (;;) {
    const char* const stop = pass_element(p, end);
    const auto at = static_cast<size_t>(stop - start);
    if (stop == end) return cannot_split(at, "the array is not closed");
    const std::string_view element = without_space({p, static_cast<size_t>(stop - p)});
    if (element.empty() || *stop == '}') return cannot_split(at, "an element of the array is missing");
    events.push_back(element);
    p = stop + 1;
    if (*stop == ',') continue;
    if (p != end) return cannot_split(at + 1, "something follows the array");
    return events;
  }
}

}  // namespace

Result<std::vector<std::string_view>> split_ndjson(std::string_view body) {
  std::vector<std::string_view> events;
  const char* p = body.data();
  const char* const end = p + body.size();
  while (p < end) {
    const auto* newline = static_cast<const char*>(std::memchr(p, '\n', static_cast<size_t>(end - p)));
    const char* const stop = newline == nullptr ? end : newline;
    std::string_view line(p, static_cast<size_t>(stop - p));
    if (line.empty() || static_cast<unsigned char>(line.back()) <= ' ' ||
        static_cast<unsigned char>(line[0]) <= ' ') {
      line = without_space(line);
    }
    if (!line.empty()) events.push_back(line);
    p = stop + 1;
  }
  return events;
}

Result<std::vector<std::string_view>> split_json(std::string_view body) {
  const std::string_view text = without_space(body);
  if (text.empty()) return cannot_split(0, "it is empty");
  if (text.front() == '[') return split_array(text, text.data());
  if (text.front() == '{') return std::vector<std::string_view>{text};
  return cannot_split(static_cast<size_t>(text.data() - body.data()), "neither an object nor an array");
}

std::optional<std::vector<JsonMember>> split_members(std::string_view object) {
  const std::string_view text = without_space(object);
  if (text.size() < 2 || text.front() != '{') return std::nullopt;
  const char* const end = text.data() + text.size();
  std::vector<JsonMember> members;
  const char* p = json::skip_space(text.data() + 1, end);
  if (*p == '}') return p + 1 == end ? std::optional(members) : std::nullopt;
  for (;;) {
    if (p == end || *p != '"') return std::nullopt;
    const char* const name = p + 1;
    p = pass_string(p, end);
    if (p == end) return std::nullopt;
    const std::string_view between(name, static_cast<size_t>(p - 1 - name));
    p = json::skip_space(p, end);
    if (p == end || *p != ':') return std::nullopt;
    const char* const stop = pass_element(p + 1, end);
    const std::string_view value = without_space({p + 1, static_cast<size_t>(stop - p - 1)});
    if (stop == end || *stop == ']' || value.empty()) return std::nullopt;
    members.push_back({between, value});
    if (*stop == '}') return stop + 1 == end ? std::optional(std::move(members)) : std::nullopt;
    p = json::skip_space(stop + 1, end);
  }
}

std::optional<std::string> read_json_string(std::string_view value) {
  if (value.size() < 2 || value.front() != '"') return std::nullopt;
  const char* const end = value.data() + value.size();
  json::Scan scan{.end = end};
  Arena arena;
  std::string_view text;
  if (json::take_string(scan, value.data(), arena, text) != end) return std::nullopt;
  return std::string(text);
}

bool is_json_number(std::string_view value) {
  const char* const end = value.data() + value.size();
  json::Scan scan{.end = end};
  return !value.empty() && json::skip_number(scan, value.data()) == end;
}

}  // namespace millrace::formats
