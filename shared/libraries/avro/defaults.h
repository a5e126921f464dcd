// Whether a default fits its type: as Java's library sees it, which takes any text for bytes, a fixed and an enum.
#pragma once

#include <optional>

#include "avro/node.h"

namespace millrace::avro {

std::optional<int64_t> integer_of(const JsonValue& value);  // of an integer in 64 bits

// A float's or a double's default may be a number in quotes, NaN and the infinities, too: it is kept as the number.
void spell_number(const Node& type, JsonValue& value);

// Bound: kMaxSteps values and tries of them, a name looked up among kMembersAStep counting as one more, for all that are
// asked about; kMaxDepth.
class DefaultCheck {
 public:
  bool fits(const Node& type, const JsonValue& value);
  bool exhausted() const { return steps_ > kMaxSteps; }  // it took too long to tell

 private:
  static constexpr size_t kMaxSteps = 1'000'000, kMaxDepth = 200, kMembersAStep = 16;
  bool parts_fit(const Node& type, const JsonValue& value);

  size_t steps_ = 0;
  size_t depth_ = 0;
};

}  // namespace millrace::avro
