// AnswerRow: a line of an answer to SQL, one JSON object, as a terminal shows it: each value's own text, no digit lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

struct AnswerValue {
  enum class Kind : uint8_t { kNull, kText, kNumber, kOther };

  std::string name;
  Kind kind = Kind::kNull;
  std::string text;  // a text without its quotes; a number, an object … as the server wrote it
};
using AnswerRow = std::vector<AnswerValue>;

std::optional<AnswerRow> answer_row(std::string_view line);  // nullopt: no JSON object

}  // namespace millrace::cli
