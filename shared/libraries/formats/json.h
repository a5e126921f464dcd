// JSON in and out: events to columns, rows to NDJSON.
//
// JsonDecoder decodes records' values, only the wanted columns; shared by every query of a worker that reads
//             the stream. A number in a timestamptz column is Unix milliseconds, a string RFC 3339. Unknown
//             fields are ignored, missing ones and null are NULL. bigint takes an integral number in range;
//             double any number (and the strings "NaN", "Infinity", "-Infinity", as JsonRowWriter prints
//             them); text takes a string (a number, boolean, object or array is a type error); boolean
//             true/false; interval a string. Duplicate keys: the last one counts. JsonValidator the
//             gateway's: the whole text is well-formed (all of it, also fields nobody reads), an object,
//             valid UTF-8, within the depth bound, and every declared column's value has its type. Also finds
//             the key.
// Both agree: what the validator accepts the decoder decodes without error. An event that was accepted before its stream had
// a column (ColumnDef::added) is decoded, too: where its value does not fit the column it is NULL.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/batch.h"

namespace millrace::formats {

// Of an event that is taken in. What a query makes of it may be longer: a dead letter quotes all of it.
inline constexpr size_t kMaxEventBytes = 1u << 20;
inline constexpr size_t kMaxJsonDepth = 256;

class JsonDecoder {
 public:
  // Columns of the batch: schema[wanted[0]], schema[wanted[1]], …
  JsonDecoder(Schema schema, std::vector<int> wanted);
  ~JsonDecoder();
  // Appends one row a value. The batch is empty or has the decoder's columns. Every value must have Buffer::kPadding
  // readable bytes behind it. A value that does not decode becomes a row of NULLs and an error (id MR-EVT-…). Text
  // columns view the values or out.arena.
  void decode(const std::vector<std::string_view>& values, Batch& out, std::vector<RowError>& errors);

  // The same value by value: begin() makes room for so many rows, which `out` keeps until end().
  void begin(Batch& out, size_t rows);
  void add(std::string_view value, std::vector<RowError>& errors);
  void end();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What an event has to be besides: none of the columns is NULL, of the primary key and, unless the event deletes its
// row, of the required ones; and the op, if there is one, is among those that are known.
struct EventRules {
  std::vector<int> primary_key;
  std::vector<int> required;
  int op_column = -1;
  std::vector<std::string_view> ops;  // static storage
  std::string_view delete_op;
};

class JsonValidator {
 public:
  JsonValidator(Schema schema, int key_column, EventRules rules = {});
  ~JsonValidator();
  // On success answers the key's canonical bytes for hashing (what is kept as bytes: those; others: as text; NULL or no
  // key column: nullopt). Valid until the next call. `event` needs Buffer::kPadding readable bytes behind it.
  Result<std::optional<std::string_view>> validate(std::string_view event);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Splits a request body into events without copying. NDJSON: lines, blank ones skipped. JSON: one object, or
// the elements of an array. A body that cannot be split at all is the error; a bad element is the validator's
// to refuse.
Result<std::vector<std::string_view>> split_ndjson(std::string_view body);
Result<std::vector<std::string_view>> split_json(std::string_view body);

// The members of one object without copying: names as they stand between their quotes, values as they are written, not
// checked further than it takes to find their ends. nullopt: it is no object.
struct JsonMember {
  std::string_view name, value;
};
std::optional<std::vector<JsonMember>> split_members(std::string_view object);
// A whole value: a string's characters; nullopt: it is none. `value` needs Buffer::kPadding readable bytes behind it.
std::optional<std::string> read_json_string(std::string_view value);
bool is_json_number(std::string_view value);

// The key of a group or partition as canonical bytes (the same as the validator's) for any column value.
void append_key_text(std::string& out, const Column& column, size_t row);

// One row as a JSON object, keyed by column name. bigint as a number; NaN and infinities as strings;
// timestamps RFC 3339.
class JsonRowWriter {
 public:
  // `first`, if not empty, is a member as JSON text that every row begins with.
  explicit JsonRowWriter(const std::vector<std::string>& names, std::string_view first = {});
  ~JsonRowWriter();
  void append(std::string& out, const std::vector<const Column*>& columns, size_t row);  // no newline
  // The same in place: from out[at] on, which grows as it needs. Answers the row's end; what `out` has behind it is
  // unspecified.
  size_t write(std::string& out, size_t at, const std::vector<const Column*>& columns, size_t row);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
void append_json_value(std::string& out, const Column& column, size_t row);
void append_json_string(std::string& out, std::string_view text);
// Well-formed JSON with every number as a string: a browser's numbers are doubles, which round 64-bit integers.
void append_with_quoted_numbers(std::string& out, std::string_view json);

}  // namespace millrace::formats
