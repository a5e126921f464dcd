// Remembered shapes: what they take, what they leave to the general reader, and that nobody can tell the
// difference.
#include <gtest/gtest.h>

#include "base/buffer.h"
#include "base/random.h"
#include "formats/internal/learning_reader.h"
#include "formats/json.h"

namespace millrace::formats {
namespace {

const Schema kSchema = {{"id", Type::kText},    {"n", Type::kBigint},      {"mag", Type::kDouble},
                        {"ok", Type::kBoolean}, {"t", Type::kTimestamptz}, {"i", Type::kInterval}};
const std::vector<int> kAll = {0, 1, 2, 3, 4, 5};
constexpr std::string_view kBase =
    R"({"id":"ana","n":12,"x":{"y":"deep","z":[1,2],"w":{}},"mag":1.5,"ok":true,"u":7,"t":"2024-01-02T03:04:05Z"})";

// A row of all columns, and somewhere to keep what its texts view.
struct Row {
  Row() {
    batch.set_schema(kSchema);
    for (Column& column : batch.columns) column.resize(1);
    clear();
  }
  void clear() {
    for (Column& column : batch.columns) column.valid.assign(1, 0);
  }
  std::string text() const {
    std::vector<std::string> names;
    std::vector<const Column*> columns;
    for (const ColumnDef& column : kSchema) names.push_back(column.name);
    for (const Column& column : batch.columns) columns.push_back(&column);
    std::string out;
    JsonRowWriter(names).append(out, columns, 0);
    return out;
  }
  Batch batch;
};

// What a reader says of an event: its row, or why it is refused.
template <typename Reader, typename Failure>
std::string answer(Row& row, Reader& reader, const Failure& failure, std::string_view event) {
  const Buffer buffer = Buffer::copy(event);
  row.clear();
  if (reader.read(buffer.view(), 0)) return row.text();
  return std::string(failure().id) + " " + failure().message;
}

class Pair {
 public:
  Pair() : learning_(kSchema, kAll) { learning_.attach(row_.batch.columns, *row_.batch.arena); }
  std::string learning(std::string_view event) {
    return answer(
        row_, learning_, [&] { return learning_.failure(); }, event);
  }
  static std::string general(std::string_view event) {
    Row row;
    ColumnSlots slots(kSchema, kAll);
    slots.attach(row.batch.columns, *row.batch.arena);
    EventReader reader(slots);
    return answer(
        row, reader, [&] { return reader.failure(); }, event);
  }
  void expect_same(std::string_view event) { ASSERT_EQ(learning(event), general(event)) << event; }

 private:
  Row row_;
  LearningReader learning_;
};

// A tree by itself shows whether an event had a shape.
class Tree {
 public:
  Tree() : slots_(kSchema, kAll), tree_(slots_) { slots_.attach(row_.batch.columns, *row_.batch.arena); }
  void learn(std::string_view event) { tree_.learn(Buffer::copy(event).view()); }
  bool takes(std::string_view event) {
    row_.clear();
    event_ = Buffer::copy(event);
    return tree_.read(event_.view(), 0);
  }
  std::string row() const { return row_.text(); }
  ShapeTree& tree() { return tree_; }

 private:
  Buffer event_;
  Row row_;
  ColumnSlots slots_;
  ShapeTree tree_;
};

TEST(ShapeTree, TakesOtherValuesOfAKnownShape) {
  Tree tree;
  EXPECT_FALSE(tree.takes(kBase));
  tree.learn(kBase);
  EXPECT_FALSE(tree.takes(R"({"id":7,"n":12})"));
  ASSERT_TRUE(tree.takes(
      R"({"id":"b\u00e9\"o","n":-7,"x":{"y":"é","z":[{"q":[]}],"w":{}},"mag":1e2,"ok":false,"u":0.5e-3,"t":"2025-01-02"})"));
  EXPECT_EQ(tree.row(), R"({"id":"bé\"o","n":-7,"mag":100,"ok":false,"t":"2025-01-02T00:00:00Z","i":null})");
}

TEST(ShapeTree, ShapesThatPartShareTheirStart) {
  Tree tree;
  const std::vector<std::string> events = {R"({"n":1,"id":"a"})", R"({"n":1,"id":null})",
                                           R"({"n":1})",          R"({"n":1,"id":"a","ok":true})",
                                           R"({ "n": 1 })",       "{}"};
  for (const auto& event : events) tree.learn(event);
  for (const auto& event : events) EXPECT_TRUE(tree.takes(event)) << event;
  ASSERT_TRUE(tree.takes(R"({"n":3,"id":null})"));
  EXPECT_EQ(tree.row(), R"({"id":null,"n":3,"mag":null,"ok":null,"t":null,"i":null})");
  EXPECT_FALSE(tree.takes(R"({"n":1,"id":"a"} )"));
}

TEST(ShapeTree, RemembersNoColumnNamedTwiceAndNoEscapedName) {
  Tree tree;
  for (const char* event : {R"({"n":1,"n":2})", R"({"\u006e":1})", R"({"x":{"\u006e":1}})"}) {
    tree.learn(event);
    EXPECT_FALSE(tree.takes(event)) << event;
  }
  tree.learn(R"({"x":1,"x":2})");  // nobody reads it
  EXPECT_TRUE(tree.takes(R"({"x":3,"x":4})"));
}

TEST(ShapeTree, IsBounded) {
  Tree tree;
  for (int i = 0; i < 10'000; ++i) {
    const std::string name(static_cast<size_t>(1 + i % 7), static_cast<char>('a' + i % 26));
    tree.learn("{\"common\":1,\"" + name + std::to_string(i) + "\":2}");
  }
  EXPECT_TRUE(tree.tree().full());
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string name(static_cast<size_t>(1 + i % 7), static_cast<char>('a' + i % 26));
    taken += tree.takes("{\"common\":1,\"" + name + std::to_string(i) + "\":2}");
  }
  EXPECT_EQ(taken, static_cast<int>(ShapeTree::kMaxAlternatives));
  tree.tree().forget();
  EXPECT_FALSE(tree.tree().full());

  std::string wide = "{";
  for (size_t i = 0; i <= ShapeTree::kMaxSteps; ++i) wide += "\"" + std::to_string(i) + "\":1,";
  wide.back() = '}';
  tree.learn(wide);
  EXPECT_FALSE(tree.takes(wide));
  const std::string long_name = "{\"" + std::string(ShapeTree::kMaxLiteralBytes, 'k') + "\":1}";
  tree.learn(long_name);
  EXPECT_FALSE(tree.takes(long_name));
  const std::string deep = "{" + std::string(80'000, ' ') + "}";
  tree.learn(deep);
  EXPECT_FALSE(tree.takes(deep));
}

TEST(LearningReader, HardCasesOfALearntShape) {
  const std::vector<std::string> like = {R"({"id":"ana","n":12})",
                                         R"({"id":"ana","n":-0})",
                                         R"({"id":"ana","n":007})",
                                         R"({"id":"ana","n":9223372036854775807})",
                                         R"({"id":"a","n":9223372036854775808})",
                                         R"({"id":"a","n":-9223372036854775808})",
                                         R"({"id":"a","n":12345678901234567890})",
                                         R"({"id":"a","n":99999999999999999999})",
                                         R"({"id":"a","n":1e2})",
                                         R"({"id":"a","n":1.0})",
                                         R"({"id":"a","n":1.5})",
                                         R"({"id":"a","n":12x})",
                                         R"({"id":"a","n":12"})",
                                         R"({"id":"a","n":-})",
                                         R"({"id":"a","n":1.})",
                                         R"({"id":"a","n":1e})",
                                         R"({"id":"a","n":12}})",
                                         R"({"id":"a","n":12},)",
                                         R"({"id":"a","n":12} )",
                                         R"({"id":"a","n":12)",
                                         R"({"id":"a","n":null})",
                                         R"({"id":null,"n":1})",
                                         R"({"id":7,"n":1})",
                                         R"({"id":{},"n":1})",
                                         R"({"id":"a","n":"1"})",
                                         R"({"id":"a","n":1,"n":2})",
                                         R"({"id":"a","n":1,"n":"x"})",
                                         R"({"id":"a","n":"x","n":1})",
                                         R"({"id":"a","nn":1})",
                                         R"({"i":"1 day","n":1})",
                                         R"({"i":"soon","n":1})",
                                         R"({"n":1})",
                                         R"({"id":"a"})",
                                         "{}",
                                         R"({"id":"a\)",
                                         R"({"id":"a\"","n":1})",
                                         R"({"id":"a\u00e9","n":1})",
                                         R"({"id":"\ud800","n":1})",
                                         R"({"id":"\q","n":1})",
                                         "{\"id\":\"\x01\",\"n\":1}",
                                         "{\"id\":\"\xFF\",\"n\":1}",
                                         "{\"id\":\"\xC3\xA9\",\"n\":1}",
                                         R"({ "id" : "a" , "n" : 1 })",
                                         "{\"id\":\"a\",\n\"n\":1}\n",
                                         R"([{"id":"a","n":1}])",
                                         "null",
                                         "",
                                         R"({"id":"exactly16bytes!!","n":1})",
                                         R"({"id":"longer than thirty-two bytes, to be sure of it","n":1})"};
  for (const auto& first : like) {
    Pair pair;
    for (int round = 0; round < 2; ++round) {
      pair.expect_same(first);
      for (const auto& event : like) {
        SCOPED_TRACE(first);
        ASSERT_NO_FATAL_FAILURE(pair.expect_same(event));
      }
    }
  }
}

// Every way to cut it short or to change one byte of it, after its shape is known.
TEST(LearningReader, NoByteOfAnEventIsTakenOnTrust) {
  Pair pair;
  for (int i = 0; i < 3; ++i) pair.expect_same(kBase);
  for (size_t size = 0; size < kBase.size(); ++size) pair.expect_same(kBase.substr(0, size));
  for (size_t at = 0; at < kBase.size(); ++at) {
    for (const char c : std::string_view("\"\\{}[]:,0-.eEtn \x01\x1F\x80\xC3\xFF\0", 21)) {
      std::string event(kBase);
      event[at] = c;
      ASSERT_NO_FATAL_FAILURE(pair.expect_same(event));
      event = kBase;
      event.insert(at, 1, c);
      ASSERT_NO_FATAL_FAILURE(pair.expect_same(event));
    }
  }
}

TEST(LearningReader, DepthIsCountedFromTheEvent) {
  Pair pair;
  const auto nested = [](size_t n) {
    return R"({"x":{"y":)" + std::string(n, '[') + std::string(n, ']') + "}}";
  };
  for (const size_t n : {size_t{1}, kMaxJsonDepth - 2, kMaxJsonDepth - 1, kMaxJsonDepth, size_t{1}})
    pair.expect_same(nested(n));
  EXPECT_EQ(pair.learning(nested(kMaxJsonDepth - 1)).substr(0, 11), "MR-EVT-0004");
}

// Long enough for shapes to rest, to come back, and to be forgotten when they change.
TEST(LearningReader, AStreamThatChangesItsNature) {
  Pair pair;
  Random random(3);
  for (int i = 0; i < 40'000; ++i) {
    const int phase = i / 5'000 % 4;
    const std::string n = std::to_string(random.below(1'000'000));
    const std::string version = std::to_string(i / 700);
    const std::string event = phase == 0   ? R"({"id":"a","n":)" + n + "}"
                              : phase == 1 ? "{\"x" + n + R"(":1,"n":)" + n + "}"
                              : phase == 2 ? R"({"n":)" + n + ",\"v" + version + "\":[" + n + "]}"
                                           : R"({"n":)" + n + (random.chance(3) ? "" : ",\"ok\":1") + "}";
    ASSERT_NO_FATAL_FAILURE(pair.expect_same(event));
  }
}

}  // namespace
}  // namespace millrace::formats
