// A schema registry moved over: all of one as lines of JSON, and into another with its ids, versions, config, modes and deletes.
//
//   {"schema":{…a version as the API shows it…}}   {"config":{…},"scope":"…"}   {"mode":"…","scope":"…"}
#pragma once

#include <string>
#include <vector>

#include "node/cli.h"
#include "node/resource_printer.h"

namespace millrace::cli {

// The API's number and message where it refuses.
Result<Json> call_registry(HttpClient& client, const std::string& method, const std::string& target,
                           const Json& body = nullptr);

Result<std::vector<Json>> export_registry(HttpClient& client);
Result<std::vector<Json>> parse_export(const std::string& text);  // MR-CLI-0052
// The number of versions. Subjects that are there already with other schemas are refused by the registry.
Result<size_t> import_registry(HttpClient& client, const std::vector<Json>& lines);

}  // namespace millrace::cli
