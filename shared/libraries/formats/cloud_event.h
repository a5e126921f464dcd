// CloudEvents 1.0: an event's envelope in the JSON format, as streams of them keep it, and the headers of the binary
// mode made into one.
//
// Errors: MR-CE-0002 … MR-CE-0006.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "event/batch.h"

namespace millrace::formats {

inline constexpr std::string_view kCloudEventPrefix = "ce_";  // of a column's name: an attribute's column

// Where a column of that name stands in an envelope: `ce_source` at the attribute `source`, `ce_data` at all of `data`,
// any other within `data`.
std::vector<std::string> cloud_event_path(const std::string& column);

// CloudEventReader checks attributes; what `data` holds is for the JsonValidator.
class CloudEventReader {
 public:
  struct Id {
    std::string_view source, id;
  };
  // Valid until the next call. `event` is an object that the validator has accepted, with Buffer::kPadding readable
  // bytes behind it.
  Result<Id> read(std::string_view event);

 private:
  Arena arena_;
};

// The attributes of an event in the binary mode, by their names in lower case, values decoded.
using CloudEventAttributes = std::vector<std::pair<std::string, std::string>>;
// The envelope of an event in the binary mode. An attribute's header has no type: it gets the one of its column in
// `columns`, if it reads as such, else it is text. `data` has Buffer::kPadding readable bytes behind it.
Result<std::string> to_cloud_event(const CloudEventAttributes& attributes, std::string_view content_type,
                                   std::string_view data, const Schema& columns);

}  // namespace millrace::formats
