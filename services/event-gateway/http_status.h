// The one table from Code to an HTTP status, and the body of an error: RFC 9457's problem+json.
//
//   {"type":"about:blank","title":…,"status":429,"code":"MR-ING-0008","message":…,"detail":…,"hint":…,
//    "span":{"line":1,"column":8,"offset":7,"length":3},"errors":[{"line":1,"column":8,"length":3}]}
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "event-gateway/http_message.h"

namespace millrace::gateway {

int status_of(const Error& failure);
std::string_view reason_of(int status);
// A node that runs no queries, for one, will run none in a second either.
bool waiting_helps(const Error& failure, int status);

void append_problem(std::string& out, const Error& failure, int status, std::string_view request_id = {});
// To a whole one, as problem() makes it.
void add_request_id(std::string& problem, std::string_view id);
// The whole answer. retry_after_s goes out (whole seconds, at least 1) with 429 and 503, if waiting helps.
HttpAnswer problem(const Error& failure, double retry_after_s = 1);
HttpAnswer problem(int status, const Error& failure);

}  // namespace millrace::gateway
