// SharedValues: function calls that occur more than once in expressions over the same rows: each is evaluated once a
// row. `regexp_extract(url, …)` in WHERE and among the outputs is one.
//
// Rows:     an evaluation brings the rows that it needs, and finds those that another one has computed. A row that
//           failed is not kept, so that it fails wherever it is asked for.
// Use:      one object and its evaluators for one query's expressions; begin() before the first evaluation over another
//           batch. The evaluators must not outlive it.
// Threads:  one.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/expr.h"

namespace millrace::engine {

class SharedValues {
 public:
  struct Call {
    Column values;
    std::vector<uint8_t> known;  // by row; empty: none
  };

  explicit SharedValues(const std::vector<ExprPtr>& expressions, PlanOptions options = {});
  void begin();
  // Nullptr: the call occurs once.
  Call* find(const Expr& call);

 private:
  std::unordered_map<std::string, std::unique_ptr<Call>> calls_;  // by identity
};

}  // namespace millrace::engine
