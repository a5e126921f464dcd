#include "avro/container_writer.h"

#include "avro/record_schema.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace millrace::avro {
namespace {

std::string mark_of(std::string_view schema) {
  std::string mark;
  append_le(mark, stable_hash(schema));
  append_le(mark, stable_hash(mark));
  return mark;
}

void append_counted(std::string& out, std::string_view bytes) {
  append_varint(out, zigzag(static_cast<int64_t>(bytes.size())));
  out += bytes;
}

}  // namespace

ContainerWriter::ContainerWriter(const millrace::Schema& columns, std::string_view name)
    : schema_(record_schema(columns, name)), mark_(mark_of(schema_)), writer_(columns) {}

void ContainerWriter::begin(std::string& out) const {
  out += "Obj\x01";
  append_varint(out, zigzag(2));
  append_counted(out, "avro.schema");
  append_counted(out, schema_);
  append_counted(out, "avro.codec");
  append_counted(out, "null");
  out += '\0';
  out += mark_;
}

size_t ContainerWriter::append(std::string& out, const std::vector<const Column*>& columns, size_t first,
                               size_t end, size_t wanted_bytes) {
  block_.clear();
  size_t row = first;
  while (row < end && block_.size() < wanted_bytes) writer_.append(block_, columns, row++);
  if (row == first) return row;
  append_varint(out, zigzag(static_cast<int64_t>(row - first)));
  append_counted(out, block_);
  out += mark_;
  return row;
}

}  // namespace millrace::avro
