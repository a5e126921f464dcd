// The decoder and the validator against two other parsers: simdjson decides what is JSON, nlohmann what the
// values are.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/buffer.h"
#include "base/random.h"
#include "formats/json.h"

namespace millrace::formats {
namespace {

const Schema kSchema = {
    {"id", Type::kText}, {"n", Type::kBigint}, {"mag", Type::kDouble}, {"ok", Type::kBoolean}};

class EventMaker {
 public:
  explicit EventMaker(uint64_t seed) : random_(seed) {}
  std::string event() {
    std::string out = "{";
    const size_t fields = random_.below(8);
    for (size_t i = 0; i < fields; ++i) {
      if (i > 0) out += ",";
      out += space() + key() + space() + ":" + space() + value(0) + space();
    }
    return out + "}";
  }
  // One byte changed, removed or doubled.
  std::string damaged() {
    std::string out = event();
    const size_t at = random_.below(out.size());
    constexpr std::string_view kBytes = "{}[]\",:\\0-9.eEtfn \x01\x80\xC3";
    switch (random_.below(3)) {
      case 0:
        out[at] = kBytes[random_.below(kBytes.size())];
        break;
      case 1:
        out.erase(at, 1);
        break;
      default:
        out.insert(at, 1, out[at]);
    }
    return out;
  }

 private:
  std::string pick(std::initializer_list<const char*> of) { return *(of.begin() + random_.below(of.size())); }
  std::string space() { return random_.chance(8) ? pick({" ", "\t", "\r\n", "  "}) : ""; }
  std::string key() {
    return pick({"\"id\"", "\"n\"", "\"mag\"", "\"ok\"", "\"x\"", "\"\\u006e\"", "\"é\"", "\"\""});
  }
  std::string value(int depth) {
    switch (random_.below(depth < 4 ? 9 : 7)) {
      case 0:
        return std::to_string(static_cast<int64_t>(random_.next()) >> random_.below(64));
      case 1:
        return pick({"0", "-0", "1.5", "-2.25e3", "1E-7", "123456.789", "4.35", "0.1", "1e22", "7.0"});
      case 2:
        return pick({"true", "false"});
      case 3:
        return "null";
      case 4:
        return pick({"\"\"", "\"plain\"", "\"with \\\"quotes\\\" and \\\\\"", "\"\\u00e9\\ud83d\\ude00\"",
                     "\"日本語\"", "\"exactly16bytes!!\"", "\"much longer than sixteen bytes, to be sure\""});
      case 5:
        return pick({"[]", "{}", "[ ]"});
      case 6:
        return std::to_string(random_.below(1000));
      case 7:
        return "[" + value(depth + 1) + "," + value(depth + 1) + "]";
      default:
        return "{" + key() + ":" + value(depth + 1) + "}";
    }
  }
  Random random_;
};

enum class Verdict : uint8_t { kObject, kNot, kUnknown };

// Both judges refuse some numbers that JSON allows (beyond 64 bits, beyond a double): there nobody decides.
Verdict judge(std::string_view text) {
  static simdjson::dom::parser parser;
  simdjson::dom::element element;
  const auto verdict = parser.parse(simdjson::padded_string(text)).get(element);
  if (verdict == simdjson::NUMBER_ERROR) {
    return nlohmann::json::parse(text, nullptr, false).is_object() ? Verdict::kObject : Verdict::kUnknown;
  }
  return verdict == simdjson::SUCCESS && element.is_object() ? Verdict::kObject : Verdict::kNot;
}

// The naive decoder: nlohmann keeps the last duplicate too.
bool naive(const nlohmann::json& event, std::vector<Scalar>& row) {
  for (const ColumnDef& column : kSchema) {
    const auto field = event.find(column.name);
    Scalar value;
    if (field != event.end() && !field->is_null()) {
      if (column.type == Type::kText && field->is_string())
        value = field->get<std::string>();
      else if (column.type == Type::kBoolean && field->is_boolean())
        value = field->get<bool>();
      else if (column.type == Type::kDouble && field->is_number())
        value = field->get<double>();
      else if (column.type == Type::kBigint && field->is_number_integer() &&
               !(field->is_number_unsigned() && field->get<uint64_t>() > INT64_MAX))
        value = field->get<int64_t>();
      else if (column.type == Type::kBigint && field->is_number() && std::fabs(field->get<double>()) < 9e15 &&
               field->get<double>() == std::floor(field->get<double>())) {
        value = static_cast<int64_t>(field->get<double>());
      } else {
        return false;
      }
    }
    row.push_back(value);
  }
  return true;
}

void compare(const std::string& event, JsonValidator& validator, JsonDecoder& decoder) {
  const Buffer buffer = Buffer::copy(event);
  const bool accepted = validator.validate(buffer.view()).ok();
  Batch batch;
  std::vector<RowError> errors;
  decoder.decode({buffer.view()}, batch, errors);
  ASSERT_EQ(accepted, errors.empty()) << event;
  const Verdict verdict = judge(event);
  if (verdict == Verdict::kUnknown) return;
  if (verdict == Verdict::kNot) {
    ASSERT_FALSE(accepted) << event;
    return;
  }
  std::vector<Scalar> expected;
  const bool typed = naive(nlohmann::json::parse(event), expected);
  ASSERT_EQ(accepted, typed) << event;
  if (!typed) return;
  for (size_t i = 0; i < kSchema.size(); ++i)
    ASSERT_EQ(batch.columns[i].scalar(0), expected[i]) << event << " " << i;
}

TEST(JsonDifferential, AgreesOnRandomEvents) {
  EventMaker make(11);
  JsonValidator validator(kSchema, 0);
  JsonDecoder decoder(kSchema, {0, 1, 2, 3});
  for (int i = 0; i < 60'000; ++i) {
    ASSERT_NO_FATAL_FAILURE(compare(make.event(), validator, decoder));
    ASSERT_NO_FATAL_FAILURE(compare(make.damaged(), validator, decoder));
  }
}

TEST(JsonDifferential, DoublesAreRoundedOnce) {
  Random random(5);
  JsonDecoder decoder(kSchema, {2});
  for (int i = 0; i < 50'000; ++i) {
    const std::string text = std::to_string(random.next() >> random.below(60)) + "." +
                             std::to_string(random.below(100'000)) + "e" +
                             std::to_string(static_cast<int>(random.below(60)) - 30);
    const Buffer event = Buffer::copy("{\"mag\":" + text + "}");
    Batch batch;
    std::vector<RowError> errors;
    decoder.decode({event.view()}, batch, errors);
    ASSERT_TRUE(errors.empty());
    ASSERT_EQ(batch.columns[0].doubles[0], std::strtod(text.c_str(), nullptr)) << text;
  }
}

}  // namespace
}  // namespace millrace::formats
