// ShapeTree: the shapes of a stream's events, remembered: what stands between the values, byte for byte, and
// what kind of value follows.
//
// Why:        a producer writes the same names, order and punctuation again and again. An event of a known
//             shape is read by comparing those bytes and jumping from value to value; there is no token to
//             look at.
// Shape:      a path of steps from the root. Shapes that begin alike share the steps in which they do, so
//             where they part is decided there, and nothing is read twice.
// Invariants: read() takes no event that EventReader refuses, and gives the values that it gives: a literal
//             was part of an accepted event, values are read by the same functions, and every doubt is false.
// Bound:      kMaxSteps, kMaxLiteralBytes, kMaxAlternatives; what does not fit is not learnt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/internal/column_slots.h"
#include "formats/internal/json_scan.h"

namespace millrace::formats {

class ShapeTree {
 public:
  static constexpr size_t kMaxSteps = 512;
  static constexpr size_t kMaxLiteralBytes = 8192;
  static constexpr size_t kMaxAlternatives = 8;  // a mismatch costs as many comparisons

  // `slots` outlives the tree.
  explicit ShapeTree(ColumnSlots& slots) : slots_(slots) {}

  // Into a row whose columns are NULL. False: no remembered shape fits, or a value is not what its column
  // takes; the row's values are unspecified.
  bool read(std::string_view event, size_t row);
  // `event` was accepted. Remembers nothing of an event that names a column, or an object that holds
  // some, twice (the last one counts), or by a name with an escape, or for which there is no room.
  void learn(std::string_view event);
  // Something did not fit: what is remembered may be worth less than what is not.
  bool full() const { return full_; }
  void forget();

 private:
  enum class Kind : uint8_t { kString, kNumber, kBoolean, kNested, kEnd };
  static constexpr uint16_t kNone = 0xFFFF;
  struct Step {
    uint32_t literal = 0;  // its place in literals_; a string's ends with the opening quote
    uint16_t length = 0;
    uint16_t depth = 0;            // of the object that holds the value
    int16_t slot = Member::kNone;  // kNone: the value is checked only
    Kind kind = Kind::kEnd;        // of the value behind the literal
    uint16_t next = kNone;         // the step behind the value
    uint16_t alternative = kNone;  // to be tried where this one does not match
  };
  class Learner;

  const char* read_value(json::Scan& scan, const Step& step, const char* p, size_t row);
  bool remember(const std::vector<Step>& path, std::string_view event);
  bool same(const Step& known, const Step& step, std::string_view event) const;
  void append(const std::vector<Step>& path, size_t from, std::string_view event);

  ColumnSlots& slots_;
  std::vector<Step> steps_;  // the root's first alternative is steps_[0]
  std::string literals_;     // followed by room for a comparison's last 16 bytes
  bool full_ = false;
};

}  // namespace millrace::formats
