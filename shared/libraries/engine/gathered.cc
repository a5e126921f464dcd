#include "engine/gathered.h"

#include <algorithm>

#include "engine/entries.h"
#include "formats/jsonb.h"

namespace millrace::engine {
namespace {

constexpr size_t kChunkBytes = 1024;
constexpr size_t kLinkBytes = 8;

uint64_t link_of(std::string_view chunk) {
  return chunk.size() < kLinkBytes ? 0 : load_le<uint64_t>(chunk.data());
}

std::string_view text_of(std::string_view entry) {
  ByteReader in(value_of_entry(entry));
  in.le<uint8_t>();
  return in.bytes();
}

std::vector<std::string_view> sorted_entries(std::string_view bytes) {
  std::vector<std::string_view> out;
  ByteReader in(bytes);
  while (in.left() > 0) out.push_back(in.bytes());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

uint64_t add_to_chain(state::Table& table, uint64_t chain, std::string_view entry) {
  std::string chunk;
  const std::string_view last = chain == 0 ? std::string_view() : table.blob(chain);
  if (last.size() >= kLinkBytes && last.size() + entry.size() <= kChunkBytes)
    chunk = last;
  else
    append_le(chunk, chain);
  append_bytes(chunk, entry);
  return table.put_blob(chunk);
}

bool continues_chain(const state::Table& table, uint64_t chain, uint64_t old) {
  return old != 0 && link_of(table.blob(chain)) == old;
}

void read_chain(uint64_t chain, const Blobs& blob, std::string& entries) {
  while (chain != 0) {
    const std::string_view chunk = blob(chain);
    if (chunk.size() <= kLinkBytes) return;
    entries += chunk.substr(kLinkBytes);
    chain = link_of(chunk);
  }
}

void append_chain(uint64_t chain, const Blobs& blob, std::vector<uint64_t>& ids) {
  for (; chain != 0; chain = link_of(blob(chain))) ids.push_back(chain);
}

uint64_t move_chain(uint64_t chain, const Blobs& from, state::Table& to) {
  std::vector<std::string_view> chunks;
  for (; chain != 0; chain = link_of(chunks.back())) chunks.push_back(from(chain));
  uint64_t moved = 0;
  for (; !chunks.empty(); chunks.pop_back()) {
    std::string chunk;
    append_le(chunk, moved);
    chunk += chunks.back().substr(std::min(kLinkBytes, chunks.back().size()));
    moved = to.put_blob(chunk);
    if (moved == 0) return 0;
  }
  return moved;
}

std::string gathered_answer(AggregateKind kind, std::string_view separator, std::string_view entries) {
  const bool objects = kind == AggregateKind::kJsonbObjectAgg;
  const bool json = objects || kind == AggregateKind::kJsonbAgg;
  std::string out;
  if (json) out = objects ? '{' : '[';
  bool first = true;
  for (const std::string_view entry : sorted_entries(entries)) {
    std::string_view text = text_of(entry);
    if (objects && text.size() >= 2) text = text.substr(1, text.size() - 2);
    if (!std::exchange(first, false)) out += separator;
    out += text;
  }
  if (!json) return out;
  out += objects ? '}' : ']';
  if (!objects) return out;
  // Of a name that comes twice the last one counts.
  auto canonical = formats::parse_jsonb(out);
  return canonical.ok() ? std::move(canonical).value() : out;
}

}  // namespace millrace::engine
