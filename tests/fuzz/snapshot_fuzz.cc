// Any bytes as the files of a task's snapshots. The first byte says how they come about:
//
//   0  damage  two good snapshots, edited as disks do: what is loaded is one of the two, whole, or nothing
//   1  forged  any bytes anywhere, with checksums that hold: no crash, no memory beyond the files' size; what was
//              loaded can be read, written as a snapshot and loaded again as the same
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/crc32c.h"
#include "base/hash.h"
#include "state/snapshot.h"
#include "tests/fuzz/disk.h"
#include "tests/fuzz/require.h"

namespace millrace::fuzz {
namespace {

using namespace millrace::state;  // NOLINT

constexpr char kFolder[] = "/state";
constexpr Cut kOlder{5};
constexpr Cut kNewer{9};
constexpr Cut kEnd{20};
constexpr size_t kValueBytes = 16;  // a number and a blob's id, or 0
const TableName kTables[] = {{QueryId(1), 0, 0}, {QueryId(1), 1, -60}, {QueryId(2), 0, 60}};

StateStore::Options options() {
  return {.page_bytes = 1024, .max_bytes = 4u << 20, .hash_seed = 7};
}

void fill(StateStore& store, uint64_t from, uint64_t to) {
  for (uint64_t i = from; i < to; ++i) {
    const std::string key = "key " + std::to_string(i);
    bool inserted = false;
    Table& table = store.table(kTables[i % 3], kValueBytes);
    char* value = table.upsert(key, stable_hash(key), inserted);
    store_le(value, i);
    if (i % 4 == 0) {
      const uint64_t blob = table.put_blob(std::string(i % 60, 'b'));
      store_le(table.find_mutable(key, stable_hash(key)) + 8, blob);
    }
  }
  store.set_cell("q1.watermark", std::to_string(to));
}

// All that can be read of a table or of an epoch's.
template <typename Rows, typename Blobs>
void describe_rows(std::string& out, size_t value_bytes, const Rows& rows, const Blobs& blobs) {
  std::vector<std::string> lines;
  rows([&](const RowView& row) {
    std::string line(row.key);
    line += " " + std::to_string(row.hash) + " " + std::string(row.value, value_bytes);
    if (value_bytes == kValueBytes) line += std::string(blobs(load_le<uint64_t>(row.value + 8)));
    lines.push_back(std::to_string(stable_hash(line)));
  });
  std::sort(lines.begin(), lines.end());
  for (const auto& line : lines) out += line + "\n";
}

std::string describe(StateStore& store) {
  std::string out;
  for (const auto& name : store.tables()) {
    const Table& table = *store.find(name);
    out += "table " + std::to_string(name.query.value) + " " + std::to_string(name.slot) + " " +
           std::to_string(name.window) + " " + std::to_string(table.value_bytes()) + "\n";
    describe_rows(
        out, table.value_bytes(), [&](const auto& visit) { table.for_each(visit); },
        [&](uint64_t id) { return table.blob(id); });
  }
  for (const auto& [name, value] : store.cells()) out += "cell " + name + "=" + value + "\n";
  return out;
}

struct Sample {
  Disk disk;
  std::string older, newer;
};

const Sample& sample() {
  static const Sample sample = [] {
    Sample made;
    sim::SimFiles files(1);
    auto store = StateStore::make(options());
    auto snapshots = Snapshots::make(files, kFolder);
    fill(*store, 0, 60);
    require(snapshots->write(kOlder, *store->freeze()).ok(), "the sample is written");
    made.older = describe(*store);
    fill(*store, 40, 70);
    require(snapshots->write(kNewer, *store->freeze()).ok(), "the sample is written");
    made.newer = describe(*store);
    made.disk = read_disk(files, kFolder);
    return made;
  }();
  return sample;
}

// docs/formats/snapshot.md: the checksum of every page stands in the directory file, its own at the end.
void seal(Disk& disk, std::string& file) {
  constexpr size_t kHead = 32;
  if (file.size() < kHead + sizeof(uint32_t)) return;
  const size_t end = file.size() - sizeof(uint32_t);
  ByteReader in(std::string_view(file).substr(0, end));
  in.take(kHead);
  for (uint64_t cells = in.varint(); cells > 0 && in.ok(); --cells) {
    in.bytes();
    in.bytes();
  }
  for (uint64_t pages = in.varint(); pages > 0 && in.ok(); --pages) {
    in.varint();
    in.varint();
    const uint64_t number = in.varint();
    const uint64_t offset = in.varint();
    const uint64_t length = in.varint();
    const size_t at = end - in.left();
    in.take(sizeof(uint32_t));
    const auto data = disk.find(std::string(kFolder) + "/pages-" + std::to_string(number) + ".data");
    if (!in.ok() || data == disk.end() || offset > data->second.size() ||
        length > data->second.size() - offset)
      continue;
    store_le(file.data() + at, crc32c(0, std::string_view(data->second).substr(offset, length)));
  }
  store_le(file.data() + end, crc32c(0, std::string_view(file).substr(0, end)));
}

void check_damaged(const Disk& disk, const Result<LoadedSnapshot>& loaded) {
  if (!loaded.ok()) {
    require(loaded.error().code == Code::kNotFound, "damage leaves no snapshot", loaded.error().to_string());
    return require(disk != sample().disk, "good snapshots are loaded");
  }
  const std::string text = describe(*loaded->store);
  require(loaded->cut == kOlder || loaded->cut == kNewer, "a snapshot has the cut it was written for");
  require(text == (loaded->cut == kOlder ? sample().older : sample().newer), "a snapshot is whole", text);
  require(loaded->cut == kNewer || disk != sample().disk, "the newest is loaded");
}

void check_forged(sim::SimFiles& files, Snapshots& snapshots, Result<LoadedSnapshot> loaded) {
  if (!loaded.ok()) return require(!loaded.error().id.empty(), "a refusal has its code");
  const std::string text = describe(*loaded->store);
  const auto written = snapshots.write(Cut(loaded->cut.value + 1), *loaded->store->freeze());
  require(written.ok(), "what was loaded is written", written.ok() ? "" : written.error().to_string());
  const auto again = Snapshots::make(files, kFolder)->load(Cut(loaded->cut.value + 1), options());
  require(again.ok(), "what was written is loaded", again.ok() ? "" : again.error().to_string());
  require(describe(*again->store) == text, "a snapshot comes back as it was", text);
}

void run_input(std::string_view bytes) {
  ByteReader input(bytes);
  const bool forged = input.le<uint8_t>() % 2 == 1;
  Disk disk = sample().disk;
  if (forged) {
    forge(disk, input);
    for (auto& [path, file] : disk) {
      if (path.ends_with(".snap")) seal(disk, file);
    }
  } else {
    damage(disk, input);
  }
  sim::SimFiles files(1);
  write_disk(files, kFolder, disk);
  auto snapshots = Snapshots::make(files, kFolder);
  auto loaded = snapshots->load(kEnd, options());
  if (forged) return check_forged(files, *snapshots, std::move(loaded));
  check_damaged(disk, loaded);
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  millrace::fuzz::run_input({reinterpret_cast<const char*>(data), size});
  return 0;
}
