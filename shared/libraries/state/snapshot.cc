#include "state/snapshot.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <set>

#include "state/internal/data_file.h"
#include "state/internal/paged_store.h"
#include "state/internal/snapshot_file.h"

namespace millrace::state {

namespace {

using internal::DataFileWriter;
using internal::PagedEpoch;
using internal::PagedStore;
using internal::PageId;
using internal::SnapshotFile;
using internal::StoredPage;

constexpr size_t kKept = 2;
constexpr uint64_t kDataFileBytes = 64 << 20;  // then the next one is begun
constexpr uint64_t kSmallestGarbage = 4
                                      << 20;  // below it, the file that is appended to is not worth a new one
constexpr std::string_view kSnapshotEnd = ".snap";

std::string snapshot_name(Cut cut) {
  std::string digits = std::to_string(cut.value);
  return std::string(20 - digits.size(), '0') + digits + std::string(kSnapshotEnd);
}

// The number between `begin` and `end` in a file's name.
std::optional<uint64_t> number_in(std::string_view name, std::string_view begin, std::string_view end) {
  if (!name.starts_with(begin) || !name.ends_with(end) || name.size() <= begin.size() + end.size())
    return std::nullopt;
  name = name.substr(begin.size(), name.size() - begin.size() - end.size());
  uint64_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) return std::nullopt;
  return number;
}

std::set<uint32_t> data_files_of(const std::vector<StoredPage>& pages) {
  std::set<uint32_t> numbers;
  for (const StoredPage& page : pages) numbers.insert(page.file);
  return numbers;
}

class PagedSnapshots final : public Snapshots {
 public:
  PagedSnapshots(Files& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

  Result<SnapshotInfo> write(Cut cut, const Epoch& epoch) override;
  Result<LoadedSnapshot> load(Cut upto, StateStore::Options options) override;
  std::vector<Cut> list() override;

 private:
  struct Kept {
    Cut cut;
    std::set<uint32_t> data_files;
  };
  // What the next snapshot builds on.
  struct Base {
    uint64_t store = 0;  // 0: nothing
    uint64_t generation = 0;
    std::vector<StoredPage> pages;  // by page number
  };

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  Status scan();
  Status examine(Cut cut, std::vector<Error>& damaged);
  Status set_aside(Cut cut);
  Status remove_later_than(Cut upto);
  Result<LoadedSnapshot> load_one(Cut cut, StateStore::Options options);
  Result<std::unique_ptr<PagedStore>> restore(const SnapshotFile& snapshot, StateStore::Options options);

  std::set<uint32_t> wasteful_files(const PagedEpoch& epoch) const;
  const StoredPage* stored(const PagedEpoch& epoch, PageId id) const;
  Result<std::vector<StoredPage>> write_pages(const PagedEpoch& epoch, SnapshotInfo& info);
  Result<StoredPage> append(PageId id, const internal::Page& page);
  Status remember(Cut cut, const SnapshotFile& snapshot, uint64_t store);
  void remove_leftovers();

  Files& files_;
  const std::string directory_;
  bool scanned_ = false;
  uint32_t next_data_file_ = 1;
  std::map<uint32_t, uint64_t> data_file_bytes_;
  std::unique_ptr<DataFileWriter> writer_;
  Base base_;
  std::mutex mutex_;  // of kept_, for list()
  std::vector<Kept> kept_;
};

std::vector<Cut> PagedSnapshots::list() {
  std::vector<Cut> cuts;
  {
    std::lock_guard<std::mutex> hold(mutex_);
    for (const Kept& kept : kept_) cuts.push_back(kept.cut);
    if (scanned_) return cuts;
  }
  auto names = files_.list(directory_);
  if (!names.ok()) return cuts;
  for (const std::string& name : *names) {
    if (auto cut = number_in(name, "", kSnapshotEnd)) cuts.push_back(Cut(*cut));
  }
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

// ---- what is there

Status PagedSnapshots::scan() {
  TRY(files_.make_directories(directory_));
  TRY_ASSIGN(const auto names, files_.list(directory_));
  std::vector<Kept> found;
  for (const std::string& name : names) {
    if (auto cut = number_in(name, "", kSnapshotEnd)) found.push_back({Cut(*cut), {}});
    auto number = number_in(name, "pages-", ".data");
    if (!number || *number >= 0xFFFFFFFF) continue;
    next_data_file_ = std::max(next_data_file_, static_cast<uint32_t>(*number) + 1);
    TRY_ASSIGN(auto file, files_.open(path(name), Files::Open::kRead));
    TRY_ASSIGN(data_file_bytes_[static_cast<uint32_t>(*number)], file->size());
  }
  std::sort(found.begin(), found.end(), [](const Kept& a, const Kept& b) { return a.cut < b.cut; });
  std::lock_guard<std::mutex> hold(mutex_);
  kept_ = std::move(found);
  scanned_ = true;
  return {};
}

// Learns which data files a snapshot needs; sets it aside if it cannot be read.
Status PagedSnapshots::examine(Cut cut, std::vector<Error>& damaged) {
  auto bytes = read_whole_file(files_, path(snapshot_name(cut)), internal::kLargestSnapshotFile);
  auto snapshot = bytes.ok() ? internal::decode(*bytes) : Result<SnapshotFile>(bytes.error());
  if (!snapshot.ok()) {
    if (snapshot.error().code == Code::kUnsupported) return snapshot.error();
    damaged.push_back(snapshot.error());
    return set_aside(cut);
  }
  std::lock_guard<std::mutex> hold(mutex_);
  for (Kept& kept : kept_) {
    if (kept.cut == cut) kept.data_files = data_files_of(snapshot->pages);
  }
  return {};
}

Status PagedSnapshots::set_aside(Cut cut) {
  const std::string name = path(snapshot_name(cut));
  TRY(files_.rename(name, name + ".damaged"));
  TRY(files_.sync_directory(directory_));
  std::lock_guard<std::mutex> hold(mutex_);
  std::erase_if(kept_, [&](const Kept& kept) { return kept.cut == cut; });
  return {};
}

// Durably: one that came back after a crash could pass for a snapshot of the frames that were written anew
// since.
Status PagedSnapshots::remove_later_than(Cut upto) {
  std::lock_guard<std::mutex> hold(mutex_);
  bool removed = false;
  for (const Kept& kept : kept_) {
    if (kept.cut <= upto) continue;
    TRY(files_.remove(path(snapshot_name(kept.cut))));
    removed = true;
  }
  if (removed) TRY(files_.sync_directory(directory_));
  std::erase_if(kept_, [&](const Kept& kept) { return kept.cut > upto; });
  return {};
}

// ---- load

Result<LoadedSnapshot> PagedSnapshots::load(Cut upto, StateStore::Options options) {
  writer_.reset();
  base_ = {};
  TRY(scan());
  TRY(remove_later_than(upto));
  std::vector<Error> damaged;
  std::optional<LoadedSnapshot> loaded;
  const std::vector<Cut> cuts = list();
  for (size_t i = cuts.size(); i-- > 0;) {
    if (loaded) {
      std::vector<Error> older;  // of no interest: it is not needed
      TRY(examine(cuts[i], older));
      continue;
    }
    auto one = load_one(cuts[i], options);
    if (one.ok()) {
      loaded = std::move(one).value();
      continue;
    }
    // Not the snapshot's fault.
    if (one.error().code == Code::kUnsupported || one.error().code == Code::kExhausted) return one.error();
    damaged.push_back(one.error());
    TRY(set_aside(cuts[i]));
  }
  if (loaded) {
    loaded->damaged = std::move(damaged);
    return std::move(*loaded);
  }
  Error none = error(Code::kNotFound, "MR-STATE-0004", "there is no valid snapshot in " + directory_,
                     "the state is worked out again from the journal");
  for (const Error& each : damaged) none.detail += each.message + "; ";
  return none;
}

Result<LoadedSnapshot> PagedSnapshots::load_one(Cut cut, StateStore::Options options) {
  TRY_ASSIGN(const std::string bytes,
             read_whole_file(files_, path(snapshot_name(cut)), internal::kLargestSnapshotFile));
  TRY_ASSIGN(SnapshotFile snapshot, internal::decode(bytes));
  if (snapshot.cut != cut) {
    return error(Code::kCorrupt, "MR-STATE-0001",
                 "the snapshot named " + std::to_string(cut.value) + " says that it is of cut " +
                     std::to_string(snapshot.cut.value),
                 "the one before it is used");
  }
  TRY_ASSIGN(auto store, restore(snapshot, options));
  TRY(remember(cut, snapshot, store->store()));
  return LoadedSnapshot{cut, std::move(store), {}};
}

Result<std::unique_ptr<PagedStore>> PagedSnapshots::restore(const SnapshotFile& snapshot,
                                                            StateStore::Options options) {
  const auto torn = [](const std::string& what) {
    return error(Code::kCorrupt, "MR-STATE-0005", "the snapshot does not hold together: " + what,
                 "the one before it is used; its state is worked out again from the journal");
  };
  // Memory goes by the highest number. Numbers are used again, so a store gets no further than its pages do.
  const size_t most_bytes = std::max(options.max_bytes, StateStore::Options{}.max_bytes);
  if (!snapshot.pages.empty() && snapshot.pages.back().id > most_bytes / internal::kSmallestPage)
    return torn("no store has so many pages as a page's number says");
  auto store = std::make_unique<PagedStore>(options);
  Status settled;
  TRY(internal::read_pages(files_, directory_, snapshot.pages,
                           [&](const StoredPage& page, internal::PagePtr content) {
                             store->restore_page(page.id, std::move(content), snapshot.generation);
                             if (settled.ok()) settled = store->settle();
                           }));
  if (!settled.ok()) {  // where it would go, not what it is
    Error failed = settled.error();
    failed.code = Code::kExhausted;
    return failed;
  }
  std::set<PageId> owned;
  size_t claims = 0;
  for (const auto& table : snapshot.tables) {
    if (!store->restore_table(table.name, table.value_bytes, table.row_pages, table.blob_pages)) {
      return torn("the pages of a table of query " + std::to_string(table.name.query.value) + " do not fit");
    }
    owned.insert(table.row_pages.begin(), table.row_pages.end());
    owned.insert(table.blob_pages.begin(), table.blob_pages.end());
    claims += table.row_pages.size() + table.blob_pages.size();
  }
  if (owned.size() != claims || claims != snapshot.pages.size()) return torn("a page has no table, or two");
  store->restored(snapshot.seed, snapshot.generation + 1, snapshot.cells);
  return store;
}

Status PagedSnapshots::remember(Cut cut, const SnapshotFile& snapshot, uint64_t store) {
  base_.store = store;
  base_.generation = snapshot.generation;
  base_.pages.assign(snapshot.pages.empty() ? 0 : snapshot.pages.back().id + size_t{1}, {});
  for (const StoredPage& page : snapshot.pages) base_.pages[page.id] = page;
  std::lock_guard<std::mutex> hold(mutex_);
  std::erase_if(kept_, [&](const Kept& kept) { return kept.cut == cut; });
  kept_.push_back({cut, data_files_of(snapshot.pages)});
  std::sort(kept_.begin(), kept_.end(), [](const Kept& a, const Kept& b) { return a.cut < b.cut; });
  return {};
}

// ---- write

// Where the page stands already, if it has not changed since.
const StoredPage* PagedSnapshots::stored(const PagedEpoch& epoch, PageId id) const {
  if (base_.store != epoch.store() || base_.generation > epoch.pages().generation()) return nullptr;
  if (id >= base_.pages.size() || base_.pages[id].length == 0) return nullptr;
  return epoch.pages().entry(id).generation <= base_.generation ? &base_.pages[id] : nullptr;
}

// Files of which this epoch needs less than half.
std::set<uint32_t> PagedSnapshots::wasteful_files(const PagedEpoch& epoch) const {
  std::map<uint32_t, uint64_t> live;
  for (PageId id = 0; id < epoch.pages().limit(); ++id) {
    if (epoch.pages().peek(id) == nullptr) continue;
    if (const StoredPage* page = stored(epoch, id)) live[page->file] += page->length;
  }
  std::set<uint32_t> wasteful;
  for (const auto& [number, bytes] : data_file_bytes_) {
    const bool appended_to = writer_ != nullptr && writer_->number() == number;
    if (appended_to && bytes < kSmallestGarbage) continue;
    if (live[number] * 2 < bytes) wasteful.insert(number);
  }
  return wasteful;
}

Result<StoredPage> PagedSnapshots::append(PageId id, const internal::Page& page) {
  if (writer_ != nullptr && writer_->bytes() >= kDataFileBytes) {
    TRY(writer_->finish());
    writer_.reset();
  }
  if (writer_ == nullptr) {
    TRY_ASSIGN(writer_, DataFileWriter::create(files_, directory_, next_data_file_++));
    TRY(files_.sync_directory(directory_));
  }
  TRY_ASSIGN(const StoredPage stored, writer_->append(id, page));
  data_file_bytes_[writer_->number()] = writer_->bytes();
  return stored;
}

Result<std::vector<StoredPage>> PagedSnapshots::write_pages(const PagedEpoch& epoch, SnapshotInfo& info) {
  const std::set<uint32_t> wasteful = wasteful_files(epoch);
  if (writer_ != nullptr && wasteful.contains(writer_->number())) writer_.reset();
  std::vector<StoredPage> pages;
  for (PageId id = 0; id < epoch.pages().limit(); ++id) {
    const internal::Page* page = epoch.pages().peek(id);
    if (page == nullptr) continue;
    const StoredPage* before = stored(epoch, id);
    if (before != nullptr && !wasteful.contains(before->file)) {
      pages.push_back(*before);
      continue;
    }
    TRY_ASSIGN(const auto content, lend(*page));
    TRY_ASSIGN(const StoredPage written, append(id, *content));
    pages.push_back(written);
    info.bytes_written += written.length;
    ++info.pages_written;
  }
  info.pages_total = pages.size();
  if (writer_ != nullptr) TRY(writer_->finish());
  return pages;
}

Result<SnapshotInfo> PagedSnapshots::write(Cut cut, const Epoch& any_epoch) {
  const auto& epoch = static_cast<const PagedEpoch&>(any_epoch);  // there is one kind
  if (!scanned_) {
    TRY(scan());
    std::vector<Error> damaged;
    for (const Cut each : list()) TRY(examine(each, damaged));
  }
  if (const auto cuts = list(); !cuts.empty() && cut < cuts.back()) {
    return error(Code::kConflict, "MR-STATE-0006",
                 "a snapshot of cut " + std::to_string(cut.value) + " is older than the newest, " +
                     std::to_string(cuts.back().value),
                 "load() first: it removes what is ahead of the log");
  }
  SnapshotInfo info{cut};
  auto pages = write_pages(epoch, info);
  if (!pages.ok()) {
    writer_.reset();  // what it holds is unknown: never append to it again
    return pages.error();
  }
  SnapshotFile snapshot{cut, epoch.seed(), epoch.pages().generation(), epoch.cells(), std::move(*pages), {}};
  epoch.catalog().for_each([&](const internal::CatalogEntry& entry) {
    internal::StoredTable table{entry.name, entry.value_bytes, {}, entry.index->blob_pages};
    internal::for_each_row_page(*entry.index, epoch.pages(),
                                [&](PageId id, const internal::RowHead&) { table.row_pages.push_back(id); });
    snapshot.tables.push_back(std::move(table));
  });
  const std::string bytes = internal::encode(snapshot);
  info.bytes_written += bytes.size();
  TRY(write_file_atomically(files_, path(snapshot_name(cut)), bytes));
  TRY(remember(cut, snapshot, epoch.store()));
  remove_leftovers();
  return info;
}

// All but the newest snapshots, then the data files that none of those needs. What cannot be removed now is
// next time.
void PagedSnapshots::remove_leftovers() {
  std::set<std::string> wanted;
  {
    std::lock_guard<std::mutex> hold(mutex_);
    if (kept_.size() > kKept) kept_.erase(kept_.begin(), kept_.end() - kKept);
    for (const Kept& kept : kept_) {
      wanted.insert(snapshot_name(kept.cut));
      for (const uint32_t number : kept.data_files)
        wanted.insert("pages-" + std::to_string(number) + ".data");
    }
  }
  if (writer_ != nullptr) wanted.insert("pages-" + std::to_string(writer_->number()) + ".data");
  auto names = files_.list(directory_);
  if (!names.ok()) return;
  const auto remove_unwanted = [&](std::string_view begin, std::string_view end) {
    for (const std::string& name : *names) {
      if (wanted.contains(name) || !number_in(name, begin, end)) continue;
      if (!files_.remove(path(name)).ok()) continue;
      if (auto number = number_in(name, "pages-", ".data"))
        data_file_bytes_.erase(static_cast<uint32_t>(*number));
    }
  };
  remove_unwanted("", kSnapshotEnd);
  remove_unwanted("", ".snap.tmp");
  // A snapshot whose data is gone must not come back after a crash.
  if (!files_.sync_directory(directory_).ok()) return;
  remove_unwanted("pages-", ".data");
}

}  // namespace

std::unique_ptr<Snapshots> Snapshots::make(Files& files, std::string directory) {
  return std::make_unique<PagedSnapshots>(files, std::move(directory));
}

}  // namespace millrace::state
