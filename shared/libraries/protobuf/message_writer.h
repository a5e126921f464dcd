// MessageWriter: a row's columns as a message, of the schema that message_file() makes of them.
//
// Owns:    scratch: nothing is allocated for a value, once it has been as long before.
// Threads: confined.
// Errors:  MR-PROTO-0014.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "event/batch.h"

namespace millrace::protobuf {

class MessageWriter {
 public:
  explicit MessageWriter(const millrace::Schema& columns);
  ~MessageWriter();
  // `columns` are those of the schema. MR-PROTO-0014: an item of an array is NULL; `out` is as it was.
  Status append(std::string& out, const std::vector<const Column*>& columns, size_t row);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::protobuf
