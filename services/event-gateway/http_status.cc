#include "event-gateway/http_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "formats/json.h"

namespace millrace::gateway {
namespace {

using formats::append_json_string;

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
  append_json_string(out, value);
}

// Errors quote input, and input may be any bytes; JSON text may not.
std::string valid_utf8(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t size = lead < 0x80                   ? 1
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                        : lead >= 0xE0 && lead < 0xF0 ? 3
                        : lead >= 0xF0 && lead < 0xF5 ? 4
                                                      : 0;
    const auto follows = [&](size_t n) { return (static_cast<unsigned char>(text[i + n]) & 0xC0) == 0x80; };
    bool good = size > 0 && i + size <= text.size();
    for (size_t n = 1; good && n < size; ++n) good = follows(n);
    if (good) {
      out.append(text.substr(i, size));
    } else {
      out += "\xEF\xBF\xBD";
    }
    i += good ? size : 1;
  }
  return out;
}

// Where the class alone says too little.
struct OwnStatus {
  std::string_view id;
  int status;
};
constexpr OwnStatus kOwnStatus[] = {
    {"MR-API-0002", 431},    // the request's header is too long
    {"MR-API-0003", 413},    // its body is
    {"MR-ING-0012", 413},    // what it becomes is
    {"MR-API-0017", 408},    // it did not come in time
    {"MR-API-0021", 505},    // another version of HTTP
    {"MR-API-0025", 426},    // it is for WebSocket clients
    {"MR-AUTH-0001", 401},   // another token helps
    {"MR-ING-0007", 422},    // another body under a used Idempotency-Key
    {"MR-QRY-0003", 422},    // more events than a SELECT reads: another statement helps, waiting does not
    {"MR-STEP-0005", 422},   // the query has stopped: its state has reached its bound
    {"MR-STEP-0008", 422},   // the same: its outputs do not fit into a frame
    {"MR-STATE-0007", 422},  // the same: its state fits neither into memory nor onto the disk
    {"MR-LOG-0004", 503},    // the disk is full: not this client's doing
    {"MR-FILE-0002", 503},  {"MR-META-0006", 503},
};

}  // namespace

bool waiting_helps(const Error& failure, int status) {
  return (status == 429 || status == 503) && failure.id != "MR-QRY-0001" && failure.id != "MR-DLQ-0010";
}

int status_of(const Error& failure) {
  for (const auto& own : kOwnStatus) {
    if (failure.id == own.id) return own.status;
  }
  switch (failure.code) {
    case Code::kInvalid:
      return 400;
    case Code::kNotFound:
      return 404;
    case Code::kConflict:
      return 409;
    case Code::kCorrupt:
      return 500;
    case Code::kExhausted:
      return 429;
    case Code::kUnavailable:
      return 503;
    case Code::kDeadline:
      return 504;
    case Code::kCancelled:
      return 499;
    case Code::kUnsupported:
      return 501;
    case Code::kDenied:
      return 403;
    case Code::kGone:
      return 410;
    case Code::kInternal:
      return 500;
  }
  return 500;
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

void append_problem(std::string& out, const Error& failure, int status, std::string_view request_id) {
  const std::string message = valid_utf8(failure.message);
  out += R"({"type":"about:blank","title":)";
  append_json_string(out, message);
  fmt::format_to(std::back_inserter(out), ",\"status\":{}", status);
  append_member(out, "code", failure.id);
  append_member(out, "message", message);
  append_member(out, "detail", valid_utf8(failure.detail));
  append_member(out, "hint", valid_utf8(failure.hint));
  if (failure.span && failure.span->line > 0) {
    const SourceSpan& s = *failure.span;
    fmt::format_to(std::back_inserter(out),
                   R"(,"span":{{"line":{},"column":{},"offset":{},"length":{}}},)"
                   R"("errors":[{{"line":{},"column":{},"length":{}}}])",
                   s.line, s.column, s.offset, s.length, s.line, s.column, s.length);
  }
  append_member(out, "request_id", request_id);
  out += '}';
}

void add_request_id(std::string& problem, std::string_view id) {
  problem.resize(problem.rfind('}'));
  append_member(problem, "request_id", id);
  problem += "}\n";
}

HttpAnswer problem(int status, const Error& failure) {
  HttpAnswer answer;
  answer.status = status;
  answer.content_type = kProblemType;
  append_problem(answer.body, failure, status);
  answer.body += '\n';
  if (status == 401) answer.fields = "WWW-Authenticate: Bearer\r\n";  // RFC 9110, 15.5.2: it has to
  return answer;
}

HttpAnswer problem(const Error& failure, double retry_after_s) {
  HttpAnswer answer = problem(status_of(failure), failure);
  if (waiting_helps(failure, answer.status)) {
    const double wait =
        std::isfinite(retry_after_s) ? std::clamp(std::ceil(retry_after_s), 1.0, 3600.0) : 1.0;
    answer.fields = fmt::format("Retry-After: {}\r\n", static_cast<int>(wait));
  }
  return answer;
}

}  // namespace millrace::gateway
