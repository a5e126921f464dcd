// Accumulators: what a group keeps of its rows, in the fixed bytes of a state row. Private to engine/.
//
// Why:    a row, a partial group from a repartition topic and a combined group all change a group in one
// way:    by a Contribution to each aggregate.
// Layout: one slot an aggregate, one behind the other. count: int64. Sums of bigint and numeric: a 128-bit sum and a
//         count, so that no order of additions can overflow. Sums of doubles: (sum, count) for each source
//         partition, the first ones in place, more in a blob. min, max: the value in place, text in a blob. bit_and
//         …: the count and the bits. Exact variance: sum, sum of squares (variance.h), count. first, last: the least
//         or greatest entry (entries.h) as a text. Sketches (sketch.h): a blob. Lists (gathered.h): a chain of blobs
//         and how much they hold. min, max and any_value of an updating source, percentiles and mode, and what is
//         DISTINCT in a window of panes: all values (counted_values.h). Behind them the group's number, where values stand in DistinctSets.
// Order:  float sums and moments depend on the order of rows within their partition alone; all else on no order at
//         all.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/aggregate_arguments.h"
#include "engine/counted_values.h"
#include "engine/gathered.h"
#include "engine/plan.h"
#include "engine/sketch.h"
#include "engine/value_codec.h"
#include "engine/variance.h"
#include "state/state_store.h"

namespace millrace::engine {

// What one row, or several, add to one aggregate. Only the fields of the aggregate's kind count.
struct Contribution {
  int64_t count = 0;    // rows that are not NULL (count(*): rows)
  __int128 sum = 0;     // bigint; of exact variance: one row's value
  double real = 0;      // double: the sum, or the minimum or maximum
  int64_t integer = 0;  // min, max of booleans and all that is kept as an integer
  Interval interval;
  std::string_view text;  // or an entry, or a sketch
};

// One source partition's part of a sum of doubles.
struct FloatPart {
  double sum = 0;
  int64_t count = 0;
  uint32_t partition = 0;  // plus 1; 0: unused
};

// What one aggregate of a group holds, out of the state; of several stored groups (panes), all together.
struct Total {
  Contribution value;
  std::vector<FloatPart> parts;      // sums of doubles
  Squares squares;                   // exact variance
  std::string bytes;                 // sketches, entries of lists, the value of kValues
  std::vector<CountedValue> values;  // of all panes
  uint64_t gathered = 0;             // how much the lists hold
};
// For the next group, in the same memory.
inline void restart(Total& total) {
  total.value = {};
  total.parts.clear();
  total.squares = {};
  total.bytes.clear();
  total.values.clear();
  total.gathered = 0;
}
inline void restart(std::vector<Total>& totals) {
  for (Total& total : totals) restart(total);
}

// What takes out what they brought; of counts, exact sums and variances, and bit_xor.
inline void negate(std::vector<Contribution>& contributions) {
  for (Contribution& c : contributions) {
    c.count = -c.count;
    c.sum = -c.sum;
  }
}

Error state_full();  // MR-SQL-0113

// DISTINCT values stand in DistinctSets. In windows of panes they are the accumulators'.
bool has_distinct_sets(const QueryPlan& plan);

class Accumulators {
 public:
  explicit Accumulators(const QueryPlan& plan);

  size_t value_bytes() const { return value_bytes_; }
  size_t size() const { return slots_.size(); }
  bool has_float_sums() const { return has_float_sums_; }
  // Contributions cannot be combined before a repartition.
  bool row_by_row() const { return row_by_row_; }

  // The first aggregate whose DISTINCT value is too long to be kept; -1: none.
  int too_long(const Arguments& arguments, size_t row, size_t most_bytes) const;
  // A row's contributions. Of a plain count nothing but `count` is written.
  void of_row(const Arguments& arguments, size_t row, std::vector<Contribution>& out) const;
  // Some contributions are texts that are made of the row: then add_texts() follows, which keeps them in `texts`.
  bool makes_texts() const { return !made_texts_.empty(); }
  void add_texts(const Arguments& arguments, const std::vector<std::vector<const Column*>>& order, size_t row,
                 const RowOrigin& place, std::vector<Contribution>& contributions, Arena& texts);
  void combine(size_t aggregate, Contribution& into, const Contribution& more) const {
    combine(slots_[aggregate], into, more);
  }
  void encode(size_t aggregate, const Contribution& c, std::string& out) const;
  bool decode(size_t aggregate, ByteReader& in, Contribution& c) const;

  bool gathers(size_t aggregate) const { return slots_[aggregate].kind == Kind::kGathered; }
  // The first sum that the contributions would take out of its type's range, or list out of its bound; -1: none.
  int overflowing(const char* value, const std::vector<Contribution>& contributions) const;
  // Adds one contribution an aggregate to the row; false: the state's bound, the row is as it was.
  bool apply(state::Table& table, std::string_view key, uint64_t hash, char* value, uint16_t partition,
             const std::vector<Contribution>& contributions);

  // Some aggregates keep their values: then change_values() follows apply().
  bool keeps_values() const { return keeps_values_; }
  // What they keep when a row comes (1) or, of an updating source, goes (-1). False: the state's bound.
  bool change_values(state::Table& table, std::string_view key, uint64_t hash, int weight,
                     const std::vector<Contribution>& contributions) const;

  // Adds what a stored group holds to one total an aggregate; texts point into the state. `blob` reads a blob
  // of the row's table.
  void collect(const char* value, const Blobs& blob, std::vector<Total>& totals) const;
  // The aggregate's answer, appended to `out`. Sorts the total's parts.
  void finish(size_t aggregate, Total& total, Column& out, Arena& arena) const;
  // Both for a group that is stored in one place: an answer a column. `scratch` is for its memory alone.
  void finish_stored(const char* value, const Blobs& blob, Total& scratch, std::span<Column> out,
                     Arena& arena) const;
  // Copies what `value` refers to into another table and changes the references. False: the state's bound.
  bool move_blobs(char* value, const Blobs& from, state::Table& to) const;
  // Frees what `value`, a row of the table, refers to: before the row is erased.
  void free_blobs(const char* value, state::Table& table) const;
  int64_t count_of(const char* value, size_t aggregate) const {  // of a count's
    return load_le<int64_t>(value + slots_[aggregate].offset);
  }
  // Of a group whose DISTINCT values stand in DistinctSets.
  uint64_t number_of(const char* value) const { return load_le<uint64_t>(value + number_offset_); }
  void set_number(char* value, uint64_t number) const { store_le(value + number_offset_, number); }
  // SESSION: what the last two aggregates hold of a group with rows.
  SessionTimes session_times(const char* value) const {
    const size_t n = slots_.size();
    return {load_le<int64_t>(value + slots_[n - 2].offset + 8),
            load_le<int64_t>(value + slots_[n - 1].offset + 8)};
  }

 private:
  enum class Kind : uint8_t {
    kCount,
    kIntSum,
    kFloatSum,
    kExtreme,
    kTextExtreme,
    kBits,
    kSquares,
    kSketch,
    kGathered,
    kValues,
    kDistinct
  };
  struct Slot {
    Kind kind = Kind::kCount;
    AggregateKind call = AggregateKind::kCountStar;
    Physical storage = Physical::kInteger;  // of the argument
    int scale = 0;                          // of a sum of numeric
    size_t offset = 0;
    std::shared_ptr<const Sketch> sketch = nullptr;
    std::string separator = {};                  // of lists
    std::shared_ptr<const Slot> once = nullptr;  // kDistinct: what the values, each once, make the answer of
  };
  static constexpr size_t kPartBytes = 24;

  Contribution of_row(const Slot& slot, const Column& argument, size_t row) const;
  bool would_overflow(const Slot& slot, const char* value, const Contribution& c) const;
  static uint64_t gathered_after(const Slot& slot, const char* p, const Contribution& c);
  static bool has_blob(const Slot& slot);
  static bool has_text(const Slot& slot);
  static bool has_values(const Slot& slot);  // a list of values and how often each is there
  static bool has_keys(const Slot& slot);    // … each encoded as a key
  void choose_kind(const AggregateCall& call, Slot& slot) const;
  static void keep_values_once(Slot& slot);
  size_t slot_bytes(const Slot& slot) const;
  static FloatPart load_part(const char* p);
  static void store_part(char* p, const FloatPart& part);
  void collect_slot(const Slot& slot, const char* value, const Blobs& blob, Total& total) const;
  void collect_parts(const char* p, const Blobs& blob, std::vector<FloatPart>& into) const;
  void combine(const Slot& slot, Contribution& into, const Contribution& more) const;
  int compare(const Slot& slot, const Contribution& a, const Contribution& b) const;
  bool replaces(const Slot& slot, const Contribution& held, const Contribution& c) const;
  Contribution held(const Slot& slot, const char* p) const;
  bool stage(state::Table& table, const Slot& slot, const char* value, uint16_t partition,
             const Contribution& c, uint64_t& blob);
  bool stage_float(state::Table& table, const Slot& slot, const char* p, uint16_t partition,
                   const Contribution& c, uint64_t& blob);
  void commit(state::Table& table, const Slot& slot, char* p, uint16_t partition, const Contribution& c,
              uint64_t blob);
  void replace_blob(state::Table& table, const Slot& slot, char* value, uint64_t blob) const;
  void add_float(const Slot& slot, char* p, uint16_t partition, const Contribution& c) const;
  size_t blob_offset(const Slot& slot) const;
  void finish(const Slot& slot, const AggregateCall& call, Total& total, Column& out, Arena& arena) const;
  void finish_distinct(const Slot& slot, const AggregateCall& call, Total& total, Column& out,
                       Arena& arena) const;
  void add_once(const Slot& slot, const Column& value, Total& total) const;
  static void list_once(const Slot& slot, const std::vector<CountedValue>& entries, Total& total);
  static void finish_numeric(const Slot& slot, __int128 sum, int64_t count, Column& out, Arena& arena);
  static void collect_list(const char* p, const Blobs& blob, Total& total);
  static void finish_value(const Slot& slot, Total& total, Column& out, Arena& arena);
  static void finish_list(const Slot& slot, const Total& total, Column& out, Arena& arena);
  static void finish_extreme(const Slot& slot, const Contribution& c, Column& out, Arena& arena);
  static void finish_float(AggregateKind call, std::vector<FloatPart>& parts, Column& out);

  bool stage_all(state::Table& table, std::string_view key, uint64_t hash, char*& value, uint16_t partition,
                 const std::vector<Contribution>& contributions);

  std::vector<AggregateCall> calls_;
  std::vector<Slot> slots_;
  // Which of them each step of a row is about: most queries count much and sum little.
  std::vector<size_t> counts_;
  std::vector<size_t> others_;
  std::vector<size_t> checked_;     // sums with a range
  std::vector<size_t> with_blobs_;  // of others_
  std::vector<size_t> made_texts_;
  size_t value_bytes_ = 0;
  size_t number_offset_ = 0;
  size_t inline_parts_ = 1;
  bool has_float_sums_ = false;
  bool row_by_row_ = false;
  bool keeps_values_ = false;
  const bool retracts_;
  const bool panes_;              // a window is put together from several rows of the state
  std::vector<uint64_t> staged_;  // a blob a slot; 0: none
  std::string scratch_;
};

}  // namespace millrace::engine
