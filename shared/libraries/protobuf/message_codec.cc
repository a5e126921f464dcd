#include "protobuf/message_codec.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <algorithm>

#include "protobuf/internal/library.h"
#include "protobuf/internal/message_bounds.h"
#include "protobuf/internal/plain_json.h"
#include "protobuf/internal/schema_impl.h"

namespace millrace::protobuf {

namespace pb = google::protobuf;

struct MessageCodec::Impl {
  schema::SchemaPtr schema;
  const pb::DescriptorPool* pool;
  const pb::Descriptor* type;
  std::vector<int32_t> indexes;
  pb::DynamicMessageFactory factory;
  const pb::Message* prototype;
  std::unique_ptr<pb::util::TypeResolver> types;
};

namespace {

Error refused(std::string_view id, std::string what) {
  return error(Code::kInvalid, id, std::move(what), "write it with the schema that its id names");
}

// The messages within one, as they are counted: map entries, which no text has, do not count.
std::vector<const pb::Descriptor*> nested_in(const pb::Descriptor& type) {
  std::vector<const pb::Descriptor*> out;
  for (int i = 0; i < type.nested_type_count(); ++i) {
    if (!type.nested_type(i)->options().map_entry()) out.push_back(type.nested_type(i));
  }
  return out;
}

std::vector<const pb::Descriptor*> messages_in(const pb::FileDescriptor& file) {
  std::vector<const pb::Descriptor*> out;
  for (int i = 0; i < file.message_type_count(); ++i) out.push_back(file.message_type(i));
  return out;
}

Result<const pb::Descriptor*> message_at(const pb::FileDescriptor& file, std::span<const int32_t> indexes) {
  const pb::Descriptor* out = nullptr;
  for (const int32_t index : indexes) {
    const auto types = out == nullptr ? messages_in(file) : nested_in(*out);
    if (index < 0 || static_cast<size_t>(index) >= types.size()) {
      return no_such_message(fmt::format("the schema has no message of index {}{}", index,
                                         out == nullptr ? "" : " in " + out->full_name()));
    }
    out = types[index];
  }
  if (out == nullptr) return no_such_message("there are no message indexes");
  return out;
}

std::vector<int32_t> indexes_of(const pb::Descriptor* type) {
  std::vector<int32_t> out;
  for (; type != nullptr; type = type->containing_type()) {
    const auto* outer = type->containing_type();
    const auto types = outer == nullptr ? messages_in(*type->file()) : nested_in(*outer);
    out.push_back(static_cast<int32_t>(std::find(types.begin(), types.end(), type) - types.begin()));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

std::string url_of(const pb::Descriptor& type) {
  return fmt::format("{}/{}", kTypePrefix, type.full_name());
}

// That it is a message of its type in all that bounds do not tell: UTF-8, and required fields.
Result<std::unique_ptr<pb::Message>> parse(const pb::Message& prototype, std::string_view bytes,
                                           std::string_view id) {
  std::unique_ptr<pb::Message> message(prototype.New());
  if (!message->ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return refused(id, "it is not a message of the schema: a text is not UTF-8, or it is cut off");
  }
  if (message->IsInitialized()) return message;
  return refused(id, "required fields are missing: " + message->InitializationErrorString());
}

}  // namespace

MessageCodec::MessageCodec(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MessageCodec::~MessageCodec() = default;
MessageCodec::MessageCodec(MessageCodec&&) noexcept = default;
MessageCodec& MessageCodec::operator=(MessageCodec&&) noexcept = default;

const std::string& MessageCodec::full_name() const {
  return impl_->type->full_name();
}
const std::vector<int32_t>& MessageCodec::indexes() const {
  return impl_->indexes;
}

Result<MessageCodec> MessageCodec::of(schema::SchemaPtr schema, std::span<const int32_t> indexes) {
  return guarded([&]() -> Result<MessageCodec> {
    const ProtobufSchema& own = as_protobuf(*schema);
    auto impl = std::make_unique<Impl>();
    TRY_ASSIGN(impl->type, message_at(own.file(), indexes));
    impl->pool = &own.pool();
    impl->indexes.assign(indexes.begin(), indexes.end());
    impl->prototype = impl->factory.GetPrototype(impl->type);
    impl->types.reset(pb::util::NewTypeResolverForDescriptorPool(kTypePrefix, impl->pool));
    impl->schema = std::move(schema);
    return MessageCodec(std::move(impl));
  });
}

Result<MessageCodec> MessageCodec::of(schema::SchemaPtr schema, std::string_view full_name) {
  TRY_ASSIGN(const auto* type, message_named(as_protobuf(*schema), full_name));
  return of(std::move(schema), indexes_of(type));
}

Result<std::string> MessageCodec::to_json(std::string_view message) const {
  return guarded([&]() -> Result<std::string> {
    TRY(check_message_bounds(message, *impl_->type, *impl_->pool));
    TRY(parse(*impl_->prototype, message, "MR-PROTO-0007"));
    pb::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    options.always_print_primitive_fields = true;
    std::string out;
    const auto status = pb::util::BinaryToJsonString(impl_->types.get(), url_of(*impl_->type),
                                                     std::string(message), &out, options);
    if (!status.ok())
      return refused("MR-PROTO-0007", "the payload has no form in JSON: " + status.ToString());
    return out;
  });
}

Status MessageCodec::append_plain_json(std::string& out, std::string_view message, size_t most) const {
  return guarded([&]() -> Status {
    TRY(check_message_bounds(message, *impl_->type, *impl_->pool));
    TRY_ASSIGN(const auto parsed, parse(*impl_->prototype, message, "MR-PROTO-0007"));
    bool whole = true;
    TRY(protobuf::append_plain_json(out, *parsed, *impl_->types, out.size() + most, whole));
    if (whole) return {};
    return refused("MR-PROTO-0007", fmt::format("the payload has more than {} bytes as JSON", most));
  });
}

Result<std::string> MessageCodec::from_json(std::string_view json) const {
  return guarded([&]() -> Result<std::string> {
    if (json.size() > kMaxMessageBytes)
      return refused("MR-PROTO-0008", fmt::format("the JSON has {} bytes", json.size()));
    std::string out;
    const auto status = pb::util::JsonToBinaryString(impl_->types.get(), url_of(*impl_->type),
                                                     pb::StringPiece(json.data(), json.size()), &out);
    if (!status.ok())
      return refused("MR-PROTO-0008", "the JSON is no message of the schema: " + status.ToString());
    TRY(check_message_bounds(out, *impl_->type, *impl_->pool));
    TRY(parse(*impl_->prototype, out, "MR-PROTO-0008"));
    return out;
  });
}

}  // namespace millrace::protobuf
