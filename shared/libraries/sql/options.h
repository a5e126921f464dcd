// The values of WITH (name = value, …), checked; every refusal points at the value.
#pragma once

#include "engine/plan.h"
#include "sql/ast.h"

namespace millrace::sql {

Result<std::string> option_text(const ast::Option& option);
Result<int64_t> option_integer(const ast::Option& option, int64_t least, int64_t most);
Result<int64_t> option_duration_us(const ast::Option& option);  // '7 days'; 0 and 'forever': 0
Result<int64_t> option_bytes(const ast::Option& option);        // 1000000, '10 GB', '512 MiB'; 0: no bound
Status option_one_of(const ast::Option& option, const std::vector<std::string>& values);
// schema, schema_version and schema_id. False: the option is none of them.
Result<bool> schema_option(const ast::Option& option, engine::SchemaRef& schema);
Status check_schema_named(const std::vector<ast::Option>& options, const engine::SchemaRef& schema);
Error unknown_option(const ast::Option& option, const std::vector<std::string>& known, std::string_view of);

}  // namespace millrace::sql
