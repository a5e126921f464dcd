#include "log/copy_extent.h"
#include "metadata/metadata_store.h"
#include "node/backup_folder.h"
#include "node/node_testing.h"
#include "node/registry_check.h"
#include "node/registry_copy.h"
#include "node/restore.h"
#include "node/sha256.h"
#include "schema-registry/formats.h"
#include "schema-registry/registry.h"

namespace millrace::cli {
namespace {

using sim::SimFiles;

const BackupFolder::Tick kNoTick = [](uint64_t) -> Status { return {}; };

TEST(Sha256, KnownDigests) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

BackupManifest manifest() {
  BackupManifest made;
  made.name = "20261129T111112Z-4711";
  made.version = "0.1.0";
  made.first = Cut(3);
  made.last = Cut(4711);
  made.registry = kRegistryInFile;
  made.files = {{"VERSION", 16, sha256_hex("millrace data 1\n")}, {"journal/ü.seg", 0, sha256_hex("")}};
  return made;
}

TEST(BackupManifest, ComesBackAsItWas) {
  const auto read = parse_manifest(to_text(manifest()), "m.json");
  ASSERT_TRUE(read.ok()) << read.error().to_string();
  EXPECT_EQ(to_text(*read), to_text(manifest()));
  EXPECT_EQ(read->bytes(), 16u);
}

TEST(BackupManifest, AnOlderOneSaysNothingOfARegistry) {
  BackupManifest older = manifest();
  older.registry.clear();
  EXPECT_EQ(to_text(older).find("registry"), std::string::npos);
  const auto read = parse_manifest(to_text(older), "m.json");
  ASSERT_TRUE(read.ok()) << read.error().to_string();
  EXPECT_EQ(read->registry, "");
}

TEST(BackupManifest, EveryDamagedByteIsSeen) {
  const std::string text = to_text(manifest());
  for (size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    const auto read = parse_manifest(damaged, "m.json");
    EXPECT_TRUE(!read.ok() || to_text(*read) == text) << i;  // a blank for a blank says the same
    EXPECT_TRUE(i + 1 == text.size() || !parse_manifest(text.substr(0, i), "m.json").ok()) << i;
  }
}

TEST(BackupManifest, NothingLeadsOut) {
  for (const char* path : {"", "/etc/passwd", "../x", "journal/../../x", "journal/.."}) {
    BackupManifest bad = manifest();
    bad.files[0].path = path;
    EXPECT_EQ(parse_manifest(to_text(bad), "m.json").error().id, "MR-NODE-0022") << path;
  }
}

// A file that a node has, and its backup.
Status back_up(SimFiles& files) {
  TRY_ASSIGN(auto folder, BackupFolder::make(files, "/disk/backups"));
  TRY_ASSIGN(const auto file, files.open("/disk/data", Files::Open::kRead));
  TRY_ASSIGN(const uint64_t size, file->size());
  BackupManifest made = manifest();
  TRY_ASSIGN(made.files[0], folder.add("tail", *file, size, 4096, kNoTick));
  TRY_ASSIGN(made.files[1], folder.add_sealed("sealed", *file, kNoTick));
  return folder.write(made);
}

void put_data(SimFiles& files) {
  ASSERT_TRUE(files.make_directories("/disk").ok());
  const auto file = *files.open("/disk/data", Files::Open::kWrite);
  ASSERT_TRUE(file->write_at(0, std::string(10'000, 'x')).ok());
  ASSERT_TRUE(file->sync().ok());
  ASSERT_TRUE(files.sync_directory("/disk").ok());
}

TEST(BackupFolder, AnInterruptedOneIsNoneAndTheNextGoesOn) {
  bool done = false;
  for (uint64_t calls = 0; !done; ++calls) {
    SimFiles files(calls);
    put_data(files);
    files.power_off_after(calls);
    done = back_up(files).ok();
    files.power_off();
    files.power_on();
    if (const auto folder = BackupFolder::open(files, "/disk/backups"); folder.ok()) {
      const auto names = folder->names();
      if (names.ok() && !names->empty()) {
        const auto made = folder->read("");
        ASSERT_TRUE(made.ok()) << calls << made.error().to_string();
        for (const auto& file : made->files) ASSERT_TRUE(folder->read_object(file, nullptr, kNoTick).ok());
      }
    }
    const Status again = back_up(files);
    ASSERT_TRUE(again.ok()) << calls << again.error().to_string();
    const auto folder = BackupFolder::open(files, "/disk/backups");
    ASSERT_TRUE(restore(files, *folder, *folder->read(""), "/disk/new", kNoTick).ok()) << calls;
    EXPECT_EQ(*read_whole_file(files, "/disk/new/sealed", 1 << 20), std::string(10'000, 'x'));
    EXPECT_EQ(*read_whole_file(files, "/disk/new/tail", 1 << 20),
              std::string(10'000, 'x') + std::string(4096, '\0'));
    ASSERT_LT(calls, 1000u);
  }
}

TEST(BackupFolder, WhatTwoHaveInCommonIsThereOnce) {
  SimFiles files(1);
  put_data(files);
  ASSERT_TRUE(back_up(files).ok());
  auto folder = BackupFolder::make(files, "/disk/backups");
  ASSERT_TRUE(folder.ok());
  EXPECT_EQ(BackupFolder::make(files, "/disk/backups").error().id, "MR-NODE-0024");
  const auto file = *files.open("/disk/data", Files::Open::kRead);
  ASSERT_TRUE(folder->add_sealed("sealed", *file, kNoTick).ok());
  ASSERT_TRUE(folder->add("again", *file, 10'000, 0, kNoTick).ok());
  EXPECT_EQ(folder->copied_bytes(), 0u);
}

// Several of one second: by their frames, then as they were made.
TEST(BackupFolder, TheNewestIsTheLast) {
  SimFiles files(1);
  auto folder = BackupFolder::make(files, "/disk/backups");
  ASSERT_TRUE(folder.ok());
  const std::vector<std::string> in_order = {"20261129T111112Z-99", "20261129T111112Z-100",
                                             "20261129T111112Z-100-2", "20261129T111112Z-100-10",
                                             "20261129T111113Z-7"};
  for (const auto& name : in_order) {
    BackupManifest made = manifest();
    made.name = name;
    ASSERT_TRUE(folder->write(made).ok());
  }
  EXPECT_EQ(*folder->names(), in_order);
  EXPECT_EQ(folder->read("")->name, in_order.back());
}

// A restore that was interrupted is refused by whoever opens the folder.
TEST(Restore, HalfOfItIsNoDataDirectory) {
  bool done = false;
  for (uint64_t calls = 0; !done; ++calls) {
    SimFiles files(calls);
    put_data(files);
    ASSERT_TRUE(back_up(files).ok());
    const auto folder = BackupFolder::open(files, "/disk/backups");
    const auto made = folder->read("");
    files.power_off_after(calls);
    done = restore(files, *folder, *made, "/disk/new", kNoTick).ok();
    files.power_off();
    files.power_on();
    const bool begun = files.exists("/disk/new/tail") || files.exists("/disk/new/sealed");
    if (begun && !files.exists("/disk/new/RESTORING")) {
      EXPECT_EQ(*read_whole_file(files, "/disk/new/sealed", 1 << 20), std::string(10'000, 'x')) << calls;
      EXPECT_EQ((*read_whole_file(files, "/disk/new/tail", 1 << 20)).size(), 14'096u) << calls;
    }
    ASSERT_LT(calls, 1000u);
  }
}

class RegistryFile : public testing::Test {
 protected:
  std::unique_ptr<registry::Registry> open() { return open(files_); }
  static std::unique_ptr<registry::Registry> open(Files& files) {
    auto store = registry::open_sqlite_store(files, "/data/registry.db");
    EXPECT_TRUE(store.ok()) << store.error().to_string();
    return std::make_unique<registry::Registry>(
        std::move(*store), registry::known_formats(),
        registry::Registry::Options{.now_ms = [] { return int64_t{1}; }});
  }
  int32_t add(registry::Registry& registry, const std::string& subject, const std::string& text) {
    registry::Candidate candidate;
    candidate.type = "JSON";
    candidate.text = text;
    const auto added = registry.add("default", subject, candidate, false);
    EXPECT_TRUE(added.ok()) << added.error().to_string();
    return added.ok() ? added->id : 0;
  }
  std::string bytes(const char* name) {
    const auto read = read_whole_file(files_, std::string("/data/") + name, size_t{1} << 30);
    return read.ok() ? *read : read.error().id;
  }
  Status check(int32_t id) {
    return check_registry(files_, "/data", {{"default", "orders", {"orders-value", 1, id}}});
  }

  sim::SimFiles files_{3};
};

// Taken while the registry is open: what was registered is in it, what comes later is not.
TEST_F(RegistryFile, ItsCopyIsWhatWasCommitted) {
  auto registry = open();
  for (int i = 0; i < 40; ++i) {
    add(*registry, "s" + std::to_string(i), R"({"title": ")" + std::string(40'000, 'x') + R"("})");
  }
  ASSERT_TRUE(node::copy_registry(files_, "/data").ok());
  const std::string first = bytes(node::kRegistryCopy);
  ASSERT_TRUE(node::copy_registry(files_, "/data").ok());
  EXPECT_EQ(sha256_hex(bytes(node::kRegistryCopy)), sha256_hex(first)) << "unchanged, it is the same object";
  add(*registry, "later", "{}");
  registry.reset();
  ASSERT_TRUE(write_file_atomically(files_, "/data/registry.db", first).ok());
  registry = open();
  ASSERT_TRUE(registry->refresh().ok());
  EXPECT_EQ(registry->state("default").subjects().size(), 40u);
  EXPECT_EQ(registry->state("default").versions("later"), nullptr);
}

TEST_F(RegistryFile, AHalfDoneChangeIsNotCopied) {
  add(*open(), "s", "{}");
  const std::string before = bytes(node::kRegistryFile);
  ASSERT_TRUE(write_file_atomically(files_, "/data/registry.db-journal", "x").ok());
  EXPECT_EQ(node::copy_registry(files_, "/data").error().id, "MR-NODE-0027");
  EXPECT_FALSE(files_.exists("/data/registry.copy"));
  EXPECT_EQ(bytes(node::kRegistryFile), before);
}

TEST_F(RegistryFile, NothingStaysOfACopyThatFails) {
  auto registry = open();
  for (int i = 0; i < 60; ++i)
    add(*registry, "s" + std::to_string(i), R"({"title": ")" + std::string(40'000, 'x') + R"("})");
  bool done = false;
  for (uint64_t call = 1; !done; ++call) {
    files_.fail_call(call, Code::kExhausted);
    done = node::copy_registry(files_, "/data").ok();
    EXPECT_EQ(files_.exists("/data/registry.copy"), done) << call;
    ASSERT_LT(call, 100u);
  }
  files_.fail_call(0);
  ASSERT_TRUE(node::remove_registry_copy(files_, "/data").ok());
  files_.set_capacity(files_.used_bytes() + 100'000);
  EXPECT_EQ(node::copy_registry(files_, "/data").error().code, Code::kExhausted);
  EXPECT_FALSE(files_.exists("/data/registry.copy"));
}

// A disk that takes no more writes of one file.
class StuckFile final : public File {
 public:
  StuckFile(std::shared_ptr<File> file, const bool& stuck) : file_(std::move(file)), stuck_(stuck) {}
  Result<size_t> read_at(uint64_t position, char* out, size_t size) override {
    return file_->read_at(position, out, size);
  }
  Status write_at(uint64_t position, std::string_view bytes) override {
    return stuck_ ? failure() : file_->write_at(position, bytes);
  }
  Status sync() override { return stuck_ ? failure() : file_->sync(); }
  Result<uint64_t> size() override { return file_->size(); }
  Status resize(uint64_t size) override { return stuck_ ? failure() : file_->resize(size); }

 private:
  static Status failure() { return error(Code::kUnavailable, "MR-FILE-0003", "the disk is stuck"); }
  const std::shared_ptr<File> file_;
  const bool& stuck_;
};
class StuckFiles final : public Files {
 public:
  StuckFiles(SimFiles& files, std::string path) : files_(files), path_(std::move(path)) {}
  Result<std::shared_ptr<File>> open(const std::string& path, Open mode) override {
    TRY_ASSIGN(auto file, files_.open(path, mode));
    if (path != path_) return file;
    return std::shared_ptr<File>(std::make_shared<StuckFile>(std::move(file), stuck));
  }
  Result<std::vector<std::string>> list(const std::string& directory) override {
    return files_.list(directory);
  }
  bool exists(const std::string& path) override { return files_.exists(path); }
  Status make_directories(const std::string& path) override { return files_.make_directories(path); }
  Status remove(const std::string& path) override { return files_.remove(path); }
  Status rename(const std::string& from, const std::string& to) override { return files_.rename(from, to); }
  Status sync_directory(const std::string& path) override { return files_.sync_directory(path); }
  Result<uint64_t> free_bytes(const std::string& path) override { return files_.free_bytes(path); }
  Result<std::shared_ptr<void>> lock(const std::string& path) override { return files_.lock(path); }
  void submit(WriteRequest request) override { files_.submit(std::move(request)); }
  void poll(std::vector<WriteCompletion>& out) override { files_.poll(out); }
  void set_wake(std::function<void()> wake) override { files_.set_wake(std::move(wake)); }

  bool stuck = false;

 private:
  SimFiles& files_;
  const std::string path_;
};

// What the hint says: the next change, or a start. Running the backup again does not.
TEST_F(RegistryFile, WhatTakesAFailedChangeBack) {
  for (const bool restart : {false, true}) {
    StuckFiles files(files_, "/data/registry.db");
    auto registry = open(files);
    add(*registry, "before", "{}");
    files.stuck = true;
    EXPECT_FALSE(registry->add("default", "failed", {.type = "JSON", .text = "{}"}, false).ok());
    files.stuck = false;
    for (int i = 0; i < 2; ++i) {
      const Status copied = node::copy_registry(files, "/data");
      ASSERT_EQ(copied.error().id, "MR-NODE-0027");
      EXPECT_NE(copied.error().hint.find("register a schema, or start the server again"), std::string::npos);
    }
    if (restart) {
      registry.reset();
      registry = open(files);
    } else {
      add(*registry, "next", "{}");
    }
    ASSERT_TRUE(node::copy_registry(files, "/data").ok()) << restart;
    registry.reset();
    registry = open(files);
    ASSERT_TRUE(registry->refresh().ok());
    EXPECT_NE(registry->state("default").versions("before"), nullptr);
    EXPECT_EQ(registry->state("default").versions("failed"), nullptr);
  }
}

TEST_F(RegistryFile, HasWhatStreamsName) {
  auto registry = open();
  const int32_t id = add(*registry, "orders-value", R"({"type": "object"})");
  const int32_t gone = add(*registry, "gone", R"({"type": "string"})");
  ASSERT_TRUE(registry->delete_subject("default", "gone", false).ok());
  ASSERT_TRUE(registry->delete_subject("default", "gone", true).ok());
  registry.reset();
  EXPECT_TRUE(check(id).ok());
  EXPECT_TRUE(check(gone).ok()) << "deleted for good, as it was where the copy was taken";
  EXPECT_EQ(check(7).error().id, "MR-NODE-0030");
  ASSERT_TRUE(write_file_atomically(files_, "/data/registry.db", std::string(8192, 'x')).ok());
  EXPECT_EQ(check(id).error().id, "MR-META-0003");
}

}  // namespace
}  // namespace millrace::cli

namespace millrace::node {
namespace {

class BackupHoldTest : public NodeTest {};

TEST_F(BackupHoldTest, ItEndsByItselfAndTheLaterTakesOver) {
  open();
  const auto first = node_->backups().begin();
  ASSERT_TRUE(first.ok());
  clock_.advance_us(59'000'000);
  EXPECT_TRUE(node_->backups().renew(first->id).ok());
  clock_.advance_us(59'000'000);
  EXPECT_TRUE(node_->backups().cut(first->id).ok());
  clock_.advance_us(61'000'000);
  EXPECT_EQ(node_->backups().renew(first->id).error().id, "MR-NODE-0019");
  const auto second = node_->backups().begin();
  const auto third = node_->backups().begin();
  ASSERT_TRUE(second.ok() && third.ok());
  EXPECT_EQ(node_->backups().end(second->id).error().id, "MR-NODE-0019");
  EXPECT_TRUE(node_->backups().end(third->id).ok());
  EXPECT_EQ(node_->backups().end(third->id).error().id, "MR-NODE-0019");
  EXPECT_EQ(node_->backups().cut("").error().id, "MR-NODE-0019");
}

TEST_F(BackupHoldTest, NoCopyOfTheRegistryStays) {
  open();
  const std::string copy = std::string("/data/") + kRegistryCopy;
  for (int i = 0; i < 2; ++i) {  // the first is never ended
    ASSERT_TRUE(write_file_atomically(files_, copy, "of another backup").ok());
    const auto held = node_->backups().begin();
    ASSERT_TRUE(held.ok());
    EXPECT_FALSE(files_.exists(copy));
    if (i == 0) continue;
    ASSERT_TRUE(write_file_atomically(files_, copy, "of this one").ok());
    ASSERT_TRUE(node_->backups().end(held->id).ok());
    EXPECT_FALSE(files_.exists(copy));
  }
}

TEST_F(BackupHoldTest, NorWhereNobodyEndsTheBackup) {
  open();
  const std::string copy = std::string("/data/") + kRegistryCopy;
  const auto held = node_->backups().begin();
  ASSERT_TRUE(held.ok() && write_file_atomically(files_, copy, "x").ok());
  clock_.advance_us(59'000'000);
  turn();
  EXPECT_TRUE(files_.exists(copy));
  clock_.advance_us(2'000'000);
  turn();
  EXPECT_FALSE(files_.exists(copy)) << "its lease has ended";
  ASSERT_TRUE(write_file_atomically(files_, copy, "x").ok());
  EXPECT_EQ(node_->backups().renew(held->id).error().id, "MR-NODE-0019");
  EXPECT_FALSE(files_.exists(copy)) << "it came later than that";
  ASSERT_TRUE(write_file_atomically(files_, copy, "x").ok());
  end();
  open();
  EXPECT_FALSE(files_.exists(copy)) << "the server was killed meanwhile";
}

// What comes behind the cut is not in it.
TEST_F(BackupHoldTest, TheCutIsWhatWasAcknowledgedBefore) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM s");
  for (int i = 0; i < 40; ++i) push("s", i * 100, i * 100 + 100, 200);
  const auto held = node_->backups().begin();
  const auto cut = node_->backups().cut(held->id);
  ASSERT_TRUE(cut.ok());
  run("CREATE STREAM later (n BIGINT)");
  for (int i = 40; i < 60; ++i) push("s", i * 100, i * 100 + 100, 200);
  const auto extents = log::copy_extents(files_, "/data/journal", cut->first, cut->last);
  ASSERT_TRUE(extents.ok()) << extents.error().to_string();
  ASSERT_GT(extents->size(), 2u);
  EXPECT_TRUE(extents->front().sealed);
  EXPECT_FALSE(extents->back().sealed);
  ASSERT_TRUE(files_.make_directories("/copy/journal").ok());
  for (const auto& extent : *extents) {
    auto bytes = *read_whole_file(files_, "/data/journal/" + extent.name, size_t{1} << 30);
    bytes.resize(extent.bytes);
    if (!extent.sealed) bytes += std::string(4096, '\0');
    ASSERT_TRUE(write_file_atomically(files_, "/copy/journal/" + extent.name, bytes).ok());
  }
  ASSERT_TRUE(write_file_atomically(files_, "/copy/metadata.db", cut->metadata).ok());
  end();
  options_.directory = "/copy";
  open();
  settle();
  EXPECT_EQ(node_->journal().recovery().end, cut->last);
  EXPECT_TRUE(node_->journal().recovery().damage.empty());
  EXPECT_EQ(sql("SELECT n FROM v").rows, std::vector<std::string>{R"({"n":4000})"});
  EXPECT_NE(sql("SELECT n FROM later").error, "");
}

}  // namespace
}  // namespace millrace::node
