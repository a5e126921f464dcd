#include "event-gateway/http_body.h"

#include <fmt/format.h>

#include <algorithm>

#include "event-gateway/http_context.h"

namespace millrace::gateway {
namespace {

constexpr size_t kReserve = 4u << 20;  // for a body that was announced

}  // namespace

void HttpBody::begin(std::optional<Coding> coding, uint64_t announced_bytes) {
  if (coding) decoder_ = make_body_decoder(*coding, context_.options.max_body_bytes);
  bytes_.reserve(static_cast<size_t>(std::min<uint64_t>(announced_bytes, kReserve)));
}

void HttpBody::commit(size_t bytes) {
  bytes_.commit(bytes);
  count();
}

// Nothing more is decoded for a body that will be refused.
void HttpBody::take(std::string_view bytes) {
  if (undecodable_ || too_much_arrives()) return;
  encoded_ += bytes.size();
  if (!decoder_) {
    bytes_.append(bytes);
  } else if (encoded_ > context_.options.max_body_bytes) {
    undecodable_ =
        error(Code::kInvalid, "MR-API-0003",
              fmt::format("the body is larger than {} bytes as it is sent", context_.options.max_body_bytes),
              "send it in several requests");
  } else if (const Status decoded = decoder_->write(bytes, bytes_); !decoded.ok()) {
    undecodable_ = decoded.error();
  }
  count();
}

std::optional<Error> HttpBody::problem() const {
  if (!too_much_arrives()) return undecodable_;
  return error(Code::kUnavailable, "MR-API-0020", "too many large requests arrive at once",
               "send it again shortly");
}

Status HttpBody::finish() {
  if (decoder_) TRY(decoder_->finish());
  bytes_.seal();
  return {};
}

std::string_view HttpBody::lines(size_t most) {
  bytes_.seal();
  const std::string_view first = bytes_.view().substr(0, most);
  return first.substr(0, first.rfind('\n') + 1);
}

void HttpBody::drop_front(size_t bytes) {
  bytes_.drop_front(bytes);
  count();
}

void HttpBody::clear() {
  bytes_.clear();
  decoder_.reset();
  undecodable_.reset();
  encoded_ = 0;
  count();
}

bool HttpBody::too_much_arrives() const {
  return context_.arriving_bytes > context_.options.max_arriving_bytes;
}

void HttpBody::count() {
  const size_t held = bytes_.size() + (decoder_ ? decoder_->bytes() : 0);
  context_.arriving_bytes += held - counted_;
  counted_ = held;
}

}  // namespace millrace::gateway
