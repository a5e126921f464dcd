// RowEncoder: a query's rows as values of its schema, in Confluent's wire format.
//
// Why:     what is handed out is JSON, one text for all who listen; those who want Avro or Protobuf have it read into columns
//          and written again, which keeps every value.
// Owns:    scratch. Threads: confined.
// Errors:  MR-PROTO-0014.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/plan.h"

namespace millrace::gateway {

class RowEncoder {
 public:
  explicit RowEncoder(const engine::QueryPlan& plan);  // that has an encoding
  ~RowEncoder();
  const engine::EncodedOutput& encoded() const;
  // Appends the row's value; its op goes to `op`, empty: it has none. A row as a subscription gives it.
  Status append(std::string& out, std::string_view json, std::string& op);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::gateway
