#include "metadata/metadata_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "base/random.h"

namespace millrace::metadata {
namespace {

namespace fs = std::filesystem;

class MetadataStoreTest : public ::testing::Test {
 protected:
  MetadataStoreTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    directory_ =
        fs::temp_directory_path() / ("millrace-metadata-" + std::to_string(getpid()) + "-" + test->name());
    fs::remove_all(directory_);
  }
  ~MetadataStoreTest() override { fs::remove_all(directory_); }

  std::string path() const { return (directory_ / "meta" / "catalog.db").string(); }
  std::unique_ptr<MetadataStore> open() {
    auto store = MetadataStore::open(*files_, path());
    EXPECT_TRUE(store.ok()) << store.error().to_string();
    return store.ok() ? std::move(store).value() : nullptr;
  }
  Error open_error() {
    auto store = MetadataStore::open(*files_, path());
    EXPECT_FALSE(store.ok());
    return store.ok() ? Error{} : store.error();
  }
  // Another program's hand on the file.
  void run_sql(const std::string& sql) {
    fs::create_directories(directory_ / "meta");
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  fs::path directory_;
  std::unique_ptr<Files> files_ = make_system_files();
};

Definition stream(TenantId tenant, std::string name) {
  Definition d;
  d.tenant = tenant;
  d.kind = DefinitionKind::kStream;
  d.name = std::move(name);
  d.sql = "CREATE STREAM …";
  d.created_at = Cut(7);
  return d;
}

Definition tenant(std::string name) {
  Definition d;
  d.kind = DefinitionKind::kTenant;
  d.name = std::move(name);
  return d;
}

TEST_F(MetadataStoreTest, KeepsDefinitionsOverAReopen) {
  auto store = open();
  const auto t = store->insert(tenant("default"));
  ASSERT_TRUE(t.ok());
  Definition d = stream(TenantId(t->value), "quakes");
  d.created_at = Cut(UINT64_MAX - 1);
  const auto s = store->insert(d);
  ASSERT_TRUE(s.ok());
  ASSERT_TRUE(store->mark_activated(*s, Cut(42)).ok());
  store.reset();

  auto again = open()->list();
  ASSERT_TRUE(again.ok());
  ASSERT_EQ(again->size(), 2u);
  EXPECT_EQ((*again)[0].kind, DefinitionKind::kTenant);
  EXPECT_EQ((*again)[0].tenant, TenantId(t->value));  // its own number
  EXPECT_EQ((*again)[1].id, *s);
  EXPECT_EQ((*again)[1].name, "quakes");
  EXPECT_EQ((*again)[1].sql, "CREATE STREAM …");
  EXPECT_EQ((*again)[1].created_at, Cut(UINT64_MAX - 1));
  EXPECT_EQ((*again)[1].activated_at, Cut(42));
  EXPECT_EQ((*again)[1].dropped_at, std::nullopt);
}

TEST_F(MetadataStoreTest, NamesAreUniqueAmongWhatIsNotDropped) {
  auto store = open();
  const auto first = store->insert(stream(TenantId(1), "a"));
  ASSERT_TRUE(first.ok());
  const auto twice = store->insert(stream(TenantId(1), "a"));
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().code, Code::kConflict);
  EXPECT_EQ(twice.error().id, "MR-META-0004");
  EXPECT_TRUE(store->insert(stream(TenantId(2), "a")).ok());  // another tenant's
  ASSERT_TRUE(store->mark_dropped(*first, Cut(9)).ok());
  const auto next = store->insert(stream(TenantId(1), "a"));
  ASSERT_TRUE(next.ok());
  EXPECT_GT(next->value, first->value);
  const auto back = store->mark_dropped(*first, std::nullopt);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, Code::kConflict);
  ASSERT_TRUE(store->insert(tenant("a")).ok());  // tenants have a name space of their own
  EXPECT_FALSE(store->insert(tenant("a")).ok());
}

TEST_F(MetadataStoreTest, NumbersAreNeverUsedAgain) {
  auto store = open();
  const auto first = store->insert(stream(TenantId(1), "a"));
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(store->remove(*first).ok());
  store.reset();
  store = open();
  const auto second = store->insert(stream(TenantId(1), "a"));
  ASSERT_TRUE(second.ok());
  EXPECT_GT(second->value, first->value);
}

TEST_F(MetadataStoreTest, MarksCanBeTakenBack) {
  auto store = open();
  const auto id = store->insert(stream(TenantId(1), "a"));
  ASSERT_TRUE(store->mark_activated(*id, Cut(3)).ok());
  ASSERT_TRUE(store->mark_activated(*id, std::nullopt).ok());
  EXPECT_EQ(store->list()->front().activated_at, std::nullopt);
  for (const Status& unknown :
       {store->mark_activated(DefinitionId(99), Cut(1)), store->remove(DefinitionId(99))}) {
    ASSERT_FALSE(unknown.ok());
    EXPECT_EQ(unknown.error().id, "MR-META-0005");
  }
}

TEST_F(MetadataStoreTest, KeepsSettings) {
  auto store = open();
  EXPECT_EQ(*store->get("workers"), std::nullopt);
  ASSERT_TRUE(store->put("workers", "2").ok());
  ASSERT_TRUE(store->put("workers", std::string("4\0b", 3)).ok());
  ASSERT_TRUE(store->put("empty", "").ok());
  store.reset();
  store = open();
  EXPECT_EQ(*store->get("workers"), std::string("4\0b", 3));
  EXPECT_EQ(*store->get("empty"), "");
}

TEST_F(MetadataStoreTest, RefusesANewerVersion) {
  open();
  run_sql("PRAGMA user_version = 2");
  const Error e = open_error();
  EXPECT_EQ(e.id, "MR-META-0002");
  EXPECT_EQ(e.code, Code::kUnsupported);
}

TEST_F(MetadataStoreTest, RefusesAFileOfAnotherProgram) {
  run_sql("CREATE TABLE notes (text TEXT)");
  EXPECT_EQ(open_error().id, "MR-META-0007");
}

TEST_F(MetadataStoreTest, RefusesADamagedFile) {
  auto store = open();
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(store->insert(stream(TenantId(1), "stream" + std::to_string(i))).ok());
  store.reset();
  auto file = files_->open(path(), Files::Open::kWrite);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->write_at(2 * 4096, std::string(6 * 4096, '\xA5')).ok());
  const Error e = open_error();
  EXPECT_EQ(e.code, Code::kCorrupt);
  EXPECT_EQ(e.id, "MR-META-0003");
}

// Files that keeps bytes in memory and, at a crash, only what was synced and a random part of what was not.
// Names that no directory sync covered may vanish; a write may tear in 512-byte sectors.
class CrashingFiles final : public Files {
 public:
  explicit CrashingFiles(uint64_t seed) : random_(seed) {}

  struct Disk {
    std::string bytes;    // what the process sees
    std::string durable;  // what the last sync covered
    bool name_durable = false;
  };
  struct Handle final : File {
    Handle(CrashingFiles& o, std::shared_ptr<Disk> d) : owner(o), disk(std::move(d)) {}
    Result<size_t> read_at(uint64_t position, char* out, size_t size) override {
      if (position >= disk->bytes.size()) return size_t{0};
      return disk->bytes.copy(out, size, position);
    }
    Status write_at(uint64_t position, std::string_view bytes) override {
      TRY(owner.count());
      if (disk->bytes.size() < position + bytes.size()) disk->bytes.resize(position + bytes.size());
      disk->bytes.replace(position, bytes.size(), bytes);
      return {};
    }
    Status sync() override {
      TRY(owner.count());
      disk->durable = disk->bytes;
      return {};
    }
    Result<uint64_t> size() override { return uint64_t{disk->bytes.size()}; }
    Status resize(uint64_t size) override {
      TRY(owner.count());
      disk->bytes.resize(size);
      return {};
    }
    CrashingFiles& owner;
    std::shared_ptr<Disk> disk;
  };

  // Every changing call from the n-th on fails, as if the power had gone.
  void fail_from(uint64_t call) { fail_from_ = calls_ + call; }
  uint64_t calls() const { return calls_; }
  Status count() {
    if (++calls_ < fail_from_) return {};
    return error(Code::kUnavailable, "MR-TEST-0001", "the power is gone");
  }
  void crash() {
    fail_from_ = UINT64_MAX;
    for (auto it = disks_.begin(); it != disks_.end();) {
      Disk& disk = *it->second;
      if (!disk.name_durable && random_.chance(2)) {
        it = disks_.erase(it);
        continue;
      }
      disk.bytes = torn(disk);
      disk.durable = disk.bytes;
      ++it;
    }
  }

  Result<std::shared_ptr<File>> open(const std::string& path, Open mode) override {
    auto& disk = disks_[path];
    if (!disk && mode == Open::kRead) return error(Code::kNotFound, "MR-TEST-0002", "no such file");
    if (!disk) disk = std::make_shared<Disk>();
    return std::shared_ptr<File>(std::make_shared<Handle>(*this, disk));
  }
  Result<std::vector<std::string>> list(const std::string&) override { return std::vector<std::string>(); }
  bool exists(const std::string& path) override { return disks_.count(path) > 0; }
  Status make_directories(const std::string&) override { return {}; }
  Status remove(const std::string& path) override {
    TRY(count());
    disks_.erase(path);
    return {};
  }
  Status rename(const std::string&, const std::string&) override { return count(); }
  Status sync_directory(const std::string&) override {
    TRY(count());
    for (auto& [path, disk] : disks_) disk->name_durable = true;
    return {};
  }
  Result<uint64_t> free_bytes(const std::string&) override { return uint64_t{1} << 30; }
  Result<std::shared_ptr<void>> lock(const std::string&) override { return std::shared_ptr<void>(); }
  void submit(WriteRequest) override {}
  void poll(std::vector<WriteCompletion>&) override {}
  void set_wake(std::function<void()>) override {}

 private:
  // Sector by sector either side; the size is one of the two.
  std::string torn(const Disk& disk) {
    constexpr size_t kSector = 512;
    std::string out = random_.chance(2) ? disk.bytes : disk.durable;
    for (size_t at = 0; at < out.size(); at += kSector) {
      const std::string& from = random_.chance(2) ? disk.bytes : disk.durable;
      for (size_t i = at; i < std::min(out.size(), at + kSector); ++i)
        out[i] = i < from.size() ? from[i] : '\0';
    }
    return out;
  }

  Random random_;
  std::map<std::string, std::shared_ptr<Disk>> disks_;
  uint64_t calls_ = 0;
  uint64_t fail_from_ = UINT64_MAX;
};

// What was acknowledged is there, whatever the crash tore; what was not is there whole or not at all.
TEST(MetadataCrash, KeepsWhatWasAcknowledged) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    CrashingFiles files(seed);
    Random random(seed * 7919);
    std::map<uint32_t, std::string> acked;
    uint32_t highest = 0;
    for (int round = 0; round < 4; ++round) {
      if (round > 0) files.fail_from(1 + random.below(60));
      auto store = MetadataStore::open(files, "meta/catalog.db");
      std::optional<std::string> pending;
      for (int i = 0; store.ok() && i < 8; ++i) {
        pending = "s" + std::to_string(round) + "-" + std::to_string(i);
        const auto id = (*store)->insert(stream(TenantId(1), *pending));
        if (!id.ok()) break;
        EXPECT_GT(id->value, highest) << "seed " << seed;
        highest = id->value;
        acked[id->value] = *std::exchange(pending, std::nullopt);
      }
      if (store.ok()) store->reset();
      files.crash();
      auto again = MetadataStore::open(files, "meta/catalog.db");
      ASSERT_TRUE(again.ok()) << "seed " << seed << ": " << again.error().to_string();
      const auto list = (*again)->list();
      ASSERT_TRUE(list.ok());
      for (const auto& d : *list) {
        if (acked.count(d.id.value) == 0) {
          EXPECT_EQ(d.name, pending.value_or("")) << "seed " << seed;
          acked[d.id.value] = d.name;
          highest = std::max(highest, d.id.value);
        }
        EXPECT_EQ(acked[d.id.value], d.name) << "seed " << seed;
      }
      ASSERT_EQ(list->size(), acked.size()) << "seed " << seed << " round " << round;
    }
  }
}

// The n-th changing file call fails, for every n: the store answers an error, and works again on the next
// open.
TEST(MetadataCrash, SurvivesEveryFailingCall) {
  for (uint64_t n = 1;; ++n) {
    CrashingFiles files(n);
    {
      auto store = MetadataStore::open(files, "catalog.db");
      ASSERT_TRUE(store.ok());
      ASSERT_TRUE((*store)->insert(stream(TenantId(1), "before")).ok());
      files.fail_from(n);
      const auto id = (*store)->insert(stream(TenantId(1), "during"));
      if (id.ok()) {
        EXPECT_GT(n, 3u);  // it did fail at first
        return;
      }
      EXPECT_EQ(id.error().code, Code::kUnavailable) << id.error().to_string();
      EXPECT_NE(id.error().message.find("the power is gone"), std::string::npos);
      files.fail_from(UINT64_MAX / 2);
    }
    auto again = MetadataStore::open(files, "catalog.db");
    ASSERT_TRUE(again.ok()) << n << ": " << again.error().to_string();
    const auto list = (*again)->list();
    ASSERT_TRUE(list.ok());
    ASSERT_GE(list->size(), 1u);
    EXPECT_EQ(list->front().name, "before");
  }
}

TEST(MetadataStore, SettingsChangeTogether) {
  CrashingFiles files(1);
  {
    auto store = MetadataStore::open(files, "catalog.db");
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->change({{"a/1", "one"}, {"a/2", "two"}, {"b/1", "other"}}).ok());
    ASSERT_TRUE((*store)->change({{"a/1", std::nullopt}, {"a/3", "three"}, {"a/9", std::nullopt}}).ok());
    files.fail_from(1);
    EXPECT_FALSE((*store)->change({{"a/2", std::nullopt}, {"a/4", "four"}}).ok());
    files.fail_from(UINT64_MAX / 2);
  }
  auto again = MetadataStore::open(files, "catalog.db");
  ASSERT_TRUE(again.ok());
  const auto found = (*again)->settings("a/");
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ(found->front().name, "a/2");
  EXPECT_EQ(found->back().value, "three");
}

}  // namespace
}  // namespace millrace::metadata
