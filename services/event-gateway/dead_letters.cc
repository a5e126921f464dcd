#include "event-gateway/dead_letters.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/buffer.h"
#include "event/text.h"
#include "formats/json.h"

namespace millrace::gateway {
namespace {

using Outcome = engine::LetterTrial::Outcome;

Error no_such_letter(Offset letter) {
  return error(Code::kNotFound, "MR-DLQ-0001", fmt::format("there is no dead letter {}", letter.value),
               "GET /v1/dead-letters lists those that are kept");
}
Error is_discarded(Offset letter) {
  return error(Code::kConflict, "MR-DLQ-0002", fmt::format("dead letter {} was discarded", letter.value),
               "what is discarded stays so; the event can be sent to a stream again");
}
Error is_redriven(Offset letter) {
  return error(Code::kConflict, "MR-DLQ-0003", fmt::format("dead letter {} was redriven", letter.value),
               "if its query could not use it again there is a new dead letter of it");
}
Error no_such_query(const Letter& letter) {
  return error(Code::kConflict, "MR-DLQ-0004",
               fmt::format("the query \"{}\" that could not use dead letter {} is not there any more",
                           letter.query, letter.number.value),
               "a query that is made anew reads the stream's events itself; discard the letter");
}
Error cannot_be_redriven(const Letter& letter, std::string_view why, std::string hint) {
  return error(Code::kConflict, "MR-DLQ-0005",
               fmt::format("dead letter {} cannot be redriven: {}", letter.number.value, why),
               std::move(hint));
}
Error would_fail_again(const Letter& letter, const engine::LetterTrial& trial) {
  Error failure =
      error(Code::kConflict, "MR-DLQ-0006",
            fmt::format("dead letter {} would be one again: {}", letter.number.value, trial.message),
            "correct its payload, or discard it");
  failure.detail = trial.code;
  return failure;
}
Error no_processor() {
  return error(Code::kUnavailable, "MR-DLQ-0010", "no queries run on this node",
               "ask one that was not started with --gateway-only");
}
Error too_busy() {
  return error(Code::kExhausted, "MR-QRY-0004", "too many queries are waiting", "try again shortly");
}

// The query's stream of that name, as the letter calls it.
Result<StreamId> stream_of(const engine::QueryPlan& plan, const Letter& letter) {
  if (plan.updating()) {
    return cannot_be_redriven(letter, "the rows of its stream replace each other",
                              "send the event to the stream again, as the newest of its row");
  }
  size_t times = 0;
  StreamId id;
  const auto take = [&](const engine::StreamDef& stream) {
    if (stream.name != letter.stream) return;
    ++times;
    id = stream.id;
  };
  if (plan.arms.empty()) take(*plan.source);
  for (const auto& arm : plan.arms) take(*arm.source);
  if (times == 0) return no_such_query(letter);
  if (times == 1) return id;
  return cannot_be_redriven(letter, "its query reads the stream more than once, and has used it elsewhere",
                            "send what is missing as an event of its own");
}

// A group has taken it already where another one was full.
bool may_count_twice(const engine::QueryPlan& plan, const Letter& letter) {
  return !plan.grouping_sets.empty() && (letter.code == "MR-SQL-0102" || letter.code == "MR-SQL-0117");
}

}  // namespace

struct DeadLetters::Preparing {
  std::vector<Prepared> letters;
  sql::CatalogPtr catalog;
  AppendTime now;
  std::map<uint32_t, std::vector<engine::LateBefore>> late_before;  // by query
  size_t asked = 1;  // queries that have not answered, and who asks them

  void find_queries(engine::LetterQueries& queries) {
    each([&](Prepared& one) { return find_query(queries, one); });
  }
  void try_all(engine::LetterQueries& queries) {
    each([&](Prepared& one) { return try_one(queries, one); });
  }

 private:
  template <typename Act>
  void each(Act act) {
    for (Prepared& one : letters) {
      if (one.refused || one.letter.is_outside()) continue;
      if (Status done = act(one); !done.ok()) one.refused = done.error();
    }
  }
  Status find_query(engine::LetterQueries& queries, Prepared& one) const {
    const Letter& letter = one.letter;
    if (!letter.offset || !letter.partition) {
      return cannot_be_redriven(letter, "it is a group's row, made of many events",
                                "correct the query: CREATE OR REPLACE, or CASE around what fails");
    }
    TRY_ASSIGN(const QueryId id,
               queries.writer_of(catalog->dead_letters(letter.tenant)->id, letter.number, letter.frame));
    const auto* entry = catalog->find(sql::DefinitionId(id.value));
    if (entry == nullptr || !entry->query) return no_such_query(letter);
    one.plan = entry->query;
    TRY_ASSIGN(const StreamId stream, stream_of(*one.plan, letter));
    if (may_count_twice(*one.plan, letter)) {
      return cannot_be_redriven(letter, "some of its GROUPING SETS have counted it",
                                "DROP the query and create it anew");
    }
    one.event = {{stream, *letter.partition}, *letter.offset, letter.event()};
    return {};
  }
  Status try_one(engine::LetterQueries& queries, Prepared& one) const {
    const auto late = late_before.find(one.plan->id.value);
    static const std::vector<engine::LateBefore> kNever;
    TRY_ASSIGN(one.trial, queries.try_event(one.plan, one.event, now,
                                            late == late_before.end() ? kNever : late->second));
    return {};
  }
};

DeadLetters::DeadLetters(log::Journal& journal, const sql::Definitions& definitions,
                         engine::StreamReads& streams, engine::Background& background, Ingest& ingest,
                         Limits limits)
    : journal_(journal),
      ingest_(ingest),
      definitions_(definitions),
      streams_(streams),
      background_(background),
      limits_(limits) {}
DeadLetters::~DeadLetters() = default;

// ----- reading

void DeadLetters::scan(LetterScanRequest request, LetterVisit visit, LetterScanDone done) {
  auto stream = definitions_.catalog()->dead_letters(request.tenant);
  if (stream == nullptr) return done(std::optional<Offset>());
  scan_letters(journal_, streams_, std::move(stream), states_, std::move(request), std::move(visit),
               std::move(done));
}

void DeadLetters::find(TenantId tenant, Offset letter, OneDone done) {
  LetterScanRequest request;
  request.tenant = tenant;
  request.newest_first = false;
  request.after = Offset(letter.value - 1);
  request.most_scanned = 1;
  auto found = std::make_shared<std::optional<Letter>>();
  scan(
      std::move(request),
      [found, letter](Letter one) {
        if (one.number == letter) *found = std::move(one);
        return false;
      },
      [found, letter, done = std::move(done)](const Result<std::optional<Offset>>& end) {
        if (!end.ok()) return done(end.error());
        if (!*found) return done(no_such_letter(letter));
        done(std::move(**found));
      });
}

// ----- actions

// True: the letter has an action that is not durable yet; `then` comes when it is.
bool DeadLetters::wait_for(const Asked& asked, std::function<void()> then) {
  if (!under_way_.contains({asked.tenant, asked.letter.value})) return false;
  waiting_.push_back(std::move(then));
  return true;
}

Status DeadLetters::check_room(TenantId tenant, size_t letters, size_t bytes) {
  if (states_.has_room(tenant, letters, bytes)) return {};
  if (const auto stream = definitions_.catalog()->dead_letters(tenant)) {
    TRY_ASSIGN(const auto kept, journal_.range({stream->id, PartitionId(0)}));
    states_.forget_before(tenant, kept.first);
  }
  if (states_.has_room(tenant, letters, bytes)) return {};
  return error(
      Code::kExhausted, "MR-DLQ-0008",
      fmt::format("something was done with {} dead letters, or they were corrected with more than {} MB",
                  LetterStates::kMostLetters, LetterStates::kMostBytes >> 20),
      "they go with their retention");
}

Status DeadLetters::check_rate(TenantId tenant) {
  auto& rate = rates_.try_emplace(tenant, limits_.redriven_per_s).first->second;
  if (rate.has_room(journal_.now().value)) return {};
  return error(Code::kExhausted, "MR-DLQ-0009",
               fmt::format("more than {} dead letters a second are redriven", limits_.redriven_per_s),
               "go on a little later");
}

Status DeadLetters::append(std::vector<Action> actions, Ingest::TakenAgain taken,
                           std::function<void()> done) {
  std::vector<log::ControlAppend> controls;
  for (const Action& action : actions) controls.push_back({log::ControlKind::kLetter, encode(action)});
  TRY_ASSIGN(const auto appended, ingest_.append_again(std::move(taken), std::move(controls)));
  for (const Action& action : actions) under_way_.insert({action.tenant, action.letter.value});
  pending_.push_back({appended.cut, appended.time, std::move(actions), std::move(done)});
  return {};
}

void DeadLetters::append_one(const Asked& asked, Action action, OneDone done) {
  action.tenant = asked.tenant;
  action.letter = asked.letter;
  action.by = asked.by;
  Status taken = check_room(asked.tenant, 1, action.event.payload.size());
  if (taken.ok())
    taken = append({std::move(action)}, {}, [this, asked, done] { find(asked.tenant, asked.letter, done); });
  if (!taken.ok()) done(taken.error());
}

Result<engine::StreamPtr> DeadLetters::stream_outside(const Letter& letter) const {
  const auto* entry = definitions_.catalog()->find(letter.tenant, letter.stream);
  const bool there =
      entry != nullptr && entry->stream && entry->stream->kind == engine::StreamKind::kDeclared;
  if (there && letter.frame > entry->definition.activated_at.value_or(Cut(0))) return entry->stream;
  return cannot_be_redriven(letter,
                            there ? "its stream was made anew since" : "its stream is not there any more",
                            "send its event to a stream, and discard it");
}

// The event has to be one of its stream, and to stay where it is: its key decides who counts it. One that is outside
// nobody has counted.
Status DeadLetters::check_edit(const Letter& letter, const std::string& payload) const {
  if (letter.is_outside()) {
    TRY_ASSIGN(auto taker, stream_outside(letter));
    const auto tried = ingest_.take_again(letter.tenant, {{std::move(taker), payload}});
    return tried.outcomes.front().ok() ? Status() : Status(tried.outcomes.front().error());
  }
  const auto catalog = definitions_.catalog();
  const auto* entry = catalog->find(letter.tenant, letter.stream);
  if (entry == nullptr || !entry->stream || !letter.offset) {
    return cannot_be_redriven(
        letter, entry == nullptr ? "its stream is not there any more" : "it is no event", "discard it");
  }
  const engine::StreamDef& stream = *entry->stream;
  const Buffer before = Buffer::copy(letter.payload);
  const Buffer after = Buffer::copy(payload);
  formats::JsonValidator validator(stream.columns, stream.key_column);
  TRY_ASSIGN(const auto key, validator.validate(after.view()));
  const std::optional<std::string> wanted = key ? std::optional(std::string(*key)) : std::nullopt;
  Schema declared = stream.columns;  // what is added stands behind the key, and the letter may be from before
  std::erase_if(declared, [](const ColumnDef& column) { return column.added; });
  formats::JsonValidator earlier(declared, stream.key_column);
  const auto had = earlier.validate(before.view());
  if (had.ok() && *had == wanted) return {};
  return error(Code::kInvalid, "MR-DLQ-0007", "the corrected event has another key: others would count it",
               "leave the key as it is, or send the event to the stream and discard the letter");
}

void DeadLetters::edit(const Asked& asked, std::string payload, OneDone done) {
  if (wait_for(asked, [this, asked, payload, done] { edit(asked, payload, done); })) return;
  find(asked.tenant, asked.letter, [this, asked, payload = std::move(payload), done](Result<Letter> letter) {
    if (!letter.ok()) return done(letter.error());
    if (has_changed(*letter)) return edit(asked, payload, done);
    if (letter->state.redriven) return done(is_redriven(asked.letter));
    if (letter->state.discarded) return done(is_discarded(asked.letter));
    if (const Status fits = check_edit(*letter, payload); !fits.ok()) return done(fits.error());
    Action action;
    action.kind = Action::Kind::kEdit;
    action.event.payload = payload;
    append_one(asked, std::move(action), done);
  });
}

void DeadLetters::discard(const Asked& asked, OneDone done) {
  if (wait_for(asked, [this, asked, done] { discard(asked, done); })) return;
  find(asked.tenant, asked.letter, [this, asked, done](Result<Letter> letter) {
    if (!letter.ok()) return done(letter.error());
    if (has_changed(*letter)) return discard(asked, done);
    if (letter->state.redriven) return done(is_redriven(asked.letter));
    if (letter->state.discarded) return done(std::move(letter));
    append_one(asked, Action(), done);
  });
}

bool DeadLetters::off_loop(std::function<void()> work, std::function<void()> done) {
  return background_.run(engine::Lane::kReads, std::move(work),
                         [done = std::move(done), alive = std::weak_ptr<bool>(alive_)] {
                           if (!alive.expired()) done();
                         });
}

// Which queries, from their frames; where those stand, from their tasks; then what they would make of the events.
void DeadLetters::prepare(std::vector<Letter> letters, PreparedDone done) {
  const auto work = std::make_shared<Preparing>();
  for (Letter& letter : letters) work->letters.emplace_back().letter = std::move(letter);
  work->catalog = definitions_.catalog();
  work->now = journal_.now();
  const bool outside =
      std::ranges::all_of(work->letters, [](const Prepared& one) { return one.letter.is_outside(); });
  if (outside) return done(std::move(work->letters));
  const bool taken =
      queries_ != nullptr && off_loop([work, queries = queries_] { work->find_queries(*queries); },
                                      [this, work, done] { find_lateness(work, done); });
  if (taken) return;
  for (Prepared& one : work->letters) {
    if (!one.letter.is_outside()) one.refused = queries_ == nullptr ? no_processor() : too_busy();
  }
  done(std::move(work->letters));
}

void DeadLetters::find_lateness(const std::shared_ptr<Preparing>& work, const PreparedDone& done) {
  for (const Prepared& one : work->letters) {
    if (one.refused || one.plan == nullptr || !one.plan->closes_windows()) continue;
    if (!work->late_before.try_emplace(one.plan->id.value).second) continue;
    ++work->asked;
    // A query that has stopped does not say: then the trial does without.
    views_->inspect(one.plan->id, [this, work, done, id = one.plan->id.value,
                                   alive = std::weak_ptr<bool>(alive_)](Result<engine::QueryReport> report) {
      if (alive.expired()) return;
      if (report.ok()) work->late_before[id] = std::move(report->late_before);
      if (--work->asked == 0) try_all(work, done);
    });
  }
  if (--work->asked == 0) try_all(work, done);
}

void DeadLetters::try_all(const std::shared_ptr<Preparing>& work, const PreparedDone& done) {
  const bool taken = off_loop([work, queries = queries_] { work->try_all(*queries); },
                              [work, done] { done(std::move(work->letters)); });
  if (taken) return;
  for (Prepared& one : work->letters) {
    if (one.plan != nullptr) one.refused = too_busy();
  }
  done(std::move(work->letters));
}

// Into their streams, as these are now.
Ingest::TakenAgain DeadLetters::try_outside(std::vector<Prepared>& letters) const {
  std::vector<Ingest::Again> events;
  std::vector<Prepared*> tried;
  for (Prepared& one : letters) {
    if (!one.letter.is_outside() || one.refused || has_changed(one.letter)) continue;
    auto stream = stream_outside(one.letter);
    if (!stream.ok()) {
      one.refused = std::move(stream).error();
      continue;
    }
    events.push_back({std::move(*stream), one.letter.event()});
    tried.push_back(&one);
  }
  if (events.empty()) return {};
  auto taken = ingest_.take_again(tried.front()->letter.tenant, events);
  for (size_t i = 0; i < tried.size(); ++i) tell_outcome(taken.outcomes[i], *tried[i]);
  return taken;
}

void DeadLetters::tell_outcome(const Result<bool>& outcome, Prepared& one) {
  if (outcome.ok() && *outcome) {
    one.trial.outcome = Outcome::kPasses;
  } else if (outcome.ok()) {
    one.refused = cannot_be_redriven(one.letter, "its stream has the event already", "discard it");
  } else if (outcome.error().code == Code::kUnavailable) {
    one.refused = outcome.error();
  } else {
    const Error& why = outcome.error();
    one.trial = {Outcome::kFails, {}, std::string(engine::kDoesNotFit), why.id, why.message};
  }
}

void DeadLetters::dry_run(const Asked& asked, TriedDone done) {
  if (wait_for(asked, [this, asked, done] { dry_run(asked, done); })) return;
  find(asked.tenant, asked.letter, [this, asked, done](Result<Letter> letter) {
    if (!letter.ok()) return done(letter.error());
    if (has_changed(*letter)) return dry_run(asked, done);
    prepare({std::move(*letter)}, [this, done](std::vector<Prepared> prepared) {
      try_outside(prepared);
      Prepared& one = prepared.front();
      if (one.refused) return done(*one.refused);
      done(TriedLetter{std::move(one.letter), std::move(one.trial)});
    });
  });
}

void DeadLetters::redrive(const Asked& asked, OneDone done) {
  if (wait_for(asked, [this, asked, done] { redrive(asked, done); })) return;
  find(asked.tenant, asked.letter, [this, asked, done](Result<Letter> letter) {
    if (!letter.ok()) return done(letter.error());
    if (letter->state.discarded) return done(is_discarded(asked.letter));
    if (letter->state.redriven) return done(std::move(letter));
    prepare({std::move(*letter)}, [this, asked, done](std::vector<Prepared> prepared) {
      redrive_prepared(asked.by, std::move(prepared), {}, [this, asked, done](Result<RedriveReport> told) {
        if (!told.ok()) return done(told.error());
        if (!told->skipped.empty()) return done(told->skipped.front().why);
        // Meanwhile it was edited, discarded or redriven: then all of it once more.
        if (told->redriven == 0) return redrive(asked, done);
        find(asked.tenant, asked.letter, done);
      });
    });
  });
}

// Whether something was done with it since it was read.
bool DeadLetters::has_changed(const Letter& letter) const {
  if (under_way_.contains({letter.tenant, letter.number.value})) return true;
  const LetterState* const now = states_.find(letter.tenant, letter.number);
  return now != nullptr && (now->name() != letter.state.name() || now->payload != letter.state.payload);
}

void DeadLetters::redrive_prepared(const std::string& by, std::vector<Prepared> prepared,
                                   std::optional<Offset> next, const ReportDone& done) {
  RedriveReport report;
  report.next = next;
  std::vector<Action> actions;
  auto taken = try_outside(prepared);
  const auto catalog = definitions_.catalog();
  for (Prepared& one : prepared) {
    const Letter& letter = one.letter;
    if (has_changed(letter)) continue;
    if (one.plan && !one.refused && catalog->find(sql::DefinitionId(one.plan->id.value)) == nullptr)
      one.refused = no_such_query(letter);
    if (!one.refused && one.trial.outcome == Outcome::kFails)
      one.refused = would_fail_again(letter, one.trial);
    if (one.refused) {
      report.skipped.push_back({letter.number, std::move(*one.refused)});
      continue;
    }
    actions.push_back({Action::Kind::kRedrive, letter.tenant, letter.number, by, std::move(one.event),
                       one.plan ? one.plan->id : QueryId()});
  }
  report.redriven = actions.size();
  if (actions.empty()) return done(std::move(report));
  const TenantId tenant = actions.front().tenant;
  Status kept = check_rate(tenant);
  if (kept.ok()) kept = check_room(tenant, actions.size(), 0);
  if (kept.ok()) kept = append(std::move(actions), std::move(taken), [done, report] { done(report); });
  if (!kept.ok()) return done(kept.error());
  rates_.at(tenant).take(static_cast<double>(report.redriven));
  redriven_[tenant] += report.redriven;
}

void DeadLetters::redrive_all(LetterScanRequest request, size_t limit, const std::string& by,
                              ReportDone done) {
  if (const Status allowed = check_rate(request.tenant); !allowed.ok()) return done(allowed.error());
  request.newest_first = false;
  struct Found {
    std::vector<Letter> letters;
    size_t bytes = 0;
  };
  const auto found = std::make_shared<Found>();
  scan(
      std::move(request),
      [found, limit, most = limits_.redriven_bytes_a_request](Letter letter) {
        if (letter.state.redriven || letter.state.discarded) return true;
        found->bytes += letter.event().size();
        found->letters.push_back(std::move(letter));
        return found->letters.size() < limit && found->bytes < most;
      },
      [this, found, by, done](Result<std::optional<Offset>> next) {
        if (!next.ok()) return done(next.error());
        prepare(std::move(found->letters), [this, by, next = *next, done](std::vector<Prepared> prepared) {
          for (Prepared& one : prepared) refuse_older_rows(one);
          redrive_prepared(by, std::move(prepared), next, done);
        });
      });
}

// One by one somebody has looked at it.
void DeadLetters::refuse_older_rows(Prepared& one) const {
  if (!one.letter.is_outside()) return;
  const auto stream = stream_outside(one.letter);
  if (stream.ok() && (*stream)->updating())
    one.refused = cannot_be_redriven(one.letter, "its row may have a newer one in the stream by now",
                                     "redrive it alone, if it is the newest");
}

double DeadLetters::retry_after_s(TenantId tenant) const {
  const auto rate = rates_.find(tenant);
  return rate == rates_.end() ? 0 : rate->second.wait_s();
}

uint64_t DeadLetters::redriven(TenantId tenant) const {
  const auto found = redriven_.find(tenant);
  return found == redriven_.end() ? 0 : found->second;
}

// ----- the journal's progress

void DeadLetters::on_durable(Cut durable) {
  std::vector<std::function<void()>> calls;
  while (!pending_.empty() && pending_.front().cut <= durable) {
    Pending one = std::move(pending_.front());
    pending_.pop_front();
    for (const Action& action : one.actions) {
      states_.apply(action, one.at, one.cut);
      under_way_.erase({action.tenant, action.letter.value});
    }
    calls.push_back(std::move(one.done));
  }
  if (calls.empty()) return;
  // Those that wait for a letter that is still under way wait again.
  std::vector<std::function<void()>> waiting;
  waiting.swap(waiting_);
  for (const auto& call : calls) call();
  for (const auto& call : waiting) call();
}

void DeadLetters::replay(const log::Frame& frame) {
  for (const auto& control : frame.controls) {
    if (control.kind != log::ControlKind::kLetter) continue;
    const auto action = engine::decode_letter_action(control.payload.view());
    if (action.ok()) states_.apply(*action, frame.time, frame.cut);  // else `log verify` reports it
  }
}

std::string DeadLetters::save() {
  for (const auto* entry : definitions_.catalog()->all()) {
    if (entry->definition.kind != metadata::DefinitionKind::kTenant) continue;
    const auto kept = journal_.range({entry->stream->id, PartitionId(0)});
    if (kept.ok()) states_.forget_before(TenantId(entry->definition.id.value), kept->first);
  }
  return states_.save();
}

}  // namespace millrace::gateway
