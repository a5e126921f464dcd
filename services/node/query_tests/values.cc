#include "node/query_tests/values.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <numeric>

#include "base/buffer.h"
#include "formats/json.h"
#include "formats/text_types.h"

namespace millrace::query_tests {
namespace {

constexpr int64_t kOriginUs = 978'307'200'000'000;  // 2001-01-01T00:00:00Z
constexpr int64_t kDayUs = 86'400'000'000;

bool plain(const std::string& text) {
  if (text.empty() || text == kNull || text.front() == ' ' || text.back() == ' ') return false;
  return text.find_first_of("(),\"|\\\n\t#") == std::string::npos;
}

std::string clock_text(Timestamp at) {
  const int64_t rest = at.micros - kOriginUs;
  if (rest < 0 || rest >= kDayUs) return timestamp_text(at);
  std::string out = fmt::format("{}:{:02}", rest / 60'000'000, rest / 1'000'000 % 60);
  if (rest % 1'000'000 != 0) {
    out += fmt::format(".{:06}", rest % 1'000'000);
    while (out.back() == '0') out.pop_back();
  }
  return out;
}

// 1:05.5, minutes and seconds after the origin; else as PostgreSQL reads a time.
Result<Timestamp> read_time(const std::string& text) {
  int minutes = 0, used = 0;
  double seconds = 0;
  if (std::sscanf(text.c_str(), "%5d:%lf%n", &minutes, &seconds, &used) == 2 &&
      static_cast<size_t>(used) == text.size() && seconds >= 0 && seconds < 60) {
    return Timestamp{kOriginUs + minutes * int64_t{60'000'000} + std::llround(seconds * 1e6)};
  }
  return parse_timestamp(text);
}

std::string in_quotes(const std::string& text) {
  std::string out;
  formats::append_json_string(out, text);
  return out;
}

}  // namespace

std::string timestamp_text(Timestamp at) {
  std::string out;
  append_timestamp(out, at);
  return out;
}

// A real's few digits, a date's day: what the scalar alone does not tell.
Scalar value_of(const Column& column, size_t row) {
  std::string text;
  if (column.is_null(row)) return {};
  if (column.type == Type::kReal) append_double_text(text, column.type, column.doubles[row]);
  if (column.type == Type::kDate || column.type == Type::kTime || column.type == Type::kTimestamp)
    append_integer_text(text, column.type, column.integers[row]);
  if (physical(column.type) == Physical::kText && !formats::is_kept_as_text(column.type))
    formats::append_text(text, column.type, column.texts[row]);
  return text.empty() ? column.scalar(row) : Scalar(text);
}

std::string shown(const Scalar& value) {
  if (std::holds_alternative<std::monostate>(value)) return kNull;
  if (const auto* s = std::get_if<std::string>(&value)) return plain(*s) ? *s : in_quotes(*s);
  if (const auto* t = std::get_if<Timestamp>(&value)) return clock_text(*t);
  if (const auto* d = std::get_if<double>(&value)) return fmt::format("{}", *d);
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<Interval>(&value)) {
    if (i->months == 0 && i->days == 0) return fmt::format("{}us", i->micros);
    return fmt::format("{}mon {}d {}us", i->months, i->days, i->micros);
  }
  return std::to_string(std::get<int64_t>(value));
}

Result<std::string> json_of(const std::string& token, Type type) {
  if (token == kNull || token.starts_with('"')) return token;
  const bool in_text = physical(type) == Physical::kText && type != Type::kJsonb && type != Type::kNumeric &&
                       !is_array(type) && !is_row(type);
  if (in_text || type == Type::kDate || type == Type::kTime || type == Type::kTimestamp)
    return in_quotes(token);
  if (type != Type::kTimestamptz) return token;
  const auto at = read_time(token);
  if (!at.ok()) {
    return error(Code::kInvalid, "MR-TEST-0003", "not a time: " + token,
                 "write minutes:seconds after 2001-01-01, or the whole time in quotes");
  }
  return "\"" + timestamp_text(*at) + "\"";
}

Result<std::vector<Scalar>> decode_event(const Schema& columns, const std::string& json) {
  std::vector<int> wanted(columns.size());
  std::iota(wanted.begin(), wanted.end(), 0);
  const Buffer bytes = Buffer::copy(json);
  Batch batch;
  std::vector<RowError> errors;
  formats::JsonDecoder(columns, std::move(wanted)).decode({bytes.view()}, batch, errors);
  if (!errors.empty()) {
    return error(Code::kInvalid, "MR-TEST-0004", "an event does not decode: " + json,
                 "the columns are those that the stream declares");
  }
  std::vector<Scalar> row;
  for (const auto& column : batch.columns) row.push_back(value_of(column, 0));
  return row;
}

}  // namespace millrace::query_tests
