#include "node/csv_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::cli {

Error CsvReader::wrong(std::string what) const {
  return error(Code::kInvalid, "MR-CLI-0030", fmt::format("line {}: {}", line_, what),
               "CSV: a record a line, fields between commas, quotes doubled inside quotes");
}

Status CsvReader::take_field(size_t& at, CsvField& field, bool& whole) const {
  const std::string_view text = rest_;
  whole = false;
  field.quoted = at < text.size() && text[at] == '"';
  if (!field.quoted) {
    const size_t end = std::min(text.find_first_of(",\r\n\"", at), text.size());
    field.text = text.substr(at, end - at);
    at = end;
  } else if (!take_quoted(at, field.text)) {
    return ended_ ? Status(wrong("a quote is not closed")) : Status();
  }
  if (at == text.size()) {
    whole = ended_;
    return {};
  }
  if (text[at] == '\r' && at + 1 == text.size() && !ended_) return {};
  whole = text[at] == ',' || text[at] == '\n' || text.substr(at, 2) == "\r\n";
  if (whole) return {};
  return wrong(field.quoted ? "something stands behind a field in quotes"
                            : "a quote or a carriage return stands inside a field without quotes");
}

// False: its end is not here.
bool CsvReader::take_quoted(size_t& at, std::string& out) const {
  const std::string_view text = rest_;
  for (size_t from = at + 1;;) {
    const size_t quote = text.find('"', from);
    if (quote == std::string_view::npos || (quote + 1 == text.size() && !ended_)) return false;
    out += text.substr(from, quote - from);
    if (text.substr(quote, 2) != "\"\"") {
      at = quote + 1;
      return true;
    }
    out += '"';
    from = quote + 2;
  }
}

Result<std::optional<CsvRecord>> CsvReader::next() {
  while (begin_ < rest_.size() && (rest_[begin_] == '\n' || rest_.compare(begin_, 2, "\r\n") == 0)) {
    drop(rest_[begin_] == '\n' ? 1 : 2);
  }
  CsvRecord record{{}, line_};
  size_t at = begin_;
  if (at == rest_.size()) return std::optional<CsvRecord>();
  while (true) {
    CsvField field;
    bool whole = false;
    TRY(take_field(at, field, whole));
    if (!whole) break;
    record.fields.push_back(std::move(field));
    if (at < rest_.size() && rest_[at] == ',') {
      ++at;
      continue;
    }
    if (at < rest_.size()) at += rest_[at] == '\r' ? 2 : 1;
    drop(at - begin_);
    return std::optional(std::move(record));
  }
  if (rest_.size() - begin_ > kMaxRecord)
    return wrong("a record is longer than 16 MB: is a quote not closed?");
  return std::optional<CsvRecord>();
}

void CsvReader::drop(size_t bytes) {
  line_ +=
      static_cast<uint64_t>(std::count(rest_.begin() + static_cast<std::ptrdiff_t>(begin_),
                                       rest_.begin() + static_cast<std::ptrdiff_t>(begin_ + bytes), '\n'));
  begin_ += bytes;
  if (begin_ < rest_.size() && begin_ < (1u << 20)) return;
  rest_.erase(0, begin_);
  begin_ = 0;
}

}  // namespace millrace::cli
