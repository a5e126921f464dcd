// ChangedRows: the rows that a stream of groups' changes comes to, one event after the other, and whether each fits
// behind those before it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/naive.h"

namespace millrace::sim {

class ChangedRows {
 public:
  ChangedRows(const NaiveStream& shape, bool changelog) : shape_(shape), changelog_(changelog) {}

  // An Error: it does not decode, has another partition than its key's other events, or takes back what was not told.
  Status apply(const LogEvent& event);
  std::multiset<std::string> now() const;

 private:
  Status upsert(const LogEvent& event, const Row& row, const std::string& line, const std::string& op);
  Status log(const std::string& line, const std::string& op);

  const NaiveStream& shape_;
  const bool changelog_;
  std::map<std::string, std::string> by_key_;
  std::map<std::string, PartitionId> partitions_;  // by key
  std::multiset<std::string> rows_;                // of a changelog
};

}  // namespace millrace::sim
