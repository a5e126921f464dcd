#include "event-gateway/event_ids.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace millrace::gateway {
namespace {

constexpr int64_t kLongestUs = 3'600'000'000;  // that a stream may ask for
constexpr size_t kIdBytes = 16;

void append_id(std::string& out, const EventId& id) {
  append_le(out, id.low);
  append_le(out, id.high);
}

EventId read_id(ByteReader& in) {
  EventId id;
  id.low = in.le<uint64_t>();
  id.high = in.le<uint64_t>();
  return id;
}

Error bad_record() {
  return error(Code::kCorrupt, "MR-ING-0010", "a record of event ids does not parse",
               "run millrace log verify");
}

}  // namespace

// A length before the source: ("ab", "c") is not ("a", "bc").
EventId hash_event_id(std::string_view source, std::string_view id) {
  std::string both;
  append_bytes(both, source);
  both += id;
  return hash_body(both);
}

std::string encode_event_ids(const EventIdRecord& record) {
  std::string out;
  out.reserve(record.ids.size() * kIdBytes + 10);
  append_varint(out, record.tenant.value);
  append_varint(out, record.stream.value);
  for (const EventId& id : record.ids) append_id(out, id);
  return out;
}

Result<EventIdRecord> decode_event_ids(std::string_view payload) {
  ByteReader in(payload);
  EventIdRecord record;
  record.tenant = TenantId(static_cast<uint32_t>(in.varint()));
  record.stream = StreamId(static_cast<uint32_t>(in.varint()));
  if (!in.ok() || in.left() % kIdBytes != 0) return bad_record();
  record.ids.reserve(in.left() / kIdBytes);
  while (in.left() > 0) record.ids.push_back(read_id(in));
  return record;
}

bool EventIds::knows(TenantId tenant, StreamId stream, const EventId& id, AppendTime since) const {
  const auto of = tenants_.find(tenant);
  if (of == tenants_.end()) return false;
  const auto found = of->second.times.find({stream, id});
  return found != of->second.times.end() && found->second.value >= since.value;
}

void EventIds::add(const EventIdRecord& record, AppendTime time, Cut cut) {
  Tenant& tenant = tenants_[record.tenant];
  for (const EventId& id : record.ids) add(tenant, {{record.stream, id}, time, cut});
}

// An id that came again after its window has a younger entry: that one stays.
void EventIds::add(Tenant& tenant, const Entry& entry) const {
  tenant.times.insert_or_assign(entry.key, entry.time);
  tenant.order.push_back(entry);
  const int64_t oldest = entry.time.value - kLongestUs;
  while (!tenant.order.empty() && (tenant.order.size() > most_ || tenant.order.front().time.value < oldest)) {
    const Entry& first = tenant.order.front();
    const auto found = tenant.times.find(first.key);
    if (found != tenant.times.end() && found->second == first.time) tenant.times.erase(found);
    tenant.order.pop_front();
  }
}

std::string EventIds::save(Cut durable) const {
  std::string out;
  for (const auto& [id, tenant] : tenants_) {
    for (const Entry& entry : tenant.order) {
      if (entry.cut > durable) break;
      append_varint(out, id.value);
      append_varint(out, entry.key.stream.value);
      append_id(out, entry.key.id);
      append_varint(out, static_cast<uint64_t>(entry.time.value));
      append_varint(out, entry.cut.value);
    }
  }
  return out;
}

Status EventIds::load(std::string_view saved) {
  ByteReader in(saved);
  std::vector<std::pair<TenantId, Entry>> loaded;
  while (in.ok() && in.left() > 0) {
    const TenantId tenant(static_cast<uint32_t>(in.varint()));
    Entry entry;
    entry.key.stream = StreamId(static_cast<uint32_t>(in.varint()));
    entry.key.id = read_id(in);
    entry.time = AppendTime(static_cast<int64_t>(in.varint()));
    entry.cut = Cut(in.varint());
    loaded.emplace_back(tenant, entry);
  }
  if (!in.ok()) return bad_record();
  for (const auto& [tenant, entry] : loaded) add(tenants_[tenant], entry);
  return {};
}

}  // namespace millrace::gateway
