// Any bytes as a value of some schema, read with another: what is read is written again, and then is read the same.
#include <array>
#include <nlohmann/json.hpp>

#include "avro/codec.h"
#include "avro/columns.h"
#include "schema/framing.h"
#include "tests/fuzz/require.h"

using namespace millrace;        // NOLINT
using namespace millrace::avro;  // NOLINT

namespace {

constexpr std::string_view kEvent =
    R"({"type":"record","name":"E","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string",{"type":"map","values":"E"}]},)"
    R"({"name":"c","type":{"type":"array","items":["long","double","E"]}},{"name":"d","type":{"type":"enum","name":"S","symbols":["X","Y"]}},)"
    R"({"name":"e","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":3}}]})";
constexpr std::string_view kOther =
    R"({"type":"record","name":"E","fields":[{"name":"c","type":{"type":"array","items":["E","double"]}},{"name":"a","type":"double"},)"
    R"({"name":"f","type":["null","float"],"default":1.5},{"name":"d","type":{"type":"enum","name":"S","symbols":["Y"],"default":"Y"}}]})";
constexpr std::string_view kFlat =
    R"({"type":"record","name":"F","fields":[{"name":"a","type":"boolean"},{"name":"b","type":{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}},)"
    R"({"name":"c","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"d","type":{"type":"int","logicalType":"date"}},)"
    R"({"name":"e","type":"float"},{"name":"f","type":"bytes"}]})";

struct Pair {
  std::shared_ptr<const AvroSchema> reader;
  std::shared_ptr<const Resolution> resolution, own;
};
Pair pair_of(std::string_view writer, std::string_view reader) {
  const auto w = *AvroSchema::parse(writer), r = *AvroSchema::parse(reader);
  return {r, *Resolution::make(w, r), *Resolution::make(r, r)};
}

// Of several members of one name the last counts: once written, there is one of each.
void check(const Pair& pair, std::string_view datum, JsonForm form) {
  const auto json = to_json(*pair.resolution, datum, form);
  if (!json.ok()) return fuzz::require(json.error().id.starts_with("MR-AVRO-"), "an error has a code");
  fuzz::require(nlohmann::json::accept(*json), "what is read is JSON", *json);
  if (json->size() > kMaxJsonBytes) return;
  const auto bytes = from_json(*pair.reader, *json, form);
  fuzz::require(bytes.ok(), "what was read is written", *json);
  const auto again = to_json(*pair.own, *bytes, form);
  fuzz::require(again.ok(), "what was written is read", *json);
  const auto twice = from_json(*pair.reader, *again, form);
  fuzz::require(twice.ok() && *twice == *bytes, "it has the same bytes", *json);
}

// Columns take no more than JSON does; dates beyond the calendar and the like are less.
void check_columns(std::string_view datum) {
  static const auto kSchema = *AvroSchema::parse(kFlat);
  static const auto kReader = ColumnReader::make(kSchema, kSchema, *columns_of(*kSchema)).value();
  static const auto kResolution = *Resolution::make(kSchema, kSchema);
  Batch batch;
  std::vector<RowError> errors;
  kReader->decode({datum}, batch, errors);
  fuzz::require(batch.rows == 1 && errors.size() <= 1, "a value is a row");
  const auto json = to_json(*kResolution, datum, JsonForm::kPlain);
  const bool bounded = !json.ok() && json.error().id == "MR-AVRO-0012";
  fuzz::require(!errors.empty() || json.ok() || bounded, "what columns take has a JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::array<Pair, 4> kPairs = {pair_of(kEvent, kEvent), pair_of(kEvent, kOther),
                                             pair_of(kOther, kOther), pair_of(kFlat, kFlat)};
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  check(kPairs[data[0] % kPairs.size()], rest, JsonForm::kPlain);
  check(kPairs[data[0] % kPairs.size()], rest, JsonForm::kAvro);
  if (data[0] % kPairs.size() == 3) check_columns(rest);
  if (const auto framed = schema::parse_framing(rest); framed.ok()) {
    std::string out;
    schema::append_framing(out, framed->schema);
    fuzz::require(out.append(framed->payload) == rest, "a framing is written as it was read");
  }
  return 0;
}
