#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <optional>

#include "schema-registry/store.h"

namespace millrace::registry {
namespace {

using ResultPtr = std::unique_ptr<PGresult, decltype(&PQclear)>;

constexpr const char* kUniqueViolation = "23505";
constexpr const char* kTable =
    "CREATE TABLE IF NOT EXISTS millrace_registry_facts (number bigint PRIMARY KEY, fact text NOT NULL)";
struct Word {
  const char *name, *value;
};
// What stands in "dbname" may be a whole connection string or URI, whose words count more than those before.
constexpr std::array<Word, 5> kWords = {{{"connect_timeout", "5"},
                                         {"tcp_user_timeout", "10000"},
                                         {"keepalives_idle", "10"},
                                         {"keepalives_interval", "5"},
                                         {"keepalives_count", "3"}}};

// Nobody waits for a database that hangs: the request fails, with it all that follow in the pause; the next one connects anew.
class PostgresStore final : public Store {
 public:
  PostgresStore(std::string conninfo, PostgresWaits waits) : conninfo_(std::move(conninfo)), waits_(waits) {}
  ~PostgresStore() override { PQfinish(connection_); }

  Status start() {
    TRY(begin());
    // Two that make it at the same time: one of them is told that it is there.
    auto made = run(kTable);
    return made.ok() || is_there() ? Status() : Status(made.error());
  }

  Result<std::vector<std::string>> read(uint64_t after, size_t most) override {
    const bool was_connected = is_connected();
    auto rows = select(after, most);
    // The database was started anew, or has ended the connection: nothing was lost by that.
    const bool is_lost = connection_ != nullptr && !is_connected();
    if (!rows.ok() && was_connected && is_lost) rows = select(after, most);
    if (!rows.ok()) return std::move(rows).error();
    std::vector<std::string> out;
    for (int i = 0; i < PQntuples(rows->get()); ++i) {
      out.emplace_back(PQgetvalue(rows->get(), i, 0), static_cast<size_t>(PQgetlength(rows->get(), i, 0)));
    }
    return out;
  }

  Result<bool> append(uint64_t after, const std::vector<std::string>& facts) override {
    TRY(begin());
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
  using Clock = std::chrono::steady_clock;

  bool is_connected() const { return connection_ != nullptr && PQstatus(connection_) == CONNECTION_OK; }

  // Of each call: what it sends has to be answered until the deadline.
  Status begin() {
    if (!is_connected()) return connect();
    deadline_ = Clock::now() + waits_.patience;
    return {};
  }

  Status connect() {
    if (why_not_ && Clock::now() < not_before_) return *why_not_;
    drop();
    std::vector<const char*> names, values;
    for (const auto& word : kWords) {
      names.push_back(word.name);
      values.push_back(word.value);
    }
    names.insert(names.end(), {"dbname", nullptr});
    values.insert(values.end(), {conninfo_.c_str(), nullptr});
    connection_ = PQconnectdbParams(names.data(), values.data(), 1);
    if (!is_connected() || PQsetnonblocking(connection_, 1) != 0) return pause(failure("connecting"));
    deadline_ = Clock::now() + waits_.patience;
    // A server that stands still between its BEGIN and its COMMIT holds a number that all others wait for.
    for (const auto& setting :
         {fmt::format("SET statement_timeout = {}", waits_.patience.count()),
          fmt::format("SET idle_in_transaction_session_timeout = {}", waits_.patience.count()),
          std::string("SET client_min_messages = error")}) {
      const auto set = run(setting.c_str());
      if (set.ok()) continue;
      drop();
      return pause(set.error());
    }
    return {};
  }

  void drop() {
    PQfinish(connection_);
    connection_ = nullptr;
  }

  bool is_there() { return run("SELECT 1 FROM millrace_registry_facts LIMIT 1").ok(); }

  Result<ResultPtr> select(uint64_t after, size_t most) {
    TRY(begin());
    return run("SELECT fact FROM millrace_registry_facts WHERE number > $1 ORDER BY number LIMIT $2",
               {std::to_string(after), std::to_string(most)});
  }

  Result<ResultPtr> run(const char* sql, const std::vector<std::string>& parameters = {}) {
    state_.clear();
    std::vector<const char*> values;
    for (const auto& one : parameters) values.push_back(one.c_str());
    const int sent = PQsendQueryParams(connection_, sql, static_cast<int>(values.size()), nullptr,
                                       values.data(), nullptr, nullptr, 0);
    if (sent == 0) return failure("asking it");
    ResultPtr answer(nullptr, &PQclear);
    for (;;) {
      TRY(wait());
      PGresult* next = PQgetResult(connection_);
      if (next == nullptr) return checked(std::move(answer));
      answer.reset(next);
    }
  }

  // Until the next result, or that there is none, can be taken without waiting.
  Status wait() {
    for (;;) {
      const int unsent = PQflush(connection_);
      if (unsent < 0) return failure("asking it");
      if (unsent == 0 && PQisBusy(connection_) == 0) return {};
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
      if (left.count() <= 0) return no_answer();
      pollfd socket{PQsocket(connection_), static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN), 0};
      (void)::poll(&socket, 1, static_cast<int>(left.count()));  // the next round finds what came of it
      if (PQconsumeInput(connection_) == 0) return failure("asking it");
    }
  }

  // What was asked may still be answered: not on this connection.
  Error no_answer() {
    drop();
    return pause(failed("asking it", fmt::format("it did not answer within {} ms", waits_.patience.count())));
  }

  // Requests are answered one after the other: each that waited anew would hold up all that are behind it.
  Error pause(Error why) {
    not_before_ = Clock::now() + waits_.pause;
    why_not_ = why;
    return why;
  }

  Result<ResultPtr> checked(ResultPtr rows) {
    const char* state = PQresultErrorField(rows.get(), PG_DIAG_SQLSTATE);
    state_ = state == nullptr ? "" : state;
    const ExecStatusType status = PQresultStatus(rows.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return rows;
    return failure("asking it");
  }

  Error failure(std::string_view doing) const {
    std::string words = PQerrorMessage(connection_);
    while (!words.empty() && words.back() == '\n') words.pop_back();
    return failed(doing, words);
  }

  static Error failed(std::string_view doing, std::string_view words) {
    return error(Code::kUnavailable, "MR-REG-0002",
                 fmt::format("the schema registry's PostgreSQL failed while {}: {}", doing, words),
                 "check --schema-registry-postgres, and that the database takes connections");
  }

  const std::string conninfo_;
  const PostgresWaits waits_;
  Clock::time_point deadline_;
  Clock::time_point not_before_;  // the next connection; why_not_: what the last call failed of
  std::optional<Error> why_not_;
  PGconn* connection_ = nullptr;
  std::string state_;  // of the last statement
};

}  // namespace

Result<std::unique_ptr<Store>> open_postgres_store(const std::string& conninfo, PostgresWaits waits) {
  auto store = std::make_unique<PostgresStore>(conninfo, waits);
  TRY(store->start());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace millrace::registry
