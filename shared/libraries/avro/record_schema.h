// The schema of a record that a row of columns becomes; record_writer.h writes such records.
//
// Types: boolean boolean; smallint and integer int, bigint long; real float, double precision double; text, jsonb and
//        interval string, uuid string with its logicalType, bytea bytes; date, time-micros, timestamp-micros of timestamptz,
//        local-timestamp-micros of timestamp; NUMERIC(p, s) of at most kMaxDecimalPrecision digits decimal, any other
//        numeric string, in plain digits; arrays array, rows record.
// NULL:  every field and item is a union of null and its type, a field's default is null: a reader goes on when a column
//        is added or taken away.
// Names: made valid and unique (schema/identifiers.h); `doc` then has the column's own. A record in another one is named
//        after both: orders_address.
#pragma once

#include <string>
#include <string_view>

#include "event/type.h"

namespace millrace::avro {

inline constexpr uint32_t kMaxDecimalPrecision = 38;

// As AvroSchema::text() has it.
std::string record_schema(const millrace::Schema& columns, std::string_view name);

// Whether a numeric's column, or array of them, is of decimals.
bool has_decimals(const ColumnDef& column);

}  // namespace millrace::avro
