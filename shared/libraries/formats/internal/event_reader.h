// EventReader: one event's bytes into one row of columns, in one pass that also checks every byte.
//
// Why:        the decoder and the validator are this one reader, so they cannot disagree. It learns the order
//             of a stream's fields: a field that stands where it stood in the event before is known by one
//             vector comparison of its quoted name, so the cost of a field that nobody reads is that of
//             checking it.
// Duplicates: a later field of the same name overwrites the earlier one, its type fault included.
// Threads:    confined.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "event/batch.h"
#include "formats/internal/json_scan.h"

namespace millrace::formats {

class EventReader {
 public:
  // Slot i is the column schema[wanted[i]].
  EventReader(const Schema& schema, const std::vector<int>& wanted);

  // The columns that rows are written to; sized for every row, `valid` included (zero: NULL until a value
  // comes).
  void attach(std::vector<Column>& columns, Arena& arena);
  // False: the event is refused, failure() says why; the row's values are unspecified.
  bool read(std::string_view event, size_t row);

  struct Failure {
    std::string_view id;
    std::string message;
  };
  Failure failure() const;

 private:
  enum class ValueFault : uint8_t { kNone, kType, kRange, kFormat };
  struct Slot {
    Type type = Type::kText;
    std::string name;
    TimestampUnit unit = TimestampUnit::kMilliseconds;
    uint8_t* valid = nullptr;
    void* values = nullptr;
    ValueFault fault = ValueFault::kNone;
    const char* fault_at = nullptr;
  };
  // A field's quoted name and the colon right behind it, as they stood in the event before.
  struct Field {
    alignas(16) char token[32] = {};
    uint32_t length = 0;  // 0: nothing learnt
    int slot = -1;        // -1: nobody reads it
  };
  static constexpr size_t kLearnt = 256;
  static constexpr int kUnread = -1;

  const char* read_fields(json::Scan& scan, const char* p, size_t row);
  const char* read_name(json::Scan& scan, const char* p, size_t position, int& slot);
  const char* learn_name(json::Scan& scan, const char* p, size_t position, int& slot);
  const char* read_value(json::Scan& scan, const char* p, Slot& slot, size_t row);
  const char* read_string(json::Scan& scan, const char* p, Slot& slot, size_t row);
  const char* read_number(json::Scan& scan, const char* p, Slot& slot, size_t row);
  const char* read_word(json::Scan& scan, const char* p, Slot& slot, size_t row);
  void set_fault(Slot& slot, ValueFault fault, const char* at);
  void set_valid(Slot& slot, size_t row, bool valid);
  int find(std::string_view name) const;
  bool refuse(std::string_view id, std::string message);

  std::vector<Slot> slots_;
  std::vector<Field> fields_;
  Arena* arena_ = nullptr;
  std::string_view event_;
  json::Scan scan_;
  bool any_fault_ = false;
  bool bad_utf8_ = false;
  bool not_object_ = false;
};

}  // namespace millrace::formats
