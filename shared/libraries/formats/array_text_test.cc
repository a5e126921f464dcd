#include "formats/array_text.h"

#include <gtest/gtest.h>

#include "base/buffer.h"
#include "formats/json.h"
#include "formats/text_types.h"

namespace millrace::formats {
namespace {

// As it is printed; or the error.
std::string read(Type element, std::string_view text) {
  const auto bytes = parse_text(array_of(element), text);
  if (!bytes.ok()) return std::string(bytes.error().id);
  std::string out;
  append_text(out, array_of(element), *bytes);
  return out;
}

TEST(ArrayText, ReadsWhatPostgresReads) {
  EXPECT_EQ(read(Type::kInteger, "{}"), "{}");
  EXPECT_EQ(read(Type::kInteger, " { 1 , -2,NULL , null } "), "{1,-2,NULL,NULL}");
  EXPECT_EQ(read(Type::kText, R"({a b , "c,d","q\"x\\y", n\ull,"NULL",""})"),
            R"({"a b","c,d","q\"x\\y","null","NULL",""})");
  EXPECT_EQ(read(Type::kText, R"({\ a\ })"), R"({" a "})");
  EXPECT_EQ(read(Type::kBoolean, "{true,f}"), "{t,f}");
  EXPECT_EQ(read(Type::kInterval, R"({"1 day",02:00})"), R"({"1 day",02:00:00})");
  EXPECT_EQ(read(Type::kNumeric, "{1.50,-3}"), "{1.5,-3}");
  EXPECT_EQ(read(Type::kBytea, R"({"\\x00ff"})"), R"({"\\x00ff"})");
}

TEST(ArrayText, RefusesWhatIsNone) {
  for (const char* text : {"", "1", "{", "{1", "{1,}", "{,1}", "{1}}", "{1} x", "{{1}}", "{1 2}",
                           "[1:2]={1,2}", "{\"1", "{\"1\"2}", "{1\\"})
    EXPECT_EQ(read(Type::kInteger, text), "MR-EVT-0101") << text;
  EXPECT_EQ(read(Type::kInteger, "{3000000000}"), "MR-EVT-0102");
  std::string many = "{1";
  for (size_t i = 1; i < kMaxArrayElements; ++i) many += ",1";
  EXPECT_EQ(read(Type::kBoolean, many + "}").size(), 2 * kMaxArrayElements + 1);
  EXPECT_EQ(read(Type::kBoolean, many + ",1}"), "MR-EVT-0101");
}

TEST(ArrayText, AnEventHasSoManyElements) {
  const auto failure = [](size_t count) {
    std::string event = "{\"a\":[0";
    for (size_t i = 1; i < count; ++i) event += ",0";
    const Buffer bytes = Buffer::copy(event + "]}");
    Batch batch;
    std::vector<RowError> errors;
    JsonDecoder({{"a", array_of(Type::kSmallint)}}, {0}).decode({bytes.view()}, batch, errors);
    return errors.empty() ? std::string() : std::string(errors[0].id);
  };
  EXPECT_EQ(failure(kMaxArrayElements), "");
  EXPECT_EQ(failure(kMaxArrayElements + 1), "MR-EVT-0009");
}

}  // namespace
}  // namespace millrace::formats
