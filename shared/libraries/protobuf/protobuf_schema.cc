#include "protobuf/protobuf_schema.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/strutil.h>

#include "protobuf/differences.h"
#include "protobuf/internal/library.h"
#include "protobuf/internal/normal_form.h"
#include "protobuf/internal/printer.h"
#include "protobuf/internal/schema_impl.h"

namespace millrace::protobuf {

namespace {

Result<schema::SchemaPtr> parse(std::string_view text, std::span<const schema::NamedSchema> references) {
  return guarded([&]() -> Result<schema::SchemaPtr> {
    TRY_ASSIGN(auto parsed, parse_file(text, references));
    auto out = std::make_shared<ProtobufSchema>(std::move(parsed));
    if (out->text().empty()) {
      return error(Code::kInvalid, "MR-PROTO-0001", "the schema declares nothing", "send the .proto text");
    }
    return schema::SchemaPtr(std::move(out));
  });
}

std::string base64_of(const google::protobuf::FileDescriptor& file) {
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  std::string out;
  google::protobuf::Base64Escape(proto.SerializeAsString(), &out);
  return out;
}

}  // namespace

const schema::SchemaFormat kFormat{schema::SchemaType::kProtobuf, &parse};

ProtobufSchema::ProtobufSchema(std::unique_ptr<ParsedFile> parsed)
    : parsed_(std::move(parsed)), text_(print(parsed_->proto, parsed_->has_syntax)) {}

std::string ProtobufSchema::normalized() const {
  return print(normal_form(parsed_->proto, *parsed_->file), true);
}

Result<std::string> ProtobufSchema::formatted(std::string_view format) const {
  if (format == "serialized") return base64_of(file());
  if (format == "ignore_extensions")
    return print(without_custom_options(parsed_->proto), parsed_->has_syntax);
  return text_;
}

Result<std::vector<schema::Incompatibility>> ProtobufSchema::what_hinders_reading(
    const Schema& writer) const {
  TRY_ASSIGN(const auto found, differences(*this, writer));
  std::vector<schema::Incompatibility> out;
  for (const Difference& difference : found) {
    if (is_compatible(difference.type)) continue;
    out.push_back({std::string(to_string(difference.type)), difference.path, message_of(difference)});
  }
  return out;
}

const ProtobufSchema& as_protobuf(const schema::Schema& schema) {
  CHECK(schema.type() == schema::SchemaType::kProtobuf, "a schema of another format");
  return static_cast<const ProtobufSchema&>(schema);
}

Error no_such_message(std::string what) {
  return error(Code::kInvalid, "MR-PROTO-0006", std::move(what),
               "the schema's messages are counted from 0, in its order");
}

Result<const google::protobuf::Descriptor*> message_named(const ProtobufSchema& schema,
                                                          std::string_view full_name) {
  const auto* type = schema.pool().FindMessageTypeByName(std::string(full_name));
  if (type == nullptr || type->file() != &schema.file() || type->options().map_entry())
    return no_such_message(fmt::format("the schema has no message {}", full_name));
  return type;
}

}  // namespace millrace::protobuf
