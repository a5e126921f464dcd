// What a store should hold, in std::map: the tests' reference, and a source of random work.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/random.h"
#include "state/state_store.h"

namespace millrace::state::testing {

// Values: a number, and the id of a blob (or 0). The model knows the blob's bytes.
class Model {
 public:
  static constexpr size_t kValueBytes = 24;
  struct Row {
    uint64_t number = 0;
    std::string blob;
    bool has_blob = false;
    friend bool operator==(const Row&, const Row&) = default;
  };

  explicit Model(Random random) : random_(random) {}

  // One random change, to the store and to the model alike.
  void step(StateStore& store) {
    const uint64_t dice = random_.below(1000);
    if (dice < 3) return drop(store);
    if (dice < 20) return cell(store);
    const TableName name{QueryId(static_cast<uint32_t>(random_.below(3))),
                         static_cast<uint16_t>(random_.below(2)), static_cast<int64_t>(random_.below(4)) - 1};
    const std::string key = random_key();
    if (dice < 750) return upsert(store, name, key);
    if (dice < 940) return erase(store, name, key);
    if (dice < 945) return erase_most(store, name);
    replace_blob(store, name, key);
  }

  void expect_equals(StateStore& store) const {
    ASSERT_EQ(store.tables().size(), tables_.size());
    EXPECT_EQ(store.cells(), cells_);
    for (const auto& [name, rows] : tables_) {
      Table* table = store.find(name);
      ASSERT_NE(table, nullptr);
      EXPECT_EQ(table->rows(), rows.size());
      EXPECT_EQ(rows_of(*table, *table), rows);
      for (const auto& [key, row] : rows) {
        const char* value = table->find(key, stable_hash(key));
        ASSERT_NE(value, nullptr);
        ASSERT_EQ(load_le<uint64_t>(value), row.number);
      }
    }
  }

  void expect_equals(const Epoch& epoch) const {
    EXPECT_EQ(epoch.cells(), cells_);
    size_t tables = 0;
    for (uint32_t query = 0; query < 3; ++query) {
      for (uint16_t slot = 0; slot < 2; ++slot) tables += epoch.tables(QueryId(query), slot).size();
    }
    ASSERT_EQ(tables, tables_.size());
    for (const auto& [name, rows] : tables_) {
      EXPECT_EQ(epoch.rows(name), rows.size());
      EXPECT_EQ(epoch.value_bytes(name), kValueBytes);
      EXPECT_EQ(rows_of(Named{epoch, name}, Named{epoch, name}), rows);
    }
  }

 private:
  using Rows = std::map<std::string, Row>;

  struct Named {  // a table of an epoch, with a Table's words
    const Epoch& epoch;
    TableName name;
    void for_each(const std::function<void(const RowView&)>& visit) const { epoch.for_each(name, visit); }
    std::string_view blob(uint64_t id) const { return epoch.blob(name, id); }
  };

  template <typename Source, typename Blobs>
  static Rows rows_of(const Source& source, const Blobs& blobs) {
    Rows rows;
    source.for_each([&](const RowView& row) {
      EXPECT_EQ(row.hash, stable_hash(row.key));
      const auto blob = load_le<uint64_t>(row.value + 8);
      EXPECT_EQ(load_le<uint64_t>(row.value + 16), 0u);
      const bool unique =
          rows.emplace(std::string(row.key), Row{load_le<uint64_t>(row.value),
                                                 blob == 0 ? "" : std::string(blobs.blob(blob)), blob != 0})
              .second;
      EXPECT_TRUE(unique) << "a row twice";
    });
    return rows;
  }

  std::string random_key() {
    std::string key = "key-" + std::to_string(random_.below(900));
    if (random_.chance(4)) key += std::string(random_.below(120), 'x');
    if (random_.chance(900)) key += std::string(random_.below(9000), 'y');
    return key;
  }

  void upsert(StateStore& store, const TableName& name, const std::string& key) {
    Rows& rows = tables_[name];
    bool inserted = false;
    char* value = store.table(name, kValueBytes).upsert(key, stable_hash(key), inserted);
    ASSERT_NE(value, nullptr);
    EXPECT_EQ(inserted, !rows.contains(key));
    Row& row = rows[key];
    EXPECT_EQ(load_le<uint64_t>(value), row.number);
    row.number = random_.next();
    store_le(value, row.number);
  }

  void erase(StateStore& store, const TableName& name, const std::string& key) {
    auto rows = tables_.find(name);
    if (rows == tables_.end()) return;
    Table* table = store.find(name);
    ASSERT_NE(table, nullptr);
    if (const char* value = table->find(key, stable_hash(key)))
      table->free_blob(load_le<uint64_t>(value + 8));
    EXPECT_EQ(table->erase(key, stable_hash(key)), rows->second.erase(key) == 1);
  }

  void erase_most(StateStore& store, const TableName& name) {
    auto rows = tables_.find(name);
    if (rows == tables_.end()) return;
    std::vector<std::string> keys;
    for (const auto& [key, row] : rows->second) {
      if (!random_.chance(8)) keys.push_back(key);
    }
    for (const std::string& key : keys) erase(store, name, key);
  }

  void replace_blob(StateStore& store, const TableName& name, const std::string& key) {
    auto rows = tables_.find(name);
    if (rows == tables_.end() || !rows->second.contains(key)) return;
    Table* table = store.find(name);
    ASSERT_NE(table, nullptr);
    table->free_blob(load_le<uint64_t>(table->find(key, stable_hash(key)) + 8));
    const std::string bytes(random_.below(random_.chance(30) ? 30'000 : 100),
                            static_cast<char>('a' + random_.below(26)));
    const uint64_t id = table->put_blob(bytes);
    ASSERT_NE(id, 0u);
    EXPECT_EQ(table->blob(id), bytes);
    store_le(table->find_mutable(key, stable_hash(key)) + 8, id);
    rows->second[key].blob = bytes;
    rows->second[key].has_blob = true;
  }

  void cell(StateStore& store) {
    const std::string name =
        "q" + std::to_string(random_.below(12)) + ".c" + std::to_string(random_.below(3));
    if (random_.chance(3)) {
      store.erase_cell(name);
      cells_.erase(name);
      return;
    }
    cells_[name] = std::to_string(random_.next());
    store.set_cell(name, cells_[name]);
  }

  void drop(StateStore& store) {
    const QueryId query(static_cast<uint32_t>(random_.below(3)));
    if (random_.chance(6)) {
      store.drop_query(query);
      std::erase_if(tables_, [&](const auto& table) { return table.first.query == query; });
      const std::string prefix = "q" + std::to_string(query.value) + ".";
      std::erase_if(cells_, [&](const auto& each) { return each.first.starts_with(prefix); });
      return;
    }
    if (tables_.empty()) return;
    auto at = tables_.begin();
    std::advance(at, static_cast<ptrdiff_t>(random_.below(tables_.size())));
    store.drop(at->first);
    tables_.erase(at);
  }

  Random random_;
  std::map<TableName, Rows> tables_;
  std::map<std::string, std::string> cells_;
};

}  // namespace millrace::state::testing
