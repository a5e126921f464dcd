#include "event-gateway/socket_output.h"

#include <boost/asio/buffer.hpp>
#include <utility>

namespace millrace::gateway {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

void SocketOutput::clear(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kKept) buffer.shrink_to_fit();
}

SocketOutput::Sent SocketOutput::send(Socket& socket) {
  size_t done = 0;
  while (done < bytes.size()) {
    ErrorCode ec;
    const size_t wrote = socket.write_some(asio::buffer(bytes.data() + done, bytes.size() - done), ec);
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

void SocketOutput::go_on(Socket& socket, Progress progress) {
  socket.async_write_some(asio::buffer(sending_.data() + sent_, sending_.size() - sent_),
                          [this, &socket, progress = std::move(progress)](const ErrorCode& ec, size_t wrote) {
                            if (closed_) return;
                            if (ec) return progress(Sent::kFailed);
                            counter_ += wrote;
                            sent_ += wrote;
                            if (sent_ < sending_.size()) {
                              go_on(socket, progress);
                              return progress(Sent::kPart);
                            }
                            writing_ = false;
                            sent_ = 0;
                            clear(sending_);
                            progress(Sent::kAll);
                          });
}

}  // namespace millrace::gateway
