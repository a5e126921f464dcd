// Store: where the registry's facts are kept, one after the other.
//
// Order:   facts are numbered 1, 2, 3 … without gaps. Whoever appends says behind which one: what another has appended there
//          first has to be read before, so that no two ever decide from the same state. Ids are unique by that alone.
// Durable: what was appended is, when append() returns.
// Threads: one.
// Errors:  of the store behind it, Code::kUnavailable or kCorrupt: MR-META-…, MR-REG-0002…
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace millrace::registry {

class Store {
 public:
  virtual ~Store() = default;

  // The facts behind the first `after`; at most `most`, fewer only at the end.
  virtual Result<std::vector<std::string>> read(uint64_t after, size_t most) = 0;
  // All of them or none. False: there are facts behind `after` already.
  virtual Result<bool> append(uint64_t after, const std::vector<std::string>& facts) = 0;
  virtual bool is_shared() const = 0;  // others may append, too
};

// A file of its own in the data directory, held by this process alone.
Result<std::unique_ptr<Store>> open_sqlite_store(Files& files, const std::string& path);
struct PostgresWaits {
  std::chrono::milliseconds patience{10'000};  // a call that is not answered within it fails
  std::chrono::milliseconds pause{
      1'000};  // after that, and after a connection that failed: calls fail at once
};
// libpq's connection string or URI. The table is made if it is missing.
Result<std::unique_ptr<Store>> open_postgres_store(const std::string& conninfo, PostgresWaits waits = {});

}  // namespace millrace::registry
