// What every store has to do: the same on SQLite, on PostgreSQL, and in memory, as other tests use it.
#include "schema-registry/store.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>

#include "schema-registry/registry_testing.h"

namespace millrace::registry {
namespace {

using namespace std::chrono_literals;
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

using Pids = std::vector<pid_t>;

// Of the database's other connections, as the server runs them beside this process.
Pids pids_of_others(const std::string& conninfo) {
  PGconn* connection = PQconnectdb(conninfo.c_str());
  PGresult* rows = PQexec(connection,
                          "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                          "AND pid <> pg_backend_pid() AND backend_type = 'client backend'");
  Pids out;
  for (int i = 0; i < PQntuples(rows); ++i)
    out.push_back(static_cast<pid_t>(std::atoi(PQgetvalue(rows, i, 0))));
  PQclear(rows);
  PQfinish(connection);
  return out;
}

TEST(Store, AConnectionThatPostgresEndedIsMadeAnew) {
  const auto conninfo = postgres("ended");
  if (!conninfo) GTEST_SKIP();
  const auto store = on(*conninfo);
  ASSERT_TRUE(*store->append(0, {"a"}));
  const Pids pids = pids_of_others(*conninfo);
  ASSERT_EQ(pids.size(), 1u);
  ASSERT_EQ(::kill(pids[0], SIGTERM), 0);
  while (!pids_of_others(*conninfo).empty()) ::usleep(10'000);
  const auto facts = store->read(0, 10);
  ASSERT_TRUE(facts.ok()) << facts.error().to_string();
  EXPECT_EQ(*facts, (Texts{"a"}));
}

// Whatever one statement answers, as text; a connection of its own.
class Psql {
 public:
  explicit Psql(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str())) {}
  ~Psql() { PQfinish(connection_); }
  Psql(const Psql&) = delete;
  Psql& operator=(const Psql&) = delete;

  std::string operator()(const char* sql) {
    PGresult* rows = PQexec(connection_, sql);
    std::string out = PQntuples(rows) > 0 ? PQgetvalue(rows, 0, 0) : "";
    PQclear(rows);
    return out;
  }

 private:
  PGconn* connection_;
};

// It has inserted its first fact and waits for its second, which another holds back, when it is stopped: what it holds
// would never be let go by itself.
TEST(Store, AStoppedWriterOnPostgresHoldsUpNobodyForEver) {
  const auto conninfo = postgres("stopped");
  if (!conninfo) GTEST_SKIP();
  const auto store = on(*conninfo);
  Psql other(*conninfo), watcher(*conninfo);
  other("BEGIN");
  other("INSERT INTO millrace_registry_facts VALUES (2, 'held')");
  const pid_t writer = ::fork();
  if (writer == 0) {
    auto its = open_postgres_store(*conninfo, {.patience = 3s});
    if (its.ok()) (void)(*its)->append(0, {"a", "b"});
    ::_exit(0);
  }
  const char* waiting =
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
  while (watcher(waiting) != "1") ::usleep(1'000);
  ASSERT_EQ(::kill(writer, SIGSTOP), 0);
  other("ROLLBACK");
  Result<bool> appended = store->append(0, {"c"});
  EXPECT_TRUE(appended.ok()) << appended.error().to_string();
  EXPECT_EQ(*store->read(0, 10), (Texts{"c"}));
  ASSERT_EQ(::kill(writer, SIGKILL), 0);
  ::waitpid(writer, nullptr, 0);
}

TEST(Store, NobodyWaitsForPostgresThatHangs) {
  const auto conninfo = postgres("frozen");
  if (!conninfo) GTEST_SKIP();
  auto store = open_postgres_store(*conninfo, {.patience = 500ms, .pause = 0ms});
  ASSERT_TRUE(store.ok()) << store.error().to_string();
  ASSERT_TRUE(*(*store)->append(0, {"a"}));
  const auto calls = {std::function([&] { return (*store)->read(0, 10).ok(); }),
                      std::function([&] { return (*store)->append(1, {std::string(8u << 20, 'b')}).ok(); })};
  for (const auto& call : calls) {
    const Pids pids = pids_of_others(*conninfo);
    ASSERT_EQ(pids.size(), 1u);
    ASSERT_EQ(::kill(pids[0], SIGSTOP), 0);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(call());
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    ASSERT_EQ(::kill(pids[0], SIGKILL), 0);
    // The server ends every connection when one dies so, and comes again.
    Result<Texts> again = (*store)->read(0, 10);
    for (int i = 0; i < 500 && !again.ok(); ++i) {
      ::usleep(20'000);
      again = (*store)->read(0, 10);
    }
    ASSERT_TRUE(again.ok()) << again.error().to_string();
    EXPECT_EQ(*again, (Texts{"a"}));
  }
}

// The database would take a new connection at once.
TEST(Store, AfterPostgresDidNotAnswerCallsFailAtOnceForAWhile) {
  const auto conninfo = postgres("pause");
  if (!conninfo) GTEST_SKIP();
  for (const auto pause : {0ms, std::chrono::milliseconds(1h)}) {
    auto store = open_postgres_store(*conninfo, {.patience = 500ms, .pause = pause});
    ASSERT_TRUE(store.ok()) << store.error().to_string();
    const Pids pids = pids_of_others(*conninfo);
    ASSERT_EQ(pids.size(), 1u);
    ASSERT_EQ(::kill(pids[0], SIGSTOP), 0);
    const auto first = (*store)->read(0, 10);
    ASSERT_FALSE(first.ok());
    for (int i = 0; i < 2; ++i) {
      const auto next = (*store)->read(0, 10);
      EXPECT_EQ(next.ok(), pause == 0ms);
      EXPECT_EQ(next.ok() ? "" : next.error().to_string(), pause == 0ms ? "" : first.error().to_string());
    }
    ASSERT_EQ(::kill(pids[0], SIGCONT), 0);
    store->reset();
    while (!pids_of_others(*conninfo).empty()) ::usleep(1'000);
  }
}

TEST(Store, PostgresThatIsNotThereIsAnError) {
  const auto store = open_postgres_store("host=127.0.0.1 port=1 dbname=none");
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().id, "MR-REG-0002");
}

}  // namespace
}  // namespace millrace::registry
