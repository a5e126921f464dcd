// DemoShop: a web shop's events, as many as wanted: the same for the same seed, but for their times.
//
// Visits are by some hundred visitors of products of unequal success; some of them end in an order. One event in a hundred comes some seconds late.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

// What the demo makes, in the order in which it can be made. kMark stands in each, by which the demo knows its own again.
inline constexpr std::string_view kDemoMark = "/* made by millrace demo */";
struct DemoThing {
  std::string_view name;
  bool is_stream = true;
  std::string statement;
};
const std::vector<DemoThing>& demo_things();

class DemoShop {
 public:
  explicit DemoShop(uint64_t seed) : random_(seed) {}

  struct Events {
    std::string visits, orders;  // NDJSON
    size_t count = 0;
  };
  // At least `count`, which happen at `now_ms`, Unix time.
  Events next(size_t count, int64_t now_ms);

 private:
  size_t one_of(size_t count);          // each as often as the others
  size_t one_of_unequal(size_t count);  // the first ones more often
  void add_order(Events& events, size_t visitor, size_t product, std::string_view country, int64_t at_ms);

  std::mt19937_64 random_;
  uint64_t orders_ = 0;
};

}  // namespace millrace::cli
