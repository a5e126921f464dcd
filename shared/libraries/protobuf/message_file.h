// The .proto of a message that a row of columns becomes; message_writer.h writes such messages.
//
// Types: boolean bool; smallint and integer int32, bigint int64; real float, double precision double; text, uuid, jsonb,
//        interval and numeric string (numbers in plain digits); bytea bytes; both timestamps google.protobuf.Timestamp (one
//        without a zone as on a clock in UTC), date google.type.Date, time google.type.TimeOfDay; arrays repeated, rows a
//        message inside the message.
// NULL:  a field that is not set: all have presence. NULL for an array is no item.
// Names: made valid and unique (schema/identifiers.h), also as JSON names; messages in UpperCamelCase.
// Order: a column's place is its field's number, but for those that Protobuf keeps for itself.
#pragma once

#include <string>
#include <string_view>

#include "event/type.h"

namespace millrace::protobuf {

// One message, called after the name.
std::string message_file(const millrace::Schema& columns, std::string_view name);

uint32_t field_number(size_t place);  // of the place from 0

}  // namespace millrace::protobuf
