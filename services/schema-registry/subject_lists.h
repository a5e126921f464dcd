// Lists of names, as several routes answer them.
#pragma once

#include <string>
#include <vector>

#include "schema-registry/call.h"

namespace millrace::registry {

// Whether a subject is of the request's context and begins as `subjectPrefix` says.
bool has_prefix(const Call& call, const std::string& subject);
std::string names_json(const Call& call, std::vector<std::string> names);  // the page that is asked for

}  // namespace millrace::registry
