#include "node/event_checks.h"

#include <simdjson.h>

#include "avro/avro_schema.h"
#include "avro/codec.h"
#include "json-schema/json_schema.h"
#include "json-schema/validator.h"
#include "protobuf/message_codec.h"

namespace millrace::node {
namespace {

class JsonCheck final : public gateway::EventSchema {
 public:
  explicit JsonCheck(json_schema::Validator validator) : validator_(std::move(validator)) {}

  Status check(std::string_view event) override {
    TRY_ASSIGN(const auto element, parser_.parse(event));
    return validator_.check(element);
  }

 private:
  const json_schema::Validator validator_;
  json_schema::EventParser parser_;
};

class AvroCheck final : public gateway::EventSchema {
 public:
  explicit AvroCheck(schema::SchemaPtr schema) : schema_(std::move(schema)) {}

  Status check(std::string_view event) override {
    TRY(avro::from_json(static_cast<const avro::AvroSchema&>(*schema_), event, avro::JsonForm::kPlain));
    return {};
  }

 private:
  const schema::SchemaPtr schema_;
};

class ProtobufCheck final : public gateway::EventSchema {
 public:
  explicit ProtobufCheck(protobuf::MessageCodec codec) : codec_(std::move(codec)) {}

  Status check(std::string_view event) override {
    TRY(codec_.from_json(event));
    return {};
  }

 private:
  const protobuf::MessageCodec codec_;
};

}  // namespace

Result<std::unique_ptr<gateway::EventSchema>> make_event_check(const schema::SchemaPtr& schema) {
  std::unique_ptr<gateway::EventSchema> check;
  switch (schema->type()) {
    case schema::SchemaType::kJson: {
      TRY_ASSIGN(auto validator, json_schema::Validator::compile(
                                     static_cast<const json_schema::JsonSchema&>(*schema).document()));
      check = std::make_unique<JsonCheck>(std::move(validator));
      break;
    }
    case schema::SchemaType::kAvro:
      check = std::make_unique<AvroCheck>(schema);
      break;
    case schema::SchemaType::kProtobuf: {
      constexpr int32_t kFirst[] = {0};
      TRY_ASSIGN(auto codec, protobuf::MessageCodec::of(schema, kFirst));
      check = std::make_unique<ProtobufCheck>(std::move(codec));
      break;
    }
  }
  return check;
}

}  // namespace millrace::node
