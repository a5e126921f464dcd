// Any bytes as a payload of a message: into columns comes what libprotobuf's own parser reads, or neither takes it.
#include <array>

#include "protobuf/columns.h"
#include "protobuf/protobuf_schema.h"
#include "protobuf/testing/columns_oracle.h"
#include "tests/fuzz/require.h"

using namespace millrace;            // NOLINT
using namespace millrace::protobuf;  // NOLINT

namespace {

constexpr std::string_view kNew = R"(syntax = "proto3"; import "google/protobuf/timestamp.proto";
  import "google/protobuf/duration.proto"; import "google/protobuf/wrappers.proto";
  message M { bool a = 1; int32 b = 2; sint64 c = 3; uint64 d = 4; fixed32 e = 5; sfixed64 f = 6; float g = 7; string h = 8;
    bytes i = 9; E j = 10; google.protobuf.Timestamp k = 11; google.protobuf.Duration l = 12; google.protobuf.StringValue m = 13;
    google.protobuf.UInt64Value n = 14; optional double o = 15; oneof x { int64 p = 16; string q = 17;
      google.protobuf.BoolValue r = 18; M s = 19; } repeated sint32 t = 20; repeated fixed64 u = 21; map<string, M> v = 22;
    repeated string w = 2000; }
  enum E { A = 0; B = 1; C = -1; })";
constexpr std::string_view kOld = R"(syntax = "proto2";
  message M { required int32 a = 1; optional E b = 2; oneof x { E c = 3; string d = 4; bytes e = 5; } optional group G = 6 {
    optional M m = 1; repeated fixed32 r = 2 [packed = true]; } optional uint32 f = 7; required E h = 8; }
  enum E { A = 2; B = 5; })";

struct Subject {
  millrace::Schema columns;
  ColumnsOracle oracle;
  std::unique_ptr<ColumnReader> reader;
};
// Integers in columns that not all of them fit.
Subject subject_of(std::string_view text) {
  const auto schema = *kFormat.parse(text, {});
  auto columns = *columns_of(*schema, "M");
  for (ColumnDef& column : columns)
    if (is_integer(column.type)) column.type = column.name == "b" ? Type::kSmallint : Type::kInteger;
  return {columns, ColumnsOracle(schema, "M", columns), ColumnReader::make(schema, "M", columns).value()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::array<Subject, 2> kSubjects = {subject_of(kNew), subject_of(kOld)};
  if (size == 0) return 0;
  const bool old = data[0] % 2 == 1;
  const Subject& subject = kSubjects[old ? 1 : 0];
  const std::string_view payload(reinterpret_cast<const char*>(data) + 1, size - 1);
  Batch batch;
  std::vector<RowError> errors;
  subject.reader->decode({payload}, batch, errors);
  fuzz::require(batch.rows == 1 && errors.size() <= 1, "a payload is a row");
  const std::string refused = errors.empty() ? "" : errors[0].message;
  // The library does not look at texts of proto2.
  if (old && refused.find("UTF-8") != std::string::npos) return 0;
  const auto expected = subject.oracle.row(payload);
  fuzz::require(expected.has_value() == errors.empty(), "libprotobuf takes what columns take", refused);
  for (size_t i = 0; i < subject.columns.size(); ++i) {
    const Scalar wanted = expected ? (*expected)[i] : Scalar();
    fuzz::require(same(batch.columns[i].scalar(0), wanted), "a value is libprotobuf's",
                  subject.columns[i].name);
  }
  return 0;
}
