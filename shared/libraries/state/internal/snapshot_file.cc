#include "state/internal/snapshot_file.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "state/internal/blob_page.h"

namespace millrace::state::internal {

namespace {
constexpr std::string_view kMagic = "MRSNAP01";
constexpr size_t kHeadBytes = 8 + 3 * 8;

void append_page(std::string& out, const StoredPage& page, uint32_t before) {
  append_varint(out, page.id - before);
  append_varint(out, page.capacity);
  append_varint(out, page.file);
  append_varint(out, page.offset);
  append_varint(out, page.length);
  append_le(out, page.crc);
}

void append_numbers(std::string& out, const std::vector<uint32_t>& numbers) {
  append_varint(out, numbers.size());
  for (const uint32_t number : numbers) append_varint(out, number);
}

void append_table(std::string& out, const StoredTable& table) {
  append_varint(out, table.name.query.value);
  append_varint(out, table.name.slot);
  append_varint(out, zigzag(table.name.window));
  append_varint(out, table.value_bytes);
  append_numbers(out, table.row_pages);
  append_numbers(out, table.blob_pages);
}

Error damaged(std::string_view what) {
  return error(Code::kCorrupt, "MR-STATE-0001", "the snapshot's directory is damaged: " + std::string(what),
               "the one before it is used; its state is worked out again from the journal");
}

uint32_t number32(ByteReader& in, bool& sane) {
  const uint64_t v = in.varint();
  sane = sane && v <= 0xFFFFFFFF;
  return static_cast<uint32_t>(v);
}

// Every element takes a byte at least: a count above what is left is damage, and never a reason to allocate.
size_t count_of(ByteReader& in, bool& sane) {
  const uint64_t n = in.varint();
  if (n <= in.left()) return n;
  sane = false;
  return 0;
}

bool read_cells(ByteReader& in, SnapshotFile& out) {
  bool sane = true;
  for (size_t n = count_of(in, sane); n > 0 && in.ok(); --n) {
    std::string name(in.bytes());
    out.cells[std::move(name)] = std::string(in.bytes());
  }
  return sane && in.ok();
}

bool read_pages(ByteReader& in, SnapshotFile& out) {
  bool sane = true;
  uint64_t id = 0;
  bool first = true;
  for (size_t n = count_of(in, sane); n > 0 && in.ok() && sane; --n) {
    StoredPage page;
    const uint32_t step = number32(in, sane);
    sane = sane && (first || step > 0);
    id += step;
    first = false;
    page.id = static_cast<uint32_t>(id);
    page.capacity = number32(in, sane);
    page.file = number32(in, sane);
    page.offset = in.varint();
    page.length = number32(in, sane);
    page.crc = in.le<uint32_t>();
    sane = sane && id < 0xFFFFFFFF && page.capacity <= 2 * kLargestBlob && page.length <= page.capacity &&
           page.length >= sizeof(BlobHead) && page.offset < uint64_t{1} << 48;
    out.pages.push_back(page);
  }
  return sane && in.ok();
}

std::vector<uint32_t> read_numbers(ByteReader& in, bool& sane) {
  std::vector<uint32_t> numbers(count_of(in, sane));
  for (uint32_t& number : numbers) number = number32(in, sane);
  return numbers;
}

bool read_tables(ByteReader& in, SnapshotFile& out) {
  bool sane = true;
  for (size_t n = count_of(in, sane); n > 0 && in.ok() && sane; --n) {
    StoredTable table;
    table.name.query = QueryId(number32(in, sane));
    const uint32_t slot = number32(in, sane);
    sane = sane && slot <= 0xFFFF;
    table.name.slot = static_cast<uint16_t>(slot);
    table.name.window = in.signed_varint();
    table.value_bytes = number32(in, sane);
    table.row_pages = read_numbers(in, sane);
    table.blob_pages = read_numbers(in, sane);
    out.tables.push_back(std::move(table));
  }
  return sane && in.ok();
}
}  // namespace

std::string encode(const SnapshotFile& snapshot) {
  std::string out(kMagic);
  append_le(out, snapshot.cut.value);
  append_le(out, snapshot.seed);
  append_le(out, snapshot.generation);
  append_varint(out, snapshot.cells.size());
  for (const auto& [name, value] : snapshot.cells) {
    append_bytes(out, name);
    append_bytes(out, value);
  }
  append_varint(out, snapshot.pages.size());
  uint32_t before = 0;
  for (const StoredPage& page : snapshot.pages) {
    append_page(out, page, before);
    before = page.id;
  }
  append_varint(out, snapshot.tables.size());
  for (const StoredTable& table : snapshot.tables) append_table(out, table);
  append_le(out, crc32c(0, out));
  return out;
}

Result<SnapshotFile> decode(std::string_view bytes) {
  if (bytes.size() < kHeadBytes + 4) return damaged("it is too short");
  if (!bytes.starts_with(kMagic.substr(0, 6))) return damaged("it does not begin as one");
  const std::string_view body = bytes.substr(0, bytes.size() - 4);
  if (crc32c(0, body) != load_le<uint32_t>(body.data() + body.size()))
    return damaged("its checksum does not hold");
  if (!bytes.starts_with(kMagic)) {
    return error(Code::kUnsupported, "MR-STATE-0002",
                 "the snapshot has format " + std::string(bytes.substr(6, 2)) + ", this version reads 01",
                 "start the version that wrote it, or a newer one");
  }
  ByteReader in(body.substr(kMagic.size()));
  SnapshotFile out;
  out.cut = Cut(in.le<uint64_t>());
  out.seed = in.le<uint64_t>();
  out.generation = in.le<uint64_t>();
  if (!read_cells(in, out)) return damaged("its cells do not parse");
  if (!read_pages(in, out)) return damaged("its pages do not parse");
  if (!read_tables(in, out)) return damaged("its tables do not parse");
  if (!in.done()) return damaged("bytes are left over");
  return out;
}

}  // namespace millrace::state::internal
