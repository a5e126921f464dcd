// Quota: how much a tenant may send, as two token buckets (events and bytes).
//
// Why:     one tenant at ten times its share must not slow the others: it is refused before its cost is paid.
// Bucket:  fills at the rate, holds one second's worth. A request passes if the bucket is not empty, and may
//          leave it in debt: a large request is not refused for ever, it makes the next one wait.
// Time:    the caller's, in microseconds; never goes back.
// Threads: the core loop.
#pragma once

#include <algorithm>
#include <cstdint>

namespace millrace::gateway {

struct Quota {
  double events_per_s = 0;  // 0: no bound
  double bytes_per_s = 0;
  uint32_t connections = 0, subscriptions = 0;  // at once; 0: no bound
};

enum class QuotaKind : uint8_t { kEvents, kBytes, kConnections, kSubscriptions };

class TokenBucket {
 public:
  explicit TokenBucket(double rate = 0) : rate_(rate), tokens_(rate) {}

  bool bounded() const { return rate_ > 0; }
  bool has_room(int64_t now_us) {
    if (!bounded()) return true;
    const double passed = static_cast<double>(std::max<int64_t>(0, now_us - last_us_)) / 1e6;
    last_us_ = std::max(last_us_, now_us);
    tokens_ = std::min(rate_, tokens_ + passed * rate_);
    return tokens_ > 0;
  }
  void take(double cost) {
    if (bounded()) tokens_ -= cost;
  }
  // Until there is room again.
  double wait_s() const { return !bounded() || tokens_ > 0 ? 0 : (1 - tokens_) / rate_; }

 private:
  double rate_;
  double tokens_;
  int64_t last_us_ = 0;
};

}  // namespace millrace::gateway
