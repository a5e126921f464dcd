// The one table of the API's paths: who may call them, what they take, what answers. docs/api/schema-registry.md holds it, too.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema-registry/api.h"

namespace millrace::registry {

struct Call;

struct Route {
  std::string_view method, path;  // a segment in braces is an argument
  std::string_view parameters;    // of the query, as they are written in the documentation
  Access access;
  std::string_view what;
  Result<std::string> (*run)(Call&);
  std::string_view act = {};  // what the audit log calls it; empty: it changes nothing
};

std::span<const Route> routes();
std::string_view name_of(Access access);

// Null: there is none; `allowed` then has the path's methods, or is empty.
const Route* find_route(std::string_view method, const std::vector<std::string>& path, std::string& allowed);

}  // namespace millrace::registry
