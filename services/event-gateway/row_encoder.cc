#include "event-gateway/row_encoder.h"

#include "avro/record_writer.h"
#include "base/buffer.h"
#include "formats/json.h"
#include "protobuf/message_index.h"
#include "protobuf/message_writer.h"
#include "schema/framing.h"

namespace millrace::gateway {

using engine::RowEncoding;

struct RowEncoder::Impl {
  explicit Impl(const engine::QueryPlan& plan)
      : encoded(plan.encoded),
        columns(plan.row_columns()),
        decoder(with_op(columns), all(columns.size() + 1)) {
    schema::append_framing(head, encoded.schema.id);
    if (encoded.encoding == RowEncoding::kAvro) {
      avro.emplace(columns);
    } else {
      protobuf.emplace(columns);
      protobuf::append_message_indexes(head, {0});
    }
  }

  static Schema with_op(Schema columns) {
    columns.push_back({.name = std::string(engine::kOpColumn), .type = Type::kText});
    return columns;
  }
  static std::vector<int> all(size_t count) {
    std::vector<int> out;
    for (size_t i = 0; i < count; ++i) out.push_back(static_cast<int>(i));
    return out;
  }

  const engine::EncodedOutput encoded;
  const Schema columns;
  formats::JsonDecoder decoder;
  std::optional<avro::RecordWriter> avro;
  std::optional<protobuf::MessageWriter> protobuf;
  std::string head;    // of each value
  std::string padded;  // the row that is being read
  Batch batch;
  std::vector<const Column*> places;
  std::vector<RowError> errors;
};

RowEncoder::RowEncoder(const engine::QueryPlan& plan) : impl_(std::make_unique<Impl>(plan)) {}
RowEncoder::~RowEncoder() = default;

const engine::EncodedOutput& RowEncoder::encoded() const {
  return impl_->encoded;
}

Status RowEncoder::append(std::string& out, std::string_view json, std::string& op) {
  Impl& own = *impl_;
  own.padded.assign(json).append(Buffer::kPadding, ' ');
  own.batch.clear();
  own.errors.clear();
  own.decoder.decode({std::string_view(own.padded).substr(0, json.size())}, own.batch, own.errors);
  if (!own.errors.empty())  // a mistake of ours: rows are written to be read
    return error(Code::kInternal, own.errors[0].id, std::move(own.errors[0].message));
  const Column& ops = own.batch.columns.back();
  op = ops.is_null(0) ? std::string_view() : ops.texts[0];
  own.places.clear();
  for (const Column& column : own.batch.columns) own.places.push_back(&column);
  const size_t before = out.size();
  out += own.head;
  if (own.avro) {
    own.avro->append(out, own.places, 0);
    return {};
  }
  const Status written = own.protobuf->append(out, own.places, 0);
  if (!written.ok()) out.resize(before);
  return written;
}

}  // namespace millrace::gateway
