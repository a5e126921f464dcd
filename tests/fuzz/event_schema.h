// Columns of every type, some inside of objects: what events are read as by the targets of JSON.
#pragma once

#include <numeric>
#include <vector>

#include "event/type.h"

namespace millrace::fuzz {

inline Schema event_schema() {
  constexpr auto kMs = TimestampUnit::kMilliseconds;
  return {{"id", Type::kText},
          {"n", Type::kBigint},
          {"mag", Type::kDouble},
          {"ok", Type::kBoolean},
          {"t", Type::kTimestamptz},
          {"i", Type::kInterval},
          {"xn", Type::kBigint, kMs, {"x", "n"}},
          {"xyt", Type::kText, kMs, {"x", "y", "t"}},
          {"j", Type::kJsonb},
          {"u", Type::kUuid},
          {"b", Type::kBytea},
          {"d", Type::kDate},
          {"si", Type::kSmallint},
          {"r", Type::kReal},
          {"v", Type::kText, kMs, {}, 3},
          {"nu", Type::kNumeric},
          {"np", Type::kNumeric, kMs, {}, 6, 2},
          {"an", array_of(Type::kBigint)},
          {"at", array_of(Type::kText)},
          {"av", array_of(Type::kText), kMs, {}, 3},
          {"aj", array_of(Type::kJsonb)},
          {"s", Type::kTimestamptz, TimestampUnit::kSeconds}};
}

inline std::vector<int> all_columns(const Schema& schema) {
  std::vector<int> all(schema.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace millrace::fuzz
