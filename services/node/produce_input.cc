#include "node/produce_input.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace millrace::cli {
namespace {

constexpr size_t kBatchBytes = 512u << 10;
constexpr size_t kMaxLineBytes = 16u << 20;

}  // namespace

ByteInput::~ByteInput() {
  if (fd_ > STDIN_FILENO) ::close(fd_);
}

uint64_t ByteInput::size() const {
  struct stat info {};
  return ::fstat(fd_, &info) == 0 && S_ISREG(info.st_mode) ? static_cast<uint64_t>(info.st_size) : 0;
}

bool ByteInput::more_waits() const {
  pollfd one{fd_, POLLIN, 0};
  return !ended_ && ::poll(&one, 1, 0) > 0;
}

bool ByteInput::is_stopped() const {
  std::array<pollfd, 2> both{{{fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
  while (::poll(both.data(), both.size(), -1) < 0 && errno == EINTR) {
  }
  return both[1].revents != 0;
}

Status ByteInput::read_more(std::string& out) {
  if (is_stopped()) return error(Code::kCancelled, "MR-CLI-0015", "cancelled");
  const size_t before = out.size();
  out.resize(before + (64u << 10));
  ssize_t n = 0;
  do {
    n = ::read(fd_, out.data() + before, out.size() - before);
  } while (n < 0 && errno == EINTR);
  out.resize(before + static_cast<size_t>(std::max<ssize_t>(n, 0)));
  if (n < 0) {
    return error(Code::kUnavailable, "MR-CLI-0011",
                 "cannot read on in the input: " + std::generic_category().message(errno));
  }
  ended_ = n == 0;
  return {};
}

Result<Batch> NdjsonSource::next(uint64_t most) {
  while (true) {
    const size_t line_end = rest_.rfind('\n');
    const bool enough = rest_.size() >= kBatchBytes || !input_.more_waits();
    if (line_end != std::string::npos && enough) return take(line_end + 1, most);
    if (input_.ended()) return take(rest_.size(), most);
    if (rest_.size() > kMaxLineBytes) {
      return error(Code::kInvalid, "MR-CLI-0009", "a line of the input is longer than 16 MB",
                   "the input has to be NDJSON: one event a line");
    }
    TRY(input_.read_more(rest_));
  }
}

Batch NdjsonSource::take(size_t bytes, uint64_t most) {
  Batch batch;
  const std::string_view text = rest_;
  size_t at = 0;
  while (at < bytes && batch.lines.size() < most) {
    const size_t end = std::min(text.find('\n', at), bytes - 1) + 1;
    if (text.substr(at, end - at).find_first_not_of(" \t\r\n") != std::string_view::npos)
      batch.lines.push_back(line_);
    ++line_;
    at = end;
  }
  batch.events = rest_.substr(0, at);
  batch.bytes = at;
  batch.next_line = line_;
  rest_.erase(0, at);
  return batch;
}

Result<Batch> CsvSource::next(uint64_t most) {
  Batch batch;
  if (!failure_) {
    if (const Status filled = fill(batch, most); !filled.ok()) failure_ = filled.error();
  }
  if (batch.events.empty() && failure_) return *failure_;
  return batch;
}

Status CsvSource::fill(Batch& batch, uint64_t most) {
  while (batch.lines.size() < most && batch.events.size() < kBatchBytes) {
    TRY_ASSIGN(const auto record, reader_.next());
    if (record) {
      TRY(take(*record, batch));
      batch.next_line = reader_.line();
    } else if (input_.ended() || (!batch.events.empty() && !input_.more_waits())) {
      break;
    } else {
      std::string piece;
      TRY(input_.read_more(piece));
      batch.bytes += piece.size();
      if (!begun_ && piece.starts_with("\xEF\xBB\xBF")) piece.erase(0, 3);
      begun_ = true;
      reader_.add(piece);
      if (input_.ended()) reader_.end();
    }
  }
  return {};
}

Status CsvSource::take(const CsvRecord& record, Batch& batch) {
  if (!events_) {
    TRY_ASSIGN(events_, CsvEvents::of_header(record, columns_));
    return {};
  }
  TRY(events_->append(record, batch.events));
  batch.lines.push_back(record.line);
  return {};
}

}  // namespace millrace::cli
