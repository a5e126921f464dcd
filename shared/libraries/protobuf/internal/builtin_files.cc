#include "protobuf/internal/builtin_files.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/api.pb.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/source_context.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/type.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include <string_view>

#include "base/result.h"

namespace millrace::protobuf {

namespace {

namespace pb = google::protobuf;

struct BuiltinText {
  const char* name;
  std::string_view text;
};

// What the clients' generated code has in it. The numbers are theirs.
constexpr BuiltinText kTexts[] = {
    {"confluent/meta.proto", R"(syntax = "proto3";
package confluent;
import "google/protobuf/descriptor.proto";
message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; })"},
    {"confluent/type/decimal.proto", R"(syntax = "proto3";
package confluent.type;
message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; })"},
    {"google/type/date.proto", R"(syntax = "proto3";
package google.type;
message Date { int32 year = 1; int32 month = 2; int32 day = 3; })"},
    {"google/type/timeofday.proto", R"(syntax = "proto3";
package google.type;
message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; })"},
    {"google/type/datetime.proto", R"(syntax = "proto3";
package google.type;
import "google/protobuf/duration.proto";
message DateTime {
  int32 year = 1; int32 month = 2; int32 day = 3; int32 hours = 4; int32 minutes = 5; int32 seconds = 6; int32 nanos = 7;
  oneof time_offset { google.protobuf.Duration utc_offset = 8; TimeZone time_zone = 9; }
}
message TimeZone { string id = 1; string version = 2; })"},
    {"google/type/money.proto", R"(syntax = "proto3";
package google.type;
message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; })"},
    {"google/type/decimal.proto", R"(syntax = "proto3";
package google.type;
message Decimal { string value = 1; })"},
    {"google/type/latlng.proto", R"(syntax = "proto3";
package google.type;
message LatLng { double latitude = 1; double longitude = 2; })"},
    {"google/type/interval.proto", R"(syntax = "proto3";
package google.type;
import "google/protobuf/timestamp.proto";
message Interval { google.protobuf.Timestamp start_time = 1; google.protobuf.Timestamp end_time = 2; })"},
    {"google/type/fraction.proto", R"(syntax = "proto3";
package google.type;
message Fraction { int64 numerator = 1; int64 denominator = 2; })"},
    {"google/type/color.proto", R"(syntax = "proto3";
package google.type;
import "google/protobuf/wrappers.proto";
message Color { float red = 1; float green = 2; float blue = 3; google.protobuf.FloatValue alpha = 4; })"},
    {"google/type/dayofweek.proto", R"(syntax = "proto3";
package google.type;
enum DayOfWeek {
  DAY_OF_WEEK_UNSPECIFIED = 0; MONDAY = 1; TUESDAY = 2; WEDNESDAY = 3; THURSDAY = 4; FRIDAY = 5; SATURDAY = 6; SUNDAY = 7;
})"},
    {"google/type/month.proto", R"(syntax = "proto3";
package google.type;
enum Month {
  MONTH_UNSPECIFIED = 0; JANUARY = 1; FEBRUARY = 2; MARCH = 3; APRIL = 4; MAY = 5; JUNE = 6; JULY = 7; AUGUST = 8;
  SEPTEMBER = 9; OCTOBER = 10; NOVEMBER = 11; DECEMBER = 12;
})"},
};

void add_compiled(pb::DescriptorPool& pool, const pb::FileDescriptor& file) {
  for (int i = 0; i < file.dependency_count(); ++i) add_compiled(pool, *file.dependency(i));
  if (pool.FindFileByName(file.name()) != nullptr) return;
  pb::FileDescriptorProto proto;
  file.CopyTo(&proto);
  file.CopyJsonNameTo(&proto);
  CHECK(pool.BuildFile(proto) != nullptr, file.name());
}

void add_text(pb::DescriptorPool& pool, const BuiltinText& file) {
  pb::io::ArrayInputStream stream(file.text.data(), static_cast<int>(file.text.size()));
  pb::io::Tokenizer tokens(&stream, nullptr);
  pb::FileDescriptorProto proto;
  CHECK(pb::compiler::Parser().Parse(&tokens, &proto), file.name);
  proto.set_name(file.name);
  CHECK(pool.BuildFile(proto) != nullptr, file.name);
}

void add_all(pb::DescriptorPool& pool) {
  const pb::FileDescriptor* const compiled[] = {pb::FileDescriptorProto::descriptor()->file(),
                                                pb::Any::descriptor()->file(),
                                                pb::Api::descriptor()->file(),
                                                pb::Duration::descriptor()->file(),
                                                pb::Empty::descriptor()->file(),
                                                pb::FieldMask::descriptor()->file(),
                                                pb::SourceContext::descriptor()->file(),
                                                pb::Struct::descriptor()->file(),
                                                pb::Timestamp::descriptor()->file(),
                                                pb::Type::descriptor()->file(),
                                                pb::DoubleValue::descriptor()->file()};
  for (const auto* file : compiled) add_compiled(pool, *file);
  for (const BuiltinText& file : kTexts) add_text(pool, file);
}

}  // namespace

const pb::DescriptorPool& builtin_files() {
  // Never destroyed: a schema may outlive static objects.
  static const pb::DescriptorPool* const pool = [] {
    auto* made = new pb::DescriptorPool();
    add_all(*made);
    return made;
  }();
  return *pool;
}

}  // namespace millrace::protobuf
