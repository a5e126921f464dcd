// TlsCertificates: a TLS listener's files, and what was last read from them. Taken anew when they change or when it is
// told to; what cannot be used is refused, and the old goes on.
//
// Why:     certificates live for weeks, a server for months. New connections get the new ones, those that are open keep
//          what they began with.
// Tickets: the keys that seal them go with what was read; it is read anew twice a day, changed or not.
// Threads: the core loop's.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "event-gateway/tls_context.h"

namespace millrace::gateway {

class TlsCertificates {
 public:
  using Say = std::function<void(const std::string&)>;  // a line for the log

  static constexpr int64_t kLookEveryMs = 2'000;

  static Result<std::unique_ptr<TlsCertificates>> open(TlsFiles files, Say say,
                                                       int64_t look_every_ms = kLookEveryMs);

  const std::shared_ptr<const TlsContext>& current() const { return current_; }
  bool demands_certificates() const { return !files_.client_ca.empty(); }
  void reload();  // now
  void tick(
      int64_t
          now_ms);  // looks at the files from time to time; takes them once they have stood still since the last look
  uint64_t refused() const { return refused_; }

 private:
  struct Stamp {
    int64_t modified_ns = 0, inode = 0, bytes = -1;
    bool operator==(const Stamp&) const = default;
  };
  using Stamps = std::array<Stamp, 3>;

  TlsCertificates(TlsFiles files, Say say, int64_t look_every_ms)
      : files_(std::move(files)), say_(std::move(say)), look_every_ms_(look_every_ms) {}
  Stamps look() const;

  const TlsFiles files_;
  const Say say_;
  const int64_t look_every_ms_;
  std::shared_ptr<const TlsContext> current_;
  Stamps taken_, seen_;
  int64_t look_at_ms_ = 0, renew_at_ms_ = 0;
  uint64_t refused_ = 0;
};

}  // namespace millrace::gateway
