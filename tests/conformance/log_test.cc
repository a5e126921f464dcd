// What log/log.h promises, of every implementation.
#include <gtest/gtest.h>

#include <functional>

#include "log/record_batch.h"
#include "tests/conformance/log_writer.h"

namespace millrace::conformance {
namespace {

struct Implementation {
  const char* name;
  std::unique_ptr<LogSubject> (*make)(uint64_t seed);
};

class LogContract : public ::testing::TestWithParam<Implementation> {
 protected:
  static constexpr uint64_t kSeeds = 40;
  std::unique_ptr<LogSubject> make(uint64_t seed) { return GetParam().make(seed); }
};

// Sends, turns and takes answers in any order.
std::string work(LogSubject& subject, LogWriter& writer, Random& random, int steps) {
  for (int i = 0; i < steps; ++i) {
    if (!random.chance(3)) writer.send();
    if (random.chance(2)) subject.turn();
    if (!random.chance(3)) {
      if (auto broken = writer.take_answers(); !broken.empty()) return broken;
    }
  }
  return {};
}

TEST_P(LogContract, WhatIsAnsweredIsThereAndNothingElse) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto subject = make(seed);
    LogWriter writer(*subject, seed);
    Random random(seed);
    for (int round = 0; round < 4; ++round) {
      ASSERT_EQ(work(*subject, writer, random, 60), "") << "seed " << seed;
      ASSERT_EQ(writer.settle(), "") << "seed " << seed;
      ASSERT_EQ(writer.check(), "") << "seed " << seed;
    }
    ASSERT_GT(writer.committed(), 10u) << "seed " << seed;
  }
}

TEST_P(LogContract, ARestartFindsEveryGroupWholeOrNotAtAll) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto subject = make(seed);
    LogWriter writer(*subject, seed);
    Random random(seed);
    for (int life = 0; life < 4; ++life) {
      ASSERT_EQ(work(*subject, writer, random, static_cast<int>(random.below(80))), "") << "seed " << seed;
      subject->restart();
      writer.restarted();
      ASSERT_EQ(writer.check(), "") << "seed " << seed << " life " << life;
    }
  }
}

TEST_P(LogContract, RetentionRemovesThePastOnly) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto subject = make(seed);
    LogWriter writer(*subject, seed);
    Random random(seed);
    uint64_t removed = 0;
    for (int round = 0; round < 4; ++round) {
      ASSERT_EQ(work(*subject, writer, random, 150), "") << "seed " << seed;
      ASSERT_EQ(writer.settle(), "") << "seed " << seed;
      subject->forget();
      ASSERT_EQ(writer.check(), "") << "seed " << seed;
      for (uint32_t stream = 1; stream <= 3; ++stream) {
        const StreamPartition where{StreamId(stream), PartitionId(0)};
        const auto range = subject->log().range(where);
        if (range->first == Offset(0)) continue;
        ++removed;
        const auto gone = subject->log().fetch(where, Offset(range->first.value - 1), 1000);
        ASSERT_FALSE(gone.ok()) << "seed " << seed;
        ASSERT_EQ(gone.error().code, Code::kGone) << "seed " << seed;
      }
      if (random.chance(2)) {
        subject->restart();
        ASSERT_EQ(writer.check(), "") << "seed " << seed;
      }
    }
    ASSERT_GT(removed, 0u) << "seed " << seed;
  }
}

TEST_P(LogContract, AFailureThatIsFinalLosesNothingThatWasAnswered) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto subject = make(seed);
    LogWriter writer(*subject, seed);
    Random random(seed);
    ASSERT_EQ(work(*subject, writer, random, 60), "") << "seed " << seed;
    subject->fail();
    for (int i = 0; i < 20; ++i) {
      ASSERT_FALSE(writer.send()) << "seed " << seed;
      ASSERT_EQ(writer.take_answers(), "") << "seed " << seed;
    }
    subject->restart();
    writer.restarted();
    ASSERT_EQ(writer.check(), "") << "seed " << seed;
    ASSERT_EQ(work(*subject, writer, random, 30), "") << "seed " << seed;
    ASSERT_EQ(writer.settle(), "") << "seed " << seed;
    ASSERT_EQ(writer.check(), "") << "seed " << seed;
  }
}

TEST_P(LogContract, UnansweredBytesAreBounded) {
  const auto subject = make(7);
  LogWriter writer(*subject, 7);
  int refused_in_a_row = 0;
  for (int i = 0; i < 10'000 && refused_in_a_row < 100; ++i) {
    refused_in_a_row = writer.send() ? 0 : refused_in_a_row + 1;
  }
  ASSERT_EQ(refused_in_a_row, 100) << "appends without an end";
  ASSERT_EQ(writer.settle(), "");
  ASSERT_EQ(writer.check(), "");
  bool taken = false;
  for (int i = 0; i < 100 && !taken; ++i) taken = writer.send();
  EXPECT_TRUE(taken);
}

// Appends one batch until it is committed.
log::BatchPlace append_one(LogSubject& subject, StreamPartition where, int count) {
  std::optional<log::Ticket> ticket;
  for (int i = 0; i < 100'000; ++i) {
    if (!ticket) {
      log::RecordBatchBuilder builder;
      for (int n = 0; n < count; ++n) builder.add("key", "value", 1000);
      log::Group group;
      group.batches.push_back({where, builder.finish()});
      auto appended = subject.log().append_group(std::move(group), {});
      if (appended.ok()) ticket = *appended;
    }
    std::vector<log::Outcome> outcomes;
    subject.log().poll_outcomes(outcomes);
    for (auto& outcome : outcomes) {
      if (outcome.committed) return outcome.places[0];
      ticket.reset();
    }
    subject.turn();
  }
  ADD_FAILURE() << "never committed";
  return {};
}

TEST_P(LogContract, ABatchIsFoundByEachOfItsOffsets) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const auto subject = make(seed);
    const StreamPartition where{StreamId(9), PartitionId(3)};
    std::vector<log::BatchPlace> places;
    for (int i = 0; i < 20; ++i) places.push_back(append_one(*subject, where, 1 + i % 5));
    for (const auto& place : places) {
      for (int64_t offset = place.first.value; offset < place.first.value + place.count; ++offset) {
        const auto fetched = subject->log().fetch(where, Offset(offset), 1);
        ASSERT_TRUE(fetched.ok());
        ASSERT_FALSE(fetched->batches.empty());
        EXPECT_EQ(fetched->batches[0].first, place.first);
        EXPECT_GE(fetched->next.value, place.first.value + place.count);
      }
    }
  }
}

TEST_P(LogContract, OffsetsAreFoundByAppendTime) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const auto subject = make(seed);
    const StreamPartition where{StreamId(9), PartitionId(3)};
    std::vector<std::pair<AppendTime, log::BatchPlace>> stamped;
    for (int i = 0; i < 20; ++i) {
      subject->turn();
      const AppendTime before = subject->now();
      stamped.emplace_back(before, append_one(*subject, where, 2));
      subject->turn();
    }
    int64_t last = -1;
    for (const auto& [before, place] : stamped) {
      const auto found = subject->log().offset_at(where, before);
      ASSERT_TRUE(found.ok());
      EXPECT_GT(found->value, last) << "an earlier batch";
      EXPECT_LE(*found, place.first) << "a later batch";
      last = place.first.value + place.count - 1;
    }
    EXPECT_EQ(*subject->log().offset_at(where, subject->now()), subject->log().range(where)->end);
  }
}

TEST_P(LogContract, AnUnknownPartitionIsEmpty) {
  const auto subject = make(3);
  const StreamPartition where{StreamId(99), PartitionId(0)};
  const auto range = subject->log().range(where);
  ASSERT_TRUE(range.ok());
  EXPECT_EQ(range->first, range->end);
  const auto fetched = subject->log().fetch(where, range->end, 1000);
  ASSERT_TRUE(fetched.ok());
  EXPECT_TRUE(fetched->batches.empty());
  EXPECT_EQ(subject->log().last_position("nobody").error().code, Code::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(All, LogContract,
                         ::testing::Values(Implementation{"Journal", make_journal_subject},
                                           Implementation{"HostileLog", make_hostile_subject}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace millrace::conformance
