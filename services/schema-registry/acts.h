// What a request has changed, in words for an audit log.
#pragma once

#include <string>
#include <vector>

#include "schema-registry/fact.h"

namespace millrace::registry {

// "orders-value: version 3 id 7"; of rules and metadata in a config the keys alone: what they hold may be no one's business.
std::string words_of(const std::vector<Fact>& facts);
// Of what a path names: a subject or context, or, empty, all.
std::string name_of_scope(const std::string& scope);

}  // namespace millrace::registry
