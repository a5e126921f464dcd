// The drafts' own schemas, by their URIs without fragment. The texts are in metaschemas/, compiled in.
#pragma once

#include <string_view>

namespace millrace::json_schema {

std::string_view metaschema_text(std::string_view uri);  // empty: none of theirs

}  // namespace millrace::json_schema
