#include "event-gateway/socket_output.h"

#include <utility>

namespace millrace::gateway {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

void SocketOutput::clear(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kKept) buffer.shrink_to_fit();
}

SocketOutput::Sent SocketOutput::send(Transport& to) {
  size_t done = 0;
  while (done < bytes.size()) {
    ErrorCode ec;
    const size_t wrote = to.write_some(std::string_view(bytes).substr(done), ec);
    counter_ += wrote;
    done += wrote;
    if (ec == asio::error::would_block || ec == asio::error::try_again) break;
    if (ec) return Sent::kFailed;
  }
  if (done == bytes.size()) {
    clear(bytes);
    return Sent::kAll;
  }
  sending_.swap(bytes);
  bytes.clear();
  sent_ = done;
  writing_ = true;
  return Sent::kPart;
}

void SocketOutput::go_on(Transport& to, Progress progress) {
  to.async_write_some(std::string_view(sending_).substr(sent_),
                      [this, &to, progress = std::move(progress)](const ErrorCode& ec, size_t wrote) {
                        if (closed_) return;
                        if (ec) return progress(Sent::kFailed);
                        counter_ += wrote;
                        sent_ += wrote;
                        if (sent_ < sending_.size()) {
                          go_on(to, progress);
                          return progress(Sent::kPart);
                        }
                        writing_ = false;
                        sent_ = 0;
                        clear(sending_);
                        progress(Sent::kAll);
                      });
}

}  // namespace millrace::gateway
