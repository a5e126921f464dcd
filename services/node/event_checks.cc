#include "node/event_checks.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <optional>
#include <utility>

#include "avro/avro_schema.h"
#include "avro/codec.h"
#include "base/buffer.h"
#include "formats/json.h"
#include "json-schema/json_schema.h"
#include "json-schema/validator.h"
#include "protobuf/message_codec.h"
#include "protobuf/message_index.h"

namespace millrace::node {
namespace {

using gateway::ReadValue;

std::string_view with_padding(std::string& text) {
  const size_t bytes = text.size();
  text.append(Buffer::kPadding, '\0');
  return std::string_view(text).substr(0, bytes);
}

class JsonCheck final : public gateway::EventSchema {
 public:
  JsonCheck(json_schema::Validator validator, WritersOf writers)
      : validator_(std::move(validator)), writers_(std::move(writers)) {}

  Status check(std::string_view event) override {
    TRY_ASSIGN(const auto element, parser_.parse(event));
    return validator_.check(element);
  }
  Result<ReadValue> read(const schema::Framed& value, size_t&) override {
    TRY(writers_.find(value.schema));
    return ReadValue{value.payload, false};
  }

 private:
  const json_schema::Validator validator_;
  WritersOf writers_;
  json_schema::EventParser parser_;
};

class AvroCheck final : public gateway::EventSchema {
 public:
  AvroCheck(schema::SchemaPtr schema, WritersOf writers)
      : schema_(std::static_pointer_cast<const avro::AvroSchema>(schema)), writers_(std::move(writers)) {}

  Status check(std::string_view event) override {
    TRY(avro::from_json(*schema_, event, avro::JsonForm::kPlain));
    return {};
  }
  Result<ReadValue> read(const schema::Framed& value, size_t& made) override {
    TRY_ASSIGN(const LearntWriter* writer, writers_.find(value.schema));
    std::string& text = writers_.scratch();
    const Status read = avro::append_json(text, *writer->resolution, value.payload, avro::JsonForm::kPlain,
                                          formats::kMaxEventBytes);
    made += text.size();
    TRY(read);
    return ReadValue{with_padding(text), true};
  }

 private:
  const std::shared_ptr<const avro::AvroSchema> schema_;
  WritersOf writers_;
};

class ProtobufCheck final : public gateway::EventSchema {
 public:
  ProtobufCheck(protobuf::MessageCodec codec, WritersOf writers)
      : codec_(std::move(codec)), writers_(std::move(writers)) {}

  Status check(std::string_view event) override {
    TRY(codec_.from_json(event));
    return {};
  }
  Result<ReadValue> read(const schema::Framed& value, size_t& made) override {
    TRY_ASSIGN(const LearntWriter* writer, writers_.find(value.schema));
    TRY_ASSIGN(const auto indexes, protobuf::read_message_indexes(value.payload));
    TRY(check_name(value.schema, writer->schema, indexes.indexes));
    std::string& text = writers_.scratch();
    const Status read =
        codec_.append_plain_json(text, value.payload.substr(indexes.size), formats::kMaxEventBytes);
    made += text.size();
    TRY(read);
    return ReadValue{with_padding(text), true};
  }

 private:
  // Of the message that was written. The last one is remembered: to make its codec is work.
  Status check_name(const schema::WriterSchema& writer, const schema::SchemaPtr& schema,
                    const std::vector<int32_t>& indexes) {
    if (good_ == std::pair(writer, indexes)) return {};
    TRY_ASSIGN(const auto written, protobuf::MessageCodec::of(schema, indexes));
    if (written.full_name() != codec_.full_name()) {
      return error(Code::kInvalid, "MR-SCH-0011",
                   fmt::format("the value is a {}; the stream takes messages {}", written.full_name(),
                               codec_.full_name()),
                   "send it to the stream of its kind");
    }
    good_ = std::pair(writer, indexes);
    return {};
  }

  const protobuf::MessageCodec codec_;
  WritersOf writers_;
  std::optional<std::pair<schema::WriterSchema, std::vector<int32_t>>> good_;
};

}  // namespace

Result<std::unique_ptr<gateway::EventSchema>> make_event_check(const schema::SchemaPtr& schema,
                                                               WritersOf writers) {
  std::unique_ptr<gateway::EventSchema> check;
  switch (schema->type()) {
    case schema::SchemaType::kJson: {
      TRY_ASSIGN(auto validator, json_schema::Validator::compile(
                                     static_cast<const json_schema::JsonSchema&>(*schema).document()));
      check = std::make_unique<JsonCheck>(std::move(validator), std::move(writers));
      break;
    }
    case schema::SchemaType::kAvro:
      check = std::make_unique<AvroCheck>(schema, std::move(writers));
      break;
    case schema::SchemaType::kProtobuf: {
      constexpr int32_t kFirst[] = {0};
      TRY_ASSIGN(auto codec, protobuf::MessageCodec::of(schema, kFirst));
      check = std::make_unique<ProtobufCheck>(std::move(codec), std::move(writers));
      break;
    }
  }
  return check;
}

}  // namespace millrace::node
