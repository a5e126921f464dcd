// NexmarkEvents: the auction site of NEXMark, as its published generator makes it: in 50 events one person, three
// auctions and 46 bids, with hot auctions, sellers, bidders and channels. Seeded; an event is a line of nested JSON.
//
// Source: P. Tucker, K. Tufte, V. Papadimos, D. Maier, "NEXMark: A Benchmark for Queries over Data Streams", 2002, with the
//         proportions and sizes of Apache Beam's and Flink's generators in their standard configuration.
// Time:   event n is n / rate seconds after kNexmarkStart; events come in order.
#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"

namespace millrace::bench {

inline constexpr int64_t kNexmarkStartMs = 1'436'918'400'000;  // 2015-07-15T00:00:00Z

class NexmarkEvents {
 public:
  explicit NexmarkEvents(uint64_t seed, int64_t events_per_s = 100'000)
      : random_(seed), rate_(events_per_s) {}
  // Appends the next event, without a line's end.
  void append(std::string& out);

 private:
  int64_t time_ms(int64_t event) const { return kNexmarkStartMs + event * 1000 / rate_; }
  int64_t draw(int64_t bound) { return static_cast<int64_t>(random_.below(static_cast<uint64_t>(bound))); }
  int64_t last_person() const;
  int64_t last_auction() const;
  int64_t any_person();
  int64_t any_auction();
  int64_t price();
  void person(std::string& out);
  void auction(std::string& out);
  void bid(std::string& out);
  void word(std::string& out, int longest, char blank);
  void filler(std::string& out, size_t from, int64_t mean_size);

  Random random_;
  const int64_t rate_;
  int64_t event_ = 0;
  std::string scratch_;
};

}  // namespace millrace::bench
