#include "bench/nexmark_events.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "bench/bench_catalog.h"
#include "bench/nexmark_queries.h"
#include "formats/json.h"

namespace millrace::bench {
namespace {

constexpr int64_t kEvents = 50'000;

std::string lines(uint64_t seed, int64_t events) {
  NexmarkEvents made(seed);
  std::string out;
  for (int64_t i = 0; i < events; ++i) {
    made.append(out);
    out += '\n';
  }
  return out;
}

// As a stream whose columns are these takes them.
Batch decoded(const std::string& columns, std::string body) {
  const auto catalog = catalog_of("CREATE STREAM nexmark (" + columns + ")", {});
  EXPECT_TRUE(catalog.ok()) << catalog.error().to_string();
  const Schema& schema = (*catalog)->find(kStreamDefinition)->stream->columns;
  Batch rows;
  rows.set_schema(schema);
  const size_t size = body.size();
  body.resize(size + Buffer::kPadding);
  const std::string_view kept = rows.arena->keep(body);  // the rows' texts lie in it
  const auto events = formats::split_ndjson(kept.substr(0, size));
  EXPECT_TRUE(events.ok());
  std::vector<int> every;
  for (size_t i = 0; i < schema.size(); ++i) every.push_back(static_cast<int>(i));
  std::vector<RowError> errors;
  formats::JsonDecoder(schema, every).decode(*events, rows, errors);
  EXPECT_TRUE(errors.empty()) << errors.front().message;
  return rows;
}

// Of the rows that have a value.
double share(const Column& column, bool (*is_hot)(int64_t)) {
  size_t all = 0, hot = 0;
  for (size_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    ++all;
    hot += is_hot(column.integers[row]);
  }
  return static_cast<double>(hot) / static_cast<double>(all);
}

TEST(NexmarkEvents, AreThoseOfTheirSeed) {
  EXPECT_EQ(lines(7, 1'000), lines(7, 1'000));
  EXPECT_NE(lines(7, 1'000), lines(8, 1'000));
  EXPECT_TRUE(lines(7, 1'000).starts_with(lines(7, 999)));
}

TEST(NexmarkEvents, OnePersonThreeAuctionsAndFortySixBidsInFifty) {
  const Batch rows = decoded(
      "event_type BIGINT NOT NULL, person BIGINT PATH '$.person.id', auction BIGINT PATH '$.auction.id', "
      "bid BIGINT PATH '$.bid.auction'",
      lines(1, kEvents));
  ASSERT_EQ(rows.rows, static_cast<size_t>(kEvents));
  std::vector<int64_t> counts(3);
  for (size_t row = 0; row < rows.rows; ++row) {
    const int64_t type = rows.columns[0].integers[row];
    ++counts[static_cast<size_t>(type)];
    for (int64_t kind = 0; kind < 3; ++kind)
      ASSERT_EQ(rows.columns[static_cast<size_t>(kind) + 1].is_null(row), kind != type) << row;
  }
  EXPECT_EQ(counts, (std::vector<int64_t>{kEvents / 50, kEvents / 50 * 3, kEvents / 50 * 46}));
}

// All but one of so many go to the hot ones: 1 of 2 auctions, 3 of 4 sellers, 3 of 4 bidders.
TEST(NexmarkEvents, HotOnesAreAsOftenAsPublished) {
  const Batch rows = decoded(
      "auction BIGINT PATH '$.bid.auction', bidder BIGINT PATH '$.bid.bidder', "
      "seller BIGINT PATH '$.auction.seller', channel TEXT PATH '$.bid.channel'",
      lines(1, kEvents));
  const auto hundredth = [](int64_t id) { return id % 100 == 0; };
  const auto next = [](int64_t id) { return id % 100 == 1; };
  // An id that is not hot may be a hundredth, too: now and then.
  EXPECT_NEAR(share(rows.columns[0], hundredth), 0.5, 0.02);
  EXPECT_NEAR(share(rows.columns[1], next), 0.75, 0.02);
  EXPECT_NEAR(share(rows.columns[2], hundredth), 0.75, 0.03);
  size_t bids = 0, hot = 0;
  for (size_t row = 0; row < rows.rows; ++row) {
    if (rows.columns[3].is_null(row)) continue;
    ++bids;
    hot += !rows.columns[3].texts[row].starts_with("channel-");
  }
  EXPECT_NEAR(static_cast<double>(hot) / static_cast<double>(bids), 0.5, 0.02);
}

TEST(NexmarkEvents, BidsAreOfAuctionsAndBiddersThatAreThereOrComeSoon) {
  const Batch rows = decoded(
      "person BIGINT PATH '$.person.id', auction BIGINT PATH '$.auction.id', bid_auction BIGINT PATH "
      "'$.bid.auction', bidder BIGINT PATH '$.bid.bidder', price BIGINT PATH '$.bid.price'",
      lines(3, kEvents));
  int64_t last_person = 999, last_auction = 999;
  for (size_t row = 0; row < rows.rows; ++row) {
    const auto value = [&](size_t column) { return rows.columns[column].integers[row]; };
    if (!rows.columns[0].is_null(row)) {
      ASSERT_EQ(value(0), ++last_person);
    } else if (!rows.columns[1].is_null(row)) {
      ASSERT_EQ(value(1), ++last_auction);
    } else {
      ASSERT_GE(value(2), 1'000);
      ASSERT_LE(value(2), last_auction + 10);
      ASSERT_GE(value(3), 1'000);
      ASSERT_LE(value(3), last_person + 10);
      ASSERT_GE(value(4), 100);
      ASSERT_LE(value(4), 100'000'000);
    }
  }
}

TEST(NexmarkEvents, AChannelHasOneAddress) {
  const Batch rows =
      decoded("channel TEXT PATH '$.bid.channel', url TEXT PATH '$.bid.url'", lines(5, kEvents));
  std::map<std::string_view, std::string_view> addresses;
  for (size_t row = 0; row < rows.rows; ++row) {
    if (rows.columns[0].is_null(row)) continue;
    const auto [known, fresh] = addresses.emplace(rows.columns[0].texts[row], rows.columns[1].texts[row]);
    ASSERT_EQ(known->second, rows.columns[1].texts[row]) << known->first;
  }
  EXPECT_GT(addresses.size(), 5'000u);
}

TEST(NexmarkEvents, EventsComeInOrderByTheirRate) {
  const Batch rows = decoded("at TIMESTAMPTZ PATH '$.bid.\"dateTime\"'", lines(1, kEvents));
  for (size_t row = 0; row < rows.rows; ++row) {
    if (rows.columns[0].is_null(row)) continue;
    const int64_t ms = kNexmarkStartMs + static_cast<int64_t>(row) * 1000 / 100'000;
    ASSERT_EQ(rows.columns[0].integers[row], ms * 1000) << row;
  }
}

}  // namespace
}  // namespace millrace::bench
