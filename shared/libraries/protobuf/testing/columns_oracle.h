// ColumnsOracle: the row that libprotobuf makes of a payload, to compare a ColumnReader's with.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "event/batch.h"
#include "schema/schema.h"

namespace google::protobuf {
class Message;
}

namespace millrace::protobuf {

class ColumnsOracle {
 public:
  ColumnsOracle(schema::SchemaPtr schema, std::string_view full_name, millrace::Schema columns);
  ~ColumnsOracle();

  std::unique_ptr<google::protobuf::Message> message() const;
  // nullopt: the library refuses it, or it does not fit the columns.
  std::optional<std::vector<Scalar>> row(std::string_view payload) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

bool same(const Scalar& a, const Scalar& b);  // numbers to the bit
std::string shown(Type type, const Scalar& value);

}  // namespace millrace::protobuf
