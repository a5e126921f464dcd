// The API's bodies: what requests bring, what answers hold.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/json_text.h"
#include "schema-registry/call.h"

namespace millrace::registry {

Result<Candidate> read_candidate(const std::string& body);
// POST …/tags, for the version that it is about.
Result<Candidate> read_tags(const std::string& body, const Version& of);
Result<Config> read_config(const std::string& body);  // null: the key is to go
Result<std::string> read_mode(const std::string& body);

// Newer members are for clients that say they bear them: older ones fail at what they do not know.
void write_content(formats::JsonText& json, const Content& content, const std::string& text, bool newer);
void write_version(formats::JsonText& json, const std::string& subject, const Version& version,
                   const std::string& text, bool newer);
std::string config_body(const Config& config, std::string_view level_name);

}  // namespace millrace::registry
