#include "node/learnt_writers.h"

#include <fmt/format.h>

#include "avro/avro_schema.h"

namespace millrace::node {
namespace {

constexpr size_t kMaxScratch = 1u << 20;  // that is kept

Error another_format(const schema::WriterSchema& name, schema::SchemaType writer, schema::SchemaType reader) {
  return error(Code::kInvalid, "MR-SCH-0011",
               fmt::format("the value was written with schema {}, which is {}; the stream's is {}",
                           schema::to_string(name), schema::to_string(writer), schema::to_string(reader)),
               "serialize as the stream's schema says");
}

Error too_large() {
  return error(Code::kExhausted, "MR-AVRO-0009",
               fmt::format("reading with the schema takes more than {} MiB", LearntWriters::kMaxOne >> 20),
               "smaller defaults, or fewer types");
}

}  // namespace

LearntWriter learn(const schema::WriterSchema& name, const schema::SchemaPtr& writer,
                   const schema::SchemaPtr& reader) {
  LearntWriter out;
  out.bytes = sizeof(LearntWriters::Key) + sizeof(LearntWriter);
  if (writer->type() != reader->type()) {
    out.failure = another_format(name, writer->type(), reader->type());
  } else if (writer->type() == schema::SchemaType::kAvro) {
    auto made = avro::Resolution::make(std::static_pointer_cast<const avro::AvroSchema>(writer),
                                       std::static_pointer_cast<const avro::AvroSchema>(reader));
    if (!made.ok()) {
      out.failure = made.error();
    } else if (const size_t bytes = (*made)->bytes() + writer->text().size();
               bytes > LearntWriters::kMaxOne) {
      out.failure = too_large();
    } else {
      out.resolution = std::move(*made);
      out.bytes += bytes;
    }
  } else if (writer->type() == schema::SchemaType::kProtobuf) {
    constexpr size_t kOfText = 16;  // what descriptors take
    out.schema = writer;
    out.bytes += kOfText * writer->text().size();
  }
  if (out.failure) out.bytes += out.failure->message.size();
  return out;
}

const LearntWriter* LearntWriters::find(const Key& key) const {
  const auto found = kept_.find(key);
  return found == kept_.end() ? nullptr : &found->second;
}

void LearntWriters::make_room() {
  if (bytes_ < kMaxBytes) return;
  kept_.clear();
  bytes_ = 0;
  ++generation_;
}

void LearntWriters::keep(const Key& key, LearntWriter writer) {
  auto& kept = kept_[key];
  bytes_ += writer.bytes - kept.bytes;
  kept = std::move(writer);
}

std::string& LearntWriters::scratch() {
  if (scratch_.capacity() > kMaxScratch) scratch_ = {};
  scratch_.clear();
  return scratch_;
}

Result<const LearntWriter*> WritersOf::find(const schema::WriterSchema& writer) {
  if (all_ != nullptr && (last_ != writer || generation_ != all_->generation())) {
    found_ = all_->find({tenant_, reader_, writer});
    generation_ = all_->generation();
    last_ = found_ == nullptr ? std::nullopt : std::optional(writer);
  }
  if (found_ == nullptr) {
    return error(Code::kInvalid, "MR-SCH-0009",
                 fmt::format("the schema registry has no schema {}, which the value says it was written with",
                             schema::to_string(writer)),
                 "serialize with a client of this node's registry, in the token's tenant");
  }
  if (found_->failure) return *found_->failure;
  return found_;
}

}  // namespace millrace::node
