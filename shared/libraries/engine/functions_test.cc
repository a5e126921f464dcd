// Every signature of the function table over columns, under the kit's schedules, gives what it gives for the
// row's values as constants: no row sees another's, whatever the batch.
#include "engine/functions.h"

#include <gtest/gtest.h>

#include <array>

#include "base/random.h"
#include "engine/kit/kit.h"
#include "engine/regex.h"
#include "engine/regex_literal.h"
#include "event/array.h"
#include "event/decimal.h"
#include "event/row.h"
#include "formats/jsonb.h"

namespace millrace::engine {
namespace {

// What a signature's record is here.
Type with_row(Type type) {
  static const Type row =
      *row_type({{.name = "a", .type = Type::kInteger}, {.name = "b", .type = Type::kText}});
  if (element_of(type) != Type::kRecord) return type;
  return is_array(type) ? array_of(row) : row;
}

Scalar random_value(Random& random, Type type) {
  constexpr std::array kTexts{"", "abc", "é€", " a b ", "hour", "a(b", "%x", "MM-DD", "a", "i"};
  constexpr std::array kJsons{
      "{\"a\": [1, null], \"abc\": null}", "[1, \"a\", {\"a\": 2}]", "\"abc\"", "-1.5", "[]", "null"};
  if (random.chance(6)) return {};
  if (is_array(type)) {
    ArrayMaker elements(element_of(type));
    for (size_t i = random.below(5); i > 0; --i) elements.add(random_value(random, element_of(type)));
    return elements.bytes();
  }
  if (is_row(type)) {
    std::string bytes;
    for (const ColumnDef& field : fields_of(type)) {
      ArrayMaker one(field.type);
      one.add(random_value(random, field.type));
      bytes += one.bytes();
    }
    return bytes;
  }
  switch (type) {
    case Type::kBoolean:
      return random.chance(2);
    case Type::kSmallint:
    case Type::kInteger:
    case Type::kBigint:
    case Type::kDate:
      return static_cast<int64_t>(random.below(9)) - 3;
    case Type::kTime:
      return static_cast<int64_t>(random.below(86'400)) * 1'000'000;
    case Type::kReal:
      return static_cast<double>(static_cast<float>(random.unit() - 0.5) * 6);
    case Type::kDouble:
      return (random.unit() - 0.5) * 6;
    case Type::kJsonb:
      return *formats::parse_jsonb(kJsons[random.below(kJsons.size())]);
    case Type::kUuid:
      return std::string(random.chance(2) ? "0" : "f") + "0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    case Type::kNumeric:
      return decimal_bytes(*decimal_of(random.unit() * 100 - 50, random.chance(2)));
    case Type::kBytea:
    case Type::kText:
      return std::string(kTexts[random.below(kTexts.size())]);
    case Type::kTimestamp:
    case Type::kTimestamptz:
      return Timestamp{static_cast<int64_t>(random.below(2'000'000'000)) * 1'000'000};
    default:
      return Interval{static_cast<int32_t>(random.below(30)), static_cast<int32_t>(random.below(9)),
                      5'000'000};
  }
}

ExprPtr call_of(const Signature& signature, std::vector<ExprPtr> args) {
  auto call = std::make_shared<Expr>();
  call->op = Op::kCall;
  call->type = with_row(signature.result);
  call->function = &signature;
  call->args = std::move(args);
  return kit::call(Op::kCast, Type::kText, {std::move(call)});
}

std::string expected_row(const ExprPtr& call) {
  const auto value = evaluate_constant(*call);
  if (!value.ok()) return std::string(value.error().id) + "\n";
  Batch row;
  row.columns.emplace_back().type = Type::kText;
  row.columns[0].append(*value);
  row.rows = 1;
  return kit::run_expression(kit::column(0, Type::kText), row, {1});
}

ExprPtr literal_of(const Scalar& value, Type type) {
  auto typed = std::make_shared<Expr>();
  typed->type = type;
  typed->literal = value;
  return typed;
}

// The first argument is a constant in half of the rounds: kernels have that case of their own.
void check(Random& random, const Signature& signature, bool constant_first) {
  constexpr size_t kRows = 40;
  Batch batch;
  batch.rows = kRows;
  std::vector<ExprPtr> over_columns;
  std::vector<std::vector<Scalar>> values(signature.args.size() + (signature.variadic ? 1 : 0));
  for (size_t i = 0; i < values.size(); ++i) {
    const Type type = with_row(signature.args[std::min(i, signature.args.size() - 1)]);
    const bool constant = constant_first && i == 0;
    batch.columns.emplace_back().type = type;
    values[i].reserve(kRows);
    for (size_t row = 0; row < kRows; ++row) {
      values[i].push_back(constant && row > 0 ? values[i][0] : random_value(random, type));
      batch.columns.back().append(values[i].back());
    }
    over_columns.push_back(constant ? literal_of(values[i][0], type)
                                    : kit::column(static_cast<int>(i), type));
  }
  std::string expected;
  for (size_t row = 0; row < kRows; ++row) {
    std::vector<ExprPtr> literals;
    for (size_t i = 0; i < values.size(); ++i) {
      literals.push_back(literal_of(values[i][row], batch.columns[i].type));
    }
    expected += expected_row(call_of(signature, std::move(literals)));
  }
  for (const size_t size : {1, 7, 1024})
    EXPECT_EQ(kit::run_expression(call_of(signature, over_columns), batch, {size}), expected)
        << signature.name;
}

TEST(Functions, AreTheSameOverColumnsAndConstants) {
  Random random(7);
  for (const FunctionFamily& family : function_table()) {
    for (const Function& function : family.functions) {
      for (const Signature& signature : function.signatures) {
        for (int round = 0; round < 4; ++round) check(random, signature, round % 2 == 1);
      }
    }
  }
}

TEST(Functions, EveryCaseOfTheNameIsFoundOnce) {
  EXPECT_NE(find_function("lower"), nullptr);
  EXPECT_EQ(find_function("Lower"), nullptr);
  EXPECT_EQ(to_string(find_function("left")->signatures[0]), "left(text, bigint) → text");
}

TEST(RegexCache, ForgetsTheOldestBeyondItsBound) {
  RegexCache cache;
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < 2 * kMaxRegexes; ++i) {
      const std::string pattern = "^" + std::to_string(i) + "$";
      EXPECT_TRUE(cache.find(pattern, false).search(std::to_string(i), 0, {}));
      EXPECT_FALSE(cache.find(pattern, false).search("x", 0, {}));
    }
  }
  EXPECT_FALSE(cache.find("ABC", false).search("abc", 0, {}));
  EXPECT_TRUE(cache.find("ABC", true).search("abc", 0, {}));
}

TEST(Regex, TheTextThatAMatchNeeds) {
  const std::pair<const char*, const char*> cases[] = {
      {"(&|^)channel_id=([^&]*)", "channel_id="},
      {"abc|d", ""},
      {"(abc|d)", ""},
      {"ab*cde?f", "cd"},
      {"ab+cd", "ab"},
      {"a{2}bc{1,3}?d", "b"},
      {"x[]ab\\]c]yz", "yz"},
      {"[[:alpha:]ab]cd", "cd"},
      {"a\\.b\\dcd", "a.b"},
      {"\\x41b", ""},
      {"\\Qa*\\E", ""},
      {"(?i)abc", ""},
      {"(?:ab)cd(?P<n>efg)", "cd"},
      {"é+ab", "ab"},
      {"", ""},
  };
  for (const auto& [pattern, literal] : cases) EXPECT_EQ(required_literal(pattern), literal) << pattern;
}

// An alternative takes the search for the text away: what never matches changes no answer.
TEST(Regex, TheTextThatAMatchNeedsChangesNoAnswer) {
  Random random(5);
  const char* const kParts[] = {"a",   "b", "ab",   "ba",   "*", "+", "?", "{2}", "{0,1}", "(",  ")",
                                "(?:", "|", "[ab]", "[^a]", ".", "^", "$", "\\.", "\\w",   "*?", "c"};
  int valid = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string pattern, text;
    for (uint64_t n = 1 + random.below(7); n > 0; --n) pattern += kParts[random.below(std::size(kParts))];
    for (uint64_t n = random.below(8); n > 0; --n) text += "abc."[random.below(4)];
    const Regex plain(pattern, false), other(pattern + "|never", false);
    if (!plain.error().empty() || !other.error().empty()) continue;
    ++valid;
    std::string_view found[1], expected[1];
    const bool matches = plain.search(text, 0, found);
    ASSERT_EQ(matches, other.search(text, 0, expected)) << pattern << " in " << text;
    if (matches) {
      ASSERT_EQ(found[0], expected[0]) << pattern << " in " << text;
    }
  }
  EXPECT_GT(valid, 5'000);
}

TEST(Regex, HasBounds) {
  EXPECT_NE(Regex("a(b", false).error(), "");
  EXPECT_NE(Regex(std::string(kMaxRegexBytes + 1, 'a'), false).error(), "");
  EXPECT_NE(Regex("((a{100}){100}){100}", false).error(), "");
}

}  // namespace
}  // namespace millrace::engine
