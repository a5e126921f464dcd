// CloudEvents over HTTP: the binary mode's headers, and events as answers.
#pragma once

#include <optional>
#include <string>

#include "base/buffer.h"
#include "engine/serving.h"
#include "event-gateway/http_handlers.h"

namespace millrace::gateway {

inline constexpr std::string_view kCloudEventType = "application/cloudevents+json";
inline constexpr std::string_view kCloudEventsType = "application/cloudevents-batch+json";

// The request's event as an envelope; nothing: it is none in the binary mode, or not for this stream.
Result<std::optional<Buffer>> binary_cloud_event(const HttpBackend& backend, const HttpRequest& request);
// Whether it says to be one.
bool is_binary_cloud_event(const HttpHead& head);

// An event of a stream as a CloudEvent: of a stream of them the one that was sent, of another one around it, with the
// trace of its request, if there is one.
void append_cloud_event(std::string& out, const engine::StreamDef& stream, const engine::StoredEvent& event,
                        std::string_view encoded_trace, bool quote_numbers);

}  // namespace millrace::gateway
