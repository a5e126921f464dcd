// EventSchemas: what versions of a schema registry's subjects ask of events, to whoever takes these in.
//
// Threads: the core loop's; callbacks come on it, maybe before the call returns.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "engine/plan.h"
#include "event-gateway/caller.h"
#include "schema/framing.h"

namespace millrace::gateway {

// An event that came as a serialized value, as JSON with Buffer::kPadding readable bytes behind it.
struct ReadValue {
  std::string_view event;
  bool fits = false;  // it does by how it was read; else it is to be checked, and may be no JSON at all
};

// One version, for events of one stream. It may keep what it has parsed: one caller at a time.
class EventSchema {
 public:
  virtual ~EventSchema() = default;
  // `event` is well-formed JSON with Buffer::kPadding readable bytes behind it. The error names what does not fit, and where.
  virtual Status check(std::string_view event) = 0;
  // A value that another version, or this one, has written: resolved to this one. Valid until the next call of any. `value` has
  // the same padding. The error says why it cannot be read; MR-SCH-0009: nobody knows its writer. `made` grows by the bytes
  // of JSON that it took, whether it came to an event or not: a value of few bytes may be much work.
  virtual Result<ReadValue> read(const schema::Framed& value, size_t& made);
};

struct FoundSchema {
  engine::SchemaRef schema;                     // all of it
  Result<std::string> columns = std::string();  // as CREATE STREAM declares them; MR-SCH-0002: none follow
};

// A member of the events that fit a schema, as a column of a stream.
struct SchemaColumn {
  std::string name, type;            // as CREATE STREAM declares it
  std::vector<SchemaColumn> fields;  // of a row, or an array of rows
};
using SchemaColumns = std::vector<SchemaColumn>;

// What is to become a subject's next version.
struct ProposedSchema {
  struct Reference {
    std::string name, subject;
    int32_t version = 0;
  };
  std::string subject, type, text;  // without a type: AVRO
  std::vector<Reference> references;
};
struct ExaminedSchema {
  std::string level;                  // of the subject's compatibility
  std::vector<std::string> messages;  // what stands against it by that; empty: nothing
  std::shared_ptr<EventSchema> check;
  Result<SchemaColumns> columns = SchemaColumns();      // MR-SCH-0002: none follow
  std::map<int32_t, Result<SchemaColumns>> columns_of;  // likewise, of the ids that were asked for
};

// What the rows of a view or a derived stream are, to be a version of its subject.
struct OutputSchema {
  std::string subject, type, text;  // type: as the registry's API says it
};

class EventSchemas {
 public:
  virtual ~EventSchemas() = default;
  // MR-SCH-0001: there is none of the subject with the version and the id that are said; MR-SCH-0005: it is not known
  // (kUnavailable); an error of its format: it cannot be carried out.
  virtual void find(TenantId tenant, const engine::SchemaRef& schema,
                    std::function<void(Result<FoundSchema>)> done) = 0;
  // Registers nothing. MR-SCH-0007: it cannot become one; MR-SCH-0005: the registry cannot say.
  virtual void examine(TenantId tenant, ProposedSchema schema, std::vector<int32_t> ids,
                       std::function<void(Result<ExaminedSchema>)> done) = 0;
  // The version that has it, which it may have been already. MR-SCH-0012: it cannot become one; MR-SCH-0005: the registry
  // cannot say.
  virtual void add(TenantId tenant, OutputSchema schema, CallerPtr caller,
                   std::function<void(Result<engine::SchemaRef>)> done);
  // What the stream's schema asks. MR-SCH-0003 (kUnavailable): it is being looked up.
  virtual Result<std::unique_ptr<EventSchema>> of(const engine::StreamDef& stream) = 0;

  // What the values of a request for a stream with a schema name as their writers: all of them, if knows() does not know one.
  // When `done` is called, what of() has returned can read those that there are. Calls are answered in their order, but for
  // those that fail at once. The error: the registry cannot say (kUnavailable).
  using Writers = std::vector<schema::WriterSchema>;
  virtual void learn(const engine::StreamDef& stream, Writers writers, std::function<void(Status)> done);
  virtual bool knows(const engine::StreamDef& stream, const schema::WriterSchema& writer) const;
};

Error no_registry();  // MR-SCH-0004

}  // namespace millrace::gateway
