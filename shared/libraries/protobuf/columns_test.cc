// Random messages of random schemas, written by libprotobuf, damaged, and read by it and by us.
#include "protobuf/columns.h"

#include <fmt/format.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "protobuf/message_codec.h"
#include "protobuf/protobuf_schema.h"
#include "protobuf/testing/columns_oracle.h"
#include "protobuf/testing/random_message.h"

namespace millrace::protobuf {
namespace {

constexpr std::string_view kKnown[] = {"Timestamp",   "Duration",    "BoolValue",   "Int32Value",
                                       "Int64Value",  "UInt32Value", "UInt64Value", "FloatValue",
                                       "DoubleValue", "StringValue", "BytesValue"};

template <size_t N>
std::string_view one_of(Random& random, const std::string_view (&list)[N]) {
  return list[random.below(N)];
}

std::string random_type(Random& random) {
  const uint64_t kind = random.below(20);
  if (kind < 12) return std::string(random_scalar(random));
  if (kind < 14) return "E";
  if (kind < 15) return "M";
  return kind < 16 ? "N" : fmt::format("google.protobuf.{}", one_of(random, kKnown));
}

std::string random_schema(Random& random) {
  const bool old = random.below(3) == 0;
  std::string text = old ? "syntax = \"proto2\";" : "syntax = \"proto3\";";
  for (const char* file : {"timestamp", "duration", "wrappers"})
    text += fmt::format("import \"google/protobuf/{}.proto\";", file);
  text += old ? "enum E { option allow_alias = true; X = 2; Y = 5; Z = 5; W = -3; }"
              : "enum E { X = 0; Y = 5; W = -3; V = 70000; }";
  text +=
      old ? "message N { optional string s = 1; repeated fixed64 r = 2 [packed = true]; optional N n = 3; }"
          : "message N { string s = 1; repeated sint32 r = 2; map<int32, string> m = 3; N n = 4; }";
  text += "message M {";
  int number = 0;
  const auto next = [&] {
    return number += random.below(8) == 0 ? 1 + static_cast<int>(random.below(3'000)) : 1;
  };
  for (uint64_t left = 1 + random.below(12); left > 0; --left) {
    if (random.below(8) == 0) {
      text += fmt::format("oneof o{} {{", left);
      for (int i = 0; i < 3; ++i) {
        const int n = next();
        text += fmt::format("{} f{} = {};", random_type(random), n, n);
      }
      text += "}";
      continue;
    }
    const char* label = old ? "optional " : random.below(3) == 0 ? "optional " : "";
    if (random.below(8) == 0) label = "repeated ";
    if (old && random.below(10) == 0) label = "required ";
    const int n = next();
    if (old && random.below(12) == 0)
      text += fmt::format("optional group G{} = {} {{ optional int32 a = 1; }}", n, n);
    else
      text += fmt::format("{}{} f{} = {};", label, random_type(random), n, n);
  }
  return text + "}";
}

millrace::Schema random_columns(Random& random, const schema::Schema& schema) {
  const millrace::Schema all = *columns_of(schema, "M");
  millrace::Schema columns;
  for (ColumnDef column : all) {
    if (random.below(8) == 0) continue;
    if (is_integer(column.type) && random.below(4) == 0) column.type = Type::kSmallint;
    if (column.type == Type::kNumeric && random.below(2) == 0) column.type = Type::kBigint;
    columns.push_back(column);
  }
  return columns;
}

std::string random_payload(Random& random, const ColumnsOracle& oracle) {
  const auto message = oracle.message();
  fill(random, *message);
  return message->SerializePartialAsString();
}

void damage(Random& random, std::string& bytes) {
  for (uint64_t times = random.below(3) + 1; times > 0 && !bytes.empty(); --times) {
    const size_t at = random.below(bytes.size());
    const uint64_t how = random.below(4);
    if (how == 0) bytes.resize(at);
    if (how == 1) bytes.insert(at, 1, static_cast<char>(random.below(256)));
    if (how == 2) bytes[at] = static_cast<char>(random.below(256));
    if (how == 3) bytes.erase(at, 1);
  }
}

struct Verdicts {
  size_t taken = 0, refused = 0;
};

// Of each row: what libprotobuf says.
void compare(const std::string& text, const ColumnsOracle& oracle, const millrace::Schema& columns,
             const std::vector<std::string>& payloads, const Batch& batch,
             const std::vector<RowError>& errors, Verdicts& verdicts) {
  std::vector<std::string> refused(payloads.size());
  for (const RowError& error : errors) refused[error.row] = error.message;
  for (size_t row = 0; row < payloads.size(); ++row) {
    const auto expected = oracle.row(payloads[row]);
    ++(expected ? verdicts.taken : verdicts.refused);
    // A text of proto2, which the library does not look at, and which another one took the place of.
    if (text.find("proto2") != std::string::npos && refused[row].find("UTF-8") != std::string::npos) continue;
    ASSERT_EQ(expected.has_value(), refused[row].empty()) << text << "\n"
                                                          << refused[row] << "\n"
                                                          << testing::PrintToString(payloads[row]);
    for (size_t i = 0; i < columns.size(); ++i) {
      const Scalar found = batch.columns[i].scalar(row), wanted = expected ? (*expected)[i] : Scalar();
      ASSERT_TRUE(same(found, wanted)) << text << "\n"
                                       << columns[i].name << " is " << shown(columns[i].type, found)
                                       << ", not " << shown(columns[i].type, wanted) << "\n"
                                       << testing::PrintToString(payloads[row]);
    }
  }
}

void compare_schema(Random& random, Verdicts& verdicts) {
  const std::string text = random_schema(random);
  const auto schema = kFormat.parse(text, {});
  ASSERT_TRUE(schema.ok()) << text << schema.error().to_string();
  const auto columns = random_columns(random, **schema);
  const ColumnsOracle oracle(*schema, "M", columns);
  const auto reader = ColumnReader::make(*schema, "M", columns);
  ASSERT_TRUE(reader.ok()) << text << reader.error().to_string();
  std::vector<std::string> payloads;
  for (int i = 0; i < 60; ++i) {
    std::string payload = random_payload(random, oracle);
    if (i % 3 == 1) payload += random_payload(random, oracle);
    if (i % 2 == 1) damage(random, payload);
    payloads.push_back(std::move(payload));
  }
  Batch batch;
  std::vector<RowError> errors;
  (*reader)->decode({payloads.begin(), payloads.end()}, batch, errors);
  ASSERT_EQ(batch.rows, payloads.size());
  compare(text, oracle, columns, payloads, batch, errors, verdicts);
}

TEST(ProtobufColumns, AreWhatLibprotobufReads) {
  const char* more = std::getenv("MILLRACE_PROTOBUF_SCHEMAS");
  const int schemas = more == nullptr ? 300 : std::atoi(more);
  Verdicts verdicts;
  for (int seed = 0; seed < schemas; ++seed) {
    SCOPED_TRACE(seed);
    Random random(static_cast<uint64_t>(seed));
    compare_schema(random, verdicts);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(verdicts.taken, 15u * static_cast<size_t>(schemas));
  EXPECT_GT(verdicts.refused, 15u * static_cast<size_t>(schemas));
}

std::unique_ptr<ColumnReader> reader_of(std::string_view text) {
  const auto schema = kFormat.parse(text, {}).value();
  return ColumnReader::make(schema, "M", *columns_of(*schema, "M")).value();
}

TEST(ProtobufColumns, DepthAndSizeAreBounded) {
  const auto reader = reader_of("syntax = 'proto3'; message M { int32 a = 1; M m = 2; }");
  std::string deep;
  for (int i = 1; i < kMaxMessageDepth; ++i) {
    std::string outer = "\x12";
    for (size_t size = deep.size();; size >>= 7) {
      outer += static_cast<char>(size < 0x80 ? size : size | 0x80);
      if (size < 0x80) break;
    }
    deep = outer + deep;
  }
  const std::string deeper = "\x12" + std::string(1, static_cast<char>(deep.size() | 0x80)) +
                             static_cast<char>(deep.size() >> 7) + deep;
  const std::string groups(1'000'000, '\x1B'), large(kMaxMessageBytes + 1, '\0');
  Batch batch;
  std::vector<RowError> errors;
  reader->decode({deep, deeper, groups, large}, batch, errors);
  ASSERT_EQ(errors.size(), 3u);
  for (size_t i = 0; i < errors.size(); ++i) {
    EXPECT_EQ(errors[i].row, i + 1);
    EXPECT_EQ(errors[i].id, "MR-PROTO-0013");
  }
}

// `levels` messages in each other, the innermost cut off.
std::string fault_of(size_t name_bytes, int levels) {
  const std::string name(name_bytes, 'n');
  const auto reader =
      reader_of(fmt::format("syntax = 'proto3'; message M {{ int32 a = 1; M {} = 2; }}", name));
  std::string payload = "\x08";
  for (int i = 0; i < levels; ++i)
    payload = std::string("\x12") + static_cast<char>(payload.size()) + payload;
  Batch batch;
  std::vector<RowError> errors;
  reader->decode({payload}, batch, errors);
  const std::string message = errors.at(0).message;
  return message.substr(0, message.find(':')) + message.substr(message.find(" ("));
}

TEST(ProtobufColumns, AFaultNamesItsFieldBriefly) {
  EXPECT_EQ(fault_of(1, 3), "the field \"n.n.n.1\" (byte 6)");
  EXPECT_EQ(fault_of(150, 40), "the field \"…." + std::string(150, 'n') + ".1\" (byte 80)");
}

TEST(ProtobufColumns, RowsAreAppended) {
  const auto reader = reader_of("syntax = 'proto3'; message M { int32 a = 1; optional int32 b = 2; }");
  Batch batch;
  std::vector<RowError> errors;
  reader->decode({"\x08\x01\x10\x02", "\x08"}, batch, errors);
  reader->decode({}, batch, errors);
  reader->decode({std::string_view(), "\x10\x03"}, batch, errors);
  ASSERT_EQ(batch.rows, 4u);
  EXPECT_EQ(errors.size(), 1u);
  EXPECT_EQ(batch.columns[0].integers, (std::vector<int64_t>{1, 0, 0, 0}));
  EXPECT_EQ(batch.columns[0].valid, (std::vector<uint8_t>{1, 0, 1, 1}));
  EXPECT_EQ(batch.columns[1].valid, (std::vector<uint8_t>{1, 0, 0, 1}));
}

// Each contains the next one.
TEST(ProtobufColumns, AChainOfMessagesIsRead) {
  std::string text = "syntax = 'proto3'; message M { int32 a = 1; M0 m = 2; }";
  for (int i = 0; i < 5'000; ++i)
    text += fmt::format("message M{} {{ M{} m = 2; }}", i, i == 4'999 ? 0 : i + 1);
  Batch batch;
  std::vector<RowError> errors;
  reader_of(text)->decode({std::string_view("\x08\x05\x12\x02\x12\x00", 6)}, batch, errors);
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(batch.columns[0].integers, std::vector<int64_t>{5});
}

}  // namespace
}  // namespace millrace::protobuf
