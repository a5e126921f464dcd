// IdempotencyTable: which requests were answered already, by (tenant, stream, key).
//
// Why:     a client that lost an answer sends its request again; it gets the same answer and counts once.
// Record:  the request's frame carries {tenant, stream, key, hash of the body, accepted, rejected}; the
//          offsets are the frame's own batches. So the table is a function of the journal.
// Window:  an entry lives for Limits::idempotency_window_us of append time, and only the newest
//          Limits::idempotency_keys of a tenant are kept.
// Threads: the core loop.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "event-gateway/gateway.h"

namespace millrace::gateway {

struct BodyHash {
  uint64_t low = 0, high = 0;
  friend bool operator==(const BodyHash&, const BodyHash&) = default;
};
BodyHash hash_body(std::string_view body);

struct IdempotencyKey {
  TenantId tenant;
  StreamId stream;
  std::string key;
  friend bool operator==(const IdempotencyKey&, const IdempotencyKey&) = default;
};

// The payload of ControlKind::kIdempotency.
struct IdempotencyRecord {
  IdempotencyKey id;
  BodyHash body;
  IngestAnswer answer;  // without offsets and cursor
};
std::string encode_idempotency(const IdempotencyKey& id, const BodyHash& body, const IngestAnswer& answer);
Result<IdempotencyRecord> decode_idempotency(std::string_view payload);

// The cursor after a request's events: the frame after its own.
engine::StreamPlace cursor_after(Cut cut);
// The places of the stream's batches in a frame.
std::vector<log::BatchPlace> places_in(const log::Frame& frame, StreamId stream);

class IdempotencyTable {
 public:
  struct Entry {
    IdempotencyKey id;
    BodyHash body;
    AppendTime time;
    Cut cut;
    bool durable = false;
    IngestAnswer answer;
    std::vector<Ingest::Done> waiting;  // duplicates that came before it was durable
  };
  using EntryPtr = std::shared_ptr<Entry>;

  explicit IdempotencyTable(const Ingest::Limits& limits) : limits_(limits) {}
  EntryPtr find(const IdempotencyKey& id, AppendTime now);
  void add(EntryPtr entry);  // also drops what is too old, or too many
  size_t size() const { return entries_.size(); }

  std::string save() const;
  Status load(std::string_view saved);

 private:
  struct KeyHash {
    size_t operator()(const IdempotencyKey& id) const;
  };
  void forget_oldest(std::deque<EntryPtr>& order);

  const Ingest::Limits limits_;
  std::unordered_map<IdempotencyKey, EntryPtr, KeyHash> entries_;
  std::unordered_map<TenantId, std::deque<EntryPtr>> by_age_;
};

}  // namespace millrace::gateway
