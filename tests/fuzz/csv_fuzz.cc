// Any bytes as CSV. The records are the same however the text is cut, and each becomes one line, of valid JSON if it is UTF-8.
#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "formats/text_types.h"
#include "node/csv_events.h"
#include "node/csv_reader.h"
#include "tests/fuzz/require.h"

using namespace millrace;       // NOLINT
using namespace millrace::cli;  // NOLINT

namespace {

const std::vector<StreamColumn> kColumns = {
    {"a", "text"}, {"b", "bigint"}, {"c", "jsonb"}, {"d", "boolean"}, {"e", "double precision"}};

struct Seen {
  std::vector<CsvRecord> records;
  std::string failure;
};

void take(CsvReader& reader, Seen& seen) {
  while (seen.failure.empty()) {
    auto record = reader.next();
    if (!record.ok()) seen.failure = record.error().message;
    if (!record.ok() || !*record) return;
    seen.records.push_back(std::move(**record));
  }
}

Seen read(std::string_view text, size_t piece) {
  CsvReader reader;
  Seen seen;
  for (size_t at = 0; at < text.size(); at += piece) {
    reader.add(text.substr(at, piece));
    take(reader, seen);
  }
  reader.end();
  take(reader, seen);
  return seen;
}

std::string event_of(CsvRecord record) {
  CsvRecord header;
  const size_t count = std::min(record.fields.size(), kColumns.size());
  record.fields.resize(count);
  for (size_t i = 0; i < count; ++i) header.fields.push_back({kColumns[i].name, false});
  std::string out;
  const auto events = CsvEvents::of_header(header, kColumns);
  fuzz::require(events.ok() && events->append(record, out).ok(), "a record is an event");
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Seen whole = read(text, text.size() + 1), cut = read(text, 1 + data[0] % 16);
  fuzz::require(whole.failure == cut.failure, "cuts do not change a failure",
                whole.failure + " / " + cut.failure);
  fuzz::require(whole.records.size() == cut.records.size(), "cuts do not change how many records there are");
  for (size_t i = 0; i < whole.records.size(); ++i) {
    const auto same = [](const CsvField& a, const CsvField& b) {
      return a.text == b.text && a.quoted == b.quoted;
    };
    const auto &a = whole.records[i], &b = cut.records[i];
    fuzz::require(a.line == b.line &&
                      std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(), same),
                  "cuts do not change a record");
    const std::string event = event_of(a);
    fuzz::require(event.ends_with('\n') && std::count(event.begin(), event.end(), '\n') == 1,
                  "an event is a line", event);
    fuzz::require(!formats::is_utf8(event) || nlohmann::json::accept(event), "an event is JSON", event);
  }
  return 0;
}
