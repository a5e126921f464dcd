// The oracle: the final log against what clients were told, and every answer against the naive evaluator.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "base/hash.h"
#include "engine/dead_letter.h"
#include "log/record_batch.h"
#include "sql/definitions.h"
#include "tests/sim/changed_rows.h"
#include "tests/sim/world.h"

namespace millrace::sim {
namespace {

using Kind = ClientObject::Kind;
using ObjectState = ClientObject::State;
using RequestState = ClientRequest::State;

constexpr size_t kShownDifferences = 4;

std::string places(const std::set<Place>& expected, const std::set<Place>& actual) {
  std::multiset<std::string> a, b;
  for (const auto& p : expected) a.insert(fmt::format("partition {} offset {}", p.first, p.second));
  for (const auto& p : actual) b.insert(fmt::format("partition {} offset {}", p.first, p.second));
  return difference(a, b);
}

}  // namespace

std::string difference(const std::multiset<std::string>& expected, const std::multiset<std::string>& actual) {
  std::vector<std::string> missing, extra;
  std::set_difference(expected.begin(), expected.end(), actual.begin(), actual.end(),
                      std::back_inserter(missing));
  std::set_difference(actual.begin(), actual.end(), expected.begin(), expected.end(),
                      std::back_inserter(extra));
  std::string out = fmt::format("{} rows expected, {} found", expected.size(), actual.size());
  for (size_t i = 0; i < missing.size() && i < kShownDifferences; ++i)
    out += "\n    missing:    " + missing[i];
  for (size_t i = 0; i < extra.size() && i < kShownDifferences; ++i) out += "\n    unexpected: " + extra[i];
  return out;
}

// A frame's events go to the log; the hash says what it holds.
uint64_t World::record_frame(const log::Frame& frame, FinalLog& log) {
  uint64_t hash = stable_hash(std::to_string(frame.time.value));
  FrameMark mark{frame.cut, frame.time, false};
  for (const auto& control : frame.controls) {
    mark.start |= control.kind == log::ControlKind::kStart || control.kind == log::ControlKind::kLeap;
    hash = hash * 31 + stable_hash(control.payload.view());
    if (control.kind != log::ControlKind::kActivation) continue;
    const auto activation = sql::decode_activation(control.payload.view());
    if (!activation.ok()) return fail("an activation does not parse"), hash;
    if (activation->what != sql::Activation::What::kStart) continue;
    log.starts[activation->definition.value] = activation->oldest;
    if (activation->oldest > removed_up_to_)
      return fail("a definition says that more was gone than ever was"), hash;
  }
  log.frames.push_back(mark);
  for (const auto& batch : frame.batches) {
    hash = hash * 31 + stable_hash(batch.bytes.view());
    log.bytes[batch.where.stream][frame.cut] += batch.bytes.size();
    auto view = log::RecordBatchView::parse(batch.bytes.view(), true);
    if (!view.ok()) return fail("a batch in the log does not parse: " + view.error().to_string()), hash;
    log::RecordBatchView::Cursor cursor(*view);
    for (log::Record record; cursor.next(record);) {
      log.streams[batch.where.stream].push_back(
          {frame.cut, frame.time, batch.where.partition, record.offset, std::string(record.value)});
    }
  }
  return hash;
}

void World::note_removed() {
  const Cut gone(node_->journal().first_cut().value - 1);
  if (gone <= removed_up_to_) return;
  for (const auto& object : objects_) {
    if (object.kind != Kind::kView && object.state == ObjectState::kThere)
      check_removed(object, removed_up_to_, gone);
  }
  removed_up_to_ = gone;
  report_.removed = gone.value;
}

// Only what is too old, or behind enough that is kept, may go.
void World::check_removed(const ClientObject& object, Cut from, Cut to) {
  const StreamId stream = sql::stream_of(object.definition);
  const LogEvent* last = nullptr;
  for (const auto& event : log_.events(stream)) {
    if (event.cut > from && event.cut <= to) last = &event;
  }
  if (last == nullptr) return;
  uint64_t kept = 0;
  const auto& bytes = log_.bytes[stream];
  for (auto at = bytes.upper_bound(to); at != bytes.end(); ++at) kept += at->second;
  const bool old = object.kept.us > 0 && last->time.value < node_->journal().now().value - object.kept.us;
  const bool enough = object.kept.bytes > 0 && kept >= object.kept.bytes;
  if (old || enough) return;
  fail(
      fmt::format("retention removed frames up to {}, with an event of {} at cut {}, {} s old; behind it {} "
                  "bytes are kept\n  {}",
                  to.value, object.name, last->cut.value,
                  (node_->journal().now().value - last->time.value) / 1'000'000, kept, object.sql));
}

// What is durable stays as it is: remembered once, and compared with the journal at the end.
void World::record() {
  auto& journal = node_->journal();
  note_removed();
  const Cut durable = journal.durable_cut();
  if (durable < log_.end()) {
    return fail(
        fmt::format("frames up to {} were durable, the journal ends at {}", log_.end().value, durable.value));
  }
  while (log_.end() < durable && !failed()) {
    const auto frames = journal.read_frames(log_.end(), durable, 1u << 20);
    if (!frames.ok() || frames->empty()) {
      if (files_->troubled()) return;
      return fail("the journal cannot be read: " +
                  (frames.ok() ? "no frames before its end" : frames.error().to_string()));
    }
    for (const auto& frame : *frames) frame_hashes_.push_back(record_frame(*frame, log_));
  }
}

const FinalLog& World::read_log() {
  record();
  auto& journal = node_->journal();
  FinalLog again;
  for (Cut at(journal.first_cut().value - 1); at < journal.end_cut() && !failed();) {
    const auto frames = journal.read_frames(at, journal.end_cut(), 1u << 20);
    if (!frames.ok() || frames->empty()) {
      fail("the journal cannot be read: " +
           (frames.ok() ? "no frames before its end" : frames.error().to_string()));
      break;
    }
    for (const auto& frame : *frames) {
      at = frame->cut;
      if (at.value <= frame_hashes_.size() && record_frame(*frame, again) == frame_hashes_[at.value - 1])
        continue;
      fail(fmt::format("frame {} is not what it was when it became durable", at.value));
    }
  }
  report_.frames = log_.frames.size();
  return log_;
}

void World::check_everything() {
  const FinalLog& log = read_log();
  if (failed()) return;
  read_letters(log);
  check_requests(log);
  check_readers(log);
  for (size_t i = 0; i < objects_.size() && !failed(); ++i) {
    if (objects_[i].kind == Kind::kDerived) check_derived(objects_[i], log);
    if (objects_[i].kind == Kind::kView && objects_[i].state == ObjectState::kThere)
      check_view(objects_[i], log, true);
  }
  if (!failed()) check_followers(log);
}

void World::check_requests(const FinalLog& log) {
  std::map<int64_t, const LogEvent*> by_id;
  size_t in_log = 0;
  for (const auto& object : objects_) {
    if (object.kind != Kind::kStream || object.late_of || object.definition.value == 0) continue;
    for (const auto& event : log.events(sql::stream_of(object.definition))) {
      const auto json = nlohmann::json::parse(event.value, nullptr, false);
      if (!json.is_object() || !json.contains("id"))
        return fail("an event in the log that nobody sent: " + event.value);
      const int64_t id = json["id"].get<int64_t>();
      if (!by_id.emplace(id, &event).second) return fail(fmt::format("event {} is in the log twice", id));
      ++in_log;
    }
  }
  report_.events = in_log;
  size_t sent = 0;
  for (const auto& request : requests_) {
    check_request(request, by_id);
    if (failed()) return;
    for (const auto& event : request.events) sent += by_id.count(event.id);
  }
  if (sent != in_log) fail(fmt::format("{} events in the log, {} of them were sent", in_log, sent));
}

bool World::keeps_invalid(const ClientObject& stream) {
  return stream.sql.find(kKeepsInvalid) != std::string::npos;
}

// What did not fit is a dead letter, once, or nothing of the request is there.
void World::check_outside(const ClientRequest& request, bool there) {
  const size_t index = static_cast<size_t>(&request - requests_.data());
  std::optional<size_t> each;
  if (there) each = 1;
  if (request.state == RequestState::kRefused) each = 0;
  for (const auto& event : request.events) {
    if (event.good) continue;
    const auto found = outside_.find(event.json);
    const size_t letters = found == outside_.end() ? 0 : found->second;
    if (!each) each = std::min<size_t>(letters, 1);
    if (letters != *each)
      return fail(fmt::format("request {}: {} dead letters of {}", index, letters, event.json));
  }
}

void World::check_request(const ClientRequest& request, const std::map<int64_t, const LogEvent*>& by_id) {
  const size_t index = static_cast<size_t>(&request - requests_.data());
  size_t good = 0, found = 0;
  std::optional<Cut> cut;
  std::map<uint16_t, std::vector<int64_t>> offsets;
  for (const auto& event : request.events) {
    const auto at = by_id.find(event.id);
    if (event.good) ++good;
    if (at == by_id.end()) continue;
    const LogEvent& stored = *at->second;
    if (!event.good)
      return fail(fmt::format("request {}: a bad event is in the log: {}", index, stored.value));
    if (stored.value != event.json)
      return fail(fmt::format("event {} is not what was sent: {}", event.id, stored.value));
    if (cut && *cut != stored.cut) return fail(fmt::format("request {} is in two frames", index));
    cut = stored.cut;
    auto& partition = offsets[stored.partition.value];
    if (!partition.empty() && partition.back() >= stored.offset.value) {
      return fail(fmt::format("request {}: its events are not in order", index));
    }
    partition.push_back(stored.offset.value);
    ++found;
  }
  if (found != 0 && found != good) {
    return fail(fmt::format("request {}: {} of its {} events are in the log", index, found, good));
  }
  if (keeps_invalid(objects_[request.object])) {
    check_outside(request, request.state == RequestState::kAcknowledged || found > 0);
    if (failed()) return;
  }
  if (request.state == RequestState::kAcknowledged && found != good) {
    return fail(fmt::format("request {} was acknowledged ({} events) and is not in the log", index, good));
  }
  if (request.state == RequestState::kRefused && found != 0) {
    return fail(fmt::format("request {} was refused and is in the log", index));
  }
  if (!request.answer) return;
  size_t told = 0;
  for (const auto& place : request.answer->offsets) {
    const auto& got = offsets[place.where.partition.value];
    if (got.size() != place.count || got.front() != place.first.value) {
      return fail(fmt::format(
          "request {}: partition {} from offset {}, {} events were answered; the log has other ones", index,
          place.where.partition.value, place.first.value, place.count));
    }
    told += place.count;
  }
  if (told != good)
    fail(fmt::format("request {}: {} offsets were answered for {} events", index, told, good));
}

bool World::strict(const ClientObject& query) const {
  const NaiveStream& source = query.read;
  if (!query.query.closes() || source.partitions == 1 || source.watermark_told) return true;
  const auto* entry = entry_of(query);
  return always_one_worker_ && entry != nullptr && entry->query && !entry->query->repartition;
}

void World::check_view(const ClientObject& view, const FinalLog& final_log, bool complete) {
  std::vector<Row> rows;
  const std::string name = view.name;
  const size_t index = static_cast<size_t>(&view - objects_.data());
  const AppendTime asked_after = log_.frames.empty() ? AppendTime(0) : log_.frames.back().time;
  if (!select_rows(view.tenant, "SELECT * FROM " + name, rows)) return;
  if (!complete) {
    if (!quiesce()) return;
    read_letters(read_log());
    if (failed()) return;
  }
  const FinalLog& log = complete ? final_log : log_;
  const ClientObject& object = objects_[index];
  if (closes_by_arrival(object.query))
    record();  // a timer may have closed windows while the question was asked
  const NaiveAnswer answer = answer_of(object, log, asked_after);
  std::multiset<std::string> actual, expected;
  for (const auto& row : rows) actual.insert(to_line(row));
  for (const auto& row : answer.rows) {
    const std::string line = to_line(row.row);
    const bool shown = actual.contains(line);
    // Asked before the end: a window may close, or go, between the answer and the comparison.
    const bool passing = !complete && object.query.closes();
    const bool may = passing ? row.window_end <= answer.closed_high : answer.may_show(row);
    const bool must = passing ? !object.query.emit_on_close && answer.must_show(row) : answer.must_show(row);
    if (must || (may && shown)) expected.insert(line);
  }
  if (actual != expected) {
    return fail(fmt::format("{} view {} (cut {}) is not the naive evaluator's: {}\n  {}\n  over {}",
                            complete ? "the final" : "a SELECT over the", name, log.end().value,
                            difference(expected, actual), object.sql, read_by(object)));
  }
  if (complete) check_left_out(object, log, answer);
}

void World::check_left_out(const ClientObject& query, const FinalLog& log, const NaiveAnswer& answer) {
  check_letters(query, answer);
  if (query.late_to && !failed()) check_late(query, log, answer);
}

NaiveAnswer World::answer_of(const ClientObject& query, const FinalLog& log, AppendTime asked_after) const {
  const std::set<Place> believed =
      query.late_to ? places_of_late(query, log) : letters_of(query, "closed_while_idle");
  NaiveScope scope = scope_of(query, log);
  if (!strict(query)) scope.believed = &believed;
  if (closes_by_arrival(query.query)) scope.asked_after = asked_after;
  return evaluated(query, log, scope);
}

// Where the events that a query has sent to its stream of late ones came from. An event is in its stream once.
std::set<Place> World::places_of_late(const ClientObject& query, const FinalLog& log) const {
  std::set<std::pair<PartitionId, std::string>> late;
  for (const auto& event : log.events(sql::stream_of(objects_[*query.late_to].definition)))
    late.insert({event.partition, event.value});
  std::set<Place> places;
  for (const auto& event : log.events(sql::stream_of(objects_[query.sources[0]].definition))) {
    if (late.contains({event.partition, event.value}))
      places.insert({event.partition.value, event.offset.value});
  }
  return places;
}

// Each late event once, as it came, partition by partition in the order of the source.
void World::check_late(const ClientObject& query, const FinalLog& log, const NaiveAnswer& answer) {
  std::map<uint16_t, std::vector<std::string>> expected, actual;
  for (const auto& event : log.events(sql::stream_of(objects_[query.sources[0]].definition))) {
    const Place place{event.partition.value, event.offset.value};
    if (answer.late.contains(place) || answer.closed_while_idle.contains(place))
      expected[place.first].push_back(event.value);
  }
  for (const auto& event : log.events(sql::stream_of(objects_[*query.late_to].definition))) {
    actual[event.partition.value].push_back(event.value);
    ++report_.late;
  }
  if (actual == expected) return;
  std::multiset<std::string> want, got;
  for (const auto& [partition, values] : expected) want.insert(values.begin(), values.end());
  for (const auto& [partition, values] : actual) got.insert(values.begin(), values.end());
  fail(fmt::format("the late events of {} are not the naive evaluator's{}: {}\n  {}\n  over {}", query.name,
                   want == got ? ", in another order or partition" : "", difference(want, got), query.sql,
                   read_by(query)));
}

// The rows of windows: each once, of those that closed, and in each partition by their time.
void World::check_windows(const ClientObject& made, const FinalLog& log) {
  const NaiveAnswer answer = answer_of(made, log);
  std::multiset<std::string> actual, may, must;
  std::map<uint16_t, Scalar> last;
  for (const auto& event : log.events(sql::stream_of(made.definition))) {
    auto row = naive_decode(made.shape.columns, event.value);
    if (!row.ok())
      return fail(fmt::format("{} holds a row that does not decode: {}", made.name, event.value));
    actual.insert(to_line(*row));
    const Scalar& time = (*row)[static_cast<size_t>(made.shape.watermark_column)];
    const auto [before, first] = last.try_emplace(event.partition.value, time);
    if (!first && naive_compare(time, before->second) < 0)
      return fail(fmt::format("{} partition {} is not in order at {}", made.name, event.partition.value,
                              event.value));
    before->second = time;
  }
  for (const auto& row : answer.rows) {
    if (answer.may_show(row)) may.insert(to_line(row.row));
    if (answer.must_show(row)) must.insert(to_line(row.row));
  }
  const bool complete = made.state == ObjectState::kThere;
  const auto within = [](const auto& inner, const auto& outer) {
    return std::includes(outer.begin(), outer.end(), inner.begin(), inner.end());
  };
  if (!within(actual, may) || (complete && !within(must, actual))) {
    return fail(fmt::format("{} is not the naive evaluator's: {}\n  {}\n  over {}", made.name,
                            difference(within(actual, may) ? must : may, actual), made.sql, read_by(made)));
  }
  report_.window_rows += actual.size();
  if (complete) check_left_out(made, log, answer);
}

// What the changes come to, one after the other, is the groups as they are in the end.
void World::check_changes(const ClientObject& made, const FinalLog& log) {
  const bool complete = made.state == ObjectState::kThere;
  ChangedRows rows(made.shape, made.query.changelog);
  for (const auto& event : log.events(sql::stream_of(made.definition))) {
    const Status fits = rows.apply(event);
    if (!fits.ok()) return fail(fmt::format("{}: {}\n  {}", made.name, fits.error().message, made.sql));
    ++report_.changes;
  }
  if (!complete) return;
  const NaiveAnswer answer = answer_of(made, log);
  std::multiset<std::string> expected;
  for (const auto& row : answer.rows) expected.insert(to_line(row.row));
  if (rows.now() != expected) {
    return fail(fmt::format("{} is not the naive evaluator's: {}\n  {}\n  over {}", made.name,
                            difference(expected, rows.now()), made.sql, read_by(made)));
  }
  check_left_out(made, log, answer);
}

void World::check_derived(const ClientObject& derived, const FinalLog& log) {
  if (derived.definition.value == 0) return;
  if (derived.query.emit_on_close) return check_windows(derived, log);
  if (derived.query.changes) return check_changes(derived, log);
  const NaiveAnswer answer = evaluated(derived, log, scope_of(derived, log));
  std::map<uint16_t, std::vector<std::string>> actual, expected;
  for (const auto& event : log.events(sql::stream_of(derived.definition))) {
    auto row = naive_decode(derived.shape.columns, event.value);
    if (!row.ok())
      return fail(fmt::format("{} holds a row that does not decode: {}", derived.name, event.value));
    actual[event.partition.value].push_back(to_line(*row));
  }
  for (const auto& [partition, rows] : answer.made) {
    for (const auto& row : rows) expected[partition].push_back(to_line(row));
  }
  const bool complete = derived.state == ObjectState::kThere;
  for (uint16_t p = 0; p < derived.shape.partitions; ++p) {
    const auto &got = actual[p], &want = expected[p];
    const size_t common = std::min(got.size(), want.size());
    for (size_t i = 0; i < common; ++i) {
      if (got[i] == want[i]) continue;
      return fail(fmt::format("{} partition {} row {} is\n    {}\n  and should be\n    {}\n  {}",
                              derived.name, p, i, got[i], want[i], derived.sql));
    }
    if (got.size() > want.size() || (complete && got.size() < want.size())) {
      return fail(fmt::format("{} partition {} has {} rows and should have {}\n  {}\n  over {}", derived.name,
                              p, got.size(), want.size(), derived.sql, read_by(derived)));
    }
  }
  if (complete) check_letters(derived, answer);
}

// A query begins with what was kept when it was made: not before, and not behind it.
NaiveScope World::scope_of(const ClientObject& query, const FinalLog& log) const {
  NaiveScope scope;
  if (const auto start = log.starts.find(query.definition.value); start != log.starts.end())
    scope.after = start->second;
  if (!query.read.watermark_told) return scope;
  const ClientObject& source = objects_[query.sources[0]];
  scope.told = told_by(source, log);
  if (scope.after.value > 0) scope.told->low = INT64_MIN;  // what was told before that is gone
  return scope;
}

// A derived stream of rows passes on what it is told.
NaiveTold World::told_by(const ClientObject& made, const FinalLog& log) const {
  return made.query.emit_on_close ? naive_told(made.query, answer_of(made, log)) : *scope_of(made, log).told;
}

void World::read_letters(const FinalLog& log) {
  letters_.clear();
  outside_.clear();
  report_.dead_letters = 0;
  for (size_t tenant = 0; tenant < tenants_.size(); ++tenant) read_letters(tenant, log);
}

void World::read_letters(size_t tenant, const FinalLog& log) {
  const auto stream = node_->definitions().catalog()->dead_letters(tenants_[tenant].id);
  if (!stream) return;
  for (const auto& event : log.events(stream->id)) {
    const auto json = nlohmann::json::parse(event.value, nullptr, false);
    if (!json.is_object()) return fail("a dead letter is not an object: " + event.value);
    if (json["cause"] == engine::kDoesNotFit) {
      ++outside_[json["payload"].get<std::string>()];
      continue;
    }
    const auto query = json["query"].get<std::string>();
    const uint16_t first = first_partition(tenant, query, json["stream"].get<std::string>());
    const Place place{static_cast<uint16_t>(first + json["partition"].get<uint16_t>()),
                      json["offset"].get<int64_t>()};
    const auto key = std::make_tuple(tenant, query, json["cause"].get<std::string>());
    if (!letters_[key].insert(place).second) return fail("the same dead letter twice: " + event.value);
  }
  report_.dead_letters += log.events(stream->id).size();
}

// Of a stream among all that a query reads.
uint16_t World::first_partition(size_t tenant, const std::string& query, const std::string& stream) const {
  for (const auto& object : objects_) {
    if (object.tenant != tenant || object.name != query) continue;
    uint16_t first = 0;
    for (const size_t source : object.sources) {
      if (objects_[source].name == stream) return first;
      first = static_cast<uint16_t>(first + objects_[source].shape.partitions);
    }
  }
  return 0;
}

NaiveAnswer World::evaluated(const ClientObject& query, const FinalLog& log, const NaiveScope& scope) const {
  std::vector<NaiveSource> sources;
  for (const size_t source : query.sources) {
    const ClientObject& stream = objects_[source];
    sources.push_back({&stream.shape, &log.events(sql::stream_of(stream.definition))});
  }
  return naive_answer(query.query, sources, log, scope);
}

std::string World::read_by(const ClientObject& query) const {
  std::string out =
      query.over ? objects_[*query.over].sql + "\n  over " + read_by(objects_[*query.over]) : "";
  for (size_t i = 0; i < query.sources.size() && !query.over; ++i)
    out += (i == 0 ? "" : "\n  and ") + objects_[query.sources[i]].sql;
  return out;
}

std::set<Place> World::letters_of(const ClientObject& query, const std::string& cause) const {
  const auto found = letters_.find({query.tenant, query.name, cause});
  return found == letters_.end() ? std::set<Place>() : found->second;
}

void World::check_letters(const ClientObject& query, const NaiveAnswer& answer) {
  const std::set<Place> elsewhere;  // they are in the stream of late events
  const std::pair<const char*, const std::set<Place>*> kinds[] = {
      {"late", query.late_to ? &elsewhere : &answer.late},
      {"closed_while_idle", query.late_to ? &elsewhere : &answer.closed_while_idle},
      {"no_event_time", &answer.no_event_time},
      {"failed", &answer.failed}};
  for (const auto& [cause, expected] : kinds) {
    const auto actual = letters_of(query, cause);
    if (actual == *expected) continue;
    return fail(fmt::format("the dead letters '{}' of {} are not the naive evaluator's: {}\n  {}\n  over {}",
                            cause, query.name, places(*expected, actual), query.sql, read_by(query)));
  }
}

void World::check_readers(const FinalLog& log) {
  for (const auto& reader : readers_) {
    const ClientObject& object = objects_[reader.object];
    const auto& events = log.events(sql::stream_of(object.definition));
    if (reader.seen.empty()) continue;
    size_t first = 0;
    // Deletes of one key look alike: where one of them comes first, the rest has to fit, too.
    const auto fits = [&](size_t from) {
      const size_t count = reader.seen.size();
      return from + count <= events.size() &&
             std::ranges::equal(reader.seen, std::span(events).subspan(from, count), {}, {},
                                &LogEvent::value);
    };
    while (first < events.size() && events[first].cut < reader.kept && !fits(first)) ++first;
    for (size_t i = 0; i < reader.seen.size(); ++i) {
      const size_t at = first + i;
      if (at < events.size() && events[at].value == reader.seen[i]) continue;
      return fail(
          fmt::format("a reader of {} saw as event {} of the stream\n    {}\n  but the log has\n    {}",
                      object.name, at, reader.seen[i], at < events.size() ? events[at].value : "nothing"));
    }
  }
}

void World::check_recompute() {
  auto report = node::recompute(*files_, clock_, "/data", spills_ ? 1 : SIZE_MAX);
  if (!report.ok() && report.error().code == Code::kGone) return;  // its first segments held nothing to keep
  if (!report.ok()) return fail("recompute failed: " + report.error().to_string());
  if (!report->differences.empty()) fail("recompute found a difference: " + report->differences.front());
}

}  // namespace millrace::sim
