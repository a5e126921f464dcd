#include "event-gateway/read_parameters.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "event/text.h"
#include "sql/errors.h"

namespace millrace::gateway {
namespace {

constexpr uint64_t kDefaultLimit = 1'000;

// Digits only, in range: a sign, a blank or a rest is no number.
template <typename T>
bool parse_whole(std::string_view text, T& out) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  return std::from_chars(text.data(), text.data() + text.size(), out).ec == std::errc();
}

Status set_from(const HttpBackend& backend, const std::string& from, engine::StreamReadRequest& request) {
  int64_t offset = 0;
  if (from == "start") {
    request.place = backend.streams->start_of(*request.stream);
  } else if (from == "end") {
    request.place = backend.streams->end_of();
  } else if (parse_whole(from, offset)) {
    if (!request.partition) {
      return bad_parameter("an offset needs its partition", "write partition=0&from=" + from);
    }
    request.offset = Offset(offset);
  } else if (from.find(':') != std::string::npos) {
    const auto time = parse_timestamp(from);
    if (!time.ok()) {
      return bad_parameter(fmt::format("\"{}\" is not a time", start_of(from, 40)),
                           "write it like 2024-05-01T12:00:00Z");
    }
    request.time = AppendTime(time->micros);
  } else {
    TRY_ASSIGN(request.place, engine::parse_cursor(from));
  }
  return {};
}

}  // namespace

Error bad_parameter(std::string message, std::string hint) {
  return error(Code::kInvalid, "MR-API-0011", std::move(message), std::move(hint));
}

Result<bool> quotes_numbers(const std::string& value) {
  if (value == "string") return true;
  if (value == "number") return false;
  return bad_parameter("numbers has to be \"string\" or \"number\"", "write numbers=string");
}

Result<engine::StreamPtr> find_stream(const HttpBackend& backend, TenantId tenant, const std::string& name) {
  const auto catalog = backend.catalog();
  const auto* entry = catalog->find(tenant, name);
  if (entry == nullptr) {
    std::vector<std::string> names;
    for (const auto* known : catalog->entries(tenant)) {
      if (known->stream != nullptr) names.push_back(known->definition.name);
    }
    std::string hint = sql::did_you_mean(name, names);
    if (hint.empty()) hint = "SHOW STREAMS lists them";
    return error(Code::kNotFound, "MR-API-0018",
                 fmt::format("there is no stream \"{}\"", start_of(name, 100)), std::move(hint));
  }
  if (entry->stream == nullptr) {
    return error(Code::kInvalid, "MR-API-0022",
                 fmt::format("\"{}\" is a view: it keeps rows, not events", name),
                 "read it with SELECT or SUBSCRIBE over POST /v1/sql");
  }
  return entry->stream;
}

Result<WantedEvents> wanted_events(const HttpBackend& backend, engine::StreamPtr stream,
                                   const ReadParameters& parameters) {
  WantedEvents wanted;
  wanted.limit = parameters.live ? UINT64_MAX : kDefaultLimit;
  wanted.request.stream = std::move(stream);
  std::string from = parameters.live ? "end" : "start";
  for (const auto& [name, value] : parameters.given) {
    if (name == "from") {
      from = value;
    } else if (name == "limit") {
      if (!parse_whole(value, wanted.limit) || wanted.limit == 0) {
        return bad_parameter("limit has to be a whole number above 0", "write limit=100");
      }
    } else if (name == "partition") {
      uint16_t partition = 0;
      if (!parse_whole(value, partition) || partition >= wanted.request.stream->partitions) {
        return bad_parameter(fmt::format("the stream has no partition \"{}\"", start_of(value, 20)),
                             fmt::format("it has partitions 0 to {}", wanted.request.stream->partitions - 1));
      }
      wanted.request.partition = PartitionId(partition);
    } else if (name == "numbers") {
      TRY_ASSIGN(wanted.quote_numbers, quotes_numbers(value));
    } else {
      return bad_parameter(fmt::format("\"{}\" is not a parameter here", start_of(name, 40)),
                           "there are: from, limit, partition, numbers");
    }
  }
  if (!parameters.last_seen.empty()) from = parameters.last_seen;
  TRY(set_from(backend, from, wanted.request));
  return wanted;
}

Status check_no_parameters(const HttpTarget& target) {
  if (target.query.empty()) return {};
  return bad_parameter(
      fmt::format("\"{}\" is not a parameter here", start_of(target.query.front().first, 40)),
      "there are none");
}

}  // namespace millrace::gateway
