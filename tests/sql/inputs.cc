// Writes a list of texts of dates, times and intervals, and what they are here: a line a text: its type, the text, the
// value as text or the error's id, with tabs between them.
// postgres_inputs.py asks PostgreSQL for the same.
//
//   sql_inputs LIST
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <string>

#include "event/type.h"
#include "tests/sql/scalar_text.h"

namespace millrace {
namespace {

constexpr std::array kTypes{Type::kTimestamptz, Type::kTimestamp, Type::kDate, Type::kTime, Type::kInterval};

Result<Scalar> parse(Type type, const std::string& text) {
  if (type == Type::kInterval) {
    TRY_ASSIGN(const Interval interval, parse_interval(text));
    return Scalar(interval);
  }
  TRY_ASSIGN(const int64_t value, parse_integer_text(type, text));
  return integer_scalar(type, value);
}

void write(Type type, const std::string& text) {
  const auto value = parse(type, text);
  fmt::print("{}\t{}\t{}\n", to_string(type), text,
             value.ok() ? text_of(*value, type) : std::string(value.error().id));
}

Type type_named(const std::string& name) {
  for (const Type type : kTypes) {
    if (name == to_string(type)) return type;
  }
  std::abort();
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  using namespace millrace;  // NOLINT
  if (argc != 2) return 2;
  std::ifstream list(argv[1]);
  for (std::string line; std::getline(list, line);) {
    const size_t tab = line.find('\t');
    write(type_named(line.substr(0, tab)), line.substr(tab + 1));
  }
  return 0;
}
