#include "tests/conformance/log_cases.h"

#include <optional>

#include "log/record_batch.h"
#include "tests/conformance/log_writer.h"

namespace millrace::conformance {
namespace {

// Sends, turns and takes answers in any order; reads in between if asked.
Status work(LogSubject& subject, LogWriter& writer, Random& random, int steps, bool read = false) {
  for (int i = 0; i < steps; ++i) {
    if (!random.chance(3)) writer.send();
    if (random.chance(2)) subject.turn();
    if (!random.chance(3)) TRY(writer.take_answers());
    if (read && random.chance(8)) TRY(writer.check());
  }
  return {};
}

Status answered_is_there(LogSubject& subject, uint64_t seed) {
  LogWriter writer(subject, seed);
  Random random(seed);
  for (int round = 0; round < 4; ++round) {
    TRY(work(subject, writer, random, 60));
    TRY(writer.settle());
    TRY(writer.check());
  }
  if (writer.committed() <= 10) return broken("hardly anything was committed");
  return {};
}

Status restart_finds_groups_whole(LogSubject& subject, uint64_t seed) {
  LogWriter writer(subject, seed);
  Random random(seed);
  for (int life = 0; life < 4; ++life) {
    TRY(work(subject, writer, random, static_cast<int>(random.below(80))));
    subject.restart();
    writer.restarted();
    TRY(writer.check());
  }
  return {};
}

// What readers saw while groups were under way must not have been too early.
Status fetched_stays(LogSubject& subject, uint64_t seed) {
  LogWriter writer(subject, seed);
  Random random(seed);
  for (int life = 0; life < 4; ++life) {
    TRY(work(subject, writer, random, 60, true));
    TRY(writer.check());
    subject.restart();
    writer.restarted();
    TRY(writer.check());
  }
  return {};
}

Status check_removed(LogSubject& subject, uint64_t& removed) {
  for (uint32_t stream = 1; stream <= LogWriter::kStreams; ++stream) {
    const StreamPartition where{StreamId(stream), PartitionId(0)};
    const auto range = subject.log().range(where);
    const auto oldest = subject.log().offset_at(where, AppendTime(0));
    if (!oldest.ok() || *oldest < range->first) return broken("the oldest time leads to what is removed");
    if (range->first == Offset(0)) continue;
    ++removed;
    const auto gone = subject.log().fetch(where, Offset(range->first.value - 1), 1000);
    if (gone.ok() || gone.error().code != Code::kGone) return broken("what is removed is not gone");
  }
  return {};
}

Status retention_removes_the_past_only(LogSubject& subject, uint64_t seed) {
  LogWriter writer(subject, seed);
  Random random(seed);
  uint64_t removed = 0;
  for (int round = 0; round < 4; ++round) {
    TRY(work(subject, writer, random, 150));
    TRY(writer.settle());
    TRY(writer.check());
    subject.forget();
    TRY(writer.check());
    TRY(check_removed(subject, removed));
    if (!random.chance(2)) continue;
    subject.restart();
    writer.restarted();
    TRY(writer.check());
  }
  if (removed == 0) return broken("nothing was ever removed");
  return {};
}

Status final_failure_loses_nothing(LogSubject& subject, uint64_t seed) {
  LogWriter writer(subject, seed);
  Random random(seed);
  TRY(work(subject, writer, random, 60));
  subject.fail();
  for (int i = 0; i < 20; ++i) {
    if (writer.send()) return broken("an append after the failure");
    TRY(writer.take_answers());
  }
  subject.restart();
  writer.restarted();
  TRY(writer.check());
  TRY(work(subject, writer, random, 30));
  TRY(writer.settle());
  return writer.check();
}

Status unanswered_bytes_are_bounded(LogSubject& subject, uint64_t seed) {
  LogWriter writer(subject, seed);
  int refused_in_a_row = 0;
  int exhausted = 0;
  for (int i = 0; i < 10'000 && refused_in_a_row < 100; ++i) {
    refused_in_a_row = writer.send() ? 0 : refused_in_a_row + 1;
    if (refused_in_a_row == 0) continue;
    if (!retryable(writer.refusal()->code)) return *writer.refusal();
    exhausted += writer.refusal()->code == Code::kExhausted ? 1 : 0;
  }
  if (refused_in_a_row < 100) return broken("appends without an end");
  if (exhausted == 0) return broken("a full log does not say so");
  TRY(writer.settle());
  TRY(writer.check());
  for (int i = 0; i < 100; ++i) {
    if (writer.send()) return {};
  }
  return broken("nothing is taken after everything was answered");
}

Status every_offset_leads_on(LogSubject& subject, uint64_t seed) {
  LogWriter writer(subject, seed);
  Random random(seed);
  TRY(work(subject, writer, random, 60));
  TRY(writer.settle());
  TRY(writer.check());
  return writer.check_every_offset();
}

// Appends the group until it is committed; nothing but the outcome is looked at.
std::optional<log::Outcome> append(LogSubject& subject, const log::Group& group) {
  std::optional<log::Ticket> ticket;
  for (int i = 0; i < 100'000; ++i) {
    if (!ticket) {
      const auto appended = subject.log().append_group(group, {});
      if (appended.ok()) ticket = *appended;
    }
    std::vector<log::Outcome> outcomes;
    subject.log().poll_outcomes(outcomes);
    for (auto& outcome : outcomes) {
      if (outcome.committed) return std::move(outcome);
      ticket.reset();
    }
    subject.turn();
  }
  return std::nullopt;
}

Status a_group_may_hold_controls_alone(LogSubject& subject, uint64_t) {
  log::Group group;
  group.controls.push_back({log::ControlKind::kTick, "tick"});
  const auto outcome = append(subject, group);
  if (!outcome) return broken("it is never committed");
  if (!outcome->places.empty()) return broken("it has a place");
  return {};
}

// Nothing of it is taken, and asking again does not help.
Status what_is_no_group_is_refused(LogSubject& subject, uint64_t seed) {
  LogWriter writer(subject, seed);
  log::RecordBatchBuilder builder;
  builder.add("key", "value", 1000);
  const std::string whole = builder.finish();
  const StreamPartition where{StreamId(1), PartitionId(0)};
  log::Group none;
  log::Group torn;
  torn.batches = {{where, whole}, {where, whole.substr(0, whole.size() - 1)}};
  for (const auto& group : {none, torn}) {
    std::optional<Error> refusal;
    for (int i = 0; i < 100 && (!refusal || retryable(refusal->code)); ++i) {
      const auto appended = subject.log().append_group(group, {});
      if (appended.ok()) return broken("it was taken");
      refusal = appended.error();
    }
    if (retryable(refusal->code)) return *refusal;
  }
  TRY(writer.settle());
  return writer.check();
}

Status offsets_are_found_by_append_time(LogSubject& subject, uint64_t) {
  const StreamPartition where{StreamId(9), PartitionId(3)};
  std::vector<std::pair<AppendTime, log::BatchPlace>> stamped;
  log::RecordBatchBuilder builder;
  builder.add("key", "value", 1000);
  builder.add("key", "value", 1000);
  const std::string batch = builder.finish();
  for (int i = 0; i < 20; ++i) {
    subject.turn();
    const AppendTime before = subject.now();
    log::Group group;
    group.batches.push_back({where, batch});
    const auto outcome = append(subject, group);
    if (!outcome) return broken("never committed");
    stamped.emplace_back(before, outcome->places[0]);
    subject.turn();
  }
  int64_t last = -1;
  for (const auto& [before, place] : stamped) {
    const auto found = subject.log().offset_at(where, before);
    if (!found.ok()) return found.error();
    if (found->value <= last) return broken("the time leads to an earlier batch");
    if (*found > place.first) return broken("the time leads to a later batch");
    last = place.first.value + place.count - 1;
  }
  const auto now = subject.log().offset_at(where, subject.now());
  if (!now.ok() || *now != subject.log().range(where)->end) return broken("now is not at the end");
  return {};
}

Status an_unknown_partition_is_empty(LogSubject& subject, uint64_t) {
  const StreamPartition where{StreamId(99), PartitionId(0)};
  const auto range = subject.log().range(where);
  if (!range.ok() || range->first != range->end) return broken("it has a range");
  const auto fetched = subject.log().fetch(where, range->end, 1000);
  if (!fetched.ok() || !fetched->batches.empty()) return broken("there is something in it");
  const auto position = subject.log().last_position("nobody");
  if (position.ok() || position.error().code != Code::kNotFound) return broken("nobody has a position");
  return {};
}

}  // namespace

const std::vector<LogCase>& log_cases() {
  static const std::vector<LogCase> cases = {
      {"WhatIsAnsweredIsThereAndNothingElse", 40, answered_is_there},
      {"ARestartFindsEveryGroupWholeOrNotAtAll", 40, restart_finds_groups_whole},
      {"WhatWasFetchedStaysWhereItIs", 40, fetched_stays},
      {"RetentionRemovesThePastOnly", 40, retention_removes_the_past_only},
      {"AFailureThatIsFinalLosesNothingThatWasAnswered", 40, final_failure_loses_nothing},
      {"UnansweredBytesAreBounded", 5, unanswered_bytes_are_bounded},
      {"EveryOffsetLeadsToTheNextRecord", 20, every_offset_leads_on},
      {"AGroupMayHoldControlsAlone", 5, a_group_may_hold_controls_alone},
      {"WhatIsNoGroupIsRefused", 5, what_is_no_group_is_refused},
      {"OffsetsAreFoundByAppendTime", 10, offsets_are_found_by_append_time},
      {"AnUnknownPartitionIsEmpty", 1, an_unknown_partition_is_empty},
  };
  return cases;
}

}  // namespace millrace::conformance
