#include "event-gateway/ingest_accounts.h"

namespace millrace::gateway {

std::string_view name_of(Rejection reason) {
  switch (reason) {
    case Rejection::kMalformed:
      return "malformed";
    case Rejection::kSchema:
      return "schema";
    case Rejection::kTooLarge:
      return "too_large";
    case Rejection::kCloudEvent:
      return "cloud_event";
    case Rejection::kRequest:
      return "request";
    case Rejection::kUnstored:
      return "unstored";
    case Rejection::kCount:
      break;
  }
  return "";
}

Rejection rejection_for(const Error& error) {
  const std::string_view id = error.id;
  if (id.starts_with("MR-CE-")) return Rejection::kCloudEvent;
  if (id.starts_with("MR-FRAME-") || id == "MR-AVRO-0011" || id == "MR-PROTO-0006" || id == "MR-PROTO-0007")
    return Rejection::kMalformed;
  if (id == "MR-AVRO-0012") return Rejection::kTooLarge;
  if (id == "MR-EVT-0001" || id == "MR-EVT-0002" || id == "MR-EVT-0003") return Rejection::kMalformed;
  if (id == "MR-EVT-0004" || id == "MR-EVT-0005" || id == "MR-EVT-0009") return Rejection::kTooLarge;
  return Rejection::kSchema;
}

std::string_view name_of(Refusal reason) {
  switch (reason) {
    case Refusal::kQuota:
      return "quota";
    case Refusal::kOverload:
      return "overload";
    case Refusal::kDiskFull:
      return "disk_full";
    case Refusal::kNoStream:
      return "no_stream";
    case Refusal::kInvalid:
      return "invalid";
    case Refusal::kConflict:
      return "conflict";
    case Refusal::kFailed:
      return "failed";
    case Refusal::kCount:
      break;
  }
  return "";
}

Refusal refusal_for(const Error& error) {
  if (error.id == "MR-ING-0008") return Refusal::kQuota;
  if (error.id == "MR-LOG-0004") return Refusal::kDiskFull;
  if (error.id == "MR-ING-0002") return Refusal::kNoStream;
  switch (error.code) {
    case Code::kExhausted:
      return Refusal::kOverload;
    case Code::kNotFound:
      return Refusal::kNoStream;
    case Code::kInvalid:
      return Refusal::kInvalid;
    case Code::kConflict:
      return Refusal::kConflict;
    default:
      return Refusal::kFailed;
  }
}

}  // namespace millrace::gateway
