#include "node/demo_shop.h"

#include <array>
#include <chrono>
#include <ctime>

#include "fmt/format.h"

namespace millrace::cli {
namespace {

struct Product {
  std::string_view name;
  int cents;
};
constexpr std::array kProducts = {Product{"coffee beans 1 kg", 1890},
                                  Product{"tea pot", 3450},
                                  Product{"hand grinder", 8900},
                                  Product{"paper filters", 490},
                                  Product{"milk frother", 2490},
                                  Product{"espresso machine", 64900},
                                  Product{"travel mug", 2200},
                                  Product{"kettle, gooseneck", 7450},
                                  Product{"scale", 3990},
                                  Product{"cold brew bottle", 2690},
                                  Product{"sugar bowl", 1290},
                                  Product{"cups, set of 4", 2990}};
constexpr std::array<std::string_view, 8> kCountries = {"DE", "FR", "US", "IT", "NL", "JP", "BR", "SE"};
constexpr std::array<std::string_view, 3> kOtherPages = {"/", "/search", "/cart"};
constexpr size_t kVisitors = 400;

std::string statement(std::string_view head, std::string_view rest) {
  return fmt::format("{} {} {}", head, kDemoMark, rest);
}

std::string time_of(int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%FT%T", &utc);
  return fmt::format("{}.{:03}Z", text, ms % 1000);
}

}  // namespace

const std::vector<DemoThing>& demo_things() {
  static const std::vector<DemoThing> all = {
      {"demo_visits", true,
       statement("CREATE STREAM demo_visits",
                 "(visitor TEXT, page TEXT, product TEXT, country TEXT, at TIMESTAMPTZ, "
                 "WATERMARK FOR at AS at - INTERVAL '5 seconds') WITH (key = 'visitor', partitions = 2)")},
      {"demo_orders", true,
       statement(
           "CREATE STREAM demo_orders",
           "(id BIGINT, visitor TEXT, product TEXT, quantity INTEGER, price NUMERIC(10, 2), country TEXT, "
           "at TIMESTAMPTZ, WATERMARK FOR at AS at - INTERVAL '5 seconds') WITH (key = 'country', partitions "
           "= 2)")},
      {"demo_large_orders", true,
       statement("CREATE STREAM demo_large_orders",
                 "AS SELECT id, visitor, product, quantity * price AS total, at FROM demo_orders "
                 "WHERE quantity * price >= 200")},
      {"demo_best_sellers", false,
       statement(
           "CREATE MATERIALIZED VIEW demo_best_sellers",
           "AS SELECT product, count(*) AS orders, sum(quantity) AS pieces, sum(quantity * price) AS revenue "
           "FROM demo_orders GROUP BY product")},
      {"demo_sales_per_minute", false,
       statement(
           "CREATE MATERIALIZED VIEW demo_sales_per_minute",
           "AS SELECT window_start AS minute, country, count(*) AS orders, sum(quantity * price) AS revenue "
           "FROM TUMBLE(demo_orders, at, INTERVAL '1 minute') GROUP BY window_start, country")},
      {"demo_visitors_now", false,
       statement(
           "CREATE MATERIALIZED VIEW demo_visitors_now",
           "AS SELECT window_start, window_end, count(*) AS visits, count(DISTINCT visitor) AS visitors "
           "FROM TUMBLE(demo_visits, at, INTERVAL '10 seconds') GROUP BY window_start, window_end "
           "EMIT ON WINDOW CLOSE")},
  };
  return all;
}

size_t DemoShop::one_of(size_t count) {
  return random_() % count;
}

size_t DemoShop::one_of_unequal(size_t count) {
  return one_of(1 + one_of(count));
}

DemoShop::Events DemoShop::next(size_t count, int64_t now_ms) {
  Events events;
  while (events.count < count) {
    const size_t visitor = one_of(kVisitors);
    const std::string_view country = kCountries[visitor % kCountries.size()];
    const bool late = one_of(100) == 0;
    const int64_t at_ms = now_ms - static_cast<int64_t>(late ? 6000 + one_of(10000) : one_of(500));
    const bool of_a_product = one_of(4) > 0;
    const size_t product = one_of_unequal(kProducts.size());
    const std::string page = of_a_product ? fmt::format("/products/{}", product + 1)
                                          : std::string(kOtherPages[one_of_unequal(kOtherPages.size())]);
    const std::string name = of_a_product ? fmt::format("\"{}\"", kProducts[product].name) : "null";
    events.visits +=
        fmt::format(R"({{"visitor":"v{:03}","page":"{}","product":{},"country":"{}","at":"{}"}})", visitor,
                    page, name, country, time_of(at_ms)) +
        "\n";
    ++events.count;
    if (of_a_product && one_of(6) == 0) add_order(events, visitor, product, country, at_ms);
  }
  return events;
}

void DemoShop::add_order(Events& events, size_t visitor, size_t product, std::string_view country,
                         int64_t at_ms) {
  const int cents = kProducts[product].cents;
  events.orders +=
      fmt::format(
          R"({{"id":{},"visitor":"v{:03}","product":"{}","quantity":{},"price":{}.{:02},"country":"{}","at":"{}"}})",
          ++orders_, visitor, kProducts[product].name, 1 + one_of_unequal(5), cents / 100, cents % 100,
          country, time_of(at_ms)) +
      "\n";
  ++events.count;
}

}  // namespace millrace::cli
