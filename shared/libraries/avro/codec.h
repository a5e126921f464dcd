// Data of Apache Avro in binary, and as JSON.
//
// Forms:  kAvro is the specification's JSON encoding: a union's value stands in an object of its branch's name, bytes are
//         code points up to U+00FF, logical types are what they stand on.
//         kPlain is for people and events: no such objects; dates, times, uuids and decimals as SQL writes them, bytes as
//         \x and hexadecimal digits. Times in other units and decimals of another scale keep the writer's value. Written back, a union takes the first branch that the value fits.
// Errors: MR-AVRO-0001 and 0002 of the JSON text, MR-AVRO-0010 a value does not fit its type, MR-AVRO-0011 malformed bytes,
//         MR-AVRO-0012 over a bound, MR-AVRO-0013 what was written does not fit the reader's type. With the place.
// Bound:  kMaxDatumDepth, kMaxDatumValues, kMaxDatumJson, kMaxDatumBytes of what is written; counts and lengths are those
//         that the bytes can hold.
#pragma once

#include <string>
#include <string_view>

#include "avro/datum_skip.h"
#include "avro/resolution.h"

namespace millrace::avro {

enum class JsonForm : uint8_t { kPlain, kAvro };

inline constexpr size_t kMaxDatumJson = 16u << 20;
inline constexpr size_t kMaxDatumBytes = 16u << 20;

Result<std::string> to_json(const Resolution& resolution, std::string_view datum, JsonForm form);
// Appended to `out`; where it fails, what was made until then. `most`: bytes of JSON, which one value may pass.
Status append_json(std::string& out, const Resolution& resolution, std::string_view datum, JsonForm form,
                   size_t most = kMaxDatumJson);
Result<std::string> from_json(const AvroSchema& schema, std::string_view json, JsonForm form);

}  // namespace millrace::avro
