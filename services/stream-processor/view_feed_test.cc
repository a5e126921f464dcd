#include "stream-processor/view_feed.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::processor {
namespace {

std::shared_ptr<const JsonRows> rows(size_t count) {
  auto made = std::make_shared<JsonRows>();
  for (size_t i = 0; i < count; ++i) {
    made->text += "{}";
    made->ends.push_back(made->text.size());
  }
  return made;
}
std::shared_ptr<const ViewChange> change(uint64_t at, size_t count) {
  return std::make_shared<const ViewChange>(
      ViewChange{Cut(at), AppendTime(static_cast<int64_t>(at)), rows(count)});
}

class ViewFeedTest : public ::testing::Test {
 protected:
  ViewFeedTest() {
    subscription.on_ready([this] { ++told; });
  }
  // How many rows there are now; the error's id at the end.
  std::string pull(size_t most = SIZE_MAX) {
    size_t seen = 0;
    const auto got = subscription.pull(most, [&](std::string_view row, std::string_view) {
      EXPECT_EQ(row, "{}");
      ++seen;
    });
    if (!got.ok()) return got.error().id;
    EXPECT_EQ(*got, seen);
    return std::to_string(seen);
  }

  std::shared_ptr<ViewFeed> feed = std::make_shared<ViewFeed>(QueryId(7));
  ViewSubscription subscription{feed};
  int told = 0;
};

TEST_F(ViewFeedTest, RowsThenChangesThatAreDurable) {
  feed->add(change(3, 5));  // in the rows already
  feed->add(change(4, 2));
  EXPECT_EQ(pull(), "0");
  feed->begin(Cut(3), rows(10));
  feed->release(Cut(3));
  EXPECT_EQ(pull(4), "4");
  EXPECT_EQ(pull(), "6");
  feed->release(Cut(4));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(pull(), "2");
  EXPECT_EQ(pull(), "0");
}

TEST_F(ViewFeedTest, ADeliveryIsToldWithTheLastRow) {
  std::vector<int64_t> arrivals;
  feed->on_delivered([&](AppendTime arrived) { arrivals.push_back(arrived.value); });
  feed->begin(Cut(3), rows(2));
  feed->add(change(7, 3));
  feed->release(Cut(7));
  EXPECT_EQ(pull(4), "4");
  EXPECT_TRUE(arrivals.empty());
  EXPECT_EQ(pull(), "1");
  EXPECT_EQ(arrivals, std::vector<int64_t>{7});
}

TEST_F(ViewFeedTest, TheEndIsToldBehindWhatWasReleased) {
  feed->begin(Cut(3), rows(2));
  feed->add(change(4, 1));  // never durable
  feed->end(error(Code::kGone, "MR-TEST-0001", "it is gone"));
  EXPECT_EQ(told, 1);
  feed->release(Cut(9));
  EXPECT_EQ(pull(), "2");
  EXPECT_EQ(pull(), "MR-TEST-0001");
  EXPECT_EQ(pull(), "MR-TEST-0001");
}

TEST_F(ViewFeedTest, ARefusedBeginningIsTold) {
  feed->end(error(Code::kExhausted, "MR-STEP-0024", "too many reads are waiting"));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(pull(), "MR-STEP-0024");
}

TEST_F(ViewFeedTest, FirstRowsAreNoBacklogAndAreLetGoWhenRead) {
  const size_t many = ViewFeed::kMaxBacklog + 1;
  feed->begin(Cut(3), rows(many));
  EXPECT_EQ(feed->beginning_bytes(), 2 * many);
  feed->add(change(4, 5));
  feed->release(Cut(4));
  EXPECT_EQ(pull(many - 1), std::to_string(many - 1));
  EXPECT_EQ(feed->beginning_bytes(), 2 * many);
  EXPECT_EQ(pull(), "6");
  EXPECT_EQ(feed->beginning_bytes(), 0u);
}

TEST_F(ViewFeedTest, ASlowReaderIsCutOff) {
  feed->begin(Cut(3), rows(10));
  feed->add(change(4, ViewFeed::kMaxBacklog));
  EXPECT_EQ(told, 0);
  feed->add(change(5, 1));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(pull(), "MR-STEP-0022");
  EXPECT_EQ(feed->beginning_bytes(), 0u);
}

}  // namespace
}  // namespace millrace::processor
