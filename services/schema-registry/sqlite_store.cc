#include <fmt/format.h>

#include "metadata/metadata_store.h"
#include "schema-registry/store.h"

namespace millrace::registry {
namespace {

// The metadata store's settings are an ordered map of bytes with changes that are whole: a fact is a setting.
class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::unique_ptr<metadata::MetadataStore> settings) : settings_(std::move(settings)) {}

  Status start() {
    TRY_ASSIGN(facts_, settings_->settings(kPrefix));
    count_ = facts_.size();
    return {};
  }

  // What was there at the start is read once, in order, then let go.
  Result<std::vector<std::string>> read(uint64_t after, size_t most) override {
    std::vector<std::string> out;
    for (size_t i = after; i < facts_.size() && out.size() < most; ++i) {
      out.push_back(std::move(facts_[i].value));
    }
    if (after + out.size() >= facts_.size()) facts_ = {};
    return out;
  }

  Result<bool> append(uint64_t after, const std::vector<std::string>& facts) override {
    if (after != count_) return false;
    std::vector<metadata::SettingChange> changes;
    for (const auto& fact : facts) {
      changes.push_back({fmt::format("{}{:020}", kPrefix, after + changes.size() + 1), fact});
    }
    TRY(settings_->change(changes));
    count_ += facts.size();
    return true;
  }

  bool is_shared() const override { return false; }

 private:
  static constexpr const char* kPrefix = "fact/";

  std::unique_ptr<metadata::MetadataStore> settings_;
  std::vector<metadata::Setting> facts_;
  uint64_t count_ = 0;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(Files& files, const std::string& path) {
  TRY_ASSIGN(auto settings, metadata::MetadataStore::open(files, path));
  auto store = std::make_unique<SqliteStore>(std::move(settings));
  TRY(store->start());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace millrace::registry
