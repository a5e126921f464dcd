// EventSource: what `millrace produce` reads, in batches of whole events. From a pipe that has nothing more for now, what is
// there goes out at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/csv_events.h"
#include "node/csv_reader.h"

namespace millrace::cli {

struct Batch {
  std::string events;           // NDJSON; empty at the end
  std::vector<uint64_t> lines;  // of the input, where each event begins
  uint64_t bytes = 0;           // of the input
  uint64_t next_line = 1;       // behind it
};

// Bytes of a descriptor, which it closes. Whoever waits for them is woken when `stop_fd` is readable.
class ByteInput {
 public:
  ByteInput(int fd, int stop_fd) : fd_(fd), stop_fd_(stop_fd) {}
  ByteInput(const ByteInput&) = delete;
  ByteInput& operator=(const ByteInput&) = delete;
  ~ByteInput();

  uint64_t size() const;  // 0: unknown
  bool more_waits() const;
  bool ended() const { return ended_; }
  Status read_more(std::string& out);  // MR-CLI-0011, -0015

 private:
  bool is_stopped() const;
  int fd_, stop_fd_;
  bool ended_ = false;
};

class EventSource {
 public:
  virtual ~EventSource() = default;
  // At most so many events.
  virtual Result<Batch> next(uint64_t most) = 0;
};

// A line an event; blank lines are none.
class NdjsonSource : public EventSource {
 public:
  explicit NdjsonSource(ByteInput& input) : input_(input) {}
  Result<Batch> next(uint64_t most) override;

 private:
  Batch take(size_t bytes, uint64_t most);
  ByteInput& input_;
  std::string rest_;
  uint64_t line_ = 1;
};

// The first record names the columns. What is wrong is told behind the batch of what was good before it.
class CsvSource : public EventSource {
 public:
  CsvSource(ByteInput& input, std::vector<StreamColumn> columns)
      : input_(input), columns_(std::move(columns)) {}
  Result<Batch> next(uint64_t most) override;

 private:
  Status fill(Batch& batch, uint64_t most);
  Status take(const CsvRecord& record, Batch& batch);
  ByteInput& input_;
  std::vector<StreamColumn> columns_;
  CsvReader reader_;
  std::optional<CsvEvents> events_;
  std::optional<Error> failure_;
  bool begun_ = false;
};

}  // namespace millrace::cli
