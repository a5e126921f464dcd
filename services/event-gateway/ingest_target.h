// IngestTarget: one stream as its events come in: which it takes, and the batches that they become.
//
// Use:     begin(), take() for each event of a request, then finish(); after it nothing of the request is left.
// Kept:    from one request to the next, until the stream is altered, what was learnt of its shapes, and room for its
//          batches.
// Bound:   kMaxLetterBytes of dead letters a request; what is beyond is refused as without them.
// Threads: the core loop.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "engine/plan.h"
#include "event-gateway/event_ids.h"
#include "event-gateway/event_schemas.h"
#include "formats/cloud_event.h"
#include "formats/json.h"
#include "log/record_batch.h"

namespace millrace::gateway {

class IngestTarget {
 public:
  static constexpr size_t kMaxLetterBytes = 8u << 20;  // of letters, which may take the last one more

  // `schema`: null where none is asked for. `letters`: the tenant's dead-letter stream.
  IngestTarget(engine::StreamPtr stream, std::unique_ptr<EventSchema> schema, engine::StreamPtr letters);

  void begin(AppendTime now);
  // False: the stream has the event already. The error says what does not fit. `event` has Buffer::kPadding bytes behind it.
  // `fits`: its schema, as read() says.
  Result<bool> take(std::string_view event, const EventIds& known, bool fits = false);
  // The event in a serializer's value, as EventSchema has it; of a stream with a schema.
  Result<ReadValue> read(std::string_view value, size_t& made);
  // Whether an event that is refused for it is to be kept as a dead letter.
  bool keeps(std::string_view event, const Error& why) const;
  void take_letter(std::string_view event, const Error& why);
  size_t letter_bytes() const { return letters_.bytes(); }
  log::Group finish();

  const engine::StreamDef& stream() const { return *stream_; }
  bool is_of(const engine::StreamPtr& stream) const { return stream_ == stream; }
  // Of the events that were taken since begin(), if the stream deduplicates.
  const EventIdRecord& new_ids() const { return new_ids_; }

 private:
  Result<bool> is_known(std::string_view event, const EventIds& known);
  PartitionId partition_of(const std::optional<std::string_view>& key) const;

  const engine::StreamPtr stream_, letter_stream_;
  formats::JsonValidator validator_;
  std::optional<formats::CloudEventReader> cloud_events_;
  std::unique_ptr<EventSchema> schema_;
  std::vector<log::RecordBatchBuilder> builders_;  // one a partition; they keep their capacity
  log::RecordBatchBuilder letters_;
  AppendTime now_;
  uint32_t next_ = 0, unkeyed_ = 0;  // the partition of a request without keys
  EventIdRecord new_ids_;
  std::unordered_set<EventId, EventIdHash> here_;  // of the request's events
};

using IngestTargetPtr = std::shared_ptr<IngestTarget>;

}  // namespace millrace::gateway
