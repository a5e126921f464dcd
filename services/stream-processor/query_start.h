// Where a query's history begins: a function of the journal alone, so that a task which is made anew, after a
// crash or by `log verify --recompute`, begins where the first one began.
#pragma once

#include <string>

#include "log/journal.h"
#include "sql/catalog.h"

namespace millrace::processor {

// The query begins behind this cut. A start time that had not come when the query was made is the time it was
// made. kGone: retention has removed what it needs.
Result<Cut> query_start(log::Journal& journal, const sql::Catalog::Entry& entry);
// Retention has removed what the query would go on from.
Error history_is_gone(const std::string& query);

}  // namespace millrace::processor
