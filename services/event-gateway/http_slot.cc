#include "event-gateway/http_slot.h"

#include <utility>

namespace millrace::gateway {

std::string HttpSlot::common_fields(HttpContext& context) {
  if (id.empty()) id = context.request_ids.next();
  return "X-Request-Id: " + id + "\r\n" + cors;
}

void HttpSlot::begin_answer(HttpContext& context, std::string& out, const HttpAnswer& answer, bool sized,
                            std::string_view trailer) const {
  append_head(out, answer, {context.date, http11, last, sized, trailer});
  ++context.counters.by_class[static_cast<size_t>(answer.status / 100) % 6];
  if (answer.status == 429 || answer.status == 503) ++context.counters.refusals;
  if (answer.status == 401 || answer.status == 403) ++context.counters.denied;
}

Status HttpSlot::count_subscription(HttpContext& context) {
  if (subscription != nullptr || !source->endless()) return {};
  TRY_ASSIGN(subscription, context.backend.quotas->subscribe(tenant));
  ++context.counters.subscriptions;
  return {};
}

void HttpSlot::end_source(HttpContext& context) {
  if (subscription != nullptr) --context.counters.subscriptions;
  subscription = nullptr;
  context.bury(std::move(source));
}

bool HttpSlot::pump(const Way& way) {
  if (!std::exchange(stream_begun, true)) {
    way.spoke_ms = way.context.now_ms;
    way.output.bytes += bytes;
    bytes.clear();
    if (head_only) more = false;
  }
  std::string piece;
  auto next = head_only ? BodySource::Next::kEnd : BodySource::Next::kMore;
  while (next == BodySource::Next::kMore && more && !way.output.writing() &&
         way.output.bytes.size() < kPiece) {
    more = false;  // a wake() from inside sets it again
    piece.clear();
    next = source->produce(piece, kPiece);
    if (next == BodySource::Next::kMore) more = true;
    // What was finite may go on with a subscription.
    if (const Status counted = count_subscription(way.context); !counted.ok()) {
      source->refuse(piece, counted.error());
      next = BodySource::Next::kEnd;
    }
    frame(way, piece);
  }
  if (next != BodySource::Next::kEnd) return false;
  if (http11 && !head_only) append_last_chunk(way.output.bytes, source->trailer());
  end_source(way.context);
  ready = true;
  return true;
}

bool HttpSlot::heartbeat(const Way& way) const {
  const auto beat = source->heartbeat();
  frame(way, beat);
  return !beat.empty();
}

void HttpSlot::farewell(const Way& way) {
  if (!stream_begun) way.output.bytes += bytes;
  const std::string_view said = source->farewell();
  bytes.clear();
  if (http11) {
    if (!said.empty()) append_chunk(bytes, said);
    append_last_chunk(bytes, {});
  } else {
    bytes += said;
  }
  end_source(way.context);
  ready = last = true;
}

void HttpSlot::frame(const Way& way, std::string_view piece) const {
  if (piece.empty()) return;
  way.spoke_ms = way.context.now_ms;
  if (http11) {
    append_chunk(way.output.bytes, piece);
  } else {
    way.output.bytes += piece;
  }
}

}  // namespace millrace::gateway
