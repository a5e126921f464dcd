#include "engine/entries.h"

#include "engine/aggregate.h"

namespace millrace::engine {
namespace {

constexpr size_t kSizeBytes = 4;

// A group key's bytes are in order, NULLs last; inverted they are in the other.
void append_sort_key(std::string& out, const SortKey& key, const Column& column, size_t row) {
  const bool null = column.type == Type::kNull || column.is_null(row);
  const size_t start = out.size();
  encode_key(out, column, row);
  out[start] = !null ? 1 : key.nulls_first ? 0 : 2;
  for (size_t i = start + 1; key.descending && i < out.size(); ++i) out[i] = static_cast<char>(~out[i]);
}

}  // namespace

void append_entry(std::string& out, const AggregateCall& call, const Column& value,
                  std::span<const Column* const> order, size_t row, const RowOrigin& place) {
  for (size_t i = 0; i < order.size(); ++i) append_sort_key(out, call.order_by[i], *order[i], row);
  if (!call.distinct) {
    append_be(out, place.partition.value);
    append_be(out, static_cast<uint64_t>(place.offset.value));
  }
  const size_t start = out.size();
  encode_value(out, value, row);
  append_le(out, static_cast<uint32_t>(out.size() - start));
}

std::string_view value_of_entry(std::string_view entry) {
  if (entry.size() < kSizeBytes) return {};
  const auto size = load_le<uint32_t>(entry.data() + entry.size() - kSizeBytes);
  entry.remove_suffix(kSizeBytes);
  return size <= entry.size() ? entry.substr(entry.size() - size) : std::string_view();
}

}  // namespace millrace::engine
