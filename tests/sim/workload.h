// Workload: random definitions and events for a simulated node, all from one seed.
//
// Why:   the oracle is only as good as what it is asked. Everything here stays inside what naive.h computes,
//        and leans on the edges: nulls, few keys (so that groups meet), late rows, bad events, failing
//        expressions, silent partitions.
// Names: never used twice by a tenant in a run, so that a dropped object cannot be mistaken for its successor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/sim/naive.h"

namespace millrace::sim {

// How long a stream keeps its events; 0: no bound of that kind.
struct MadeRetention {
  const char* option = "";
  int64_t us = 0;
  uint64_t bytes = 0;
};
struct MadeStream {
  NaiveStream shape;
  std::string sql;
  MadeRetention kept;
};
struct MadeQuery {
  NaiveQuery shape;
  std::string sql;
  MadeRetention kept;  // of derived streams
};
// What FROM names, as a stream with that name; and WITH in front of the SELECT, where it says what that is.
struct MadeSource {
  NaiveStream stream;
  std::string with;
};
// In the text of a stream that keeps what does not fit as dead letters.
inline constexpr std::string_view kKeepsInvalid = "on_invalid = 'dead_letter'";

struct MadeEvent {
  int64_t id = 0;
  std::string json;
  bool good = true;
};

class Workload {
 public:
  // With retention, streams keep what they hold for seconds, or for some kilobytes. Ids of events begin at `first_id`.
  Workload(Random random, bool retention, int64_t first_id)
      : random_(random), retention_(retention), next_id_(first_id) {}

  MadeStream make_stream();
  // Over a stream with the columns of make_stream() (a derived one keeps them).
  MadeQuery make_derived(const NaiveStream& source);
  // The rows of closed windows, under the same names; over a stream with a watermark. `late_to`: a stream that may take
  // its late events; empty: there is none.
  MadeQuery make_windows(const MadeSource& source, const std::string& late_to);
  // What changes in groups, under the same names, by their keys or as a changelog; over any stream.
  MadeQuery make_changes(const MadeSource& source, const std::string& late_to);
  MadeQuery make_view(const MadeSource& source, const std::string& late_to);
  // What a view may read in the place of a stream: a query over it, or over two, with the same columns.
  MadeSource inner_query(const NaiveStream& source);
  MadeSource inner_union(const NaiveStream& one, const NaiveStream& other);
  // A view that reads another one, which is over `source`.
  MadeQuery make_view_over(const NaiveQuery& view, const NaiveStream& source);
  // A view of the rows that are in one of two streams, in both, or in the first alone.
  MadeQuery make_set(const NaiveStream& one, const NaiveStream& other);
  // A view of a stream that has a column of arrays: makes_lists().
  MadeQuery make_lists(const NaiveStream& source);
  static bool makes_lists(const NaiveStream& source);
  // A derived stream of the rows of two.
  MadeQuery make_union(const NaiveStream& one, const NaiveStream& other);
  // Windows of rows: a view, or a stream of those that are full. Over a stream that may_count().
  MadeQuery make_counts(const NaiveStream& source, bool is_view);
  static bool may_count(const NaiveStream& source) {
    return source.primary_key.empty() && (source.key == "k" || source.partitions == 1);
  }
  // A stream that takes the late events of another one.
  MadeStream make_late_stream(const NaiveStream& source);
  // `now_us`: where event time stands; events scatter around it.
  MadeEvent make_event(int64_t now_us, const NaiveStream& stream);
  std::string body_of(const std::vector<MadeEvent>& events, bool ndjson) const;

 private:
  MadeRetention retention();
  MadeSource inner(NaiveStream stream, const std::string& query);
  std::string arm_of_union(const NaiveStream& source, bool as_it_is);
  std::string condition();
  std::string row_condition();  // of a table's row, which came at no time
  std::string aggregate_list(bool distinct = true);
  std::string retracting_list();  // of aggregates that can take a row back
  std::string filtered(std::string call);
  static std::string named(const std::vector<std::string>& calls);
  struct GroupKey {
    const char* by;
    const char* shown;
  };
  std::string table_windows(const NaiveStream& source, const std::string& where, const GroupKey& key);
  std::string having(bool distinct = true);
  std::string table_query(const NaiveStream& source);
  std::string with(std::string options);  // WITH (…), or nothing
  std::string view_options(bool may_close);
  std::string emit(bool may_close, bool may_wait);
  GroupKey group_key();
  std::string window_over(const NaiveStream& source);
  std::string time_value(int64_t us);
  std::string bad_event(int64_t id, bool keyed);
  template <size_t N>
  const char* pick(const char* const (&from)[N]) {
    return from[random_.below(N)];
  }

  Random random_;
  bool retention_;
  int names_ = 0;
  int64_t next_id_;
};

}  // namespace millrace::sim
