// What answers the routes, file by file.
#pragma once

#include <string>

#include "schema-registry/call.h"

namespace millrace::registry {

// api_schemas.cc
bool knows_id(const Call& call);  // of /schemas/ids/{id}, and that the subject has it that is asked for
Result<std::string> list_schemas(Call& call);
Result<std::string> schema_by_id(Call& call);
Result<std::string> raw_schema_by_id(Call& call);
Result<std::string> subjects_of_id(Call& call);
Result<std::string> versions_of_id(Call& call);
Result<std::string> schema_by_guid(Call& call);
Result<std::string> ids_of_guid(Call& call);
Result<std::string> list_types(Call& call);

// api_subjects.cc
Result<std::string> list_subjects(Call& call);
Result<std::string> look_up(Call& call);
Result<std::string> delete_subject(Call& call);
Result<std::string> list_versions(Call& call);
Result<std::string> register_schema(Call& call);
Result<std::string> show_version(Call& call);
Result<std::string> raw_version(Call& call);
Result<std::string> referenced_by(Call& call);
Result<std::string> delete_version(Call& call);
Result<std::string> register_tags(Call& call);
Result<std::string> latest_with_metadata(Call& call);
Result<std::string> check_version(Call& call);
Result<std::string> check_all(Call& call);

// api_settings.cc
Result<std::string> show_config(Call& call);
Result<std::string> set_config(Call& call);
Result<std::string> drop_config(Call& call);
Result<std::string> show_mode(Call& call);
Result<std::string> set_mode(Call& call);
Result<std::string> drop_mode(Call& call);
Result<std::string> list_contexts(Call& call);
Result<std::string> drop_context(Call& call);
Result<std::string> server_id(Call& call);
Result<std::string> server_version(Call& call);
Result<std::string> server_deployment(Call& call);
Result<std::string> nothing(Call& call);

}  // namespace millrace::registry
