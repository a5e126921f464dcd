// CsvReader: pieces of bytes in, records out (RFC 4180: quotes hold commas, line ends and doubled quotes).
//
// Bounds: a record of kMaxRecord bytes. Empty lines are no records.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::cli {

struct CsvField {
  std::string text;
  bool quoted = false;
};

struct CsvRecord {
  std::vector<CsvField> fields;
  uint64_t line = 0;  // where it begins
};

class CsvReader {
 public:
  static constexpr size_t kMaxRecord = 16u << 20;

  void add(std::string_view piece) { rest_.append(piece); }
  void end() { ended_ = true; }

  // None: the next record is not here as a whole, or there is none. MR-CLI-0030.
  Result<std::optional<CsvRecord>> next();
  uint64_t line() const { return line_; }  // of the next record, from 1

 private:
  Error wrong(std::string what) const;
  // Takes a field that begins at `at`; `at` is behind it then, and at its end: a comma, a line end, or the end of what is here.
  Status take_field(size_t& at, CsvField& field, bool& whole) const;
  bool take_quoted(size_t& at, std::string& out) const;
  void drop(size_t bytes);

  std::string rest_;
  size_t begin_ = 0;  // what is before it was taken
  uint64_t line_ = 1;
  bool ended_ = false;
};

}  // namespace millrace::cli
