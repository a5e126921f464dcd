#include "formats/cloud_event.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/base64.h"
#include "event/type.h"
#include "formats/internal/json_scan.h"
#include "formats/json.h"

namespace millrace::formats {
namespace {

constexpr std::string_view kData = "data";
constexpr std::string_view kData64 = "data_base64";

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_attribute_name(std::string_view name) {
  return !name.empty() && name != kData &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || json::is_digit(c); });
}

Error bad_name(std::string_view name) {
  return error(Code::kInvalid, "MR-CE-0003",
               fmt::format("\"{:.60}\" is not the name of a CloudEvents attribute", name),
               "names have small letters a to z and digits only");
}

Error bad_value(std::string_view name, std::string_view wanted, std::string_view value) {
  return error(
      Code::kInvalid, "MR-CE-0004",
      fmt::format("the CloudEvents attribute \"{:.60}\" has to be {}, not \"{:.60}\"", name, wanted, value));
}

Error missing(std::string_view name) {
  return error(Code::kInvalid, "MR-CE-0002", fmt::format("the CloudEvents attribute \"{}\" is missing", name),
               "id, source, type and specversion are required");
}

Error bad_data(std::string message, std::string hint) {
  return error(Code::kInvalid, "MR-CE-0006", std::move(message), std::move(hint));
}

bool is_hex(char c) {
  return json::is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// The characters of RFC 3986, not its grammar: what they mean is the consumer's.
bool is_uri_reference(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (!is_letter(text[i]) && !json::is_digit(text[i]) &&
               std::string_view("-._~:/?#[]@!$&'()*+,;=").find(text[i]) == std::string_view::npos) {
      return false;
    }
  }
  return !text.empty();
}

bool is_uri(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || !is_uri_reference(text) || !is_letter(text.front())) return false;
  return std::ranges::all_of(text.substr(0, colon), [](char c) {
    return is_letter(c) || json::is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

// RFC 3339: parse_timestamp() takes other spellings, too.
bool is_time(std::string_view text) {
  return text.size() >= 20 && (text[10] == 'T' || text[10] == 't') && parse_timestamp(text).ok();
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_letter(c) || json::is_digit(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

std::string_view without_parameters(std::string_view media_type) {
  media_type = media_type.substr(0, media_type.find(';'));
  while (media_type.ends_with(' ') || media_type.ends_with('\t')) media_type.remove_suffix(1);
  return media_type;
}

bool is_media_type(std::string_view text) {
  text = without_parameters(text);
  const size_t slash = text.find('/');
  return slash != std::string_view::npos && is_token(text.substr(0, slash)) &&
         is_token(text.substr(slash + 1));
}

// Of a string that is UTF-8: no character of the C0 and C1 controls.
bool has_controls(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F) return true;
    if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

// What the specification says of an attribute's text; an extension may have any.
Status check_text(std::string_view name, std::string_view value) {
  if (has_controls(value)) return bad_value(name, "without control characters", "…");
  if (name == "specversion") {
    if (value == "1.0") return {};
    return error(Code::kInvalid, "MR-CE-0005",
                 fmt::format("the CloudEvents version \"{:.20}\" is not known here", value),
                 "send specversion 1.0");
  }
  if ((name == "id" || name == "type" || name == "subject") && value.empty())
    return bad_value(name, "a text that is not empty", value);
  if (name == "source" && !is_uri_reference(value)) return bad_value(name, "a URI reference", value);
  if (name == "dataschema" && !is_uri(value)) return bad_value(name, "a URI with its scheme", value);
  if (name == "time" && !is_time(value)) return bad_value(name, "a time of RFC 3339", value);
  if (name == "datacontenttype" && !is_media_type(value)) return bad_value(name, "a media type", value);
  return {};
}

constexpr std::string_view kTexts[] = {"specversion", "id",      "source",          "type",
                                       "time",        "subject", "datacontenttype", "dataschema"};

// A number, true or false: only extensions may have one.
Status check_plain(std::string_view name, std::string_view value) {
  if (std::ranges::find(kTexts, name) != std::end(kTexts)) return bad_value(name, "a string", value);
  if (value == "true" || value == "false") return {};
  const auto number = parse_bigint(value);
  if (number.ok() && *number >= INT32_MIN && *number <= INT32_MAX) return {};
  return bad_value(name, "a string, a boolean, or a whole number of 32 bits", value);
}

constexpr size_t kMaxAttributes = 200;

// One envelope, member by member.
struct Envelope {
  std::optional<std::string_view> id, source, type, specversion;
  std::vector<std::string_view> seen;
  bool data = false, data64 = false;

  Status add_text(std::string_view name, std::string_view value) {
    if (name == kData64) {
      data64 = true;
      if (is_base64(value)) return {};
      return bad_data("\"data_base64\" is not base64", "encode it as RFC 4648 says, with padding");
    }
    TRY(check_text(name, value));
    if (name == "id") id = value;
    if (name == "source") source = value;
    if (name == "type") type = value;
    if (name == "specversion") specversion = value;
    return {};
  }
  Status add_other(std::string_view name, std::string_view value) {
    if (name == kData64) return bad_data("\"data_base64\" has to be a string", "encode it as RFC 4648 says");
    if (value.front() == '{' || value.front() == '[')
      return bad_value(name, "a string, a boolean, or a whole number of 32 bits", value);
    return check_plain(name, value);
  }
  Status begin(std::string_view name) {
    if (name != kData && name != kData64 && !is_attribute_name(name)) return bad_name(name);
    if (std::ranges::find(seen, name) != seen.end())
      return error(Code::kInvalid, "MR-CE-0003",
                   fmt::format("the CloudEvents attribute \"{:.60}\" is given twice", name), "send it once");
    if (seen.size() == kMaxAttributes)
      return error(Code::kInvalid, "MR-CE-0003",
                   fmt::format("the event has more than {} attributes", kMaxAttributes),
                   "put them into its data");
    seen.push_back(name);
    return {};
  }
  Status check() const {
    if (!specversion) return missing("specversion");
    if (!id) return missing("id");
    if (!source) return missing("source");
    if (!type) return missing("type");
    if (data && data64) return bad_data("an event has \"data\" and \"data_base64\"", "send one of them");
    return {};
  }
};

Error not_json() {
  return error(Code::kInvalid, "MR-EVT-0001", "the event is not JSON");
}

constexpr std::string_view kNull = "null";

// In lower case: for media types case does not count.
std::string media_type_of(std::string_view content_type) {
  std::string type(without_parameters(content_type));
  std::ranges::transform(type, type.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return type;
}

// The media types whose data the JSON format holds as it is.
bool is_json_type(std::string_view type) {
  return type.empty() || type.ends_with("/json") || type.ends_with("+json");
}

// Exactly one value: what follows it would become members of the envelope.
bool is_json(std::string_view text) {
  json::Scan scan;
  scan.end = text.data() + text.size();
  const char* p = json::skip_space(text.data(), scan.end);
  if (p == scan.end) return false;
  p = json::skip_value(scan, p, 1);
  return p != nullptr && json::skip_space(p, scan.end) == scan.end && json::is_utf8(text);
}

bool reads_as(Type type, std::string_view value) {
  if (type == Type::kBoolean) return value == "true" || value == "false";
  if (!is_integer(type)) return false;
  const auto number = parse_bigint(value);
  return number.ok() && *number >= INT32_MIN && *number <= INT32_MAX && std::to_string(*number) == value;
}

void append_attribute(std::string& out, const std::string& name, const std::string& value,
                      const Schema& columns) {
  out += out.size() == 1 ? "" : ",";
  append_json_string(out, name);
  out += ':';
  for (const ColumnDef& column : columns) {
    if (column.path.size() == 1 && column.path.front() == name && reads_as(column.type, value)) {
      out += value;
      return;
    }
  }
  append_json_string(out, value);
}

Status append_data(std::string& out, std::string_view content_type, std::string_view data) {
  if (data.empty()) return {};
  const std::string type = media_type_of(content_type);
  if (is_json_type(type)) {
    if (!is_json(data)) return bad_data("the body is not JSON", "send its media type as Content-Type");
    out += ",\"data\":";
    out += data;
  } else if (type.starts_with("text/") && json::is_utf8(data)) {
    out += ",\"data\":";
    append_json_string(out, data);
  } else {
    out += ",\"data_base64\":\"";
    append_base64(out, data);
    out += '"';
  }
  return {};
}

// p is at the value; answers the place behind it.
Result<const char*> read_attribute(json::Scan& scan, const char* p, std::string_view name, Arena& arena,
                                   Envelope& envelope) {
  const char* const start = p;
  if (*p == '"' && name != kData) {
    std::string_view text;
    p = json::take_string(scan, p, arena, text);
    if (p == nullptr) return not_json();
    TRY(envelope.add_text(name, text));
    return p;
  }
  p = json::skip_value(scan, p, 1);
  if (p == nullptr) return not_json();
  const std::string_view text(start, static_cast<size_t>(p - start));
  if (name == kData) {
    envelope.data = text != kNull;
  } else if (text != kNull) {  // as good as not there
    TRY(envelope.add_other(name, text));
  }
  return p;
}

Result<const char*> read_member(json::Scan& scan, const char* p, Arena& arena, Envelope& envelope) {
  std::string_view name;
  p = json::take_string(scan, p, arena, name);
  if (p == nullptr) return not_json();
  TRY(envelope.begin(name));
  p = json::skip_space(p, scan.end);
  if (p == scan.end || *p != ':') return not_json();
  p = json::skip_space(p + 1, scan.end);
  if (p == scan.end) return not_json();
  return read_attribute(scan, p, name, arena, envelope);
}

}  // namespace

std::vector<std::string> cloud_event_path(const std::string& column) {
  if (column.starts_with(kCloudEventPrefix)) {
    const std::string name = column.substr(kCloudEventPrefix.size());
    if (name == kData || name == kData64 || is_attribute_name(name)) return {name};
  }
  return {std::string(kData), column};
}

Result<CloudEventReader::Id> CloudEventReader::read(std::string_view event) {
  arena_.clear();
  json::Scan scan;
  scan.end = event.data() + event.size();
  const char* p = json::skip_space(event.data(), scan.end);
  if (p == scan.end || *p != '{') return not_json();
  p = json::skip_space(p + 1, scan.end);
  Envelope envelope;
  while (p < scan.end && *p != '}') {
    TRY_ASSIGN(p, read_member(scan, p, arena_, envelope));
    p = json::skip_space(p, scan.end);
    if (p < scan.end && *p == ',') p = json::skip_space(p + 1, scan.end);
  }
  TRY(envelope.check());
  return Id{*envelope.source, *envelope.id};
}

Result<std::string> to_cloud_event(const CloudEventAttributes& attributes, std::string_view content_type,
                                   std::string_view data, const Schema& columns) {
  std::string out = "{";
  for (const auto& [name, value] : attributes) {
    if (!is_attribute_name(name)) return bad_name(name);
    append_attribute(out, name, value, columns);
  }
  if (!content_type.empty()) append_attribute(out, "datacontenttype", std::string(content_type), {});
  TRY(append_data(out, content_type, data));
  out += '}';
  return out;
}

}  // namespace millrace::formats
