#include "engine/dead_letter.h"

#include <fmt/format.h>

#include "event/text.h"
#include "formats/json.h"

namespace millrace::engine {

std::string to_json(const DeadLetter& letter) {
  std::string json = "{\"at\":\"";
  append_timestamp(json, Timestamp{letter.at.value});
  json += "\",\"cause\":";
  formats::append_json_string(json, letter.cause);
  json += ",\"code\":";
  formats::append_json_string(json, letter.code);
  json += ",\"message\":";
  formats::append_json_string(json, letter.message);
  json += ",\"stream\":";
  formats::append_json_string(json, letter.stream);
  json += letter.origin ? fmt::format(",\"partition\":{},\"offset\":{}", letter.origin->partition.value,
                                      letter.origin->offset.value)
                        : ",\"partition\":null,\"offset\":null";
  json += ",\"query\":";
  letter.query.empty() ? void(json += "null") : formats::append_json_string(json, letter.query);
  json += letter.lateness_us == 0 ? ",\"lateness_ms\":null"
                                  : fmt::format(",\"lateness_ms\":{}", letter.lateness_us / 1000);
  json += ",\"payload\":";
  formats::append_json_string(json, letter.payload);
  json += '}';
  return json;
}

}  // namespace millrace::engine
