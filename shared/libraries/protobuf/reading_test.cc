// Random pairs of schemas: what the comparison calls compatible is read. What libprotobuf writes with the writer's schema it
// reads with the reader's, and each field that both have has its value there.
//
// Where the registries' rules promise less, nothing is asked: a number or message that is repeated in one of the two alone, a
// number without a name in a closed enum of the reader's, a required text or message that the writer left out.
#include <fmt/format.h>
#include <google/protobuf/dynamic_message.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "protobuf/differences.h"
#include "protobuf/internal/schema_impl.h"
#include "protobuf/protobuf_schema.h"
#include "protobuf/testing/random_message.h"

namespace millrace::protobuf {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

template <size_t N>
std::string one_of(Random& random, const char* const (&list)[N]) {
  return list[random.below(N)];
}

struct FieldText {
  int number = 0;
  std::string name, label, type, oneof;  // a member of a oneof has no label
};

struct MessageText {
  std::string name;
  std::vector<FieldText> fields;
};

class SchemaText {
 public:
  explicit SchemaText(Random& random) : is_old_(random.chance(3)) {
    for (const char* name : {"M", "N", "O"}) {
      messages_.push_back({name, {}});
      for (uint64_t left = 1 + random.below(7); left > 0; --left) add_field(random, messages_.back());
    }
  }

  void change(Random& random) {
    MessageText& message = messages_[random.below(messages_.size())];
    auto& fields = message.fields;
    const uint64_t how = random.below(8);
    if (how == 0 || fields.empty()) return add_field(random, message);
    FieldText& field = fields[random.below(fields.size())];
    if (how == 1) fields.erase(fields.begin() + (&field - fields.data()));
    if (how == 2) field.name += "x";
    if (how == 3) field.label = random_label(random);
    if (how == 4 || how == 5) field.type = random_type(random);
    if (how == 6) field.oneof = field.oneof.empty() ? one_of(random, {"a", "b"}) : "";
    if (how == 7) values_ += fmt::format(" V{} = {};", values_.size(), 10 + values_.size());
  }

  std::string text() const {
    std::string out = is_old_ ? "syntax = \"proto2\";\n" : "syntax = \"proto3\";\n";
    out += fmt::format("enum E {{ V = 0; W = 3;{} }}\n", values_);
    for (const MessageText& message : messages_) out += text_of(message);
    return out;
  }

 private:
  static std::string random_type(Random& random) {
    if (random.below(3) != 0) return std::string(random_scalar(random));
    return one_of(random, {"E", "M", "N", "O", "map<int32, string>", "map<string, N>"});
  }
  std::string random_label(Random& random) const {
    if (random.chance(6)) return "repeated";
    if (is_old_) return random.chance(8) ? "required" : "optional";
    return random.chance(3) ? "optional" : "";
  }
  void add_field(Random& random, MessageText& message) {
    int number = 1 + static_cast<int>(random.below(12));
    const auto has = [&](const FieldText& field) { return field.number == number; };
    while (std::any_of(message.fields.begin(), message.fields.end(), has)) ++number;
    message.fields.push_back({number, fmt::format("f{}", number), random_label(random), random_type(random),
                              random.chance(4) ? one_of(random, {"a", "b"}) : ""});
  }

  static std::string text_of(const MessageText& message) {
    std::string out = fmt::format("message {} {{\n", message.name);
    std::map<std::string, std::string> oneofs;
    for (const FieldText& field : message.fields) {
      const bool is_map = field.type.starts_with("map");
      const std::string text = fmt::format("{} {} = {};\n", field.type, field.name, field.number);
      if (is_map || field.oneof.empty())
        out += is_map ? text : field.label + " " + text;
      else
        oneofs[field.oneof] += text;
    }
    for (const auto& [name, fields] : oneofs) out += fmt::format("oneof {} {{ {} }}\n", name, fields);
    return out + "}\n";
  }

  bool is_old_;
  std::vector<MessageText> messages_;
  std::string values_;  // of the enum, besides two
};

// A number as the bits that stand for it in a message, in 64: as wide and as signed as its own type.
uint64_t bits_of(const pb::Message& message, const Field& field, int index) {
  const auto& in = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case Field::CPPTYPE_BOOL:
      return one ? in.GetBool(message, &field) : in.GetRepeatedBool(message, &field, index);
    case Field::CPPTYPE_INT32:
      return static_cast<uint64_t>(
          int64_t{one ? in.GetInt32(message, &field) : in.GetRepeatedInt32(message, &field, index)});
    case Field::CPPTYPE_INT64:
      return static_cast<uint64_t>(one ? in.GetInt64(message, &field)
                                       : in.GetRepeatedInt64(message, &field, index));
    case Field::CPPTYPE_UINT32:
      return one ? in.GetUInt32(message, &field) : in.GetRepeatedUInt32(message, &field, index);
    case Field::CPPTYPE_UINT64:
      return one ? in.GetUInt64(message, &field) : in.GetRepeatedUInt64(message, &field, index);
    case Field::CPPTYPE_ENUM:
      return static_cast<uint64_t>(
          int64_t{one ? in.GetEnumValue(message, &field) : in.GetRepeatedEnumValue(message, &field, index)});
    case Field::CPPTYPE_FLOAT:
      return std::bit_cast<uint32_t>(one ? in.GetFloat(message, &field)
                                         : in.GetRepeatedFloat(message, &field, index));
    default:
      return std::bit_cast<uint64_t>(one ? in.GetDouble(message, &field)
                                         : in.GetRepeatedDouble(message, &field, index));
  }
}

uint64_t sign_extended(uint64_t bits) {
  return static_cast<uint64_t>(int64_t{static_cast<int32_t>(bits)});
}

// What a reader's type makes of a number: a shorter one has its low bits, as Protobuf says.
uint64_t as_read(uint64_t bits, const Field& writer, const Field& reader) {
  switch (reader.type()) {
    case Field::TYPE_BOOL:
      return bits != 0;
    case Field::TYPE_INT32:
    case Field::TYPE_ENUM:
    case Field::TYPE_SFIXED32:
      return sign_extended(bits);
    case Field::TYPE_UINT32:
    case Field::TYPE_FIXED32:
      return static_cast<uint32_t>(bits);
    case Field::TYPE_SINT32: {
      if (writer.type() != Field::TYPE_SINT64) return bits;
      const uint64_t zigzag = bits << 1 ^ static_cast<uint64_t>(static_cast<int64_t>(bits) >> 63);
      const auto low = static_cast<uint32_t>(zigzag);
      return sign_extended(low >> 1 ^ (0 - (low & 1)));
    }
    default:
      return bits;
  }
}

class Reading {
 public:
  size_t values() const { return values_; }

  void expect_read(const pb::Message& written, const pb::Message& read) {
    const auto& type = *written.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const Field& before = *type.field(i);
      const Field* after = read.GetDescriptor()->FindFieldByNumber(before.number());
      if (after != nullptr) expect_field(written, before, read, *after);
    }
  }

 private:
  static bool is_text(const Field& field) { return field.cpp_type() == Field::CPPTYPE_STRING; }
  static int count(const pb::Message& message, const Field& field) {
    const auto& in = *message.GetReflection();
    return field.is_repeated() ? in.FieldSize(message, &field) : in.HasField(message, &field) ? 1 : 0;
  }

  void expect_field(const pb::Message& written, const Field& before, const pb::Message& read,
                    const Field& after) {
    if (before.is_repeated() != after.is_repeated() && !is_text(before)) return;
    const int had = count(written, before), has = count(read, after);
    const int kept = after.is_repeated() ? had : std::min(had, 1);  // of several texts the last
    for (int i = 0; i < kept; ++i) {
      const int from = !before.is_repeated() ? -1 : after.is_repeated() ? i : had - 1;
      expect_value(written, before, from, read, after, after.is_repeated() ? i : -1);
    }
    if (kept == 0 ? is_closed(before) : is_unnamed(written, before, after)) return;
    if (after.containing_type()->options().map_entry()) return;  // whose parts are always written
    if (after.is_repeated() || after.has_presence() || kept == 0) {
      EXPECT_EQ(has, kept) << after.full_name();
    }
  }

  // An enum of proto2: a number without a name is none of its values, and unknown.
  static bool is_closed(const Field& field) {
    return field.type() == Field::TYPE_ENUM && field.file()->syntax() != pb::FileDescriptor::SYNTAX_PROTO3;
  }
  // Of several numbers the first says it.
  static bool is_unnamed(const pb::Message& written, const Field& before, const Field& after) {
    if (!is_closed(after)) return false;
    const uint64_t number = as_read(bits_of(written, before, before.is_repeated() ? 0 : -1), before, after);
    return after.enum_type()->FindValueByNumber(static_cast<int>(number)) == nullptr;
  }

  void expect_value(const pb::Message& written, const Field& before, int from, const pb::Message& read,
                    const Field& after, int to) {
    ++values_;
    const auto &in = *written.GetReflection(), &out = *read.GetReflection();
    if (before.cpp_type() == Field::CPPTYPE_MESSAGE) {
      if (to >= 0 && to >= out.FieldSize(read, &after)) return;  // which its number tells
      return expect_read(
          from < 0 ? in.GetMessage(written, &before) : in.GetRepeatedMessage(written, &before, from),
          to < 0 ? out.GetMessage(read, &after) : out.GetRepeatedMessage(read, &after, to));
    }
    if (to >= out_size(read, after)) return;
    if (is_text(before)) {
      EXPECT_EQ(to < 0 ? out.GetString(read, &after) : out.GetRepeatedString(read, &after, to),
                from < 0 ? in.GetString(written, &before) : in.GetRepeatedString(written, &before, from))
          << after.full_name();
      return;
    }
    if (is_unnamed(written, before, after)) return;
    EXPECT_EQ(bits_of(read, after, to), as_read(bits_of(written, before, from), before, after))
        << after.full_name();
  }
  static int out_size(const pb::Message& read, const Field& after) {
    return after.is_repeated() ? read.GetReflection()->FieldSize(read, &after) : 0;
  }

  size_t values_ = 0;
};

struct Counts {
  size_t compatible = 0, incompatible = 0, values = 0;
};

void write_and_read(Random& random, const schema::Schema& writer, const schema::Schema& reader,
                    Counts& counts) {
  pb::DynamicMessageFactory factory;
  const auto* before = factory.GetPrototype(*message_named(as_protobuf(writer), "M"));
  const auto* after = factory.GetPrototype(*message_named(as_protobuf(reader), "M"));
  Reading reading;
  for (int i = 0; i < 12; ++i) {
    const std::unique_ptr<pb::Message> written(before->New()), read(after->New());
    fill(random, *written);
    ASSERT_TRUE(read->ParsePartialFromString(written->SerializePartialAsString()));
    reading.expect_read(*written, *read);
  }
  counts.values += reading.values();
}

void compare_pair(Random& random, Counts& counts) {
  SchemaText text(random);
  const std::string old_text = text.text();
  for (uint64_t left = 1 + random.below(3); left > 0; --left) text.change(random);
  const std::string new_text = text.text();
  const auto writer = kFormat.parse(old_text, {}), reader = kFormat.parse(new_text, {});
  if (!writer.ok() || !reader.ok()) return;  // a oneof that stands beside a field of its name, and the like
  const auto hindrances = (*reader)->what_hinders_reading(**writer);
  ASSERT_TRUE(hindrances.ok());
  ++(hindrances->empty() ? counts.compatible : counts.incompatible);
  if (!hindrances->empty()) return;
  SCOPED_TRACE(fmt::format("writer\n{}reader\n{}", old_text, new_text));
  write_and_read(random, **writer, **reader, counts);
}

TEST(ProtobufSchema, WhatIsCompatibleIsRead) {
  const char* more = std::getenv("MILLRACE_PROTOBUF_SCHEMAS");
  const int pairs = more == nullptr ? 1'000 : std::atoi(more);
  Counts counts;
  for (int seed = 0; seed < pairs; ++seed) {
    SCOPED_TRACE(seed);
    Random random(static_cast<uint64_t>(seed));
    compare_pair(random, counts);
    if (HasFailure()) return;
  }
  EXPECT_GT(counts.compatible, static_cast<size_t>(pairs) / 5);
  EXPECT_GT(counts.incompatible, static_cast<size_t>(pairs) / 5);
  EXPECT_GT(counts.values, 20u * static_cast<size_t>(pairs));
}

}  // namespace
}  // namespace millrace::protobuf
