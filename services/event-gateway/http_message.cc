#include "event-gateway/http_message.h"

#include <algorithm>
#include <charconv>

#include "event-gateway/http_status.h"
#include "event/letters.h"

namespace millrace::gateway {
namespace {

void append_number(std::string& out, uint64_t value, int base = 10) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value, base).ptr);
}

}  // namespace

void append_head(std::string& out, const HttpAnswer& answer, const HeadForm& form) {
  out += form.http11 ? "HTTP/1.1 " : "HTTP/1.0 ";
  append_number(out, static_cast<uint64_t>(answer.status));
  out += ' ';
  out += reason_of(answer.status);
  out += "\r\n";
  const bool has_content = answer.status != 204;
  if (has_content) {
    out += "Content-Type: ";
    out += answer.content_type;
    out += "\r\n";
  }
  out += form.date;
  out += answer.fields;
  if (form.sized && has_content) {
    out += "Content-Length: ";
    append_number(out, answer.body.size());
    out += "\r\n";
  } else if (form.http11 && has_content) {
    out += "Transfer-Encoding: chunked\r\n";
    out += form.trailer;
  }
  if (form.last) {
    out += "Connection: close\r\n";
  } else if (!form.http11) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

void append_upgrade_head(std::string& out, std::string_view date, std::string_view fields) {
  out += "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  out += date;
  out += fields;
  out += "\r\n";
}

void append_chunk(std::string& out, std::string_view piece) {
  append_number(out, piece.size(), 16);
  out += "\r\n";
  out += piece;
  out += "\r\n";
}

void append_last_chunk(std::string& out, std::string_view trailer) {
  out += "0\r\n";
  out += trailer;
  out += "\r\n";
}

void HttpHead::clear() {
  for (std::string* text :
       {&method,           &target,       &host,          &origin,          &content_type,
        &content_encoding, &accept,       &authorization, &idempotency_key, &last_event_id,
        &expect,           &request_id,   &upgrade,       &connection,      &ws_key,
        &ws_version,       &ws_protocols, &ws_extensions, &trace_parent,    &trace_state,
        &repeated}) {
    text->clear();
  }
  cloud_event.clear();
  http11 = keep_alive = true;
  chunked = accept_unknown = has_host = has_origin = has_idempotency_key = false;
  content_length.reset();
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_media_type(std::string_view content_type, std::string_view wanted) {
  return iequals(trim(content_type.substr(0, content_type.find(';'))), wanted);
}

std::string in_lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

namespace {

template <typename Matches>
bool any_of_list(std::string_view list, Matches matches) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (matches(list.substr(0, comma))) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

bool accepts(std::string_view accept, std::string_view type) {
  return any_of_list(accept, [&](std::string_view one) { return is_media_type(one, type); });
}

bool has_token(std::string_view list, std::string_view token) {
  return any_of_list(list, [&](std::string_view one) { return iequals(trim(one), token); });
}

}  // namespace millrace::gateway
