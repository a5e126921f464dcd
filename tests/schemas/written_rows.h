// WrittenRows: columns as CREATE STREAM declares them, rows as events are read into them, and both as Avro and Protobuf.
//
// Judges: what was written goes through code that the writers share nothing with: Avro's codec makes JSON of it and writes that
//         again, libprotobuf parses it and writes it again, both to the same bytes.
#pragma once

#include <google/protobuf/message.h>

#include "avro/avro_schema.h"
#include "avro/codec.h"
#include "avro/record_schema.h"
#include "avro/record_writer.h"
#include "base/buffer.h"
#include "formats/json.h"
#include "protobuf/message_codec.h"
#include "protobuf/message_file.h"
#include "protobuf/message_writer.h"
#include "protobuf/protobuf_schema.h"
#include "protobuf/testing/columns_oracle.h"
#include "sql/test_catalog.h"

namespace millrace::schema_outputs {

inline Schema columns_in(const std::string& declared) {
  return sql::TestCatalog().get<sql::CreateStream>("CREATE STREAM s (" + declared + ")").stream.columns;
}

struct Rows {
  std::vector<Buffer> events;  // which the batch views
  Batch batch;
  std::vector<const Column*> columns;
};

inline std::unique_ptr<Rows> rows_of(const Schema& columns, const std::vector<std::string>& events) {
  std::vector<int> all;
  for (size_t i = 0; i < columns.size(); ++i) all.push_back(static_cast<int>(i));
  formats::JsonDecoder decoder(columns, all);
  auto rows = std::make_unique<Rows>();
  std::vector<std::string_view> views;
  for (const std::string& event : events)
    views.push_back(rows->events.emplace_back(Buffer::copy(event)).view());
  std::vector<RowError> errors;
  decoder.decode(views, rows->batch, errors);
  for (const RowError& e : errors) ADD_FAILURE() << events[e.row] << ": " << e.message;
  for (const Column& column : rows->batch.columns) rows->columns.push_back(&column);
  return rows;
}

class AvroRows {
 public:
  explicit AvroRows(const Schema& columns) : text(avro::record_schema(columns, "s")), writer_(columns) {
    auto parsed = avro::AvroSchema::parse(text);
    EXPECT_TRUE(parsed.ok()) << text << parsed.error().to_string();
    schema = *parsed;
    EXPECT_EQ(schema->text(), text);
    resolution_ = *avro::Resolution::make(schema, schema);
  }
  std::string bytes(const Rows& rows, size_t row) {
    std::string out = "before";
    writer_.append(out, rows.columns, row);
    return out.substr(6);
  }
  std::string json(const Rows& rows, size_t row) {
    const std::string written = bytes(rows, row);
    using avro::JsonForm;
    const auto form = avro::to_json(*resolution_, written, JsonForm::kAvro);
    EXPECT_TRUE(form.ok()) << form.error().to_string();
    if (!form.ok()) return "";
    const auto again = avro::from_json(*schema, *form, JsonForm::kAvro);
    EXPECT_TRUE(again.ok() && *again == written) << *form;
    return *avro::to_json(*resolution_, written, JsonForm::kPlain);
  }

  const std::string text;
  std::shared_ptr<const avro::AvroSchema> schema;

 private:
  avro::RecordWriter writer_;
  std::shared_ptr<const avro::Resolution> resolution_;
};

class ProtobufRows {
 public:
  explicit ProtobufRows(const Schema& columns)
      : text(protobuf::message_file(columns, "s")), writer_(columns) {
    auto parsed = protobuf::kFormat.parse(text, {});
    EXPECT_TRUE(parsed.ok()) << text << parsed.error().to_string();
    schema = *parsed;
    codec_.emplace(protobuf::MessageCodec::of(schema, "S").value());
    oracle_.emplace(schema, "S", Schema());
  }
  Result<std::string> bytes(const Rows& rows, size_t row) {
    std::string out = "before";
    TRY(writer_.append(out, rows.columns, row));
    return out.substr(6);
  }
  std::string json(const Rows& rows, size_t row) {
    const auto written = bytes(rows, row);
    if (!written.ok()) return written.error().id + std::string(": ") + written.error().message;
    const auto message = oracle_->message();
    EXPECT_TRUE(message->ParseFromString(*written));
    message->DiscardUnknownFields();
    EXPECT_EQ(message->SerializeAsString(), *written);
    return codec_->to_json(*written).value();
  }

  const std::string text;
  schema::SchemaPtr schema;

 private:
  protobuf::MessageWriter writer_;
  std::optional<protobuf::MessageCodec> codec_;
  std::optional<protobuf::ColumnsOracle> oracle_;
};

}  // namespace millrace::schema_outputs
