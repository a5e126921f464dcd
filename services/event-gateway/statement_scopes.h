// Which scopes a statement needs. By its form before it is bound, so that errors tell nothing to who may not ask; by what it
// names afterwards.
//
//   CREATE, DROP, PAUSE, RESUME, ALTER admin
//   SELECT, SUBSCRIBE, DESCRIBE        query of all that they read
//   SHOW, EXPLAIN                      query, not of some names only; SHOW FUNCTIONS of any
//   INSERT                             ingest of the stream, and as SELECT
#pragma once

#include "event-gateway/caller.h"
#include "sql/ast.h"
#include "sql/sql.h"

namespace millrace::gateway {

bool changes_definitions(const sql::Statement& statement);
Status check_form(const CallerPtr& caller, const sql::Statement& statement);        // MR-AUTH-0002
Status check_names(const CallerPtr& caller, const sql::BoundStatement& statement);  // MR-AUTH-0002

}  // namespace millrace::gateway
