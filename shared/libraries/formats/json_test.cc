#include "formats/json.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/buffer.h"
#include "event/row_type.h"

namespace millrace::formats {
namespace {

const Schema kSchema = {{"id", Type::kText},  {"time", Type::kTimestamptz}, {"mag", Type::kDouble},
                        {"n", Type::kBigint}, {"ok", Type::kBoolean},       {"for", Type::kInterval}};

struct Decoded {
  std::vector<Buffer> buffers;
  Batch batch;
  std::vector<RowError> errors;
};

Decoded decode(const std::vector<std::string>& events, std::vector<int> wanted = {0, 1, 2, 3, 4, 5}) {
  Decoded d;
  std::vector<std::string_view> values;
  for (const auto& event : events) d.buffers.push_back(Buffer::copy(event));
  for (const auto& buffer : d.buffers) values.push_back(buffer.view());
  JsonDecoder(kSchema, std::move(wanted)).decode(values, d.batch, d.errors);
  return d;
}

std::string print(const Batch& batch, size_t row) {
  std::vector<std::string> names;
  std::vector<const Column*> columns;
  for (size_t i = 0; i < batch.columns.size(); ++i) {
    names.push_back(std::to_string(i));
    columns.push_back(&batch.columns[i]);
  }
  std::string out;
  JsonRowWriter(names).append(out, columns, row);
  return out;
}

std::string verdict(const std::string& event, int key = -1) {
  const Buffer buffer = Buffer::copy(event);
  JsonValidator validator(kSchema, key);
  const auto result = validator.validate(buffer.view());
  const auto decoded = decode({event});
  EXPECT_EQ(result.ok(), decoded.errors.empty()) << event;
  if (!result.ok()) {
    if (!decoded.errors.empty()) {
      EXPECT_EQ(decoded.errors[0].id, result.error().id);
    }
    return result.error().id;
  }
  return result->has_value() ? std::string(**result) : "ok";
}

TEST(JsonDecoder, EveryTypeNullAndMissing) {
  const auto d = decode(
      {R"({"id":"a\u00e9\n","time":"2001-01-01T00:47:00Z","mag":4.5,"n":-7,"ok":true,"for":"1 hour"})",
       R"({ "time" : 978310020000 , "id":null,"x":[1,{"y":[]}],"ok":false,"mag":1e2, "n": 5.0})", "{}"});
  ASSERT_TRUE(d.errors.empty());
  ASSERT_EQ(d.batch.rows, 3u);
  EXPECT_EQ(
      print(d.batch, 0),
      "{\"0\":\"aé\\n\",\"1\":\"2001-01-01T00:47:00Z\",\"2\":4.5,\"3\":-7,\"4\":true,\"5\":\"01:00:00\"}");
  EXPECT_EQ(print(d.batch, 1), R"({"0":null,"1":"2001-01-01T00:47:00Z","2":100,"3":5,"4":false,"5":null})");
  EXPECT_EQ(print(d.batch, 2), R"({"0":null,"1":null,"2":null,"3":null,"4":null,"5":null})");
}

TEST(JsonDecoder, OnlyWantedColumnsAndNoNullMeansNoValidity) {
  const auto d = decode({R"({"n":1,"mag":"not looked at"})", R"({"mag":false,"n":2})"}, {3});
  ASSERT_TRUE(d.errors.empty());
  ASSERT_EQ(d.batch.columns.size(), 1u);
  EXPECT_TRUE(d.batch.columns[0].valid.empty());
  EXPECT_EQ(d.batch.columns[0].integers, (std::vector<int64_t>{1, 2}));
}

TEST(JsonDecoder, NoValuesAreNoRows) {
  JsonDecoder decoder({{"a", Type::kBigint}}, {0});
  Batch batch;
  std::vector<RowError> errors;
  decoder.decode({}, batch, errors);
  EXPECT_EQ(batch.rows, 0u);
  ASSERT_EQ(batch.columns.size(), 1u);
  EXPECT_EQ(batch.columns[0].size(), 0u);
}

TEST(JsonDecoder, LastDuplicateCounts) {
  const auto d = decode(
      {R"({"n":1,"n":2})", R"({"n":"wrong","n":3})", R"({"n":4,"n":null})", R"({"n":1,"\u006e":5})"}, {3});
  ASSERT_TRUE(d.errors.empty());
  EXPECT_EQ(d.batch.columns[0].integers[0], 2);
  EXPECT_EQ(d.batch.columns[0].integers[1], 3);
  EXPECT_TRUE(d.batch.columns[0].is_null(2));
  EXPECT_EQ(d.batch.columns[0].integers[3], 5);
  EXPECT_EQ(verdict(R"({"n":1,"n":"wrong"})"), "MR-EVT-0006");
}

TEST(JsonDecoder, FieldsMayChangeTheirOrder) {
  std::vector<std::string> events;
  for (int i = 0; i < 100; ++i) {
    const std::string n = "\"n\":" + std::to_string(i);
    events.push_back(i % 3 == 0   ? "{" + n + ",\"id\":\"x\"}"
                     : i % 3 == 1 ? "{\"id\":\"x\"," + n + "}"
                                  : "{\"i\":1," + n + ",\"id\":\"x\"}");
  }
  const auto d = decode(events);
  ASSERT_TRUE(d.errors.empty());
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(d.batch.columns[3].integers[i], i);
    ASSERT_EQ(d.batch.columns[0].texts[i], "x");
  }
}

TEST(JsonDecoder, ABadEventIsARowOfNulls) {
  Decoded d = decode({R"({"n":1})", R"({"n":1,"id":"x)", R"({"n":3})"}, {3, 0});
  ASSERT_EQ(d.errors.size(), 1u);
  EXPECT_EQ(d.errors[0].row, 1u);
  EXPECT_TRUE(d.batch.columns[0].is_null(1));
  EXPECT_FALSE(d.batch.columns[0].is_null(2));
  const Buffer more = Buffer::copy(R"({"n":4})");
  JsonDecoder decoder(kSchema, {3, 0});
  decoder.decode({more.view()}, d.batch, d.errors);
  EXPECT_EQ(d.batch.rows, 4u);
  EXPECT_EQ(d.batch.columns[0].integers[3], 4);
}

// An event from before a column was added has what it has in the column's place. What else it is made of still counts.
TEST(JsonDecoder, WhatDoesNotFitAnAddedColumnIsNull) {
  Schema schema{{"n", Type::kBigint}, {"added", Type::kBigint}, {"list", Type::kText}};
  schema[1].added = true;
  schema[2].type = array_of(Type::kBigint);
  schema[2].added = true;
  const char* const events[] = {R"({"n":1,"added":2,"list":[3]})",       R"({"n":1,"added":"2x","list":[3]})",
                                R"({"n":1,"added":2,"added":"2x"})",     R"({"n":1,"added":"2x","added":2})",
                                R"({"n":1,"added":[2],"list":[3,"x"]})", R"({"n":"1x","added":"2x"})"};
  const char* const rows[] = {R"({"0":1,"1":2,"2":[3]})",     R"({"0":1,"1":null,"2":[3]})",
                              R"({"0":1,"1":null,"2":null})", R"({"0":1,"1":2,"2":null})",
                              R"({"0":1,"1":null,"2":null})", R"({"0":null,"1":null,"2":null})"};
  JsonDecoder decoder(schema, {0, 1, 2});
  JsonValidator validator(schema, -1);
  for (int round = 0; round < 3; ++round) {  // the shapes are known from the second on
    for (size_t i = 0; i < std::size(events); ++i) {
      const Buffer buffer = Buffer::copy(events[i]);
      Batch batch;
      std::vector<RowError> errors;
      decoder.decode({buffer.view()}, batch, errors);
      EXPECT_EQ(print(batch, 0), rows[i]) << events[i];
      EXPECT_EQ(errors.size(), i == 5 ? 1u : 0u) << events[i];
      if (!errors.empty()) {
        EXPECT_NE(errors[0].message.find("\"n\""), std::string::npos) << errors[0].message;
      }
      // What comes in now has to fit.
      EXPECT_EQ(validator.validate(buffer.view()).ok(), i == 0 || i == 3) << events[i];
    }
  }
}

TEST(JsonDecoder, TakesNamesOfAnyLength) {
  const std::string name(100, 'k');
  Batch batch;
  std::vector<RowError> errors;
  const Buffer a = Buffer::copy("{\"" + name + "\":1,\"" + std::string(30, 'j') + "\":2}");
  JsonDecoder decoder({{name, Type::kBigint}, {std::string(30, 'j'), Type::kBigint}}, {0, 1});
  decoder.decode({a.view(), a.view()}, batch, errors);
  ASSERT_TRUE(errors.empty());
  EXPECT_EQ(batch.columns[0].integers[1], 1);
  EXPECT_EQ(batch.columns[1].integers[1], 2);
}

TEST(JsonValidator, RefusesWhatIsMalformed) {
  for (const char* event : {"",
                            " ",
                            "{",
                            "}",
                            "{}x",
                            "{} {}",
                            "[1",
                            "{\"a\"}",
                            "{\"a\":}",
                            "{\"a\":1,}",
                            "{,}",
                            "{\"a\":01}",
                            "{\"a\":1.}",
                            "{\"a\":.5}",
                            "{\"a\":+1}",
                            "{\"a\":1e}",
                            "{\"a\":tru}",
                            "{\"a\":nul}",
                            "{\"a\":\"\\x\"}",
                            "{\"a\":\"\\ud800\"}",
                            "{\"a\":\"\\udc00\"}",
                            "{\"a\":\"\\u12g4\"}",
                            "{\"a\":\"\n\"}",
                            "{\"a\":[1,]}",
                            "{\"a\":[1}",
                            "{\"a\":{\"b\":1]}",
                            "{'a':1}",
                            "{a:1}",
                            "{\"a\":NaN}",
                            "{\"a\":-}",
                            "{\"a\":\"x}",
                            "\xEF\xBB\xBF{}",
                            "{\"a\":1 \"b\":2}"}) {
    EXPECT_EQ(verdict(event), "MR-EVT-0001") << event;
  }
  for (const char* event : {"[]", "1", "null", "\"x\"", " [{}] "})
    EXPECT_EQ(verdict(event), "MR-EVT-0002") << event;
  for (const char* event :
       {"{\"a\":\"\xFF\"}", "{\"a\":\"\xC3\"}", "{\"\xED\xA0\x80\":1}", "{\"x\":[\"\xC0\x80\"]}"}) {
    EXPECT_EQ(verdict(event), "MR-EVT-0003") << event;
  }
}

TEST(JsonValidator, SaysWhereInARow) {
  const Type inner = *row_type({{"u", Type::kBigint}});
  const Type outer = *row_type({{"n", inner}});
  const Type one = *row_type({{"a", Type::kBigint}});
  const Schema schema = {{"rs", array_of(one)}, {"r", outer}};
  const auto refusal = [&](std::string_view event) {
    const Buffer buffer = Buffer::copy(event);
    const auto result = JsonValidator(schema, -1).validate(buffer.view());
    return result.ok() ? "taken" : result.error().message;
  };
  EXPECT_TRUE(
      refusal(R"({"rs": [{"a": 1}, {"a": true}]})").starts_with("column \"rs[].a\" (bigint) at byte 24"))
      << refusal(R"({"rs": [{"a": 1}, {"a": true}]})");
  EXPECT_TRUE(refusal(R"({"r": {"n": {"u": "x"}}})").starts_with("column \"r.n.u\" (bigint) at byte 18"))
      << refusal(R"({"r": {"n": {"u": "x"}}})");
}

TEST(JsonValidator, RefusesDepthAndSize) {
  const auto nested = [](size_t n) { return "{\"a\":" + std::string(n, '[') + std::string(n, ']') + "}"; };
  EXPECT_EQ(verdict(nested(kMaxJsonDepth - 1)), "ok");
  EXPECT_EQ(verdict(nested(kMaxJsonDepth)), "MR-EVT-0004");
  EXPECT_EQ(verdict(nested(100'000)), "MR-EVT-0004");
  EXPECT_EQ(verdict(std::string(100'000, '[')), "MR-EVT-0004");
  const Buffer large = Buffer::copy("{\"id\":\"" + std::string(kMaxEventBytes, 'x') + "\"}");
  const auto refused = JsonValidator(kSchema, -1).validate(large.view());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().id, "MR-EVT-0005");
}

// The bound is for what comes in: a dead letter that quotes an event, or a row of two texts, may be longer.
TEST(JsonDecoder, ReadsRowsThatAreLongerThanAnEvent) {
  std::string letter = "{\"id\":";
  append_json_string(letter, "{\"id\":\"" + std::string(kMaxEventBytes - 9, '"') + "\"}");
  ASSERT_GT(letter.size(), 2 * kMaxEventBytes);
  const auto d = decode({letter + ",\"n\":7}"});
  EXPECT_TRUE(d.errors.empty());
  ASSERT_EQ(d.batch.rows, 1u);
  EXPECT_EQ(d.batch.columns[0].texts[0].size(), kMaxEventBytes);
  EXPECT_EQ(d.batch.columns[3].integers[0], 7);
}

TEST(JsonValidator, ChecksDeclaredTypes) {
  for (const char* event :
       {R"({"id":1})", R"({"id":{}})", R"({"id":true})", R"({"mag":"1"})", R"({"mag":[1]})", R"({"n":true})",
        R"({"n":"1"})", R"({"ok":1})", R"({"ok":"true"})", R"({"for":1})", R"({"time":true})"}) {
    EXPECT_EQ(verdict(event), "MR-EVT-0006") << event;
  }
  for (const char* event : {R"({"n":9223372036854775808})", R"({"n":-9223372036854775809})", R"({"n":1.5})",
                            R"({"n":1e19})", R"({"mag":1e999})", R"({"time":1e300})",
                            R"({"time":-62135596800001})", R"({"n":123456789012345678901234567890})"}) {
    EXPECT_EQ(verdict(event), "MR-EVT-0007") << event;
  }
  for (const char* event :
       {R"({"time":"yesterday"})", R"({"time":"2001-02-30T00:00:00Z"})", R"({"for":"soon"})"}) {
    EXPECT_EQ(verdict(event), "MR-EVT-0008") << event;
  }
  for (const char* event :
       {R"({"n":9223372036854775807,"mag":-0.0})", R"({"n":-9223372036854775808,"mag":1e-999})",
        R"({"n":120e-1})", R"({"mag":"NaN"})", R"({"mag":123456789012345678901234567890,"u":1e999})",
        R"({"time":1.5})", "\t{}\r\n "}) {
    EXPECT_EQ(verdict(event), "ok") << event;
  }
}

TEST(JsonValidator, SaysWhere) {
  JsonValidator validator(kSchema, -1);
  const Buffer event = Buffer::copy(R"({"id":"x","n":})");
  const auto result = validator.validate(event.view());
  EXPECT_EQ(result.error().message, "malformed JSON at byte 14: unexpected character");
  const Buffer typed = Buffer::copy(R"({"id":7})");
  EXPECT_EQ(validator.validate(typed.view()).error().message,
            "column \"id\" (text) at byte 6: a string is expected");
}

TEST(JsonValidator, NeverLooksBehindTheEvent) {
  // What follows an event in a frame is the next one: it must not complete this one.
  const Buffer frame = Buffer::copy(R"({"id":"abcdefghijklmnop","n":12345678901234}  )");
  JsonValidator validator(kSchema, -1);
  for (size_t size = 0; size < 44; ++size)
    EXPECT_FALSE(validator.validate(frame.view().substr(0, size)).ok()) << size;
  EXPECT_TRUE(validator.validate(frame.view().substr(0, 45)).ok());
}

TEST(JsonValidator, FindsTheKey) {
  EXPECT_EQ(verdict(R"({"id":"ana"})", 0), "ana");
  EXPECT_EQ(verdict(R"({"id":"\u0061na"})", 0), "ana");
  EXPECT_EQ(verdict(R"({"n":0012})", 3), "MR-EVT-0001");
  EXPECT_EQ(verdict(R"({"n":12.0})", 3), "12");
  EXPECT_EQ(verdict(R"({"mag":-0.0})", 2), "0");
  EXPECT_EQ(verdict(R"({"ok":true})", 4), "true");
  EXPECT_EQ(verdict(R"({"time":0})", 1), "1970-01-01T00:00:00Z");
  EXPECT_EQ(verdict(R"({"for":"1 day"})", 5), verdict(R"({"for":"24 hours"})", 5));
  EXPECT_EQ(verdict(R"({"id":null})", 0), "ok");
  EXPECT_EQ(verdict("{}", 0), "ok");
}

TEST(SplitNdjson, LinesWithoutBlankOnes) {
  const auto events = split_ndjson("{\"a\":1}\r\n\n  \n {\"b\":2} \n{\"c\":3}");
  ASSERT_TRUE(events.ok());
  EXPECT_EQ(*events, (std::vector<std::string_view>{"{\"a\":1}", "{\"b\":2}", "{\"c\":3}"}));
  EXPECT_TRUE(split_ndjson("")->empty());
  EXPECT_TRUE(split_ndjson("\n\n")->empty());
}

TEST(SplitMembers, NamesAndValuesAsTheyStand) {
  const auto split = [](std::string_view object) {
    std::string out;
    const auto members = split_members(object);
    if (!members) return std::string("none");
    for (const auto& member : *members)
      out += std::string(member.name) + "=" + std::string(member.value) + ";";
    return out;
  };
  EXPECT_EQ(split(" {} "), "");
  EXPECT_EQ(split(R"( {"a" : 1 , "b\"":"},{" ,"c":[{"d":"]"},2],"e":{"f":[]} } )"),
            R"(a=1;b\"="},{";c=[{"d":"]"},2];e={"f":[]};)");
  for (const char* text :
       {"", "{", "}", "[]", "7", "{]", "{}x", "{}}", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1]",
        "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{\"a\":1}x", "{\"a", "{\"a\":\"", "{\"a\":[1}"}) {
    EXPECT_EQ(split(text), "none") << text;
  }
}

TEST(SplitMembers, StringsAndNumbers) {
  const auto string = [](std::string text) {
    const size_t size = text.size();
    text.append(Buffer::kPadding, '\0');
    return read_json_string(std::string_view(text).substr(0, size)).value_or("none");
  };
  EXPECT_EQ(string("\"\""), "");
  EXPECT_EQ(string(R"("a\u00e9\n")"), "a\u00e9\n");
  for (const char* text : {"", "\"", "a", "\"a", "\"a\"b\"", "\"\\\"", "\"\\x\"", "\"\n\"", "1"})
    EXPECT_EQ(string(text), "none") << text;
  const auto number = [](std::string text) {
    const size_t size = text.size();
    text.append(Buffer::kPadding, '\0');
    return is_json_number(std::string_view(text).substr(0, size));
  };
  for (const char* text : {"0", "-1", "12.5e3"}) EXPECT_TRUE(number(text)) << text;
  for (const char* text : {"", "-", "01", "+1", "1 ", "1.", "x", "\"1\"", "true"})
    EXPECT_FALSE(number(text)) << text;
}

TEST(SplitJson, ObjectOrArray) {
  EXPECT_EQ(*split_json(" {\"a\":[1]} "), std::vector<std::string_view>{"{\"a\":[1]}"});
  EXPECT_EQ(*split_json(R"([ {"a":"],[\""} , {"b":[{}]},7 ] )"),
            (std::vector<std::string_view>{R"({"a":"],[\""})", R"({"b":[{}]})", "7"}));
  EXPECT_TRUE(split_json("[]")->empty());
  for (const char* body :
       {"", " ", "7", "[", "[{}", "[{},]", "[,{}]", "[{}]x", "[]x", "[{\"a\":\"]", "[}]", "null"}) {
    const auto result = split_json(body);
    ASSERT_FALSE(result.ok()) << body;
    EXPECT_EQ(result.error().id, "MR-EVT-0010");
  }
  EXPECT_FALSE(split_json(std::string(100'000, '[')).ok());
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out.append(1, '\\').append(1, c);
    else if (c == '\n')
      out += "\\n";
    else if (c == 1)
      out += "\\u0001";
    else if (c == 0x1f)
      out += "\\u001f";
    else
      out += c;
  }
  return out;
}

// A batch's builder goes on behind the row: to cut what it has as room would cost a batch a row.
TEST(JsonRowWriter, TheRoomBehindARowStays) {
  Column flag{.type = Type::kBoolean}, day{.type = Type::kDate};
  flag.append(Scalar(true));
  day.append(Scalar(int64_t{11'000}));
  std::string out(10'000, 'x');
  const size_t end = JsonRowWriter({"a", "b"}).write(out, 100, {&flag, &day}, 0);
  EXPECT_EQ(out.substr(100, end - 100), R"({"a":true,"b":"2000-02-13"})");
  EXPECT_EQ(out.size(), 10'000u);
}

// Strings are copied by blocks: an escape may stand at any place of one, and behind another.
TEST(JsonRowWriter, EscapesAtEveryPlace) {
  for (size_t size = 0; size <= 50; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (const char c : {'"', '\\', '\n', '\x01', '\x1f', '\x7f'}) {
        std::string text(size, 'a');
        text[at] = c;
        if (at + 17 < size) text[at + 17] = '"';
        std::string out = "before";
        append_json_string(out, text);
        EXPECT_EQ(out, "before\"" + escaped(text) + "\"") << size << " " << at;
      }
    }
  }
}

TEST(JsonRowWriter, TimesOfOneDayAndOfOthers) {
  constexpr int64_t kDay = 86'400'000'000;
  Column at;
  at.type = Type::kTimestamptz;
  at.integers = {0,
                 1,
                 100'000,
                 kDay - 1,
                 kDay,
                 kDay + 1,
                 -kDay,
                 -1,
                 250'000,
                 -62'135'596'800'000'000 - kDay,
                 1,
                 kDay * 4000,
                 123'456'000'7,
                 123'456'700'000,
                 kDay * 4000 + 500'000};
  JsonRowWriter writer({"at"});
  for (size_t row = 0; row < at.integers.size(); ++row) {
    std::string out;
    writer.append(out, {&at}, row);
    std::string expected = "{\"at\":\"";
    append_timestamp(expected, Timestamp{at.integers[row]});
    EXPECT_EQ(out, expected + "\"}");
  }
}

TEST(JsonRowWriter, EscapesAndSpecialNumbers) {
  Column text;
  text.type = Type::kText;
  text.texts = {std::string_view("a\"\\\n\x01z", 6)};
  Column real;
  real.type = Type::kDouble;
  real.doubles = {std::nan("")};
  std::string out;
  JsonRowWriter({"t\"", "d"}).append(out, {&text, &real}, 0);
  EXPECT_EQ(out, "{\"t\\\"\":\"a\\\"\\\\\\n\\u0001z\",\"d\":\"NaN\"}");
  out.clear();
  JsonRowWriter({}).append(out, {}, 0);
  EXPECT_EQ(out, "{}");
}

}  // namespace
}  // namespace millrace::formats
