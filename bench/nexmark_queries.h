// The queries of NEXMark that `millrace bench nexmark` runs, as a user would write them.
#pragma once

#include <string_view>
#include <vector>

namespace millrace::bench {

struct NexmarkQuery {
  std::string_view name;
  std::string_view what;
  std::string_view sql;  // one definition, named out
};

inline constexpr std::string_view kNexmarkStream = R"(CREATE STREAM nexmark (
  event_type BIGINT,
  auction BIGINT PATH '$.bid.auction',
  bidder BIGINT PATH '$.bid.bidder',
  price BIGINT PATH '$.bid.price',
  channel TEXT PATH '$.bid.channel',
  url TEXT PATH '$.bid.url',
  date_time TIMESTAMPTZ PATH '$.bid."dateTime"',
  extra TEXT PATH '$.bid.extra',
  WATERMARK FOR date_time AS date_time - INTERVAL '4 seconds'
) WITH (format = 'json', partitions = 1))";

inline const std::vector<NexmarkQuery>& nexmark_queries() {
  static const std::vector<NexmarkQuery> all = {
      {"q0", "pass through",
       "CREATE STREAM out AS SELECT auction, bidder, price, date_time, extra FROM nexmark WHERE event_type = "
       "2"},
      {"q1", "another currency",
       "CREATE STREAM out AS SELECT auction, bidder, 0.908 * price AS price, date_time, extra FROM nexmark "
       "WHERE event_type = "
       "2"},
      {"q2", "some auctions",
       "CREATE STREAM out AS SELECT auction, price FROM nexmark WHERE event_type = 2 AND auction % 123 = 0"},
  };
  return all;
}

}  // namespace millrace::bench
