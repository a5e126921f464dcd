#include <charconv>

#include "event-gateway/gateway.h"
#include "formats/json.h"

namespace millrace::gateway {
namespace {

void append_number(std::string& out, int64_t value) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void append_rejected(std::string& out, const RejectedEvent& rejected) {
  out += "{\"index\":";
  append_number(out, static_cast<int64_t>(rejected.index));
  out += ",\"code\":";
  formats::append_json_string(out, rejected.error.id);
  out += ",\"message\":";
  formats::append_json_string(out, rejected.error.message);
  out += '}';
}

void append_place(std::string& out, const log::BatchPlace& place) {
  out += "{\"partition\":";
  append_number(out, place.where.partition.value);
  out += ",\"first\":";
  append_number(out, place.first.value);
  out += ",\"count\":";
  append_number(out, place.count);
  out += '}';
}

}  // namespace

std::string to_json(const IngestAnswer& answer) {
  std::string out;
  out.reserve(160);
  out += "{\"accepted\":";
  append_number(out, static_cast<int64_t>(answer.accepted));
  out += ",\"rejected\":[";
  for (const auto& rejected : answer.rejected) {
    if (out.back() != '[') out += ',';
    append_rejected(out, rejected);
  }
  out += ']';
  if (answer.rejected_more > 0) {
    out += ",\"rejected_more\":";
    append_number(out, static_cast<int64_t>(answer.rejected_more));
  }
  if (answer.duplicates > 0) {
    out += ",\"duplicates\":";
    append_number(out, static_cast<int64_t>(answer.duplicates));
  }
  if (answer.dead_letters > 0) {
    out += ",\"dead_letters\":";
    append_number(out, static_cast<int64_t>(answer.dead_letters));
  }
  out += ",\"offsets\":[";
  for (const auto& place : answer.offsets) {
    if (out.back() != '[') out += ',';
    append_place(out, place);
  }
  out += "],\"cursor\":\"";
  out += engine::to_cursor(answer.cursor);
  out += "\",\"durability\":\"disk\"}";
  return out;
}

}  // namespace millrace::gateway
