// What a subject's new version would break of what SQL has made of its events.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "event-gateway/event_schemas.h"
#include "sql/catalog.h"

namespace millrace::gateway {

struct BrokenColumn {
  std::string name;          // of the stream that is made with the subject
  std::string was, becomes;  // types as CREATE STREAM declares them; becomes nothing: it is gone
};
struct BrokenObject {
  std::string name;
  std::string_view kind;  // "stream", "view", "derived stream"
  std::string reads;  // of a query: the stream whose columns these are, or the broken stream that it reads
  std::vector<BrokenColumn> columns;  // that it reads; empty: it reads a derived stream that is broken
};

// Of the streams, which are made with versions of the subject, and of the queries that read them. A column counts if the
// version that its stream was made with has it, and the new one has none, or one of another type; fields that a row gains, and
// what was JSONB, do not. `before`: by the versions' ids; what is not there is not known, and does not count.
std::vector<BrokenObject> broken_by(const sql::Catalog& catalog,
                                    const std::vector<const sql::Catalog::Entry*>& streams,
                                    const std::map<int32_t, SchemaColumns>& before,
                                    const SchemaColumns& after);

}  // namespace millrace::gateway
