// URI references, as far as schemas refer to each other by them: RFC 3986, 5.2, and the fragment's escapes.
#pragma once

#include <string>
#include <string_view>

namespace millrace::json_schema {

struct UriParts {
  std::string_view uri;       // without '#' and what follows it
  std::string_view fragment;  // as written
};
UriParts split_fragment(std::string_view uri);

// `reference` as seen from `base`; both may be relative.
std::string resolve_uri(std::string_view base, std::string_view reference);

std::string percent_decoded(std::string_view text);  // a '%' that starts no escape stays as it is

}  // namespace millrace::json_schema
