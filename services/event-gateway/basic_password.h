// The password of `Authorization: Basic …`: where clients that know no bearer put a token.
#pragma once

#include <string>
#include <string_view>

namespace millrace::gateway {

// Of the field's value. Empty: it is not Basic, or not well formed.
std::string basic_password(std::string_view authorization);

}  // namespace millrace::gateway
