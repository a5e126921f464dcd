// IngestAccounts: what became of every event and every request, since the start.
//
// Invariant: received_events = stored_events + duplicate_events + dead_letters + the rejected ones of all reasons; requests =
//            accepted + replayed + the refused ones of all reasons. Both hold after every call of Ingest.
// Received:  once a request was taken apart into events. One that is refused before (over its quota, not JSON)
//            counts as a request alone: how many events it holds nobody knows.
// Threads:   the core loop.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "telemetry/power_histogram.h"

namespace millrace::gateway {

// Why an event was not stored.
enum class Rejection : uint8_t {
  kMalformed,   // not JSON, not an object, not UTF-8; a value that its format cannot read
  kSchema,      // a value that its column does not take
  kTooLarge,    // the event, its nesting, a value
  kCloudEvent,  // not a CloudEvent as the specification says
  kRequest,     // valid, in a request that was refused as a whole
  kUnstored,    // valid, but the log did not take it: it is full, or too busy
  kCount
};
std::string_view name_of(Rejection reason);
Rejection rejection_for(const Error& error);

// Why a request was answered with an error.
enum class Refusal : uint8_t {
  kQuota,
  kOverload,
  kDiskFull,
  kNoStream,
  kInvalid,
  kConflict,
  kFailed,
  kCount
};
std::string_view name_of(Refusal reason);
Refusal refusal_for(const Error& error);

struct IngestAccounts {
  uint64_t received_events = 0;
  uint64_t stored_events = 0;  // in the log; acknowledged when the disk has them
  uint64_t duplicate_events = 0;
  uint64_t dead_letters = 0;  // that did not fit, and are kept
  std::array<uint64_t, static_cast<size_t>(Rejection::kCount)> rejected_events{};
  uint64_t requests = 0;
  uint64_t accepted_requests = 0;
  uint64_t replayed_requests = 0;  // answered as the first one of the same Idempotency-Key
  std::array<uint64_t, static_cast<size_t>(Refusal::kCount)> refused_requests{};
  telemetry::PowerHistogram events_a_request;  // that are stored

  void reject(Rejection reason, uint64_t events) { rejected_events[static_cast<size_t>(reason)] += events; }
  void refuse(const Error& error) { ++refused_requests[static_cast<size_t>(refusal_for(error))]; }
};

}  // namespace millrace::gateway
