#include "event-gateway/idempotency.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/planted.h"

namespace millrace::gateway {
namespace {

// Two hashes with different seeds make the 128 bits; both seeds are part of the data.
constexpr uint64_t kSecondSeed = 0x6d696c6c72616365;
constexpr uint8_t kSavedVersion = 1;
constexpr size_t kMaxRejected = 100'000;

void append_rejected(std::string& out, const IngestAnswer& answer) {
  append_varint(out, answer.rejected.size());
  for (const auto& rejected : answer.rejected) {
    append_varint(out, rejected.index);
    out.push_back(static_cast<char>(rejected.error.code));
    append_bytes(out, rejected.error.id);
    append_bytes(out, rejected.error.message);
  }
  append_varint(out, answer.rejected_more);
}

bool read_rejected(ByteReader& in, IngestAnswer& answer) {
  const uint64_t count = in.varint();
  if (count > kMaxRejected) return false;
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    RejectedEvent rejected;
    rejected.index = in.varint();
    rejected.error.code = static_cast<Code>(in.le<uint8_t>());
    rejected.error.id = std::string(in.bytes());
    rejected.error.message = std::string(in.bytes());
    answer.rejected.push_back(std::move(rejected));
  }
  answer.rejected_more = in.varint();
  return in.ok();
}

Error bad_record() {
  return error(Code::kCorrupt, "MR-ING-0010", "an idempotency record does not parse",
               "run millrace log verify");
}

bool read_record(ByteReader& in, IdempotencyRecord& record) {
  record.id.tenant = TenantId(static_cast<uint32_t>(in.varint()));
  record.id.stream = StreamId(static_cast<uint32_t>(in.varint()));
  record.id.key = std::string(in.bytes());
  record.body.low = in.le<uint64_t>();
  record.body.high = in.le<uint64_t>();
  record.answer.accepted = in.varint();
  if (!read_rejected(in, record.answer)) return false;
  if (in.left() > 0) record.answer.duplicates = in.varint();
  if (in.left() > 0) record.answer.dead_letters = in.varint();
  return in.ok();
}

void append_places(std::string& out, const std::vector<log::BatchPlace>& places) {
  append_varint(out, places.size());
  for (const auto& place : places) {
    append_varint(out, place.where.partition.value);
    append_varint(out, static_cast<uint64_t>(place.first.value));
    append_varint(out, place.count);
  }
}

bool read_places(ByteReader& in, StreamId stream, std::vector<log::BatchPlace>& places) {
  const uint64_t count = in.varint();
  if (count > UINT16_MAX) return false;
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    log::BatchPlace place;
    place.where = {stream, PartitionId(static_cast<uint16_t>(in.varint()))};
    place.first = Offset(static_cast<int64_t>(in.varint()));
    place.count = static_cast<uint32_t>(in.varint());
    places.push_back(place);
  }
  return in.ok();
}

}  // namespace

BodyHash hash_body(std::string_view body) {
  return {stable_hash(body), seeded_hash(body, kSecondSeed)};
}

engine::StreamPlace cursor_after(Cut cut) {
  return {Cut(cut.value + 1), 0};
}

std::vector<log::BatchPlace> places_in(const log::Frame& frame, StreamId stream) {
  std::vector<log::BatchPlace> places;
  for (const auto& batch : frame.batches) {
    if (batch.where.stream == stream) places.push_back({batch.where, batch.first, batch.count});
  }
  return places;
}

std::string encode_idempotency(const IdempotencyKey& id, const BodyHash& body, const IngestAnswer& answer) {
  std::string out;
  append_varint(out, id.tenant.value);
  append_varint(out, id.stream.value);
  append_bytes(out, id.key);
  append_le(out, body.low);
  append_le(out, body.high);
  append_varint(out, answer.accepted);
  append_rejected(out, answer);
  if (answer.duplicates + answer.dead_letters > 0) append_varint(out, answer.duplicates);
  if (answer.dead_letters > 0) append_varint(out, answer.dead_letters);
  return out;
}

Result<IdempotencyRecord> decode_idempotency(std::string_view payload) {
  ByteReader in(payload);
  IdempotencyRecord record;
  if (!read_record(in, record) || !in.done()) return bad_record();
  return record;
}

size_t IdempotencyTable::KeyHash::operator()(const IdempotencyKey& id) const {
  const uint64_t who = uint64_t{id.tenant.value} << 32 | id.stream.value;
  return seeded_hash(id.key, process_hash_seed() ^ (who * 0x9e3779b97f4a7c15));
}

IdempotencyTable::EntryPtr IdempotencyTable::find(const IdempotencyKey& id, AppendTime now) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || planted(Planted::kForgetKeys)) return nullptr;
  const bool expired = found->second->time.value < now.value - limits_.idempotency_window_us;
  return expired && found->second->durable ? nullptr : found->second;
}

void IdempotencyTable::add(EntryPtr entry) {
  auto& order = by_age_[entry->id.tenant];
  const int64_t oldest = entry->time.value - limits_.idempotency_window_us;
  order.push_back(entry);
  entries_.insert_or_assign(entry->id, std::move(entry));
  while (!order.empty() && (order.size() > limits_.idempotency_keys || order.front()->time.value < oldest)) {
    forget_oldest(order);
  }
}

// A key that was used again after its window has a younger entry: that one stays.
void IdempotencyTable::forget_oldest(std::deque<EntryPtr>& order) {
  const auto found = entries_.find(order.front()->id);
  if (found != entries_.end() && found->second == order.front()) entries_.erase(found);
  order.pop_front();
}

std::string IdempotencyTable::save() const {
  std::string out;
  out.push_back(static_cast<char>(kSavedVersion));
  for (const auto& [tenant, order] : by_age_) {
    for (const auto& entry : order) {
      if (!entry->durable) continue;
      append_bytes(out, encode_idempotency(entry->id, entry->body, entry->answer));
      append_varint(out, entry->cut.value);
      append_varint(out, static_cast<uint64_t>(entry->time.value));
      append_places(out, entry->answer.offsets);
    }
  }
  return out;
}

Status IdempotencyTable::load(std::string_view saved) {
  ByteReader in(saved);
  if (in.le<uint8_t>() != kSavedVersion) return bad_record();
  std::vector<EntryPtr> loaded;
  while (in.ok() && in.left() > 0) {
    TRY_ASSIGN(IdempotencyRecord record, decode_idempotency(in.bytes()));
    auto entry = std::make_shared<Entry>();
    entry->id = std::move(record.id);
    entry->body = record.body;
    entry->answer = std::move(record.answer);
    entry->cut = Cut(in.varint());
    entry->time = AppendTime(static_cast<int64_t>(in.varint()));
    entry->durable = true;
    if (!read_places(in, entry->id.stream, entry->answer.offsets)) return bad_record();
    entry->answer.cursor = cursor_after(entry->cut);
    loaded.push_back(std::move(entry));
  }
  if (!in.ok()) return bad_record();
  for (auto& entry : loaded) add(std::move(entry));
  return {};
}

}  // namespace millrace::gateway
