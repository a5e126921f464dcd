#include <fmt/format.h>
#include <libpq-fe.h>

#include "schema-registry/store.h"

namespace millrace::registry {
namespace {

using ResultPtr = std::unique_ptr<PGresult, decltype(&PQclear)>;

constexpr const char* kUniqueViolation = "23505";
constexpr const char* kTable =
    "CREATE TABLE IF NOT EXISTS millrace_registry_facts (number bigint PRIMARY KEY, fact text NOT NULL)";
// Nobody waits for a database that hangs: the request fails, the next one connects anew.
constexpr const char* kOnConnect = "SET statement_timeout = '10s'; SET client_min_messages = error";

class PostgresStore final : public Store {
 public:
  explicit PostgresStore(std::string conninfo) : conninfo_(std::move(conninfo)) {}
  ~PostgresStore() override { PQfinish(connection_); }

  Status start() {
    TRY(connect());
    // Two that make it at the same time: one of them is told that it is there.
    auto made = run(kTable);
    return made.ok() || is_there() ? Status() : Status(made.error());
  }

  Result<std::vector<std::string>> read(uint64_t after, size_t most) override {
    TRY(connect());
    TRY_ASSIGN(const ResultPtr rows,
               run("SELECT fact FROM millrace_registry_facts WHERE number > $1 ORDER BY number LIMIT $2",
                   {std::to_string(after), std::to_string(most)}));
    std::vector<std::string> out;
    for (int i = 0; i < PQntuples(rows.get()); ++i) {
      out.emplace_back(PQgetvalue(rows.get(), i, 0), static_cast<size_t>(PQgetlength(rows.get(), i, 0)));
    }
    return out;
  }

  Result<bool> append(uint64_t after, const std::vector<std::string>& facts) override {
    TRY(connect());
    TRY(run("BEGIN"));
    for (size_t i = 0; i < facts.size(); ++i) {
      auto inserted = run("INSERT INTO millrace_registry_facts (number, fact) VALUES ($1, $2)",
                          {std::to_string(after + i + 1), facts[i]});
      if (inserted.ok()) continue;
      const bool taken = state_ == kUniqueViolation;
      (void)run("ROLLBACK");  // the first error is the one to tell
      if (taken) return false;
      return std::move(inserted).error();
    }
    TRY(run("COMMIT"));
    return true;
  }

  bool is_shared() const override { return true; }

 private:
  Status connect() {
    if (connection_ != nullptr && PQstatus(connection_) == CONNECTION_OK) return {};
    PQfinish(connection_);
    // What stands in "dbname" may be a whole connection string or URI, whose words count more than those before.
    const char* const words[] = {"connect_timeout", "dbname", nullptr};
    const char* const values[] = {"5", conninfo_.c_str(), nullptr};
    connection_ = PQconnectdbParams(words, values, 1);
    if (PQstatus(connection_) != CONNECTION_OK) return failure("connecting");
    TRY(run(kOnConnect));
    return {};
  }

  bool is_there() { return run("SELECT 1 FROM millrace_registry_facts LIMIT 1").ok(); }

  Result<ResultPtr> run(const char* sql) { return checked(PQexec(connection_, sql)); }

  Result<ResultPtr> run(const char* sql, const std::vector<std::string>& parameters) {
    std::vector<const char*> values;
    for (const auto& one : parameters) values.push_back(one.c_str());
    return checked(PQexecParams(connection_, sql, static_cast<int>(values.size()), nullptr, values.data(),
                                nullptr, nullptr, 0));
  }

  Result<ResultPtr> checked(PGresult* result) {
    ResultPtr rows(result, &PQclear);
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    state_ = state == nullptr ? "" : state;
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return rows;
    return failure("asking it");
  }

  Error failure(std::string_view doing) const {
    std::string words = PQerrorMessage(connection_);
    while (!words.empty() && words.back() == '\n') words.pop_back();
    return error(Code::kUnavailable, "MR-REG-0002",
                 fmt::format("the schema registry's PostgreSQL failed while {}: {}", doing, words),
                 "check --schema-registry-postgres, and that the database takes connections");
  }

  const std::string conninfo_;
  PGconn* connection_ = nullptr;
  std::string state_;  // of the last statement
};

}  // namespace

Result<std::unique_ptr<Store>> open_postgres_store(const std::string& conninfo) {
  auto store = std::make_unique<PostgresStore>(conninfo);
  TRY(store->start());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace millrace::registry
