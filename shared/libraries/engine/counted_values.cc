#include "engine/counted_values.h"

#include <algorithm>
#include <span>
#include <string>

#include "base/bytes.h"

namespace millrace::engine {
namespace {

constexpr size_t kBlockBytes = 1024;

void append_block(std::string_view block, std::vector<CountedValue>& out) {
  ByteReader in(block);
  while (in.left() > 0) {
    const std::string_view value = in.bytes();
    out.push_back({value, in.signed_varint()});
  }
}

std::vector<CountedValue> values_of(std::string_view block) {
  std::vector<CountedValue> out;
  append_block(block, out);
  return out;
}

std::string block_of(std::span<const CountedValue> values) {
  std::string out;
  for (const CountedValue& counted : values) {
    append_bytes(out, counted.value);
    append_varint(out, zigzag(counted.rows));
  }
  return out;
}

std::string_view first_of(std::string_view block) {
  return ByteReader(block).bytes();
}

std::vector<uint64_t> blocks_of(std::string_view list) {
  std::vector<uint64_t> out;
  for (ByteReader in(list); in.left() > 0;) out.push_back(in.le<uint64_t>());
  return out;
}

uint64_t put_list(state::Table& table, const std::vector<uint64_t>& blocks) {
  std::string bytes;
  for (const uint64_t id : blocks) append_le(bytes, id);
  return table.put_blob(bytes);
}

void count(std::vector<CountedValue>& values, std::string_view value, int64_t rows) {
  const auto at = std::ranges::lower_bound(values, value, {}, &CountedValue::value);
  if (at == values.end() || at->value != value) {
    values.insert(at, {value, rows});
  } else if (at->rows += rows; at->rows == 0) {
    values.erase(at);
  }
}

// The last block that begins with the value or before it, or else the first.
size_t place_of(const state::Table& table, const std::vector<uint64_t>& blocks, std::string_view value) {
  const auto behind =
      std::ranges::partition_point(blocks, [&](uint64_t id) { return first_of(table.blob(id)) <= value; });
  return behind == blocks.begin() ? 0 : static_cast<size_t>(behind - blocks.begin()) - 1;
}

}  // namespace

std::optional<uint64_t> change_count(state::Table& table, uint64_t list, std::string_view value,
                                     int64_t rows) {
  std::vector<uint64_t> blocks = blocks_of(list == 0 ? std::string_view() : table.blob(list));
  const size_t at = place_of(table, blocks, value);
  const uint64_t old = blocks.empty() ? 0 : blocks[at];
  const std::string before(old == 0 ? std::string_view() : table.blob(old));
  std::vector<CountedValue> values = values_of(before);
  count(values, value, rows);
  if (old != 0) blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(at));
  // A block that has become too large is cut in two: the more there are the later, for the list is written, too.
  const size_t most = std::max<size_t>(kBlockBytes, blocks.size() * sizeof(uint64_t));
  const bool cut = values.size() > 1 && before.size() + value.size() > most;
  const size_t half = cut ? values.size() / 2 : values.size();
  const std::span<const CountedValue> all(values);
  auto place = blocks.begin() + static_cast<std::ptrdiff_t>(at);
  for (const auto part : {all.first(half), all.subspan(half)}) {
    if (part.empty()) continue;
    const uint64_t id = table.put_blob(block_of(part));
    if (id == 0) return std::nullopt;
    place = blocks.insert(place, id) + 1;
  }
  const uint64_t made = blocks.empty() ? 0 : put_list(table, blocks);
  if (made == 0 && !blocks.empty()) return std::nullopt;
  if (old != 0) table.free_blob(old);
  if (list != 0) table.free_blob(list);
  return made;
}

bool has_value(const state::Table& table, uint64_t list, std::string_view value) {
  const std::vector<uint64_t> blocks = blocks_of(list == 0 ? std::string_view() : table.blob(list));
  if (blocks.empty()) return false;
  for (ByteReader in(table.blob(blocks[place_of(table, blocks, value)])); in.left() > 0; in.signed_varint()) {
    if (in.bytes() == value) return true;
  }
  return false;
}

std::string_view least_value(uint64_t list, const Blobs& blob) {
  const std::vector<uint64_t> blocks = blocks_of(blob(list));
  return blocks.empty() ? std::string_view() : first_of(blob(blocks.front()));
}

std::string_view greatest_value(uint64_t list, const Blobs& blob) {
  const std::vector<uint64_t> blocks = blocks_of(blob(list));
  const auto values = values_of(blocks.empty() ? std::string_view() : blob(blocks.back()));
  return values.empty() ? std::string_view() : values.back().value;
}

void read_values(uint64_t list, const Blobs& blob, std::vector<CountedValue>& out) {
  for (const uint64_t id : blocks_of(blob(list))) append_block(blob(id), out);
}

void put_together(std::vector<CountedValue>& values) {
  std::sort(values.begin(), values.end(),
            [](const CountedValue& a, const CountedValue& b) { return a.value < b.value; });
  size_t kept = 0;
  for (size_t i = 0; i < values.size();) {
    CountedValue all = values[i++];
    for (; i < values.size() && values[i].value == all.value; ++i) all.rows += values[i].rows;
    if (all.rows > 0) values[kept++] = all;
  }
  values.resize(kept);
}

void append_values(uint64_t list, const Blobs& blob, std::vector<uint64_t>& ids) {
  if (list == 0) return;
  const std::vector<uint64_t> blocks = blocks_of(blob(list));
  ids.insert(ids.end(), blocks.begin(), blocks.end());
  ids.push_back(list);
}

uint64_t move_values(uint64_t list, const Blobs& from, state::Table& to) {
  std::vector<uint64_t> blocks = blocks_of(from(list));
  for (uint64_t& id : blocks) {
    id = to.put_blob(from(id));
    if (id == 0) return 0;
  }
  return put_list(to, blocks);
}

}  // namespace millrace::engine
