// Rows of ten columns, for the benches of what writes rows; the fields are those of columns_of_ten_fields.
#pragma once

#include <fmt/format.h>

#include "base/random.h"
#include "event/batch.h"
#include "event/decimal.h"

namespace millrace::testing {

inline Schema ten_columns() {
  return {{.name = "id", .type = Type::kText},
          {.name = "time", .type = Type::kTimestamptz},
          {.name = "mag", .type = Type::kDouble},
          {.name = "place", .type = Type::kText},
          {.name = "net", .type = Type::kText},
          {.name = "depth_km", .type = Type::kDouble},
          {.name = "n", .type = Type::kBigint},
          {.name = "stations", .type = Type::kInteger},
          {.name = "ok", .type = Type::kBoolean},
          {.name = "price", .type = Type::kNumeric, .length = 10, .scale = 2}};
}

inline Batch rows_of_ten_columns(size_t rows) {
  Random random(1);
  Batch batch;
  batch.set_schema(ten_columns());
  for (size_t i = 0; i < rows; ++i) {
    size_t at = 0;
    const auto add = [&](const Scalar& value) { batch.columns[at++].append(value); };
    const auto text = [&](const std::string& value) {
      batch.columns[at++].texts.push_back(batch.arena->keep(value));
    };
    text(fmt::format("us{:08}", i));
    add(Timestamp{1'700'000'000'000'000 + static_cast<int64_t>(random.below(1'000'000'000'000))});
    add(random.unit() * 9);
    text(fmt::format("{} km of somewhere", random.below(200)));
    text("ci");
    add(random.unit() * 600);
    add(static_cast<int64_t>(random.below(100'000)));
    i % 3 == 0 ? batch.columns[at++].append_null() : add(static_cast<int64_t>(random.below(200)));
    add(true);
    text(decimal_bytes(decimal_of(static_cast<__int128>(random.below(1'000'000)), 2)));
    ++batch.rows;
  }
  return batch;
}

}  // namespace millrace::testing
