// The queries of NEXMark that `millrace bench nexmark` runs, as a user would write them.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace millrace::bench {

struct NexmarkQuery {
  std::string_view name;
  std::string_view what;
  std::vector<std::string> sql;  // a definition each
  std::string_view key = {};     // of the stream, if it has more partitions than one
  bool journal = false;          // what comes out goes into the journal
};

inline std::string nexmark_stream(std::string_view key, uint32_t partitions) {
  return fmt::format(R"(CREATE STREAM nexmark (
  event_type BIGINT,
  auction BIGINT PATH '$.bid.auction',
  bidder BIGINT PATH '$.bid.bidder',
  price BIGINT PATH '$.bid.price',
  channel TEXT PATH '$.bid.channel',
  url TEXT PATH '$.bid.url',
  date_time TIMESTAMPTZ PATH '$.bid."dateTime"',
  extra TEXT PATH '$.bid.extra',
  WATERMARK FOR date_time AS date_time - INTERVAL '4 seconds'
) WITH (format = 'json', partitions = {}{}))",
                     partitions, key.empty() ? "" : fmt::format(", key = '{}'", key));
}

inline std::vector<std::string> filters(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(fmt::format(
        "CREATE STREAM out{0} AS SELECT auction, bidder, price FROM nexmark WHERE auction % 100 = {0}", i));
  }
  return all;
}

inline std::vector<std::string> views(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(
        fmt::format("CREATE MATERIALIZED VIEW out{0} AS SELECT bidder, count(*) AS bids, max(price) AS "
                    "highest FROM nexmark WHERE auction % 1000 = {0} GROUP BY bidder",
                    i));
  }
  return all;
}

inline const std::vector<NexmarkQuery>& nexmark_queries() {
  static const std::string pass_through = R"(CREATE STREAM out AS
  SELECT auction, bidder, price, date_time, extra FROM nexmark WHERE event_type = 2)";
  static const std::vector<NexmarkQuery> all = {
      {"q0", "pass through", {pass_through}},
      {"q0_journal", "pass through, into the journal", {pass_through}, "", true},
      {"q1", "another currency", {R"(CREATE STREAM out AS
  SELECT auction, bidder, 0.908 * price AS price, date_time, extra FROM nexmark WHERE event_type = 2)"}},
      {"q2", "some auctions", {R"(CREATE STREAM out AS
  SELECT auction, price FROM nexmark WHERE event_type = 2 AND auction % 123 = 0)"}},
      {"q11", "bids of a bidder in a row", {R"(CREATE MATERIALIZED VIEW out AS
  SELECT bidder, count(*) AS bid_count, window_start AS starttime, window_end AS endtime
  FROM SESSION(nexmark, date_time, INTERVAL '10 seconds') WHERE event_type = 2
  GROUP BY bidder, window_start, window_end EMIT ON WINDOW CLOSE)"}},
      {"q12", "bids by bidder, of ten seconds of arrival", {R"(CREATE MATERIALIZED VIEW out AS
  SELECT bidder, count(*) AS bid_count, window_start AS starttime, window_end AS endtime
  FROM TABLE(TUMBLE(TABLE nexmark, DESCRIPTOR(PROCTIME()), INTERVAL '10 seconds')) WHERE event_type = 2
  GROUP BY bidder, window_start, window_end EMIT ON WINDOW CLOSE)"}},
      {"q14", "calculations", {R"(CREATE STREAM out AS
  SELECT auction, bidder, 0.908 * price AS price,
    CASE WHEN extract(hour FROM date_time) BETWEEN 8 AND 18 THEN 'dayTime'
         WHEN extract(hour FROM date_time) <= 6 OR extract(hour FROM date_time) >= 20 THEN 'nightTime'
         ELSE 'otherTime' END AS bid_time_type,
    date_time, extra, length(extra) - length(replace(extra, 'c', '')) AS c_counts
  FROM nexmark WHERE event_type = 2 AND 0.908 * price > 1000000 AND 0.908 * price < 50000000)"}},
      {"q16", "channels by day", {R"(CREATE MATERIALIZED VIEW out AS
  SELECT channel, to_char(date_time, 'YYYY-MM-DD') AS day, max(to_char(date_time, 'HH24:MI')) AS minute,
    count(*) AS total_bids,
    count(*) FILTER (WHERE price < 10000) AS rank1_bids,
    count(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bids,
    count(*) FILTER (WHERE price >= 1000000) AS rank3_bids,
    count(DISTINCT bidder) AS total_bidders,
    count(DISTINCT bidder) FILTER (WHERE price < 10000) AS rank1_bidders,
    count(DISTINCT bidder) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bidders,
    count(DISTINCT bidder) FILTER (WHERE price >= 1000000) AS rank3_bidders,
    count(DISTINCT auction) AS total_auctions,
    count(DISTINCT auction) FILTER (WHERE price < 10000) AS rank1_auctions,
    count(DISTINCT auction) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_auctions,
    count(DISTINCT auction) FILTER (WHERE price >= 1000000) AS rank3_auctions
  FROM nexmark WHERE event_type = 2 GROUP BY channel, day)"}},
      {"q17", "auctions by day", {R"(CREATE MATERIALIZED VIEW out AS
  SELECT auction, to_char(date_time, 'YYYY-MM-DD') AS day, count(*) AS total_bids,
    count(*) FILTER (WHERE price < 10000) AS rank1_bids,
    count(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bids,
    count(*) FILTER (WHERE price >= 1000000) AS rank3_bids,
    min(price) AS min_price, max(price) AS max_price, avg(price) AS avg_price, sum(price) AS sum_price
  FROM nexmark WHERE event_type = 2 GROUP BY auction, day)"}},
      {"q21", "channel ids", {R"(CREATE STREAM out AS
  SELECT auction, bidder, price, channel,
    CASE lower(channel) WHEN 'apple' THEN '0' WHEN 'google' THEN '1' WHEN 'facebook' THEN '2' WHEN 'baidu' THEN '3'
      ELSE regexp_extract(url, '(&|^)channel_id=([^&]*)', 2) END AS channel_id
  FROM nexmark WHERE event_type = 2 AND (regexp_extract(url, '(&|^)channel_id=([^&]*)', 2) IS NOT NULL
    OR lower(channel) IN ('apple', 'google', 'facebook', 'baidu')))"}},
      {"q22", "directories of an address", {R"(CREATE STREAM out AS
  SELECT auction, bidder, price, channel, split_part(url, '/', 4) AS dir1, split_part(url, '/', 5) AS dir2,
    split_part(url, '/', 6) AS dir3
  FROM nexmark WHERE event_type = 2)"}},
      {"hop_count", "bids by auction, of ten seconds, every two", {R"(CREATE MATERIALIZED VIEW out AS
  SELECT auction, count(*) AS num, window_start, window_end
  FROM HOP(nexmark, date_time, INTERVAL '2 seconds', INTERVAL '10 seconds') WHERE event_type = 2
  GROUP BY auction, window_start, window_end EMIT ON WINDOW CLOSE)"}},
      {"filters_1", "one filter of 1 %", filters(1)},
      {"filters_100", "a hundred filters of 1 %", filters(100)},
      {"views_1000", "a thousand views of a thousandth", views(1000), "bidder"},
  };
  return all;
}

}  // namespace millrace::bench
