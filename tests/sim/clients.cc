// What clients do: send events, and again; create, drop, select; read on.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "event/decimal.h"
#include "formats/json.h"
#include "tests/sim/naive_list.h"
#include "tests/sim/world.h"

namespace millrace::sim {
namespace {

// Numerics and arrays as the oracle has them.
Scalar shown(const Column& column, size_t row) {
  if (column.is_null(row)) return Scalar();
  if (is_array(column.type) || column.type == Type::kJsonb) {
    std::string json;
    formats::append_json_value(json, column, row);
    const auto value = nlohmann::json::parse(json);
    return is_array(column.type) ? list_scalar(value) : Scalar(value.dump());
  }
  Scalar value = column.scalar(row);
  if (column.type != Type::kNumeric) return value;
  std::string digits;
  append_decimal(digits, decimal_from(std::get<std::string>(value)));
  return *naive_cast(Scalar(std::move(digits)), Type::kNumeric);
}

using ObjectState = ClientObject::State;
using Kind = ClientObject::Kind;
using RequestState = ClientRequest::State;

constexpr size_t kMaxStreams = 3;
constexpr size_t kMaxQueries = 11;
constexpr uint16_t kMostInUnion = 8;  // partitions of each stream
// The idempotency window is an hour of append time.
constexpr int64_t kKeyLifetimeUs = 3'000'000'000;

bool same_offsets(const gateway::IngestAnswer& a, const gateway::IngestAnswer& b) {
  if (a.offsets.size() != b.offsets.size() || a.accepted != b.accepted || !(a.cursor == b.cursor))
    return false;
  for (size_t i = 0; i < a.offsets.size(); ++i) {
    const auto &x = a.offsets[i], &y = b.offsets[i];
    if (x.where != y.where || x.first != y.first || x.count != y.count) return false;
  }
  return true;
}

// Refused for now, with nothing kept: the client may send again.
bool is_refusal(const Error& error) {
  return error.code == Code::kExhausted || error.code == Code::kUnavailable;
}

}  // namespace

std::optional<size_t> World::pick_object(const std::function<bool(const ClientObject&)>& wanted) {
  std::vector<size_t> fitting;
  for (size_t i = 0; i < objects_.size(); ++i) {
    if (wanted(objects_[i])) fitting.push_back(i);
  }
  if (fitting.empty()) return std::nullopt;
  return fitting[random_.below(fitting.size())];
}

const sql::Catalog::Entry* World::entry_of(const ClientObject& object) const {
  return node_->definitions().catalog()->find(tenants_[object.tenant].id, object.name);
}

void World::send_events() {
  const auto stream = pick_object([](const ClientObject& o) {
    return o.kind == Kind::kStream && o.state == ObjectState::kThere && !o.late_of;
  });
  if (!stream) return;
  ClientRequest request;
  request.object = *stream;
  const uint64_t size = random_.chance(12) ? 40 + random_.below(100) : 1 + random_.below(12);
  SimTenant& tenant = tenants_[objects_[*stream].tenant];
  bool all_good = true;
  for (uint64_t i = 0; i < size; ++i) {
    event_time_us_ += static_cast<int64_t>(random_.below(120'000));
    request.events.push_back(tenant.workload.make_event(event_time_us_, objects_[*stream].shape));
    all_good = all_good && request.events.back().good;
  }
  request.ndjson = !all_good || random_.chance(2);
  request.body = tenant.workload.body_of(request.events, request.ndjson);
  if (random_.chance(2)) request.key = fmt::format("key-{}", tenant.keys++);
  requests_.push_back(std::move(request));
  ++report_.requests;
  send(requests_.size() - 1);
}

void World::send(size_t index) {
  ClientRequest& client = requests_[index];
  const Buffer body = Buffer::copy(client.body);
  gateway::IngestRequest request;
  request.tenant = tenants_[objects_[client.object].tenant].id;
  request.stream = objects_[client.object].name;
  request.format =
      client.ndjson ? gateway::IngestRequest::Format::kNdjson : gateway::IngestRequest::Format::kJson;
  request.body = body.view();
  request.idempotency_key = client.key;
  client.sent_us = clock_.wall_us();
  if (client.state != RequestState::kAcknowledged) client.state = RequestState::kPending;
  node_->ingest().ingest(request, [this, index, life = life_](Result<gateway::IngestAnswer> answer) {
    if (life == life_) answered(index, std::move(answer));
  });
}

void World::answered(size_t index, Result<gateway::IngestAnswer> answer) {
  ClientRequest& request = requests_[index];
  if (!answer.ok()) {
    if (node_ && node_->failed()) {
      if (request.state == RequestState::kPending) request.state = RequestState::kUnknown;
    } else if (!is_refusal(answer.error())) {
      fail(fmt::format("request {} was answered with {}", index, answer.error().to_string()));
    } else if (request.state == RequestState::kPending) {
      request.state = RequestState::kRefused;
    }
    return;
  }
  size_t good = 0;
  for (const auto& event : request.events) good += event.good ? 1 : 0;
  const size_t bad = request.events.size() - good;
  const bool kept = keeps_invalid(objects_[request.object]);
  if (answer->accepted != good || answer->rejected.size() != (kept ? 0 : bad) ||
      answer->dead_letters != (kept ? bad : 0)) {
    fail(fmt::format("request {}: {} good events of {}, but {} accepted, {} rejected, {} dead letters", index,
                     good, request.events.size(), answer->accepted, answer->rejected.size(),
                     answer->dead_letters));
  }
  for (const auto& rejected : answer->rejected) {
    if (rejected.index >= request.events.size() || request.events[rejected.index].good) {
      fail(fmt::format("request {}: event {} was rejected but is good: {}", index, rejected.index,
                       rejected.error.to_string()));
    }
  }
  if (request.answer && !same_offsets(*request.answer, *answer)) {
    fail(fmt::format("request {} was sent again under its key and got another answer", index));
  }
  if (request.answer && good > 0 && !answer->replayed) {
    fail(fmt::format("request {} was sent again under its key and the answer does not say so", index));
  }
  if (request.state != RequestState::kAcknowledged) ++report_.acknowledged;
  request.state = RequestState::kAcknowledged;
  if (!request.answer) request.answer = std::move(answer).value();
}

// A client that got no answer, or lost it, sends the same request under the same key.
void World::send_again() {
  std::vector<size_t> fitting;
  for (size_t i = 0; i < requests_.size(); ++i) {
    const ClientRequest& r = requests_[i];
    const bool fresh = clock_.wall_us() - r.sent_us < kKeyLifetimeUs / 4;
    const bool there = objects_[r.object].state == ObjectState::kThere;
    if (!r.key.empty() && fresh && there) fitting.push_back(i);
  }
  if (!fitting.empty()) send(fitting[random_.below(fitting.size())]);
}

// Another body under a used key has to be refused.
void World::misuse_key() {
  std::vector<size_t> fitting;
  for (size_t i = 0; i < requests_.size(); ++i) {
    const ClientRequest& r = requests_[i];
    const bool fresh = clock_.wall_us() - r.sent_us < kKeyLifetimeUs / 4;
    const bool kept = r.answer && r.answer->accepted > 0;
    if (!r.key.empty() && fresh && kept && objects_[r.object].state == ObjectState::kThere)
      fitting.push_back(i);
  }
  if (fitting.empty()) return;
  const size_t index = fitting[random_.below(fitting.size())];
  const Buffer body = Buffer::copy(R"({"id":-1,"k":"misuse"})");
  gateway::IngestRequest request;
  request.tenant = tenants_[objects_[requests_[index].object].tenant].id;
  request.stream = objects_[requests_[index].object].name;
  request.body = body.view();
  request.idempotency_key = requests_[index].key;
  node_->ingest().ingest(request, [this, index, life = life_](Result<gateway::IngestAnswer> answer) {
    if (life == life_ && answer.ok())
      fail(fmt::format("another body under the key of request {} was taken", index));
  });
}

void World::define() {
  const size_t tenant = random_.below(tenants_.size());
  size_t streams = 0;
  for (const auto& o : objects_) {
    const bool sent_to = o.kind == Kind::kStream && !o.late_of;
    streams += o.tenant == tenant && sent_to && o.state != ObjectState::kNever ? 1 : 0;
  }
  ClientObject object;
  object.tenant = tenant;
  if (streams == 0 || (streams < kMaxStreams && random_.chance(4))) {
    const MadeStream made = tenants_[tenant].workload.make_stream();
    object.kind = Kind::kStream;
    object.shape = made.shape;
    object.kept = made.kept;
    object.name = made.shape.name;
    object.sql = made.sql;
    create(std::move(object));
    return;
  }
  if (objects_.size() < kMaxStreams + kMaxQueries) define_query(tenant);
}

void World::define_query(size_t tenant) {
  Workload& workload = tenants_[tenant].workload;
  if (random_.chance(6) && define_late_stream(tenant)) return;
  if (random_.chance(6) && define_view_over(tenant)) return;
  if (random_.chance(6) && define_union(tenant)) return;
  const auto source = pick_object([tenant](const ClientObject& o) {
    return o.tenant == tenant && o.kind != Kind::kView && o.state == ObjectState::kThere;
  });
  if (!source) return;
  const bool derived = random_.chance(3);
  const NaiveStream& shape = objects_[*source].shape;
  const bool windows =
      derived && shape.watermark_column >= 0 && shape.primary_key.empty() && random_.chance(2);
  const bool counts = !windows && Workload::may_count(shape) && random_.chance(5);
  const bool changes = derived && !windows && !counts && random_.chance(2);
  if (!derived && Workload::makes_lists(shape) && random_.chance(6)) {
    ClientObject object;
    object.tenant = tenant;
    return create_query(std::move(object), workload.make_lists(shape), {*source});
  }
  const bool plain = (derived && !windows && !changes) || counts || !random_.chance(4);
  const MadeSource from = plain ? MadeSource{shape, ""} : workload.inner_query(shape);
  const auto late = plain ? unused_late_stream(*source) : std::nullopt;
  const std::string late_to = late ? objects_[*late].name : "";
  MadeQuery made = counts    ? workload.make_counts(shape, !derived)
                   : windows ? workload.make_windows(from, late_to)
                   : changes ? workload.make_changes(from, late_to)
                   : derived ? workload.make_derived(shape)
                             : workload.make_view(from, late_to);
  ClientObject object;
  object.tenant = tenant;
  if (!made.shape.late_to.empty()) object.late_to = late;
  create_query(std::move(object), std::move(made), {*source});
}

bool World::define_view_over(size_t tenant) {
  const auto view = pick_object([tenant](const ClientObject& o) {
    return o.tenant == tenant && o.kind == Kind::kView && o.state == ObjectState::kThere &&
           o.query.rows == 0 && !o.query.null_on_error;
  });
  if (!view) return false;
  ClientObject object;
  object.tenant = tenant;
  object.over = view;
  const ClientObject& below = objects_[*view];
  create_query(std::move(object), tenants_[tenant].workload.make_view_over(below.query, below.read),
               below.sources);
  return true;
}

bool World::define_union(size_t tenant) {
  const auto may = [&](const ClientObject& o) {
    return o.tenant == tenant && o.kind != Kind::kView && o.state == ObjectState::kThere &&
           o.shape.primary_key.empty() && !o.shape.watermark_told && o.shape.partitions <= kMostInUnion;
  };
  const auto first = pick_object(may);
  if (!first) return false;
  const auto second = pick_object([&](const ClientObject& o) { return may(o) && &o != &objects_[*first]; });
  if (!second) return false;
  Workload& workload = tenants_[tenant].workload;
  const NaiveStream &one = objects_[*first].shape, &other = objects_[*second].shape;
  ClientObject object;
  object.tenant = tenant;
  const uint64_t kind = random_.below(3);
  create_query(std::move(object),
               kind == 0   ? workload.make_union(one, other)
               : kind == 1 ? workload.make_set(one, other)
                           : workload.make_view(workload.inner_union(one, other), ""),
               {*first, *second});
  return true;
}

void World::create_query(ClientObject object, MadeQuery made, const std::vector<size_t>& sources) {
  std::vector<NaiveSource> read;
  for (const size_t source : sources) read.push_back({&objects_[source].shape, nullptr});
  object.read = naive_union(read);
  object.sources = sources;
  object.kind = made.shape.is_view ? Kind::kView : Kind::kDerived;
  object.name = made.shape.name;
  object.sql = made.sql;
  if (!made.shape.is_view) object.shape = naive_output(made.shape, object.read);
  object.query = std::move(made.shape);
  object.kept = made.kept;
  ++(object.query.is_view ? report_.views : report_.derived);
  create(std::move(object));
}

// For a stream with a watermark that has none yet.
bool World::define_late_stream(size_t tenant) {
  const auto source = pick_object([&](const ClientObject& o) {
    const auto index = static_cast<size_t>(&o - objects_.data());
    const bool may = o.tenant == tenant && o.kind != Kind::kView && o.state == ObjectState::kThere &&
                     o.shape.watermark_column >= 0 && o.shape.primary_key.empty() && !o.altered;
    return may && !unused_late_stream(index);
  });
  if (!source) return false;
  const MadeStream made = tenants_[tenant].workload.make_late_stream(objects_[*source].shape);
  ClientObject object;
  object.tenant = tenant;
  object.kind = Kind::kStream;
  object.shape = made.shape;
  object.kept = made.kept;
  object.name = made.shape.name;
  object.sql = made.sql;
  object.late_of = source;
  create(std::move(object));
  return true;
}

std::optional<size_t> World::unused_late_stream(size_t source) const {
  for (size_t i = 0; i < objects_.size(); ++i) {
    if (objects_[i].late_of != source || objects_[i].state != ObjectState::kThere) continue;
    if (std::none_of(objects_.begin(), objects_.end(), [&](const auto& o) { return o.late_to == i; }))
      return i;
  }
  return std::nullopt;
}

void World::create(ClientObject object) {
  trace(object.sql);
  objects_.push_back(std::move(object));
  const size_t index = objects_.size() - 1;
  node_->sql().execute(
      tenants_[objects_[index].tenant].id, objects_[index].sql, [](gateway::StatementResult) {},
      [this, index, life = life_](Status status) {
        if (life != life_) return;
        ClientObject& made = objects_[index];
        if (status.ok()) {
          made.state = ObjectState::kThere;
          const auto* entry = entry_of(made);
          if (entry == nullptr) return fail(made.name + " was created but the catalog does not have it");
          made.definition = entry->definition.id;
        } else if (is_refusal(status.error())) {
          if (files_->troubled()) {
            suspect_ = true;
          } else if (!node_->failed()) {
            made.state = ObjectState::kNever;
          }
        } else {
          fail(fmt::format("{}\n  {}", status.error().to_string(), made.sql));
        }
      });
}

void World::drop_something() {
  const auto chosen = pick_object([&](const ClientObject& o) {
    if (o.state != ObjectState::kThere || o.kind == Kind::kStream) return false;
    for (const auto& reader : objects_) {
      const auto index = static_cast<size_t>(&o - objects_.data());
      const bool reads = reader.over == index || std::ranges::count(reader.sources, index) > 0;
      if (reads && reader.state != ObjectState::kGone && reader.state != ObjectState::kNever) return false;
    }
    return true;
  });
  if (!chosen) return;
  ClientObject& object = objects_[*chosen];
  object.state = ObjectState::kDropping;
  const std::string text =
      fmt::format("DROP {} {}", object.kind == Kind::kView ? "MATERIALIZED VIEW" : "STREAM", object.name);
  trace(text);
  node_->sql().execute(
      tenants_[object.tenant].id, text, [](gateway::StatementResult) {},
      [this, index = *chosen, life = life_](Status status) {
        if (life != life_) return;
        ClientObject& dropped = objects_[index];
        if (status.ok()) {
          dropped.state = ObjectState::kGone;
          if (entry_of(dropped) != nullptr) fail(dropped.name + " was dropped but is still in the catalog");
        } else if (is_refusal(status.error())) {
          if (files_->troubled()) {
            suspect_ = true;
          } else if (!node_->failed()) {
            dropped.state = ObjectState::kThere;
          }
        } else {
          fail(fmt::format("DROP {}: {}", dropped.name, status.error().to_string()));
        }
      });
}

void World::pause_something() {
  const auto chosen = pick_object(
      [](const ClientObject& o) { return o.kind != Kind::kStream && o.state == ObjectState::kThere; });
  if (chosen) pause(objects_[*chosen], !objects_[*chosen].paused);
}

// Not drawn: seeds stay what they were. A stream that late events come from has the columns of the one they go to.
void World::add_column() {
  ++asked_for_columns_;
  for (size_t i = 0; i < objects_.size(); ++i) {
    const size_t index = (i + asked_for_columns_) % objects_.size();
    ClientObject& stream = objects_[index];
    const auto takes_late = [&](const ClientObject& o) { return o.late_of == index; };
    if (stream.kind != Kind::kStream || stream.state != ObjectState::kThere || stream.late_of ||
        std::ranges::any_of(objects_, takes_late))
      continue;
    stream.altered = true;
    const std::string text =
        fmt::format("ALTER STREAM {} ADD COLUMN added_{} BIGINT", stream.name, asked_for_columns_);
    trace(text);
    node_->sql().execute(
        tenants_[stream.tenant].id, text, [](gateway::StatementResult) {},
        [this, text, life = life_](Status status) {
          if (life != life_ || status.ok() || files_->troubled() || node_->failed()) return;
          if (!is_refusal(status.error())) fail(text + ": " + status.error().to_string());
        });
    return;
  }
}

// Done when the call returns: a pause is in the metadata store alone.
void World::pause(ClientObject& object, bool paused) {
  const std::string text = (paused ? "PAUSE " : "RESUME ") + object.name;
  trace(text);
  std::optional<Status> answer;
  node_->sql().execute(
      tenants_[object.tenant].id, text, [](gateway::StatementResult) {},
      [&](Status status) { answer = std::move(status); });
  if (!answer) return fail(text + " was not answered at once");
  object.paused = paused || !answer->ok();
  if (!answer->ok() && !files_->troubled() && !node_->failed())
    fail(text + ": " + answer->error().to_string());
}

void World::resume_all() {
  heal_disk();
  for (auto& object : objects_) {
    if (object.paused && object.state == ObjectState::kThere) pause(object, false);
  }
}

bool World::stands_still(const ClientObject& query) const {
  return query.paused ||
         std::ranges::any_of(query.sources, [&](size_t source) { return stands_still(objects_[source]); });
}

// Of a query that is not answered yet, or stands still, and gives what is late to what this one reads.
bool World::awaits_late_events(const ClientObject& query) const {
  return std::ranges::any_of(query.sources, [&](size_t source) {
    const auto gives = [&](const ClientObject& o) {
      const bool owes = o.state == ObjectState::kThere && stands_still(o);
      return o.late_to == source && (owes || o.state == ObjectState::kCreating);
    };
    return std::ranges::any_of(objects_, gives) || awaits_late_events(objects_[source]);
  });
}

void World::settle_definitions() {
  for (auto& object : objects_) {
    const auto* entry = entry_of(object);
    switch (object.state) {
      case ObjectState::kCreating:
      case ObjectState::kDropping:
        if (object.state == ObjectState::kDropping && !entry) object.state = ObjectState::kGone;
        if (object.state == ObjectState::kCreating && !entry) object.state = ObjectState::kNever;
        if (entry) object.state = ObjectState::kThere;
        break;
      case ObjectState::kThere:
        if (!entry) fail(object.name + " was created and answered, and is gone after a restart");
        break;
      case ObjectState::kGone:
      case ObjectState::kNever:
        if (entry) fail(object.name + " was dropped or refused, and is there after a restart");
        break;
    }
    if (entry) object.definition = entry->definition.id;
  }
}

bool World::select_rows(size_t tenant, const std::string& sql, std::vector<Row>& rows) {
  struct Waiting {
    bool done = false;
    Status status;
    std::vector<Row> rows;
  };
  auto waiting = std::make_shared<Waiting>();
  node_->sql().execute(
      tenants_[tenant].id, sql,
      [waiting](gateway::StatementResult result) {
        for (size_t r = 0; r < result.rows.rows; ++r) {
          Row row;
          for (const auto& column : result.rows.columns) row.push_back(shown(column, r));
          waiting->rows.push_back(std::move(row));
        }
      },
      [waiting](Status status) {
        waiting->done = true;
        waiting->status = std::move(status);
      });
  const uint64_t life = life_;
  const bool answered = pump_until([&] { return waiting->done; }, 20'000);
  if (failed() || life != life_) return false;
  if (!answered) return fail("no answer to " + sql), false;
  if (!waiting->status.ok()) return fail(sql + ": " + waiting->status.error().to_string()), false;
  ++report_.selects;
  rows = std::move(waiting->rows);
  return true;
}

void World::select_something() {
  const auto view = pick_object(
      [](const ClientObject& o) { return o.kind == Kind::kView && o.state == ObjectState::kThere; });
  if (!view) return;
  const bool unsettled = stands_still(objects_[*view]) || awaits_late_events(objects_[*view]);
  if (unsettled || random_.chance(2)) {  // asked, and not waited for: it must not disturb
    node_->sql().execute(
        tenants_[objects_[*view].tenant].id, "SELECT * FROM " + objects_[*view].name,
        [](gateway::StatementResult) {}, [](Status) {});
    return;
  }
  faults_allowed_ = false;
  heal_disk();
  check_view(objects_[*view], FinalLog(), false);
  faults_allowed_ = true;
}

void World::read_something() {
  if (readers_.size() < 4 && random_.chance(3)) {
    const auto stream = pick_object(
        [](const ClientObject& o) { return o.kind != Kind::kView && o.state == ObjectState::kThere; });
    if (stream) {
      ClientReader reader;
      reader.object = *stream;
      reader.follows = random_.chance(2);
      readers_.push_back(std::move(reader));
    }
  }
  for (auto& reader : readers_) {
    if (objects_[reader.object].state == ObjectState::kThere) pull(reader);
  }
}

// What was kept when its first event came has to be seen, and all that follows.
void World::saw(ClientReader& reader, std::string_view value) {
  if (reader.cursor.empty()) reader.kept = node_->journal().first_cut();
  reader.seen.emplace_back(value);
}

// Only a cursor can be overtaken, and only if retention removed something.
bool World::overtaken(ClientReader& reader, const Error& error) {
  if (error.code != Code::kGone || reader.cursor.empty() || node_->journal().first_cut() == Cut(1))
    return false;
  ++report_.overtaken;
  reader.seen.clear();
  reader.cursor.clear();
  return true;
}

void World::pull(ClientReader& reader) {
  const auto* entry = entry_of(objects_[reader.object]);
  if (entry == nullptr || reader.reading) return;
  engine::StreamReadRequest request;
  request.stream = entry->stream;
  request.place = node_->streams().start_of(*entry->stream);
  request.limit = 1 + random_.below(40);
  if (!reader.cursor.empty()) {
    auto place = engine::parse_cursor(reader.cursor);
    if (!place.ok()) return fail("a cursor that was handed out does not parse: " + reader.cursor);
    request.place = *place;
  }
  const size_t index = static_cast<size_t>(&reader - readers_.data());
  if (!reader.follows) {
    reader.reading = true;
    node_->streams().read(request, [this, index, life = life_](Result<engine::StreamReadAnswer> answer) {
      if (life != life_) return;
      readers_[index].reading = false;
      if (!answer.ok() && files_->off()) return;  // the power went off while the node ended
      if (!answer.ok() && overtaken(readers_[index], answer.error())) return;
      if (!answer.ok()) return fail("a read failed: " + answer.error().to_string());
      if (readers_[index].cursor.empty()) readers_[index].kept = node_->journal().first_cut();
      for (const auto& event : answer->events) saw(readers_[index], event.value);
      readers_[index].cursor = engine::to_cursor(answer->next);
    });
    return;
  }
  if (!reader.subscription) {
    auto made = node_->streams().follow(request, false);
    if (!made.ok() && overtaken(reader, made.error())) return;
    if (!made.ok()) return fail("a subscription failed: " + made.error().to_string());
    reader.subscription = std::move(*made);
  }
  auto pulled = reader.subscription->pull(request.limit, [&](std::string_view json, std::string_view cursor) {
    saw(reader, json);
    reader.cursor = cursor;
  });
  if (!pulled.ok()) {
    reader.subscription.reset();
    if (!node_->failed() && !overtaken(reader, pulled.error()))
      fail("a subscription ended: " + pulled.error().to_string());
  }
}

}  // namespace millrace::sim
