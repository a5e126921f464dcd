// EventIds: which events streams have, by (source, id), for streams that were made WITH (deduplicate = …).
//
// Why:     a producer that got no answer sends its event again, maybe among others; it counts once.
// Record:  the frame of the events carries a hash of 128 bits of each. So the table is a function of the journal.
// Window:  an id is known for as long as its stream says, in append time, and only the newest
//          Ingest::Limits::event_ids of a tenant are kept.
// Threads: the core loop.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "event-gateway/idempotency.h"

namespace millrace::gateway {

using EventId = BodyHash;
EventId hash_event_id(std::string_view source, std::string_view id);
struct EventIdHash {
  size_t operator()(const EventId& id) const { return id.low; }
};

// The payload of ControlKind::kEventIds.
struct EventIdRecord {
  TenantId tenant;
  StreamId stream;
  std::vector<EventId> ids;
};
std::string encode_event_ids(const EventIdRecord& record);
Result<EventIdRecord> decode_event_ids(std::string_view payload);

class EventIds {
 public:
  explicit EventIds(size_t most) : most_(most) {}
  bool knows(TenantId tenant, StreamId stream, const EventId& id, AppendTime since) const;
  void add(const EventIdRecord& record, AppendTime time, Cut cut);  // also drops what is too old, or too many
  bool empty() const { return tenants_.empty(); }

  std::string save(Cut durable) const;
  Status load(std::string_view saved);  // all of it, or nothing

 private:
  struct Key {
    StreamId stream;
    EventId id;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const { return key.id.low ^ (key.stream.value * 0x9e3779b97f4a7c15); }
  };
  struct Entry {
    Key key;
    AppendTime time;
    Cut cut;
  };
  struct Tenant {
    std::unordered_map<Key, AppendTime, KeyHash> times;
    std::deque<Entry> order;
  };
  void add(Tenant& tenant, const Entry& entry) const;

  size_t most_;
  std::unordered_map<TenantId, Tenant> tenants_;
};

}  // namespace millrace::gateway
