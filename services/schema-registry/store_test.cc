// What every store has to do: the same on SQLite, on PostgreSQL, and in memory, as other tests use it.
#include "schema-registry/store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>

#include "schema-registry/registry_testing.h"

namespace millrace::registry {
namespace {

using Open = std::function<std::unique_ptr<Store>()>;
using Texts = std::vector<std::string>;

void keeps_the_contract(const Open& open) {
  auto store = open();
  ASSERT_TRUE(store->read(0, 10).ok());
  EXPECT_TRUE(store->read(0, 10)->empty());
  EXPECT_TRUE(*store->append(0, {"one", "two \xC3\xA9 '\\' $1"}));
  EXPECT_FALSE(*store->append(0, {"late"}));
  EXPECT_FALSE(*store->append(1, {"late"}));
  EXPECT_TRUE(*store->append(2, {"three"}));
  store.reset();
  store = open();
  EXPECT_EQ(*store->read(0, 2), (Texts{"one", "two \xC3\xA9 '\\' $1"}));
  EXPECT_EQ(*store->read(2, 2), (Texts{"three"}));
  EXPECT_TRUE(store->read(3, 2)->empty());
  EXPECT_FALSE(*store->append(2, {"late"}));
  EXPECT_TRUE(*store->append(3, {"four"}));
}

TEST(Store, InMemoryKeepsTheContract) {
  MemoryStore::Facts facts;
  keeps_the_contract([&] { return std::make_unique<MemoryStore>(facts); });
}

TEST(Store, SqliteKeepsTheContract) {
  const auto folder = std::filesystem::temp_directory_path() / ("registry_store." + std::to_string(getpid()));
  const auto files = make_system_files();
  keeps_the_contract([&] {
    auto store = open_sqlite_store(*files, (folder / "registry.db").string());
    EXPECT_TRUE(store.ok()) << store.error().to_string();
    return std::move(*store);
  });
  std::filesystem::remove_all(folder);
}

// Of the server that tests/schemas/registry_postgres.py has started, which has these databases.
std::optional<std::string> postgres(const std::string& database) {
  const char* server = std::getenv("MILLRACE_TEST_POSTGRES");
  if (server == nullptr) return std::nullopt;
  return std::string(server) + " dbname=" + database;
}

std::unique_ptr<Store> on(const std::string& conninfo) {
  auto store = open_postgres_store(conninfo);
  EXPECT_TRUE(store.ok()) << store.error().to_string();
  return std::move(*store);
}

TEST(Store, PostgresKeepsTheContract) {
  const auto conninfo = postgres("contract");
  if (!conninfo) GTEST_SKIP();
  keeps_the_contract([&] { return on(*conninfo); });
}

TEST(Store, OnPostgresOneOfTwoWritersIsFirst) {
  const auto conninfo = postgres("writers");
  if (!conninfo) GTEST_SKIP();
  const auto one = on(*conninfo), other = on(*conninfo);
  EXPECT_TRUE(*one->append(0, {"a", "b"}));
  EXPECT_FALSE(*other->append(0, {"c", "d"}));
  EXPECT_FALSE(*other->append(1, {"c", "d"}));
  EXPECT_EQ(*other->read(0, 10), (Texts{"a", "b"}));
  EXPECT_TRUE(*other->append(2, {"c", "d"}));
  EXPECT_EQ(*one->read(2, 10), (Texts{"c", "d"}));
}

TEST(Store, PostgresThatIsNotThereIsAnError) {
  const auto store = open_postgres_store("host=127.0.0.1 port=1 dbname=none");
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().id, "MR-REG-0002");
}

}  // namespace
}  // namespace millrace::registry
