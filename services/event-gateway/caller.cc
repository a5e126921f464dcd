#include "event-gateway/caller.h"

#include <fmt/format.h>

#include "event/text.h"

namespace millrace::gateway {

Error lacks_scope(const Caller& caller, std::string_view needed) {
  std::string has;
  for (const auto& text : caller.scopes.texts()) has += (has.empty() ? "" : ", ") + text;
  return error(
      Code::kDenied, "MR-AUTH-0002",
      fmt::format("the access token may not do this: it needs {}, and has {}", needed, start_of(has, 200)),
      "use a token with that scope; who administers the tenant can make one");
}

std::string who(const CallerPtr& caller) {
  if (caller == nullptr) return {};
  return fmt::format("token {}{}", caller->token, caller->in_file ? " of the tokens file" : "");
}

bool sees(const CallerPtr& caller, std::string_view name) {
  return caller == nullptr || caller->scopes.sees(name);
}

Status check_scope(const CallerPtr& caller, Scope scope, std::string_view name) {
  if (caller == nullptr || caller->scopes.allows(scope, name)) return {};
  return lacks_scope(*caller, fmt::format("{}:{}", name_of(scope), start_of(name, 100)));
}

}  // namespace millrace::gateway
