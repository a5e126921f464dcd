#include "event-gateway/http_parser.h"

#include <bitset>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>

namespace millrace::gateway {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using Code = boost::beast::error_code;

std::string_view view(string_view text) {
  return {text.data(), text.size()};
}

constexpr std::string_view kAttribute = "ce-";  // of a CloudEvent

// Takes Beast's calls. Beast's own rules come first; these are added.
class Reader final : public http::basic_parser<true> {
 public:
  explicit Reader(HttpHead& head) : head_(head) {}

  HttpParser::Piece piece = nullptr;
  void* owner = nullptr;
  size_t body_left = 0;

 private:
  void on_request_impl(http::verb, string_view method, string_view target, int version, Code& ec) override {
    ec = {};
    head_.method.assign(method.data(), method.size());
    head_.target.assign(target.data(), target.size());
    head_.http11 = version == 11;
  }
  void on_response_impl(int, string_view, int, Code&) override {}

  void on_field_impl(http::field field, string_view name, string_view text, Code& ec) override {
    ec = {};
    if (done_) return;  // trailers: nobody asks for one
    const std::string_view value = view(text);
    switch (field) {
      case http::field::host:
        head_.has_host = true;
        return once(kHost, head_.host, value, "Host");
      case http::field::origin:
        head_.has_origin = true;
        return once(kOrigin, head_.origin, value, "Origin");
      case http::field::content_type:
        return once(kContentType, head_.content_type, value, "Content-Type");
      case http::field::authorization:
        return once(kAuthorization, head_.authorization, value, "Authorization");
      case http::field::expect:
        return once(kExpect, head_.expect, value, "Expect");
      case http::field::accept:
        return add_to_list(head_.accept, value);
      case http::field::content_encoding:
        return add_to_list(head_.content_encoding, value);
      case http::field::upgrade:
        return add_to_list(head_.upgrade, value);
      case http::field::connection:
        return add_to_list(head_.connection, value);
      case http::field::sec_websocket_protocol:
        return add_to_list(head_.ws_protocols, value);
      case http::field::sec_websocket_extensions:
        return add_to_list(head_.ws_extensions, value);
      case http::field::sec_websocket_key:
        return once(kWsKey, head_.ws_key, value, "Sec-WebSocket-Key");
      case http::field::sec_websocket_version:
        return once(kWsVersion, head_.ws_version, value, "Sec-WebSocket-Version");
      case http::field::content_length:
        return check_length(value, ec);
      case http::field::transfer_encoding:
        return check_encoding(value, ec);
      case http::field::unknown:
        break;
      default:
        return;
    }
    if (iequals(view(name), "Idempotency-Key")) {
      head_.has_idempotency_key = true;
      return once(kIdempotencyKey, head_.idempotency_key, value, "Idempotency-Key");
    }
    if (iequals(view(name), "X-Request-Id")) return once(kRequestId, head_.request_id, value, "X-Request-Id");
    if (iequals(view(name), "traceparent")) return set_trace_parent(value);
    if (iequals(view(name), "tracestate")) return add_to_list(head_.trace_state, value);
    if (iequals(view(name), "Confluent-Accept-Unknown-Properties")) {
      head_.accept_unknown = iequals(value, "true");
      return;
    }
    if (iequals(view(name), "Last-Event-ID")) {
      return once(kLastEventId, head_.last_event_id, value, "Last-Event-ID");
    }
    if (name.size() > kAttribute.size() && iequals(view(name).substr(0, kAttribute.size()), kAttribute))
      add_attribute(in_lower_case(view(name).substr(kAttribute.size())), value);
  }

  enum Once : uint8_t {
    kHost,
    kOrigin,
    kContentType,
    kAuthorization,
    kExpect,
    kIdempotencyKey,
    kLastEventId,
    kRequestId,
    kWsKey,
    kWsVersion,
    kOnces
  };
  // An empty value was there, too: of two readers one may take the first, the other the last.
  void once(Once field, std::string& into, std::string_view value, const char* name) {
    if (seen_.test(field)) head_.repeated = name;
    seen_.set(field);
    into = value;
  }
  void add_attribute(std::string name, std::string_view value) {
    for (const auto& [known, of] : head_.cloud_event) {
      if (known == name) head_.repeated = "ce-" + name;
    }
    head_.cloud_event.emplace_back(std::move(name), value);
  }
  // Given twice it is as malformed as any other: no reason to refuse the request.
  void set_trace_parent(std::string_view value) {
    head_.trace_parent = trace_seen_ ? "-" : value.empty() ? "-" : std::string(value);
    trace_seen_ = true;
  }
  static void add_to_list(std::string& list, std::string_view value) {
    if (!list.empty()) list += ',';
    list += value;
  }
  // Beast allows lists of equal lengths; one field of digits is all a client of ours needs.
  void check_length(std::string_view value, Code& ec) {
    if (length_seen_ || value.empty() || value.find_first_not_of("0123456789") != std::string_view::npos) {
      ec = http::error::bad_content_length;
    }
    length_seen_ = true;
  }
  // Anything but "chunked" has an end that not every reader sees, and HTTP/1.0 knows none of it.
  void check_encoding(std::string_view value, Code& ec) {
    if (!head_.http11 || encoding_seen_ || !iequals(value, "chunked"))
      ec = http::error::bad_transfer_encoding;
    encoding_seen_ = true;
  }

  void on_header_impl(Code& ec) override {
    ec = {};
    done_ = true;
    if (length_seen_ && encoding_seen_) ec = http::error::bad_transfer_encoding;
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code& ec) override { ec = {}; }
  std::size_t on_body_impl(string_view body, Code& ec) override {
    ec = {};
    return body.size();
  }
  // Beast takes any bytes between quotes; a reader for whom one of them ends the line sees another body.
  void on_chunk_header_impl(std::uint64_t, string_view extensions, Code& ec) override {
    ec = {};
    for (const char c : extensions) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < 0x20 && c != '\t') || byte == 0x7F) ec = http::error::bad_chunk_extension;
    }
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, Code& ec) override {
    ec = {};
    piece(owner, view(body));
    return body.size();
  }
  void on_finish_impl(Code& ec) override { ec = {}; }

  HttpHead& head_;
  std::bitset<kOnces> seen_;
  bool done_ = false, length_seen_ = false, encoding_seen_ = false, trace_seen_ = false;
};

// A line that goes on behind a line break (obs-fold): readers disagree about what it belongs to.
bool has_folded_line(std::string_view head) {
  for (size_t at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at + 1)) {
    if (at + 1 < head.size() && (head[at + 1] == ' ' || head[at + 1] == '\t')) return true;
  }
  return false;
}

// A chunk's line that ends within quotes: Beast looks for their end in what follows, for ever.
bool has_open_quote(std::string_view chunk) {
  if (chunk.starts_with("\r\n")) chunk.remove_prefix(2);
  const size_t end = chunk.find("\r\n");
  if (end == std::string_view::npos) return false;
  bool open = false;
  for (size_t i = 0; i < end; ++i) {
    if (open && chunk[i] == '\\') {
      ++i;
    } else if (chunk[i] == '"') {
      open = !open;
    }
  }
  return open;
}

HttpParser::Got verdict(const Code& ec, std::string& complaint) {
  if (ec == http::error::need_more) return HttpParser::Got::kMore;
  complaint = ec.message();
  if (ec == http::error::header_limit) return HttpParser::Got::kHeadTooLarge;
  if (ec == http::error::body_limit) return HttpParser::Got::kBodyTooLarge;
  if (ec == http::error::bad_version) return HttpParser::Got::kBadVersion;
  return HttpParser::Got::kBad;
}

}  // namespace

struct HttpParser::Beast {
  std::optional<Reader> reader;
};

HttpParser::HttpParser(HttpHead& head, size_t max_head, size_t max_body)
    : head_(head), max_head_(max_head), max_body_(max_body), beast_(std::make_unique<Beast>()) {}
HttpParser::~HttpParser() = default;

void HttpParser::begin() {
  head_.clear();
  head_bytes_ = 0;
  auto& reader = beast_->reader.emplace(head_);
  reader.header_limit(static_cast<std::uint32_t>(max_head_));
  reader.body_limit(max_body_);
  reader.eager(false);
}

HttpParser::Got HttpParser::head(std::string_view input, size_t& used) {
  auto& reader = *beast_->reader;
  Code ec;
  used = 0;
  while (!reader.is_header_done() && !ec) {
    used += reader.put(boost::asio::const_buffer(input.data() + used, input.size() - used), ec);
  }
  // Beast bounds what it is given at once; a head that comes field by field adds up.
  head_bytes_ += used;
  const size_t pending = reader.is_header_done() ? 0 : input.size() - used;
  if (head_bytes_ + pending > max_head_ && (!ec || ec == http::error::need_more)) {
    return verdict(http::error::header_limit, complaint_);
  }
  if (has_folded_line(input.substr(0, used))) {
    complaint_ = "a header field goes on in the next line";
    return Got::kBad;
  }
  if (ec) return verdict(ec, complaint_);
  head_.keep_alive = reader.keep_alive();
  head_.chunked = reader.chunked();
  if (const auto length = reader.content_length()) head_.content_length = *length;
  return Got::kDone;
}

// The shortest end of a body, "0" and an empty line, has this many bytes. Fewer are never its end, and Beast
// asserts that nobody asks about them.
constexpr size_t kShortestEnd = 5;

HttpParser::Got HttpParser::body(std::string_view input, size_t& used, Piece piece, void* owner) {
  auto& reader = *beast_->reader;
  reader.piece = piece;
  reader.owner = owner;
  Code ec;
  used = 0;
  while (!reader.is_done() && !ec && input.size() - used >= kShortestEnd) {
    used += reader.put(boost::asio::const_buffer(input.data() + used, input.size() - used), ec);
  }
  if (ec == http::error::need_more && has_open_quote(input.substr(used)))
    ec = http::error::bad_chunk_extension;
  if (ec) return verdict(ec, complaint_);
  return reader.is_done() ? Got::kDone : Got::kMore;
}

}  // namespace millrace::gateway
