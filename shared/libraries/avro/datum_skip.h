// skip_value: past a value that nobody reads, without making anything of it.
#pragma once

#include "avro/node.h"
#include "base/bytes.h"

namespace millrace::avro {

inline constexpr int kMaxDatumDepth = 200;
inline constexpr size_t kMaxDatumValues = 2'000'000;

enum class Skipped : uint8_t { kWhole, kMalformed, kTooMuch };

// Adds what it passes to `values`.
Skipped skip_value(ByteReader& in, const Node& node, size_t& values, int depth);

}  // namespace millrace::avro
