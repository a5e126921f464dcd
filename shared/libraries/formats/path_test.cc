// Columns from inside an event's objects: every case through the general reader, and through remembered shapes.
#include <gtest/gtest.h>

#include "base/buffer.h"
#include "formats/internal/learning_reader.h"
#include "formats/json.h"

namespace millrace::formats {
namespace {

constexpr auto kMs = TimestampUnit::kMilliseconds;
const Schema kSchema = {{"auction", Type::kBigint, kMs, {"bid", "auction"}},
                        {"city", Type::kText, kMs, {"bid", "by", "a \"b\""}},
                        {"id", Type::kBigint},
                        {"seller", Type::kBigint, kMs, {"sale", "seller"}},
                        {"price", Type::kDouble, kMs, {"bid", "price"}}};
const std::vector<int> kAll = {0, 1, 2, 3, 4};

// A row of all columns, and the reader that fills it.
template <typename Reader>
class Rows {
 public:
  explicit Rows(Reader& reader) : reader_(reader) {
    batch_.set_schema(kSchema);
    for (Column& column : batch_.columns) column.resize(1);
  }
  // The row, or the refusal's id.
  std::string read(std::string_view event) {
    for (Column& column : batch_.columns) column.valid.assign(1, 0);
    reader_.attach(batch_.columns, *batch_.arena);
    const Buffer bytes = Buffer::copy(event);
    if (!reader_.read(bytes.view(), 0)) return failure();
    std::string out;
    std::vector<const Column*> columns;
    for (const Column& column : batch_.columns) columns.push_back(&column);
    JsonRowWriter({"a", "c", "i", "s", "p"}).append(out, columns, 0);
    return out;
  }

 private:
  std::string failure() const {
    if constexpr (requires { reader_.failure(); })
      return std::string(reader_.failure().id);
    else
      return "not taken";
  }
  Reader& reader_;
  Batch batch_;
};

// EventReader and ShapeTree, each with the columns that it writes to.
template <typename Reader>
struct Alone : ColumnSlots {
  Alone() : ColumnSlots(kSchema, kAll), reader(*this) {}
  bool read(std::string_view event, size_t row) { return reader.read(event, row); }
  auto failure() const requires requires(const Reader& r) { r.failure(); }
  { return reader.failure(); }
  Reader reader;
};

struct Case {
  const char* event;
  const char* row;
};
const std::vector<Case> kCases = {
    {R"({"id":1,"bid":{"auction":7,"price":1.5,"by":{"a \"b\"":"x"}},"sale":{"seller":3}})",
     R"({"a":7,"c":"x","i":1,"s":3,"p":1.5})"},
    // Other order, other members around, white space.
    {R"({"sale":{"seller":3},"bid":{"by":{"a \"b\"":"x"},"price":1.5,"auction":7},"id":1})",
     R"({"a":7,"c":"x","i":1,"s":3,"p":1.5})"},
    {R"( { "u" : { "bid" : { "auction" : 8 } } , "bid" : { "n" : [ { "auction" : 9 } ] , "auction" : 7 } } )",
     R"({"a":7,"c":null,"i":null,"s":null,"p":null})"},
    // The same names elsewhere are others.
    {R"({"auction":1,"price":2,"seller":4,"by":{"id":5},"sale":{"auction":6,"bid":{"auction":7},"id":8}})",
     R"({"a":null,"c":null,"i":null,"s":null,"p":null})"},
    {R"({"bid":{"bid":{"auction":7},"id":8,"sale":{"seller":9},"by":{"by":{"a \"b\"":"x"}}}})",
     R"({"a":null,"c":null,"i":null,"s":null,"p":null})"},
    // Missing, NULL, and what is no object where one is on the way.
    {"{}", R"({"a":null,"c":null,"i":null,"s":null,"p":null})"},
    {R"({"bid":{},"id":1})", R"({"a":null,"c":null,"i":1,"s":null,"p":null})"},
    {R"({"bid":null,"id":1})", R"({"a":null,"c":null,"i":1,"s":null,"p":null})"},
    {R"({"bid":5,"id":1})", R"({"a":null,"c":null,"i":1,"s":null,"p":null})"},
    {R"({"bid":"x","id":1})", R"({"a":null,"c":null,"i":1,"s":null,"p":null})"},
    {R"({"bid":true,"id":1})", R"({"a":null,"c":null,"i":1,"s":null,"p":null})"},
    {R"({"bid":[{"auction":7}],"id":1})", R"({"a":null,"c":null,"i":1,"s":null,"p":null})"},
    {R"({"bid":[]})", R"({"a":null,"c":null,"i":null,"s":null,"p":null})"},
    {R"({"bid":{"auction":7}})", R"({"a":7,"c":null,"i":null,"s":null,"p":null})"},
    {R"({"bid":{"auction":null,"by":7,"price":2}})", R"({"a":null,"c":null,"i":null,"s":null,"p":2})"},
    {R"({"bid":{"auction":7,"by":{}}})", R"({"a":7,"c":null,"i":null,"s":null,"p":null})"},
    // Escapes in names.
    {R"({"b\u0069d":{"\u0061uction":7,"by":{"a \u0022b\u0022":"x"}}})",
     R"({"a":7,"c":"x","i":null,"s":null,"p":null})"},
    // Of two of one name the last counts, whatever it is.
    {R"({"bid":{"auction":7,"auction":8}})", R"({"a":8,"c":null,"i":null,"s":null,"p":null})"},
    {R"({"bid":{"auction":7},"bid":{"price":2}})", R"({"a":null,"c":null,"i":null,"s":null,"p":2})"},
    {R"({"bid":{"by":{"a \"b\"":"x"}},"bid":5})", R"({"a":null,"c":null,"i":null,"s":null,"p":null})"},
    {R"({"bid":{"auction":"x"},"bid":{"auction":8}})", R"({"a":8,"c":null,"i":null,"s":null,"p":null})"},
    {R"({"bid":{"auction":"x"},"bid":null})", R"({"a":null,"c":null,"i":null,"s":null,"p":null})"},
    {R"({"bid":5,"bid":{"auction":8}})", R"({"a":8,"c":null,"i":null,"s":null,"p":null})"},
    {R"({"bid":{"auction":7},"bid":{"auction":"x"}})", "MR-EVT-0006"},
    // A wrong kind in a column's own place.
    {R"({"bid":{"auction":{}}})", "MR-EVT-0006"},
    {R"({"bid":{"auction":[7]}})", "MR-EVT-0006"},
    {R"({"bid":{"auction":"7"}})", "MR-EVT-0006"},
    {R"({"bid":{"auction":1.5}})", "MR-EVT-0007"},
    {R"({"bid":{"auction":7},"sale":{"seller":true}})", "MR-EVT-0006"},
    // Malformed inside.
    {R"({"bid":{"auction":7,}})", "MR-EVT-0001"},
    {R"({"bid":{"auction":7})", "MR-EVT-0001"},
    {R"({"bid":{"auction":7]})", "MR-EVT-0001"},
    {R"({"bid":{"auction" 7}})", "MR-EVT-0001"},
    {R"({"bid":{"auction":07}})", "MR-EVT-0001"},
    {R"({"bid":{"auction":)", "MR-EVT-0001"},
    {R"({"bid":)", "MR-EVT-0001"},
    {R"({"bid":tru})", "MR-EVT-0001"},
    {"{\"bid\":{\"u\":\"\xFF\",\"auction\":7}}", "MR-EVT-0003"},
};

TEST(Paths, TheGeneralReader) {
  for (const Case& c : kCases) {
    Alone<EventReader> fresh;
    EXPECT_EQ(Rows(fresh).read(c.event), c.row) << c.event;
  }
}

TEST(Paths, RememberedOrders) {
  Alone<EventReader> general;
  LearningReader learning(kSchema, kAll);
  Rows general_rows(general);
  Rows learning_rows(learning);
  for (const Case& before : kCases) {
    for (const Case& c : kCases) {
      EXPECT_EQ(general_rows.read(before.event), before.row) << before.event;
      EXPECT_EQ(general_rows.read(c.event), c.row) << c.event << " behind " << before.event;
      EXPECT_EQ(learning_rows.read(before.event), before.row) << before.event;
      EXPECT_EQ(learning_rows.read(c.event), c.row) << c.event << " behind " << before.event;
    }
  }
}

// Each case as the only shape that is known.
TEST(Paths, RememberedShapes) {
  int taken = 0;
  for (const Case& c : kCases) {
    if (c.row[0] != '{') continue;
    Alone<ShapeTree> shapes;
    const Buffer event = Buffer::copy(c.event);
    shapes.reader.learn(event.view());
    const std::string row = Rows(shapes).read(c.event);
    if (row == "not taken") continue;
    ++taken;
    EXPECT_EQ(row, c.row) << c.event;
  }
  EXPECT_EQ(taken, 13);
  Alone<ShapeTree> shapes;
  Rows rows(shapes);
  shapes.reader.learn(Buffer::copy(R"({"u":{"auction":1},"bid":{"auction":7,"by":{"x":1}},"id":1})").view());
  EXPECT_EQ(rows.read(R"({"u":{"auction":2},"bid":{"auction":8,"by":{"x":3}},"id":9})"),
            R"({"a":8,"c":null,"i":9,"s":null,"p":null})");
  EXPECT_EQ(rows.read(R"({"u":{"auction":2},"bid":{"auction":"8","by":{"x":3}},"id":9})"), "not taken");
  for (const char* twice : {R"({"bid":{"auction":7},"bid":{"price":2}})", R"({"sale":1,"sale":2})",
                            R"({"bid":{"price":1,"price":2}})"}) {
    shapes.reader.learn(Buffer::copy(twice).view());
    EXPECT_EQ(rows.read(twice), "not taken") << twice;
  }
}

TEST(Paths, OnlyTheWantedColumnsAreRead) {
  const Buffer event = Buffer::copy(R"({"bid":{"auction":"not a number","price":2},"sale":{"seller":"x"}})");
  JsonDecoder decoder(kSchema, {4, 2});
  Batch batch;
  std::vector<RowError> errors;
  decoder.decode({event.view(), event.view()}, batch, errors);
  ASSERT_TRUE(errors.empty());
  EXPECT_EQ(batch.columns[0].doubles[1], 2);
  EXPECT_TRUE(batch.columns[1].is_null(1));
}

TEST(Paths, TheKeyMayStandInside) {
  JsonValidator validator(kSchema, 0);
  const auto key = [&](std::string_view event) {
    const Buffer bytes = Buffer::copy(event);
    const auto answer = validator.validate(bytes.view());
    return !answer.ok() ? answer.error().message : std::string(answer->value_or("none"));
  };
  EXPECT_EQ(key(R"({"bid":{"auction":7}})"), "7");
  EXPECT_EQ(key(R"({"bid":{"auction":8}})"), "8");
  EXPECT_EQ(key(R"({"bid":[]})"), "none");
  EXPECT_EQ(key(R"({"auction":7})"), "none");
  EXPECT_EQ(key(R"({"bid":{"auction":"7"}})"),
            "column \"auction\" (bigint) at byte 18: a whole number is expected");
}

TEST(Paths, DepthIsCountedFromTheEvent) {
  JsonValidator validator(kSchema, -1);
  const auto verdict = [&](size_t arrays) {
    const Buffer bytes = Buffer::copy("{\"bid\":{\"by\":{\"u\":" + std::string(arrays, '[') +
                                      std::string(arrays, ']') + "}}}");
    const auto answer = validator.validate(bytes.view());
    return answer.ok() ? "ok" : answer.error().id;
  };
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(verdict(kMaxJsonDepth - 3), "ok");
    EXPECT_EQ(verdict(kMaxJsonDepth - 2), "MR-EVT-0004");
  }
}

}  // namespace
}  // namespace millrace::formats
