// ViewFollower: a client that subscribes to a view and folds what it hears into the view's rows.
//
// Resumes: a view's rows have no cursors: after a crash it subscribes again, and begins with the rows of then. What it
//          heard of an EMIT ON WINDOW CLOSE view in earlier lives was final, and has to be among what it hears.
// Rows:    as the node writes them, JSON. Columns are the group's key but for a0, a1, … (workload.cc); of rows without
//          groups over a stream with a primary key, that which shows it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "engine/serving.h"
#include "tests/sim/naive.h"

namespace millrace::sim {

// Rows by what names them: a group's by its key, an upserted one by the primary key; those of another view without
// groups, and final ones, by all of it.
class FoldedRows {
 public:
  FoldedRows(const NaiveQuery& query, const NaiveStream& source);
  // Says what is wrong; empty: nothing.
  std::string hear(std::string_view json);
  std::multiset<std::string> rows() const;
  // The view does not show all of what names its rows: which one an upsert replaces cannot be told.
  bool nameless() const { return nameless_; }

 private:
  bool names_row(const std::string& column) const;

  const bool grouped_;
  const bool final_;
  std::set<std::string> primary_key_;
  bool nameless_ = false;
  std::multiset<std::string> whole_;
  std::map<std::string, std::string> by_key_;
};

struct ViewFollower {
  size_t object = 0;
  std::unique_ptr<engine::Subscription> subscription;
  bool asked = false;  // SUBSCRIBE is on its way
  std::unique_ptr<FoldedRows> folded;
  std::multiset<std::string> final_rows;  // of an EMIT ON WINDOW CLOSE view, heard in earlier lives

  void end_life(bool keeps_final_rows);
};

}  // namespace millrace::sim
