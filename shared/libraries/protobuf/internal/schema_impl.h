// ProtobufSchema: what this module's parts see of a schema::Schema of its own.
#pragma once

#include "protobuf/internal/parsed_file.h"

namespace millrace::protobuf {

class ProtobufSchema : public schema::Schema {
 public:
  explicit ProtobufSchema(std::unique_ptr<ParsedFile> parsed);

  schema::SchemaType type() const override { return schema::SchemaType::kProtobuf; }
  const std::string& text() const override { return text_; }
  std::string normalized() const override;
  Result<std::string> formatted(std::string_view format) const override;
  Result<std::vector<schema::Incompatibility>> what_hinders_reading(const Schema& writer) const override;

  const google::protobuf::FileDescriptor& file() const { return *parsed_->file; }
  const google::protobuf::DescriptorPool& pool() const { return parsed_->pool; }

 private:
  std::unique_ptr<ParsedFile> parsed_;
  std::string text_;
};

const ProtobufSchema& as_protobuf(const schema::Schema& schema);

Error no_such_message(std::string what);  // MR-PROTO-0006
// A message of the schema's own file, by its full name.
Result<const google::protobuf::Descriptor*> message_named(const ProtobufSchema& schema,
                                                          std::string_view full_name);

}  // namespace millrace::protobuf
