#include "event-gateway/letter_states.h"

#include "base/bytes.h"

namespace millrace::gateway {
namespace {

using Kind = engine::LetterAction::Kind;

void append_mark(std::string& out, const std::optional<LetterMark>& mark) {
  append_le<uint8_t>(out, mark ? 1 : 0);
  if (!mark) return;
  append_le(out, mark->at.value);
  append_varint(out, mark->cut.value);
  append_bytes(out, mark->by);
}

std::optional<LetterMark> read_mark(ByteReader& in) {
  if (in.le<uint8_t>() == 0) return std::nullopt;
  LetterMark mark;
  mark.at = AppendTime(in.le<int64_t>());
  mark.cut = Cut(in.varint());
  mark.by = in.bytes();
  return mark;
}

}  // namespace

const LetterState* LetterStates::find(TenantId tenant, Offset letter) const {
  const auto of = tenants_.find(tenant);
  if (of == tenants_.end()) return nullptr;
  const auto found = of->second.letters.find(letter.value);
  return found == of->second.letters.end() ? nullptr : &found->second;
}

bool LetterStates::has_room(TenantId tenant, size_t letters, size_t bytes) const {
  const auto of = tenants_.find(tenant);
  if (of == tenants_.end()) return true;
  return of->second.letters.size() + letters <= kMostLetters && of->second.bytes + bytes <= kMostBytes;
}

size_t LetterStates::bytes_of(const LetterState& state) {
  size_t bytes = sizeof(LetterState) + state.payload.size();
  for (const auto* mark : {&state.edited, &state.discarded, &state.redriven}) {
    if (*mark) bytes += (*mark)->by.size();
  }
  return bytes;
}

void LetterStates::apply(const engine::LetterAction& action, AppendTime at, Cut cut) {
  Tenant& tenant = tenants_[action.tenant];
  const auto [place, added] = tenant.letters.try_emplace(action.letter.value);
  LetterState& state = place->second;
  if (!added) tenant.bytes -= bytes_of(state);
  LetterMark mark{at, cut, action.by};
  switch (action.kind) {
    case Kind::kEdit:
      state.edited = std::move(mark);
      state.payload = action.event.payload;
      break;
    case Kind::kDiscard:
      state.discarded = std::move(mark);
      break;
    case Kind::kRedrive:
      state.redriven = std::move(mark);
      break;
  }
  tenant.bytes += bytes_of(state);
}

void LetterStates::forget_before(TenantId tenant, Offset oldest) {
  const auto of = tenants_.find(tenant);
  if (of == tenants_.end()) return;
  auto& letters = of->second.letters;
  while (!letters.empty() && letters.begin()->first < oldest.value) {
    of->second.bytes -= bytes_of(letters.begin()->second);
    letters.erase(letters.begin());
  }
}

std::string LetterStates::save() const {
  std::string out;
  for (const auto& [id, tenant] : tenants_) {
    for (const auto& [number, state] : tenant.letters) {
      append_varint(out, id.value);
      append_varint(out, static_cast<uint64_t>(number));
      append_mark(out, state.edited);
      append_mark(out, state.discarded);
      append_mark(out, state.redriven);
      append_bytes(out, state.payload);
    }
  }
  return out;
}

Status LetterStates::load(std::string_view saved) {
  ByteReader in(saved);
  std::map<TenantId, Tenant> loaded;
  while (in.ok() && in.left() > 0) {
    Tenant& tenant = loaded[TenantId(static_cast<uint32_t>(in.varint()))];
    const auto number = static_cast<int64_t>(in.varint());
    LetterState state;
    state.edited = read_mark(in);
    state.discarded = read_mark(in);
    state.redriven = read_mark(in);
    state.payload = in.bytes();
    tenant.bytes += bytes_of(state);
    tenant.letters[number] = std::move(state);
  }
  if (!in.ok())
    return error(Code::kCorrupt, "MR-DLQ-0011", "what was saved of the dead letters does not parse",
                 "run millrace log verify");
  tenants_ = std::move(loaded);
  return {};
}

}  // namespace millrace::gateway
