// EventReader: any event's bytes into one row of columns, in one pass that also checks every byte.
//
// Why:        it decides what an event is and what is wrong with one; LearningReader asks it about every event
//             that has no remembered shape. It learns the order of a stream's fields: a field that stands
//             where it stood in the event before is known by one vector comparison of its quoted name, so the
//             cost of a field that nobody reads is that of checking it.
// Objects:    one that holds columns is read like the event; on the way to a column, what is no object is NULL.
// Duplicates: a later field of the same name overwrites the earlier one, its type fault included; so does an
//             object, or what stands in its place, all that the earlier one held.
// Threads:    confined.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/internal/column_slots.h"
#include "formats/internal/json_scan.h"

namespace millrace::formats {

class EventReader {
 public:
  // `slots` outlives the reader.
  explicit EventReader(ColumnSlots& slots);

  // Into a row whose columns are NULL. False: the event is refused, failure() says why; the row's values are
  // unspecified.
  bool read(std::string_view event, size_t row);

  struct Failure {
    std::string_view id;
    std::string message;
  };
  Failure failure() const;
  // Of the first value that is not its column's; `within` stands before the column's name, places count from `event`.
  Failure misfit(const std::string& within, const char* event) const;

 private:
  struct Misfit {
    ValueFault fault = ValueFault::kNone;
    const char* at = nullptr;
  };
  // A field's quoted name and the colon right behind it, as they stood in the event before.
  struct Field {
    alignas(16) char token[32] = {};
    uint32_t length = 0;  // 0: nothing learnt
    Member member;
  };
  using Fields = std::vector<Field>;      // of an object, by position
  static constexpr size_t kLearnt = 512;  // of all objects

  const char* read_fields(json::Scan& scan, const char* p, int object, unsigned depth, size_t row);
  const char* read_name(json::Scan& scan, const char* p, int object, const Fields& fields, size_t position,
                        Member& member);
  const char* learn_name(json::Scan& scan, const char* p, int object, size_t position, Member& member);
  const char* read_object(json::Scan& scan, const char* p, int object, unsigned depth, size_t row);
  const char* read_value(json::Scan& scan, const char* p, int slot, unsigned depth, size_t row);
  const char* read_string(json::Scan& scan, const char* p, int slot, size_t row);
  const char* read_number(json::Scan& scan, const char* p, int slot, size_t row);
  const char* read_nested(json::Scan& scan, const char* p, int slot, unsigned depth, size_t row);
  const char* read_word(json::Scan& scan, const char* p, int slot, size_t row);
  void note(int slot, ValueFault fault, const char* at);
  bool forgive_added(size_t row);

  ColumnSlots& slots_;
  std::vector<Misfit> misfits_;  // one a slot: what its last value was not
  std::vector<Fields> fields_;   // one an object of slots_.members()
  size_t learnt_ = 0;            // of fields_, all objects
  std::string_view event_;
  json::Scan scan_;
  bool any_misfit_ = false;
  bool bad_utf8_ = false;
  bool not_object_ = false;
};

}  // namespace millrace::formats
