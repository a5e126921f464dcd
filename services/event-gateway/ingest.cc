#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <unordered_map>

#include "base/buffer.h"
#include "base/bytes.h"
#include "event-gateway/event_ids.h"
#include "event-gateway/event_values.h"
#include "event-gateway/gateway.h"
#include "event-gateway/idempotency.h"
#include "event-gateway/ingest_target.h"
#include "event/text.h"
#include "formats/json.h"
#include "sql/errors.h"

namespace millrace::gateway {
namespace {

constexpr size_t kMaxKeyBytes = 255;
constexpr size_t kMaxMessageBytes = 300;  // of a rejected event, so that an answer stays small
constexpr uint8_t kSavedWithIds =
    2;  // in front of the state; without event ids it begins with the keys' version

// A request whose values' writers the schema registry is asked for, or one behind it.
struct Waiting {
  IngestRequest request;
  Buffer body;
  Ingest::Done done;
  std::optional<Status> learnt;
};
using WaitingPtr = std::unique_ptr<Waiting>;

struct TenantState {
  TokenBucket events, bytes;
  size_t waiting_bytes = 0;
  Ingest::TenantCounters counters;
  std::map<std::string, std::deque<WaitingPtr>>
      lines;  // by stream; the first one waits for the schema registry
};

struct Pending {
  Cut cut;
  size_t bytes = 0;
  TenantState* tenant = nullptr;
  Ingest::Done done;
  IngestAnswer answer;
  IdempotencyTable::EntryPtr entry;  // null: no key
};

Error unknown_stream(const sql::Catalog& catalog, const IngestRequest& request) {
  std::vector<std::string> names;
  for (const auto* entry : catalog.entries(request.tenant)) {
    if (entry->definition.kind == metadata::DefinitionKind::kStream) names.push_back(entry->definition.name);
  }
  std::string hint = sql::did_you_mean(request.stream, names);
  if (hint.empty()) hint = "CREATE STREAM makes one; SHOW STREAMS lists them";
  return error(Code::kNotFound, "MR-API-0018",
               fmt::format("there is no stream \"{}\"", start_of(request.stream, 100)), std::move(hint));
}

Error not_writable(const sql::Catalog::Entry& entry) {
  const bool view = entry.stream == nullptr;
  return error(Code::kInvalid, "MR-ING-0002",
               fmt::format("\"{}\" is {}: it takes no events", entry.definition.name,
                           view          ? "a view"
                           : entry.query ? "a derived stream"
                                         : "the dead-letter stream"),
               entry.query ? fmt::format("send events to \"{}\", which it reads", entry.query->source->name)
                           : "send events to a stream made by CREATE STREAM with columns");
}

Error over_quota(const char* what, double wait_s) {
  return error(Code::kExhausted, "MR-ING-0008", fmt::format("the tenant's quota of {} is used up", what),
               fmt::format("send again in {:.2f} s", std::max(wait_s, 0.01)));
}

// A key in a header has no zero byte.
IdempotencyKey key_of(const IngestRequest& request, StreamId stream) {
  IdempotencyKey key{request.tenant, stream, request.idempotency_key};
  if (request.part > 0) key.key += '\0' + std::to_string(request.part);
  return key;
}

Error reused_key() {
  return error(Code::kConflict, "MR-ING-0007", "the Idempotency-Key was used with another body",
               "use a new key for a new request");
}

Error takes_no_cloud_events(const engine::StreamDef& stream) {
  return error(Code::kInvalid, "MR-CE-0001",
               fmt::format("the events of stream \"{}\" are not CloudEvents", stream.name),
               "create a stream WITH (format = 'cloudevents'), or send the event's data alone");
}

bool is_cloud_event(IngestRequest::Format format) {
  return format == IngestRequest::Format::kCloudEvent || format == IngestRequest::Format::kCloudEventBatch;
}

Error too_much_made(size_t most) {
  return error(Code::kInvalid, "MR-ING-0012",
               fmt::format("the request's values are more than {} MiB as JSON", most >> 20),
               "send them in several requests");
}

bool is_values(IngestRequest::Format format) {
  return format == IngestRequest::Format::kValue || format == IngestRequest::Format::kValues;
}

Status check_takes_values(const engine::StreamDef& stream) {
  if (!stream.schema.subject.empty() && !stream.cloud_events) return {};
  return error(
      Code::kInvalid, "MR-SCH-0010",
      fmt::format("stream \"{}\" takes no serialized values: {}", stream.name,
                  stream.cloud_events ? "its events are CloudEvents" : "it has no schema"),
      stream.cloud_events ? "send them as JSON" : "create a stream WITH (schema = 'SUBJECT'), or send JSON");
}

// The media type says whether it is one event or an array.
Status check_container(const IngestRequest& request) {
  const size_t first = request.body.find_first_not_of(" \t\r\n");
  const char begins = first == std::string_view::npos ? '\0' : request.body[first];
  const bool batch = request.format == IngestRequest::Format::kCloudEventBatch;
  if (begins == (batch ? '[' : '{')) return {};
  return error(
      Code::kInvalid, "MR-EVT-0010",
      batch ? "a batch of CloudEvents has to be a JSON array" : "a CloudEvent has to be a JSON object",
      batch ? "one event is application/cloudevents+json"
            : "several events are application/cloudevents-batch+json");
}

Result<std::vector<std::string_view>> split(const IngestRequest& request, size_t max_events) {
  using enum IngestRequest::Format;
  if (request.format == kNdjson) return formats::split_ndjson(request.body);
  if (request.format == kValues) return split_values(request.body, max_events);
  if (request.format == kValue)
    return request.body.empty() ? std::vector<std::string_view>() : std::vector{request.body};
  if (is_cloud_event(request.format)) TRY(check_container(request));
  return formats::split_json(request.body);
}

void shorten(std::string& text) {
  if (text.size() <= kMaxMessageBytes) return;
  text.resize(start_of(text, kMaxMessageBytes).size());
  text += "…";
}

}  // namespace

struct Ingest::Impl {
  Impl(log::Journal& j, const sql::Definitions& d, Limits l)
      : journal(j), definitions(d), limits(l), keys(l), ids(l.event_ids) {}

  Result<const sql::Catalog::Entry*> find_stream(const sql::Catalog& catalog,
                                                 const IngestRequest& request) const;
  // Its own as long as one holds it: others may make the cache let it go.
  Result<IngestTargetPtr> target_of(const engine::StreamPtr& stream);
  Status check_quota(TenantId id, TenantState& tenant, size_t body_bytes);
  void refuse(TenantState& tenant, Error why, Done& done);
  // Where a request stands: kNew ones are checked against quotas and pay, and may have to stand in line; who is the kFirst of
  // its line may have to wait for the schema registry; then it is kLearnt.
  enum class Turn : uint8_t { kNew, kFirst, kLearnt };
  // An error is the caller's to tell. True: `done` was called or is kept. False: the registry has to be asked for `writers`
  // before; of a kNew one, or it has to stand in line (none).
  Result<bool> ingest(const IngestRequest& request, TenantState& tenant, Turn turn, Done& done,
                      EventSchemas::Writers& writers);
  void stand_in_line(const IngestRequest& request, TenantState& tenant, Done& done);
  // What the first one waits for. Whether it was answered at once.
  bool ask(TenantState& tenant, const std::string& stream, TenantId id, EventSchemas::Writers writers);
  // Takes those that need not wait any more.
  void move_up(TenantState& tenant, const std::string& stream, TenantId id);
  // True: answered, or waiting for the first one's sync.
  Result<bool> is_duplicate(const IdempotencyKey& id, const BodyHash& body, Done& done);
  // `bytes`: of the request; then, if that is more, of what its values have become. The error: that is too much.
  Status route(IngestTarget& target, const std::vector<std::string_view>& events,
               const IngestRequest& request, TenantState& tenant, IngestAnswer& answer, size_t& bytes);
  void reject(IngestAnswer& answer, size_t index, Error why);
  Status answer_without_frame(TenantState& tenant, IngestAnswer answer, Done& done);
  void learn_ids(const log::Frame& frame);
  TakenAgain take_again(TenantId tenant, const std::vector<Again>& events);
  Result<log::Appended> append_again(TakenAgain taken, std::vector<log::ControlAppend> controls);
  Status submit(const IngestRequest& request, TenantState& tenant, IngestTarget& target, IngestAnswer answer,
                const BodyHash& body, size_t bytes, Done& done);

  log::Journal& journal;
  const sql::Definitions& definitions;
  const Limits limits;
  IdempotencyTable keys;
  EventIds ids;
  std::unordered_map<StreamId, IngestTargetPtr> targets;
  std::unordered_map<TenantId, TenantState> tenants;
  std::deque<Pending> pending;
  uint64_t accepted_bytes = 0;
  IngestAccounts accounts;
  EventSchemas* schemas = nullptr;
  size_t in_line = 0;                                           // requests
  std::shared_ptr<Impl*> self = std::make_shared<Impl*>(this);  // for what may come when this is gone
  std::function<void(TenantId, QuotaKind)> on_over_quota;
  Appended appended;
};

Result<const sql::Catalog::Entry*> Ingest::Impl::find_stream(const sql::Catalog& catalog,
                                                             const IngestRequest& request) const {
  const auto* entry = catalog.find(request.tenant, request.stream);
  if (entry == nullptr) return unknown_stream(catalog, request);
  if (entry->stream == nullptr || entry->stream->kind != engine::StreamKind::kDeclared)
    return not_writable(*entry);
  return entry;
}

Result<IngestTargetPtr> Ingest::Impl::target_of(const engine::StreamPtr& stream) {
  if (const auto found = targets.find(stream->id); found != targets.end() && found->second->is_of(stream))
    return found->second;
  std::unique_ptr<EventSchema> schema;
  if (!stream->schema.subject.empty()) {
    if (schemas == nullptr) return no_registry();
    TRY_ASSIGN(schema, schemas->of(*stream));
  }
  if (targets.size() >= limits.kept_streams) targets.clear();
  return targets[stream->id] = std::make_shared<IngestTarget>(
             stream, std::move(schema), definitions.catalog()->dead_letters(stream->tenant));
}

// Before any cost is paid. What a request takes is known only later (is it a repetition? how many events has
// its array?): the buckets then go into debt.
Status Ingest::Impl::check_quota(TenantId id, TenantState& tenant, size_t body_bytes) {
  if (tenant.waiting_bytes > 0 && tenant.waiting_bytes + body_bytes > limits.max_waiting_bytes) {
    return error(Code::kExhausted, "MR-ING-0009", "too much of the tenant's data waits for the disk",
                 "wait for answers before sending more");
  }
  const int64_t now = tenant.events.bounded() || tenant.bytes.bounded() ? journal.now().value : 0;
  const bool events = tenant.events.has_room(now);
  if (events && tenant.bytes.has_room(now)) return {};
  if (on_over_quota) on_over_quota(id, events ? QuotaKind::kBytes : QuotaKind::kEvents);
  return events ? over_quota("bytes", tenant.bytes.wait_s()) : over_quota("events", tenant.events.wait_s());
}

Result<bool> Ingest::Impl::is_duplicate(const IdempotencyKey& id, const BodyHash& body, Done& done) {
  const auto entry = keys.find(id, journal.now());
  if (entry == nullptr) return false;
  if (entry->body != body) return reused_key();
  const uint64_t events = entry->answer.events();
  accounts.received_events += events;
  accounts.duplicate_events += events;
  ++accounts.replayed_requests;
  if (!entry->durable) {
    entry->waiting.push_back(std::move(done));
  } else {
    IngestAnswer answer = entry->answer;
    answer.replayed = true;
    done(std::move(answer));
  }
  return true;
}

void Ingest::Impl::reject(IngestAnswer& answer, size_t index, Error why) {
  shorten(why.message);
  accounts.reject(rejection_for(why), 1);
  if (answer.rejected.size() >= limits.max_rejected_reported) {
    ++answer.rejected_more;
    return;
  }
  answer.rejected.push_back({index, std::move(why)});
}

Status Ingest::Impl::route(IngestTarget& target, const std::vector<std::string_view>& events,
                           const IngestRequest& request, TenantState& tenant, IngestAnswer& answer,
                           size_t& bytes) {
  target.begin(journal.now());
  const bool values = is_values(request.format);
  size_t made = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    const Result<ReadValue> read = values ? target.read(events[i], made) : ReadValue{events[i]};
    if (made > limits.max_made_bytes) {
      target.finish();  // nothing of it stays
      return too_much_made(limits.max_made_bytes);
    }
    if (!read.ok()) {  // bytes, which a dead letter has no place for
      reject(answer, i, read.error());
      continue;
    }
    const std::string_view event = read->event;
    auto taken = target.take(event, ids, read->fits);
    if (taken.ok()) {
      ++(*taken ? answer.accepted : answer.duplicates);
      continue;
    }
    Error why = std::move(taken).error();
    if (!request.all_or_nothing && target.keeps(event, why)) {
      shorten(why.message);
      target.take_letter(event, why);
      ++answer.dead_letters;
    } else {
      reject(answer, i, std::move(why));
    }
  }
  accounts.duplicate_events += answer.duplicates;
  if (made > bytes) tenant.bytes.take(static_cast<double>(made - bytes));
  bytes = std::max(bytes, made);
  return {};
}

// What it repeats may still wait for the disk, and then it waits, too.
Status Ingest::Impl::answer_without_frame(TenantState& tenant, IngestAnswer answer, Done& done) {
  ++accounts.accepted_requests;
  if (answer.duplicates > 0 && !pending.empty()) {
    const Cut last = pending.back().cut;
    answer.cursor = cursor_after(last);
    pending.push_back({last, 0, &tenant, std::move(done), std::move(answer), nullptr});
    return {};
  }
  answer.cursor = cursor_after(journal.durable_cut());
  done(std::move(answer));
  return {};
}

Status Ingest::Impl::submit(const IngestRequest& request, TenantState& tenant, IngestTarget& target,
                            IngestAnswer answer, const BodyHash& body, size_t bytes, Done& done) {
  const StreamId stream = target.stream().id;
  const size_t waiting_bytes = bytes + target.letter_bytes();
  log::Group group = target.finish();
  const bool with_key = !request.idempotency_key.empty();
  if (group.batches.empty() && !with_key) return answer_without_frame(tenant, std::move(answer), done);
  IdempotencyTable::EntryPtr entry;
  if (with_key) {
    entry = std::make_shared<IdempotencyTable::Entry>();
    entry->id = key_of(request, stream);
    entry->body = body;
    group.controls.push_back({log::ControlKind::kIdempotency, encode_idempotency(entry->id, body, answer)});
  }
  if (!target.new_ids().ids.empty())
    group.controls.push_back({log::ControlKind::kEventIds, encode_event_ids(target.new_ids())});
  if (request.trace && !group.batches.empty())
    group.controls.push_back({log::ControlKind::kTrace, telemetry::encode_trace_context(*request.trace)});
  auto taken = journal.append(std::move(group), log::Priority::kIngest);
  if (!taken.ok()) {
    accounts.reject(Rejection::kUnstored, answer.accepted + answer.dead_letters);
    return std::move(taken).error();
  }
  log::Appended frame = std::move(taken).value();
  if (answer.dead_letters > 0) frame.places.pop_back();  // theirs
  answer.offsets = std::move(frame.places);
  answer.cursor = cursor_after(frame.cut);
  if (entry != nullptr) {
    entry->cut = frame.cut;
    entry->time = frame.time;
    entry->answer = answer;
    keys.add(entry);
  }
  if (!target.new_ids().ids.empty()) ids.add(target.new_ids(), frame.time, frame.cut);
  ++accounts.accepted_requests;
  accounts.stored_events += answer.accepted;
  accounts.dead_letters += answer.dead_letters;
  accounts.events_a_request.record(static_cast<int64_t>(answer.accepted));
  if (appended && answer.accepted > 0) appended(stream, frame.cut, frame.time, request.trace);
  accepted_bytes += request.body.size();
  tenant.counters.accepted_events += answer.accepted;
  tenant.counters.accepted_bytes += request.body.size();
  tenant.waiting_bytes += waiting_bytes;
  pending.push_back(
      {frame.cut, waiting_bytes, &tenant, std::move(done), std::move(answer), std::move(entry)});
  return {};
}

void Ingest::Impl::refuse(TenantState& tenant, Error why, Done& done) {
  ++tenant.counters.refused_requests;
  accounts.refuse(why);
  done(std::move(why));
}

Result<bool> Ingest::Impl::ingest(const IngestRequest& request, TenantState& tenant, Turn turn, Done& done,
                                  EventSchemas::Writers& writers) {
  const auto catalog = definitions.catalog();
  TRY_ASSIGN(const auto* entry, find_stream(*catalog, request));
  if (is_cloud_event(request.format) && !entry->stream->cloud_events)
    return takes_no_cloud_events(*entry->stream);
  if (is_values(request.format)) TRY(check_takes_values(*entry->stream));
  if (request.idempotency_key.size() > kMaxKeyBytes) {
    return error(Code::kInvalid, "MR-ING-0004",
                 fmt::format("the Idempotency-Key has {} bytes, the bound is {}",
                             request.idempotency_key.size(), kMaxKeyBytes));
  }
  if (turn == Turn::kNew) TRY(check_quota(request.tenant, tenant, request.body.size()));
  const engine::StreamPtr& stream = entry->stream;
  const bool behind = turn == Turn::kNew && tenant.lines.contains(request.stream);
  BodyHash body;
  if (!request.idempotency_key.empty() && !behind) {
    body = hash_body(request.body);
    TRY_ASSIGN(const bool duplicate, is_duplicate(key_of(request, stream->id), body, done));
    if (duplicate) return true;
  }
  TRY_ASSIGN(const IngestTargetPtr target, target_of(stream));
  if (turn == Turn::kNew) tenant.bytes.take(static_cast<double>(request.body.size()));
  if (behind) return false;
  TRY_ASSIGN(const auto events, split(request, limits.max_events));
  if (is_values(request.format) && turn != Turn::kLearnt) {
    TRY_ASSIGN(writers, writers_of(events));
    const auto known = [&](const auto& writer) { return schemas->knows(*stream, writer); };
    if (!std::all_of(writers.begin(), writers.end(), known)) return false;
  }
  accounts.received_events += events.size();
  if (events.size() > limits.max_events) {
    accounts.reject(Rejection::kRequest, events.size());
    return error(
        Code::kInvalid, "MR-ING-0006",
        fmt::format("the request holds {} events, the bound is {}", events.size(), limits.max_events),
        "send them in several requests");
  }
  tenant.events.take(static_cast<double>(events.size()));
  IngestAnswer answer;
  size_t bytes = request.body.size();
  if (Status routed = route(*target, events, request, tenant, answer, bytes); !routed.ok()) {
    accounts.reject(Rejection::kRequest, events.size() - answer.rejected.size() - answer.rejected_more);
    return std::move(routed).error();
  }
  tenant.counters.rejected_events += answer.rejected.size() + answer.rejected_more;
  if (request.all_or_nothing && !answer.rejected.empty()) {
    target->finish();  // nothing of it stays
    accounts.reject(Rejection::kRequest, answer.accepted);
    return std::move(answer.rejected.front().error);
  }
  TRY(submit(request, tenant, *target, std::move(answer), body, bytes, done));
  return true;
}

void Ingest::Impl::stand_in_line(const IngestRequest& request, TenantState& tenant, Done& done) {
  auto waiting = std::make_unique<Waiting>(
      Waiting{request, Buffer::copy(request.body), std::exchange(done, nullptr), std::nullopt});
  waiting->request.body = waiting->body.view();
  tenant.waiting_bytes += request.body.size();
  ++in_line;
  tenant.lines[request.stream].push_back(std::move(waiting));
}

bool Ingest::Impl::ask(TenantState& tenant, const std::string& stream, TenantId id,
                       EventSchemas::Writers writers) {
  const auto catalog = definitions.catalog();
  Waiting& first = *tenant.lines.at(stream).front();
  const auto now = std::make_shared<bool>(true);
  schemas->learn(*catalog->find(id, stream)->stream, std::move(writers),
                 [&tenant, &first, stream, id, now, alive = std::weak_ptr<Impl*>(self)](Status learnt) {
                   const auto impl = alive.lock();
                   if (impl == nullptr) return;
                   first.learnt = std::move(learnt);
                   if (!*now) (*impl)->move_up(tenant, stream, id);
                 });
  *now = false;
  return first.learnt.has_value();
}

void Ingest::Impl::move_up(TenantState& tenant, const std::string& stream, TenantId id) {
  auto& line = tenant.lines.at(stream);
  while (!line.empty()) {
    Waiting& first = *line.front();
    EventSchemas::Writers writers;
    Result<bool> taken = true;
    if (first.learnt && !first.learnt->ok()) {
      taken = first.learnt->error();
    } else {
      taken = ingest(first.request, tenant, first.learnt ? Turn::kLearnt : Turn::kFirst, first.done, writers);
    }
    if (taken.ok() && !*taken) {
      if (!ask(tenant, stream, id, std::move(writers))) return;
      continue;
    }
    const WaitingPtr done = std::move(line.front());
    line.pop_front();
    --in_line;
    tenant.waiting_bytes -= done->request.body.size();
    if (!taken.ok()) refuse(tenant, std::move(taken).error(), done->done);
  }
  tenant.lines.erase(stream);
}

Ingest::TakenAgain Ingest::Impl::take_again(TenantId tenant, const std::vector<Again>& events) {
  TakenAgain out;
  out.tenant = tenant;
  std::map<StreamId, IngestTargetPtr> begun;
  for (const Again& again : events) {
    IngestTargetPtr& target = begun[again.stream->id];
    if (target == nullptr) {
      auto found = target_of(again.stream);
      if (!found.ok()) {
        begun.erase(again.stream->id);
        out.outcomes.emplace_back(found.error());
        continue;
      }
      target = std::move(*found);
      target->begin(journal.now());
    }
    out.outcomes.push_back(target->take(Buffer::copy(again.event).view(), ids));
    if (out.outcomes.back().ok() && *out.outcomes.back()) ++out.taken[again.stream->id];
  }
  for (const auto& [stream, target] : begun) {
    log::Group group = target->finish();
    std::ranges::move(group.batches, std::back_inserter(out.group.batches));
    std::ranges::move(group.controls, std::back_inserter(out.group.controls));
    if (!target->new_ids().ids.empty())
      out.group.controls.push_back({log::ControlKind::kEventIds, encode_event_ids(target->new_ids())});
  }
  return out;
}

Result<log::Appended> Ingest::Impl::append_again(TakenAgain taken, std::vector<log::ControlAppend> controls) {
  for (auto& control : controls) taken.group.controls.push_back(std::move(control));
  TRY_ASSIGN(auto frame, journal.append(std::move(taken.group), log::Priority::kIngest));
  learn_ids(*frame.frame);
  for (const auto& [stream, events] : taken.taken) {
    accounts.received_events += events;
    accounts.stored_events += events;
    tenants[taken.tenant].counters.accepted_events += events;
    if (appended) appended(stream, frame.cut, frame.time, {});
  }
  return frame;
}

Ingest::Ingest(log::Journal& journal, const sql::Definitions& definitions, Limits limits)
    : impl_(std::make_unique<Impl>(journal, definitions, limits)) {}
Ingest::~Ingest() = default;

void Ingest::ingest(const IngestRequest& request, Done done) {
  TenantState& tenant = impl_->tenants[request.tenant];
  ++impl_->accounts.requests;
  EventSchemas::Writers writers;
  auto taken = impl_->ingest(request, tenant, Impl::Turn::kNew, done, writers);
  if (!taken.ok()) return impl_->refuse(tenant, std::move(taken).error(), done);
  if (*taken) return;
  impl_->stand_in_line(request, tenant, done);
  if (writers.empty()) return;  // behind others
  if (impl_->ask(tenant, request.stream, request.tenant, std::move(writers)))
    impl_->move_up(tenant, request.stream, request.tenant);
}

Ingest::TakenAgain Ingest::take_again(TenantId tenant, const std::vector<Again>& events) {
  return impl_->take_again(tenant, events);
}
Result<log::Appended> Ingest::append_again(TakenAgain taken, std::vector<log::ControlAppend> controls) {
  return impl_->append_again(std::move(taken), std::move(controls));
}

void Ingest::on_durable(Cut durable) {
  auto& pending = impl_->pending;
  while (!pending.empty() && pending.front().cut <= durable) {
    Pending one = std::move(pending.front());
    pending.pop_front();
    one.tenant->waiting_bytes -= one.bytes;
    std::vector<Done> duplicates;
    IngestAnswer again;
    if (one.entry != nullptr) {
      one.entry->durable = true;
      duplicates.swap(one.entry->waiting);
      if (!duplicates.empty()) again = one.answer;
    }
    again.replayed = true;
    one.done(std::move(one.answer));
    for (auto& duplicate : duplicates) duplicate(again);
  }
}

size_t Ingest::waiting() const {
  return impl_->pending.size() + impl_->in_line;
}
const IngestAccounts& Ingest::accounts() const {
  return impl_->accounts;
}
void Ingest::use(EventSchemas& schemas) {
  impl_->schemas = &schemas;
}
void Ingest::on_appended(Appended appended) {
  impl_->appended = std::move(appended);
}
uint64_t Ingest::accepted_bytes() const {
  return impl_->accepted_bytes;
}

std::map<TenantId, Ingest::TenantCounters> Ingest::by_tenant() const {
  std::map<TenantId, TenantCounters> counters;
  for (const auto& [id, tenant] : impl_->tenants) {
    counters[id] = tenant.counters;
    counters[id].waiting_bytes = tenant.waiting_bytes;
  }
  return counters;
}

void Ingest::set_quota(TenantId tenant, Quota quota) {
  auto& state = impl_->tenants[tenant];
  state.events = TokenBucket(quota.events_per_s);
  state.bytes = TokenBucket(quota.bytes_per_s);
}

Status Ingest::admits(TenantId tenant, size_t body_bytes) {
  const auto found = impl_->tenants.find(tenant);
  if (found == impl_->tenants.end()) return {};
  const Status admitted = impl_->check_quota(tenant, found->second, body_bytes);
  if (admitted.ok()) return {};
  ++found->second.counters.refused_requests;
  ++impl_->accounts.requests;
  impl_->accounts.refuse(admitted.error());
  return admitted;
}

void Ingest::on_over_quota(std::function<void(TenantId, QuotaKind)> over) {
  impl_->on_over_quota = std::move(over);
}

double Ingest::retry_after_s(TenantId tenant) const {
  const auto found = impl_->tenants.find(tenant);
  if (found == impl_->tenants.end()) return 0;
  return std::max(found->second.events.wait_s(), found->second.bytes.wait_s());
}

void Ingest::Impl::learn_ids(const log::Frame& frame) {
  for (const auto& control : frame.controls) {
    if (control.kind != log::ControlKind::kEventIds) continue;
    const auto record = decode_event_ids(control.payload.view());
    if (record.ok()) ids.add(*record, frame.time, frame.cut);  // else `log verify` reports it
  }
}

void Ingest::replay(const log::Frame& frame) {
  impl_->learn_ids(frame);
  for (const auto& control : frame.controls) {
    if (control.kind != log::ControlKind::kIdempotency) continue;
    auto record = decode_idempotency(control.payload.view());
    if (!record.ok()) continue;  // `log verify` reports it; a start goes on
    auto entry = std::make_shared<IdempotencyTable::Entry>();
    entry->id = std::move(record->id);
    entry->body = record->body;
    entry->time = frame.time;
    entry->cut = frame.cut;
    entry->durable = true;
    entry->answer = std::move(record->answer);
    entry->answer.offsets = places_in(frame, entry->id.stream);
    entry->answer.cursor = cursor_after(frame.cut);
    impl_->keys.add(std::move(entry));
  }
}

std::string Ingest::save() const {
  if (impl_->ids.empty()) return impl_->keys.save();
  std::string out(1, static_cast<char>(kSavedWithIds));
  append_bytes(out, impl_->keys.save());
  return out + impl_->ids.save(impl_->journal.durable_cut());
}
Status Ingest::load(std::string_view saved) {
  if (saved.empty() || static_cast<uint8_t>(saved.front()) != kSavedWithIds) return impl_->keys.load(saved);
  ByteReader in(saved.substr(1));
  const std::string_view keys = in.bytes();
  // Both or none: what is loaded in part comes again with the frames that are replayed for it.
  EventIds ids(impl_->limits.event_ids);
  if (in.ok()) TRY(ids.load(in.rest()));
  TRY(impl_->keys.load(keys));
  impl_->ids = std::move(ids);
  return {};
}

}  // namespace millrace::gateway
