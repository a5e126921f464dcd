#include "protobuf/testing/random_message.h"

#include <google/protobuf/message.h>

#include <iterator>
#include <string>

namespace millrace::protobuf {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

namespace {

constexpr std::string_view kScalars[] = {"bool",    "int32",    "sint32", "sfixed32", "int64",
                                         "sint64",  "sfixed64", "uint32", "fixed32",  "uint64",
                                         "fixed64", "float",    "double", "string",   "bytes"};
uint64_t random_bits(Random& random) {
  return random.next() >> random.below(64);
}

void fill(Random& random, pb::Message& message, int depth);

void set(Random& random, pb::Message& message, const Field& field, int depth) {
  const auto& to = *message.GetReflection();
  const uint64_t bits = random.below(4) == 0 ? ~random_bits(random) : random_bits(random);
  if (field.is_repeated()) {
    if (field.cpp_type() == Field::CPPTYPE_MESSAGE) {
      if (depth < 4) fill(random, *to.AddMessage(&message, &field), depth + 1);
    } else if (field.cpp_type() == Field::CPPTYPE_INT32) {
      to.AddInt32(&message, &field, static_cast<int32_t>(bits));
    } else if (field.cpp_type() == Field::CPPTYPE_STRING) {
      to.AddString(&message, &field, "é");
    }
    return;
  }
  switch (field.cpp_type()) {
    case Field::CPPTYPE_BOOL:
      return to.SetBool(&message, &field, bits % 2 == 0);
    case Field::CPPTYPE_INT32:
      return to.SetInt32(&message, &field, static_cast<int32_t>(bits));
    case Field::CPPTYPE_INT64:
      return to.SetInt64(&message, &field, static_cast<int64_t>(bits));
    case Field::CPPTYPE_UINT32:
      return to.SetUInt32(&message, &field, static_cast<uint32_t>(bits));
    case Field::CPPTYPE_UINT64:
      return to.SetUInt64(&message, &field, bits);
    case Field::CPPTYPE_FLOAT:
      return to.SetFloat(&message, &field, static_cast<float>(static_cast<int64_t>(bits)) / 3);
    case Field::CPPTYPE_DOUBLE:
      return to.SetDouble(&message, &field, static_cast<double>(static_cast<int64_t>(bits)) / 3);
    case Field::CPPTYPE_ENUM:
      return to.SetEnumValue(&message, &field, static_cast<int>(random.below(7)) - 1);
    case Field::CPPTYPE_STRING:
      return to.SetString(&message, &field, std::string(bits % 20, 'x') + (bits % 3 == 0 ? "äöü€" : ""));
    default:
      if (depth < 4) fill(random, *to.MutableMessage(&message, &field), depth + 1);
  }
}

// Mostly one that there is.
void fill_clock(Random& random, pb::Message& message) {
  const auto& to = *message.GetReflection();
  const auto& type = *message.GetDescriptor();
  const int sign = type.name() == "Duration" && random.below(2) == 0 ? -1 : 1;
  const int64_t seconds = static_cast<int64_t>(random.below(random.below(8) == 0 ? 1ull << 40 : 1u << 31));
  to.SetInt64(&message, type.FindFieldByNumber(1), sign * seconds);
  to.SetInt32(&message, type.FindFieldByNumber(2), sign * static_cast<int32_t>(random.below(1'000'000'000)));
}

void fill(Random& random, pb::Message& message, int depth) {
  const auto& type = *message.GetDescriptor();
  if (type.name() == "Timestamp" || type.name() == "Duration") return fill_clock(random, message);
  for (int i = 0; i < type.field_count(); ++i)
    if (random.below(4) != 0) set(random, message, *type.field(i), depth);
}

}  // namespace

std::string_view random_scalar(Random& random) {
  return kScalars[random.below(std::size(kScalars))];
}

void fill(Random& random, pb::Message& message) {
  fill(random, message, 0);
}

}  // namespace millrace::protobuf
