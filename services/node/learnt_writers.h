// LearntWriters: how values that other versions have written become events of a stream's, worked out once for each pair of
// schemas, as it may be much work: on the registry's thread.
//
// Bound:   kMaxBytes of them, about, of all tenants; one of more than kMaxOne is refused. Beyond it all are learnt again.
// Threads: learn() any; LearntWriters the core loop's.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "avro/resolution.h"
#include "base/types.h"
#include "engine/plan.h"
#include "schema/framing.h"
#include "schema/schema.h"

namespace millrace::node {

struct LearntWriter {
  std::optional<Error> failure;                        // why no value of it can be read
  std::shared_ptr<const avro::Resolution> resolution;  // of Avro
  schema::SchemaPtr schema;                            // of Protobuf
  size_t bytes = 0;
};
// MR-SCH-0011: the writer is of another format; MR-AVRO-0009, MR-AVRO-0013.
LearntWriter learn(const schema::WriterSchema& name, const schema::SchemaPtr& writer,
                   const schema::SchemaPtr& reader);

class LearntWriters {
 public:
  static constexpr size_t kMaxBytes = 64u << 20;
  static constexpr size_t kMaxOne = 8u << 20;

  struct Key {
    TenantId tenant;
    engine::SchemaRef reader;
    schema::WriterSchema writer;
    auto operator<=>(const Key&) const = default;
  };
  const LearntWriter* find(const Key& key) const;  // null: it has to be learnt
  // Before what one request names is kept: none of that may make another one go.
  void make_room();
  void keep(const Key& key, LearntWriter writer);
  // Another one: what find() has returned is gone.
  uint64_t generation() const { return generation_; }
  // For the event that is made of a value, until the next one is.
  std::string& scratch();

 private:
  std::map<Key, LearntWriter> kept_;
  size_t bytes_ = 0;
  uint64_t generation_ = 0;
  std::string scratch_;
};

// Those for one stream's schema. Most values are of the writer of the one before.
class WritersOf {
 public:
  WritersOf() = default;  // none
  WritersOf(std::shared_ptr<LearntWriters> all, TenantId tenant, engine::SchemaRef reader)
      : all_(std::move(all)), tenant_(tenant), reader_(std::move(reader)) {}

  // MR-SCH-0009: it is not known; or why nothing of it can be read. Valid until others are learnt.
  Result<const LearntWriter*> find(const schema::WriterSchema& writer);
  std::string& scratch() { return all_->scratch(); }

 private:
  std::shared_ptr<LearntWriters> all_;
  TenantId tenant_;
  engine::SchemaRef reader_;
  std::optional<schema::WriterSchema> last_;
  const LearntWriter* found_ = nullptr;  // as of this generation
  uint64_t generation_ = 0;
};

}  // namespace millrace::node
