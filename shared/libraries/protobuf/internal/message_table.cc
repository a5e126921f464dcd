#include "protobuf/internal/message_table.h"

#include <algorithm>

#include "base/result.h"
#include "protobuf/protobuf_schema.h"

namespace millrace::protobuf {

namespace {

// A message's fields have an operation each, and what is unknown has one.
static_assert(kMaxParts < UINT16_MAX);

// How far a table goes by number: no further than a few places for each of its parts.
size_t small_size(size_t largest, size_t parts) {
  return std::min<size_t>({largest + 1, 16 * parts + 128, UINT16_MAX});
}

}  // namespace

Symbols::Symbols(std::vector<std::pair<int32_t, std::string_view>> names) : names_(std::move(names)) {
  const auto less = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::stable_sort(names_.begin(), names_.end(), less);
  names_.erase(std::unique(names_.begin(), names_.end(),
                           [](const auto& a, const auto& b) { return a.first == b.first; }),
               names_.end());
  if (names_.empty() || names_.back().first < 0) return;
  small_.resize(small_size(static_cast<size_t>(names_.back().first), names_.size()));
  for (const auto& [number, name] : names_)
    if (number >= 0 && static_cast<size_t>(number) < small_.size())
      small_[static_cast<size_t>(number)] = name;
}

const std::string_view* Symbols::search(int32_t number) const {
  const auto found = std::lower_bound(names_.begin(), names_.end(), number,
                                      [](const auto& name, int32_t n) { return name.first < n; });
  return found != names_.end() && found->first == number ? &found->second : nullptr;
}

void MessageTable::add(uint32_t tag, FieldOp op) {
  const bool marks = op.has_presence || op.oneof >= 0 || op.required >= 0;
  op.marks_first = marks && op.code != OpCode::kMessage && op.code != OpCode::kClosedSymbol;
  CHECK(ops_.size() <= UINT16_MAX, "a message has no more fields than kMaxParts");
  large_.emplace_back(tag, static_cast<uint16_t>(ops_.size()));
  ops_.push_back(op);
}

void MessageTable::close() {
  if (large_.empty()) return;
  std::sort(large_.begin(), large_.end());
  small_.resize(small_size(large_.back().first, large_.size()));
  for (const auto& [tag, op] : large_)
    if (tag < small_.size()) small_[tag] = static_cast<uint16_t>(op);
}

const FieldOp& MessageTable::search(uint32_t tag) const {
  const auto found = std::lower_bound(large_.begin(), large_.end(), tag,
                                      [](const auto& entry, uint32_t t) { return entry.first < t; });
  return ops_[found != large_.end() && found->first == tag ? found->second : 0];
}

}  // namespace millrace::protobuf
