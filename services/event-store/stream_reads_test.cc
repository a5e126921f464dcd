#include "event-store/stream_reads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/record_batch.h"
#include "sql/definitions.h"
#include "tests/fakes/background.h"
#include "tests/fakes/memory_journal.h"

namespace millrace::event_store {
namespace {

using engine::StreamPlace;
using engine::StreamReadAnswer;
using engine::StreamReadRequest;
using testing::ElementsAre;

engine::StreamPtr make_stream(uint32_t id, engine::StreamKind kind = engine::StreamKind::kDeclared) {
  auto stream = std::make_shared<engine::StreamDef>();
  stream->id = StreamId(id);
  stream->name = "s";
  stream->kind = kind;
  stream->partitions = 2;
  stream->columns = {{"n", Type::kBigint}, {"t", Type::kText}};
  return stream;
}

class StreamReads : public testing::Test {
 protected:
  // One frame; the n-th list goes to partition n.
  void append(const engine::StreamPtr& stream, const std::vector<std::vector<std::string>>& partitions) {
    log::Group group;
    for (size_t p = 0; p < partitions.size(); ++p) {
      log::RecordBatchBuilder builder;
      for (const auto& value : partitions[p]) builder.add(std::nullopt, value, journal_.now().value / 1000);
      if (builder.empty()) continue;
      group.batches.push_back({{stream->id, PartitionId(static_cast<uint16_t>(p))}, builder.finish()});
    }
    journal_.advance_us(1000);
    ASSERT_TRUE(journal_.append(std::move(group), log::Priority::kIngest).ok());
  }
  void make_durable() {
    journal_.sync();
    store_.on_durable(journal_.durable_cut());
  }
  Result<StreamReadAnswer> read(StreamReadRequest request) {
    Result<StreamReadAnswer> answer = error(Code::kInternal, "", "no answer");
    request.stream = stream_;
    store_.read(std::move(request), [&](Result<StreamReadAnswer> a) { answer = std::move(a); });
    return answer;
  }
  static std::vector<std::string> values(const StreamReadAnswer& answer) {
    std::vector<std::string> out;
    for (const auto& event : answer.events) out.emplace_back(event.value);
    return out;
  }
  std::unique_ptr<engine::Subscription> follow(StreamReadRequest request, bool as_rows = false) {
    request.stream = stream_;
    auto made = store_.follow(std::move(request), as_rows);
    EXPECT_TRUE(made.ok());
    return made.ok() ? std::move(*made) : nullptr;
  }
  std::vector<std::string> pull(engine::Subscription& from, size_t max = 1000) {
    std::vector<std::string> rows;
    cursors_.clear();
    const auto got = from.pull(max, [&](std::string_view json, std::string_view cursor) {
      rows.emplace_back(json);
      cursors_.emplace_back(cursor);
    });
    if (!got.ok()) rows.push_back(got.error().id);
    return rows;
  }

  fakes::MemoryJournal journal_;
  fakes::Background background_;
  StreamStore store_{journal_, background_};
  engine::StreamPtr stream_ = make_stream(4);
  engine::StreamPtr other_ = make_stream(8);
  std::vector<std::string> cursors_;
};

TEST_F(StreamReads, PagesFromStartToEndByCursor) {
  append(stream_, {{"{\"n\":1}", "{\"n\":2}"}, {"{\"n\":3}"}});
  append(other_, {{"{\"n\":9}"}});
  append(stream_, {{"{\"n\":4}"}});
  make_durable();
  StreamReadRequest request;
  request.limit = 2;
  auto first = read(request);
  ASSERT_TRUE(first.ok());
  EXPECT_THAT(values(*first), ElementsAre("{\"n\":1}", "{\"n\":2}"));
  EXPECT_EQ(engine::to_cursor(first->next), "1-2");
  EXPECT_FALSE(first->at_end);
  request.place = first->next;
  auto second = read(request);
  ASSERT_TRUE(second.ok());
  EXPECT_THAT(values(*second), ElementsAre("{\"n\":3}", "{\"n\":4}"));
  EXPECT_EQ(second->next, store_.end_of());
  EXPECT_TRUE(second->at_end);
}

TEST_F(StreamReads, NothingBeforeItIsDurable) {
  append(stream_, {{"{\"n\":1}"}});
  auto answer = read({});
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->events.empty());
  const auto live = follow({});
  EXPECT_THAT(pull(*live), ElementsAre());
  make_durable();
  EXPECT_THAT(pull(*live), ElementsAre("{\"n\":1}"));
}

TEST_F(StreamReads, ARangeOfOffsetsAndTimes) {
  for (int i = 0; i < 5; ++i) {  // two events of a partition in each frame
    const std::string first = std::to_string(2 * i);
    const std::string second = std::to_string(2 * i + 1);
    append(stream_, {{"{\"n\":" + first + "}", "{\"n\":" + second + "}"}, {"{\"n\":-1}"}});
    append(other_, {{"{\"n\":9}"}});
  }
  make_durable();
  const auto all = read({});
  ASSERT_TRUE(all.ok());
  StreamReadRequest request;
  request.place = store_.start_of(*stream_);
  request.partition = PartitionId(0);
  request.range.offsets = {3, 6};
  auto answer = read(request);
  ASSERT_TRUE(answer.ok());
  EXPECT_THAT(values(*answer), ElementsAre("{\"n\":3}", "{\"n\":4}", "{\"n\":5}", "{\"n\":6}"));
  EXPECT_TRUE(answer->at_end);
  EXPECT_EQ(answer->keep.size(), 3u);  // frames
  EXPECT_EQ(answer->oldest, Offset(0));
  request.limit = 3;  // in pages
  answer = read(request);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->events.size(), 3u);
  EXPECT_FALSE(answer->at_end);
  request.place = answer->next;
  answer = read(request);
  ASSERT_TRUE(answer.ok());
  EXPECT_THAT(values(*answer), ElementsAre("{\"n\":6}"));
  EXPECT_TRUE(answer->at_end);

  StreamReadRequest by_time;
  by_time.place = store_.start_of(*stream_);
  const int64_t second = all->events[3].time.value;
  const int64_t third = all->events[6].time.value;
  by_time.range.times_us = {second, third};
  answer = read(by_time);
  ASSERT_TRUE(answer.ok());
  EXPECT_THAT(values(*answer),
              ElementsAre("{\"n\":2}", "{\"n\":3}", "{\"n\":-1}", "{\"n\":4}", "{\"n\":5}", "{\"n\":-1}"));
  EXPECT_TRUE(answer->at_end);
  by_time.range.times_us = {second + 1, third - 1};
  answer = read(by_time);
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->events.empty() && answer->at_end);
  by_time.range.times_us = {INT64_MIN, all->events[0].time.value - 1};
  answer = read(by_time);
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->events.empty() && answer->at_end);
  request.place = store_.start_of(*stream_);
  request.range.offsets = {10, 20};  // behind the end
  answer = read(request);
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->events.empty() && answer->at_end);
}

// Where an index cannot be read, a time is only known not to stand before the answer.
TEST_F(StreamReads, ATimeThatIsFoundTooEarlyLosesNothing) {
  for (int i = 0; i < 4; ++i) append(stream_, {{"{\"n\":" + std::to_string(i) + "}"}});
  make_durable();
  journal_.lose_times();
  const int64_t now = journal_.now().value;
  StreamReadRequest request;
  request.range.times_us = {now - 2000, now - 1000};
  const auto answer = read(request);
  ASSERT_TRUE(answer.ok());
  EXPECT_THAT(values(*answer), ElementsAre("{\"n\":1}", "{\"n\":2}"));
  EXPECT_TRUE(answer->at_end);
}

TEST_F(StreamReads, ARangeIsOfWhatIsKept) {
  for (int i = 0; i < 4; ++i) append(stream_, {{"{\"n\":" + std::to_string(i) + "}"}});
  make_durable();
  StreamReadRequest request;
  request.place = StreamPlace{Cut(2), 0};
  request.partition = PartitionId(0);
  journal_.forget_before(Cut(3));
  EXPECT_EQ(read(request).error().id, "MR-EVS-0001");
  request.kept_only = true;
  request.range.offsets = {1, 2};
  const auto answer = read(request);
  ASSERT_TRUE(answer.ok()) << answer.error().to_string();
  EXPECT_THAT(values(*answer), ElementsAre("{\"n\":2}"));
  EXPECT_EQ(answer->oldest, Offset(2));
}

TEST_F(StreamReads, RetentionGoesOnWhileARangeIsLookedFor) {
  for (int i = 0; i < 4; ++i) append(stream_, {{"{\"n\":" + std::to_string(i) + "}"}});
  make_durable();
  StreamReadRequest request;
  request.partition = PartitionId(0);
  request.kept_only = true;
  for (const engine::Interval64 offsets : {engine::Interval64{1, INT64_MAX}, engine::Interval64{0, 3}}) {
    journal_.forget_before(Cut(1));
    journal_.forget_while_looking(Cut(3));
    request.range.offsets = offsets;
    const auto answer = read(request);
    ASSERT_TRUE(answer.ok()) << answer.error().to_string();
    EXPECT_THAT(values(*answer), ElementsAre("{\"n\":2}", "{\"n\":3}"));
    EXPECT_EQ(answer->oldest, Offset(2));
  }
}

TEST_F(StreamReads, ByPartitionOffsetAndTime) {
  append(stream_, {{"{\"n\":1}", "{\"n\":2}"}, {"{\"n\":3}"}});
  const AppendTime later = AppendTime(journal_.now().value + 1);
  append(stream_, {{"{\"n\":4}"}, {"{\"n\":5}"}});
  make_durable();
  StreamReadRequest by_offset;
  by_offset.partition = PartitionId(0);
  by_offset.offset = Offset(1);
  auto answer = read(by_offset);
  ASSERT_TRUE(answer.ok());
  EXPECT_THAT(values(*answer), ElementsAre("{\"n\":2}", "{\"n\":4}"));
  EXPECT_EQ(answer->events[0].offset, Offset(1));
  StreamReadRequest by_time;
  by_time.time = later;
  answer = read(by_time);
  ASSERT_TRUE(answer.ok());
  EXPECT_THAT(values(*answer), ElementsAre("{\"n\":4}", "{\"n\":5}"));
}

TEST_F(StreamReads, AnOffsetThatIsGoneOrAheadIsAnError) {
  for (int i = 0; i < 3; ++i) append(stream_, {{"{\"n\":1}"}});
  make_durable();
  journal_.forget_before(Cut(3));
  StreamReadRequest request;
  request.partition = PartitionId(0);
  const std::vector<std::pair<int64_t, std::string>> expected = {
      {1, "MR-EVS-0001"}, {2, ""}, {3, ""}, {4, "MR-EVS-0004"}};
  for (const auto& [offset, id] : expected) {
    request.offset = Offset(offset);
    const auto answer = read(request);
    EXPECT_EQ(answer.ok() ? "" : answer.error().id, id) << offset;
    const auto live = follow(request);
    const auto rows = pull(*live);
    EXPECT_EQ(rows.empty() || rows[0].starts_with("{") ? "" : rows[0], id) << offset;
  }
}

TEST_F(StreamReads, APartitionsCursorIsEverybodysCursor) {
  append(stream_, {{"{\"n\":1}", "{\"n\":2}"}, {"{\"n\":3}", "{\"n\":4}"}});
  make_durable();
  StreamReadRequest request;
  request.partition = PartitionId(1);
  request.limit = 1;
  auto one = read(request);
  ASSERT_TRUE(one.ok());
  EXPECT_THAT(values(*one), ElementsAre("{\"n\":3}"));
  StreamReadRequest rest;
  rest.place = one->next;
  auto all = read(rest);
  ASSERT_TRUE(all.ok());
  EXPECT_THAT(values(*all), ElementsAre("{\"n\":4}"));
}

TEST_F(StreamReads, ACursorThatIsGoneOrAheadIsAnError) {
  for (int i = 0; i < 3; ++i) append(stream_, {{"{\"n\":1}"}});
  make_durable();
  journal_.forget_before(Cut(3));
  StreamReadRequest request;
  request.place = StreamPlace{Cut(1), 1};
  auto answer = read(request);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::kGone);
  EXPECT_EQ(answer.error().id, "MR-EVS-0001");
  request.place = StreamPlace{Cut(9), 0};
  answer = read(request);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().id, "MR-EVS-0004");
  request.place.reset();
  answer = read(request);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->events.size(), 1u);
}

TEST_F(StreamReads, ACursorBeforeWhatIsKeptHoldsIfNothingOfTheStreamWasRemoved) {
  for (int i = 0; i < 3; ++i) append(other_, {{"{\"n\":8}"}});
  append(stream_, {{"{\"n\":1}"}});
  make_durable();
  journal_.forget_before(Cut(3));
  StreamReadRequest request;
  request.place = StreamPlace{Cut(2), 0};
  const auto answer = read(request);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->events.size(), 1u);
  const auto live = follow(request);
  EXPECT_THAT(pull(*live), ElementsAre("{\"n\":1}"));
}

TEST_F(StreamReads, AFollowerCatchesUpThenFollowsWithoutReadingFiles) {
  append(stream_, {{"{\"n\":1}"}, {"{\"n\":2}"}});
  make_durable();
  const auto live = follow({});
  int ready = 0;
  live->on_ready([&] { ++ready; });
  EXPECT_THAT(pull(*live), ElementsAre("{\"n\":1}", "{\"n\":2}"));
  const size_t pages = journal_.page_reads();
  ready = 0;
  append(other_, {{"{\"n\":8}"}});
  make_durable();
  EXPECT_EQ(ready, 0);
  append(stream_, {{"{\"n\":3}"}});
  make_durable();
  EXPECT_EQ(ready, 1);
  EXPECT_THAT(pull(*live), ElementsAre("{\"n\":3}"));
  EXPECT_THAT(cursors_, ElementsAre("4-0"));
  EXPECT_THAT(pull(*live), ElementsAre());
  EXPECT_EQ(journal_.page_reads(), pages);
}

TEST_F(StreamReads, ComingBackWithACursorNeitherSkipsNorRepeats) {
  std::vector<std::string> expected, got;
  for (int i = 0; i < 40; ++i) {
    const std::string value = "{\"n\":" + std::to_string(i) + "}";
    append(stream_, {{value, value}, {value}});
    for (int k = 0; k < 3; ++k) expected.push_back(value);
  }
  make_durable();
  std::optional<StreamPlace> place;
  for (size_t max = 1; got.size() < expected.size(); max = max % 4 + 1) {
    StreamReadRequest request;
    request.place = place;
    const auto live = follow(request);
    const auto rows = pull(*live, max);
    ASSERT_FALSE(rows.empty());
    got.insert(got.end(), rows.begin(), rows.end());
    place = *engine::parse_cursor(cursors_.back());
  }
  EXPECT_EQ(got, expected);
  EXPECT_EQ(store_.followers(), 0u);
}

TEST_F(StreamReads, ASlowFollowerFallsBackToTheFilesAndLosesNothing) {
  make_durable();
  StreamReadRequest request;
  request.place = store_.end_of();
  const auto live = follow(request);
  const size_t count = StreamStore::kQueueFrames * 3;
  for (size_t i = 0; i < count; ++i) {
    append(stream_, {{"{\"n\":" + std::to_string(i) + "}"}});
    make_durable();
  }
  std::vector<std::string> got;
  while (got.size() < count) {
    const auto rows = pull(*live, 100);
    ASSERT_FALSE(rows.empty());
    got.insert(got.end(), rows.begin(), rows.end());
  }
  for (size_t i = 0; i < count; ++i) ASSERT_EQ(got[i], "{\"n\":" + std::to_string(i) + "}");
  append(stream_, {{"{\"n\":-1}"}});
  make_durable();
  EXPECT_THAT(pull(*live), ElementsAre("{\"n\":-1}"));
}

TEST_F(StreamReads, WhatBecomesDurableWhileAPageIsReadFollowsIt) {
  append(stream_, {{"{\"n\":1}"}});
  make_durable();
  background_.hold = true;
  const auto live = follow({});
  EXPECT_THAT(pull(*live), ElementsAre());
  append(stream_, {{"{\"n\":2}"}});
  make_durable();
  bool ready = false;
  live->on_ready([&] { ready = true; });
  background_.run_held();
  EXPECT_TRUE(ready);
  EXPECT_THAT(pull(*live), ElementsAre("{\"n\":1}", "{\"n\":2}"));
}

TEST_F(StreamReads, AFollowerThatLeavesWhileItsPageIsReadIsForgotten) {
  append(stream_, {{"{\"n\":1}"}});
  make_durable();
  background_.hold = true;
  auto live = follow({});
  pull(*live);
  live.reset();
  background_.run_held();
  EXPECT_EQ(store_.followers(), 0u);
}

TEST_F(StreamReads, RowsAreTheDeclaredColumnsOrTheStoredBytes) {
  append(stream_, {{"{\"x\":[1],\n\"n\":1,\"t\":\"a\"}", "{\"n\":\"no\"}", "{\"t\":null}"}});
  make_durable();
  EXPECT_THAT(pull(*follow({}, true)), ElementsAre("{\"n\":1,\"t\":\"a\"}", "{\"n\":null,\"t\":null}"));
  EXPECT_THAT(pull(*follow({}, false)),
              ElementsAre("{\"x\":[1], \"n\":1,\"t\":\"a\"}", "{\"n\":\"no\"}", "{\"t\":null}"));
  stream_ = make_stream(4, engine::StreamKind::kDerived);
  EXPECT_THAT(pull(*follow({}, true)).front(), "{\"x\":[1], \"n\":1,\"t\":\"a\"}");
}

TEST_F(StreamReads, ADroppedStreamEndsItsFollowers) {
  make_durable();
  const auto live = follow({});
  log::Group group;
  group.controls.push_back(
      {log::ControlKind::kActivation,
       sql::encode_activation({sql::Activation::What::kEnd, sql::definition_of(stream_->id), Cut(0)})});
  ASSERT_TRUE(journal_.append(std::move(group), log::Priority::kStep).ok());
  make_durable();
  EXPECT_THAT(pull(*live), ElementsAre("MR-EVS-0005"));
}

TEST_F(StreamReads, TooMuchWaitingIsSaid) {
  background_.refuse = true;
  auto answer = read({});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::kExhausted);
}

TEST(Cursor, RoundTripsAndRefusesTheRest) {
  const StreamPlace place{Cut(UINT64_MAX), UINT32_MAX};
  EXPECT_EQ(*engine::parse_cursor(engine::to_cursor(place)), place);
  for (const char* bad : {"", "-", "1", "1-", "-1", "1-2-3", "1-2 ", "+1-2", "0x1-2", "1-4294967296",
                          "18446744073709551616-0", "99999999999999999999999999999999999-1"}) {
    EXPECT_FALSE(engine::parse_cursor(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace millrace::event_store
