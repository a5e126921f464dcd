// Call: one request on its way through a route.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schema-registry/api.h"

namespace millrace::registry {

struct Call {
  Registry& registry;
  const RegistryRequest& request;
  std::vector<std::string> arguments;  // the path's, in order
  std::string context;                 // of /contexts/{context}/…; empty: none

  const TenantState& state() const { return registry.state(request.tenant); }
  const std::string& tenant() const { return request.tenant; }

  const std::string* parameter(std::string_view name) const;  // null: not given
  std::string text(std::string_view name) const;              // empty: not given
  bool flag(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;  // a parameter that may come again

  std::string scope() const;          // the first argument, a subject or a context; without one: of all
  std::string subject() const;        // the first argument; behind its alias
  std::string asked_subject() const;  // of ?subject=, else the context's; may have an empty name
  Result<Version> version(bool deleted) const;  // the second argument, of the subject

  // [offset, offset + limit) of so many.
  struct Page {
    size_t from, to;
  };
  Page page(size_t count) const;
};

inline constexpr size_t kMaxPage = 1'000;
inline constexpr size_t kMaxPageBytes = 16u << 20;  // a page ends behind the version that reaches it

// `latest` and -1 are 0 here. 42202
Result<int32_t> parse_version(std::string_view text);

}  // namespace millrace::registry
