#include "event-gateway/ingest_target.h"

#include "base/hash.h"
#include "engine/dead_letter.h"
#include "event-gateway/ingest_accounts.h"
#include "formats/text_types.h"
#include "log/batch_schema.h"

namespace millrace::gateway {
namespace {

formats::EventRules rules_of(const engine::StreamDef& stream) {
  return {.primary_key = stream.primary_key,
          .required = stream.required,
          .op_column = stream.op_column,
          .ops = {std::begin(engine::kOps), std::end(engine::kOps)},
          .delete_op = engine::kDeleteOp};
}

}  // namespace

IngestTarget::IngestTarget(engine::StreamPtr stream, std::unique_ptr<EventSchema> schema,
                           engine::StreamPtr letters)
    : stream_(std::move(stream)),
      letter_stream_(std::move(letters)),
      validator_(stream_->columns, stream_->key_column, rules_of(*stream_)),
      schema_(std::move(schema)),
      builders_(stream_->partitions) {
  if (stream_->cloud_events) cloud_events_.emplace();
}

void IngestTarget::begin(AppendTime now) {
  now_ = now;
  if (stream_->key_column < 0) unkeyed_ = next_++ % stream_->partitions;
  new_ids_ = {stream_->tenant, stream_->id, {}};
  if (!here_.empty()) here_ = {};  // clear() would keep its room, and walk it
}

PartitionId IngestTarget::partition_of(const std::optional<std::string_view>& key) const {
  const uint32_t partition =
      stream_->key_column < 0
          ? unkeyed_
          : partition_of_key_group(key_group_of(stable_hash(key.value_or(""))), stream_->partitions);
  return PartitionId(static_cast<uint16_t>(partition));
}

Result<ReadValue> IngestTarget::read(std::string_view value, size_t& made) {
  TRY_ASSIGN(const schema::Framed framed, schema::parse_framing(value));
  return schema_->read(framed, made);
}

Result<bool> IngestTarget::take(std::string_view event, const EventIds& known, bool fits) {
  TRY_ASSIGN(const auto key, validator_.validate(event));
  if (schema_ != nullptr && !fits) TRY(schema_->check(event));
  if (cloud_events_) {
    TRY_ASSIGN(const bool has_it, is_known(event, known));
    if (has_it) return false;
  }
  builders_[partition_of(key).value].add(key, event, now_.value / 1000);
  return true;
}

Result<bool> IngestTarget::is_known(std::string_view event, const EventIds& known) {
  TRY_ASSIGN(const auto id, cloud_events_->read(event));
  if (stream_->deduplicate_us == 0) return false;
  const EventId hash = hash_event_id(id.source, id.id);
  const AppendTime since(now_.value - stream_->deduplicate_us);
  if (known.knows(stream_->tenant, stream_->id, hash, since) || !here_.insert(hash).second) return true;
  new_ids_.ids.push_back(hash);
  return false;
}

// What is no text cannot be shown, and what is too large is not kept for that.
bool IngestTarget::keeps(std::string_view event, const Error& why) const {
  return stream_->keeps_invalid && letter_stream_ != nullptr && letters_.bytes() < kMaxLetterBytes &&
         rejection_for(why) != Rejection::kTooLarge && formats::is_utf8(event);
}

void IngestTarget::take_letter(std::string_view event, const Error& why) {
  engine::DeadLetter letter;
  letter.at = now_;
  letter.cause = engine::kDoesNotFit;
  letter.code = why.id;
  letter.message = why.message;
  letter.stream = stream_->name;
  letter.payload = event;
  letters_.add({}, to_json(letter), now_.value / 1000);
}

log::Group IngestTarget::finish() {
  log::Group group;
  for (size_t p = 0; p < builders_.size(); ++p) {
    if (builders_[p].empty()) continue;
    group.batches.push_back({{stream_->id, PartitionId(static_cast<uint16_t>(p))}, builders_[p].finish()});
  }
  if (!group.batches.empty() && schema_ != nullptr) {
    std::string of_batches;
    log::append_batch_schema(of_batches, {stream_->id, stream_->schema.id, stream_->schema.version});
    group.controls.push_back({log::ControlKind::kSchema, std::move(of_batches)});
  }
  if (!letters_.empty())
    group.batches.push_back({{letter_stream_->id, PartitionId(0)}, std::exchange(letters_, {}).finish()});
  return group;
}

}  // namespace millrace::gateway
