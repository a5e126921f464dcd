// Any bytes as message indexes and a payload of one schema. What is taken is encoded again from its JSON.
#include <cstdint>
#include <string_view>

#include "protobuf/message_codec.h"
#include "protobuf/message_index.h"
#include "protobuf/protobuf_schema.h"
#include "tests/fuzz/require.h"

using namespace millrace;            // NOLINT
using namespace millrace::protobuf;  // NOLINT

namespace {

constexpr std::string_view kSchema = R"(syntax = "proto3"; package p;
  import "google/protobuf/any.proto"; import "google/protobuf/struct.proto"; import "google/protobuf/timestamp.proto";
  import "google/protobuf/duration.proto"; import "google/protobuf/field_mask.proto"; import "google/protobuf/wrappers.proto";
  message All { string s = 1; sint64 n = 2; bytes b = 3; repeated int32 r = 4; map<string, double> m = 5; E e = 6;
    optional float o = 7; All inner = 8; google.protobuf.Any any = 9; google.protobuf.Timestamp at = 10;
    google.protobuf.Struct free = 11; oneof x { bool yes = 12; fixed32 f = 13; } google.protobuf.Duration d = 14;
    google.protobuf.FieldMask mask = 15; google.protobuf.Int64Value wrapped = 16; repeated All more = 17;
    message Nested { google.protobuf.Value value = 1; map<int64, All> all = 2; } }
  enum E { A = 0; B = 1; })";

const schema::SchemaPtr& schema_of_all() {
  static const schema::SchemaPtr out = kFormat.parse(kSchema, {}).value();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto indexes = read_message_indexes(bytes);
  if (!indexes.ok()) return 0;
  const auto codec = MessageCodec::of(schema_of_all(), indexes->indexes);
  if (!codec.ok()) return 0;
  const auto json = codec->to_json(bytes.substr(indexes->size));
  if (!json.ok()) {
    fuzz::require(json.error().id == "MR-PROTO-0007", "what is refused has its code",
                  json.error().to_string());
    return 0;
  }
  const auto again = codec->from_json(*json);
  if (!again.ok()) return 0;
  fuzz::require(codec->to_json(*again).ok(), "what was encoded is decoded", *json);
  std::string plain;
  const auto printed = codec->append_plain_json(plain, bytes.substr(indexes->size), SIZE_MAX / 2);
  fuzz::require(printed.ok(), "what has a form in JSON has a plain one", *json);
  fuzz::require(codec->from_json(plain).ok(), "plain JSON is read by the mapping", plain);
  return 0;
}
