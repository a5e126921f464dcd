#include "metadata/metadata_store.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "metadata/sqlite_vfs.h"

namespace millrace::metadata {
namespace {

constexpr int64_t kApplicationId = 0x4D524D44;  // "MRMD": the file is ours
constexpr int64_t kSchemaVersion = 1;
constexpr int64_t kMaxDefinitions = int64_t{1} << 30;  // ids of streams are four times as large, in 32 bits

constexpr std::string_view kSchema = R"(
  CREATE TABLE definitions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    sql TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    activated_at INTEGER,
    dropped_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX tenant_names ON definitions (name) WHERE kind = 1 AND dropped_at IS NULL;
  CREATE UNIQUE INDEX names ON definitions (tenant, name) WHERE kind <> 1 AND dropped_at IS NULL;
  CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
)";

int64_t to_integer(Cut cut) {
  return static_cast<int64_t>(cut.value);
}
Cut to_cut(int64_t value) {
  return Cut(static_cast<uint64_t>(value));
}

class Statement;

class SqliteStore final : public MetadataStore {
 public:
  SqliteStore(Files& files, std::string path) : vfs_(files), path_(std::move(path)) {}
  ~SqliteStore() override { sqlite3_close(db_); }

  Status start();
  Result<DefinitionId> insert(const Definition& definition) override;
  Status mark_activated(DefinitionId id, std::optional<Cut> cut) override;
  Status mark_dropped(DefinitionId id, std::optional<Cut> cut) override;
  Status set_sql(DefinitionId id, const std::string& sql) override;
  Status remove(DefinitionId id) override;
  Result<std::vector<Definition>> list() override;
  Result<std::optional<std::string>> get(const std::string& name) override;
  Status put(const std::string& name, const std::string& value) override;
  Result<std::string> contents() override;
  Result<std::vector<Setting>> settings(const std::string& prefix) override;
  Status change(const std::vector<SettingChange>& changes) override;

 private:
  friend class Statement;
  Status connect();
  Status check_version();
  Status create_schema();
  Status check_integrity();
  Status execute(std::string_view sql);
  Result<int64_t> pragma(std::string_view name);
  Status mark(std::string_view sql, DefinitionId id, std::optional<Cut> cut);
  Status expect_one(DefinitionId id);
  Result<DefinitionId> insert_row(const Definition& definition);
  Error failure(int code, std::string_view doing);

  SqliteVfs vfs_;
  std::string path_;
  sqlite3* db_ = nullptr;
};

// One prepared statement, run once.
class Statement {
 public:
  Statement(SqliteStore& store, std::string_view sql) : store_(store) {
    result_ = sqlite3_prepare_v2(store.db_, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& integer(int64_t value) { return bound(sqlite3_bind_int64(statement_, ++parameter_, value)); }
  Statement& cut(std::optional<Cut> value) {
    return value ? integer(to_integer(*value)) : bound(sqlite3_bind_null(statement_, ++parameter_));
  }
  Statement& text(std::string_view value) {
    return bound(sqlite3_bind_text64(statement_, ++parameter_, value.data(), value.size(), SQLITE_TRANSIENT,
                                     SQLITE_UTF8));
  }
  Statement& blob(std::string_view value) {
    // A null pointer would be NULL, not an empty blob.
    const char* data = value.empty() ? "" : value.data();
    return bound(sqlite3_bind_blob64(statement_, ++parameter_, data, value.size(), SQLITE_TRANSIENT));
  }

  // True: there is a row.
  Result<bool> step(std::string_view doing) {
    if (result_ == SQLITE_OK) result_ = sqlite3_step(statement_);
    const int result = std::exchange(result_, SQLITE_OK);
    if (result == SQLITE_ROW || result == SQLITE_DONE) return result == SQLITE_ROW;
    return store_.failure(result, doing);
  }
  Status run(std::string_view doing) {
    for (;;) {
      TRY_ASSIGN(const bool more, step(doing));
      if (!more) return {};
    }
  }
  int64_t column_integer(int column) { return sqlite3_column_int64(statement_, column); }
  std::optional<Cut> column_cut(int column) {
    if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
    return to_cut(column_integer(column));
  }
  std::string column_bytes(int column) {
    const void* data = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
    return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
  }

 private:
  Statement& bound(int result) {
    if (result_ == SQLITE_OK) result_ = result;
    return *this;
  }
  SqliteStore& store_;
  sqlite3_stmt* statement_ = nullptr;
  int result_ = SQLITE_OK;
  int parameter_ = 0;
};

Error SqliteStore::failure(int code, std::string_view doing) {
  const int kind = code & 0xFF;
  const bool by_file = kind == SQLITE_IOERR || kind == SQLITE_FULL || kind == SQLITE_CANTOPEN;
  const std::string words = by_file && vfs_.last_error() ? vfs_.last_error()->message : sqlite3_errmsg(db_);
  const std::string message = fmt::format("the metadata store {} failed while {}: {}", path_, doing, words);
  switch (kind) {
    case SQLITE_CONSTRAINT:
      return error(Code::kConflict, "MR-META-0004", fmt::format("while {}: the name is taken", doing),
                   "use another name");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return error(Code::kCorrupt, "MR-META-0003", message,
                   "restore the file from a backup of the data directory");
    case SQLITE_FULL:
      return error(Code::kExhausted, "MR-META-0006", message, "free space on the disk and try again");
    default:
      return error(Code::kUnavailable, "MR-META-0001", message,
                   "check the disk and the data directory's permissions");
  }
}

Status SqliteStore::execute(std::string_view sql) {
  const int result = sqlite3_exec(db_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return failure(result, "running its own SQL");
  return {};
}

Result<int64_t> SqliteStore::pragma(std::string_view name) {
  Statement statement(*this, fmt::format("PRAGMA {}", name));
  TRY(statement.step("reading its version"));
  return statement.column_integer(0);
}

Status SqliteStore::connect() {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int result = sqlite3_open_v2(path_.c_str(), &db_, flags, vfs_.name().c_str());
  if (result != SQLITE_OK) return failure(result, "opening it");
  sqlite3_extended_result_codes(db_, 1);
  // A commit is durable when it returns; no second process, so no shared memory; a damaged schema runs
  // nothing.
  return execute(
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL; PRAGMA "
      "temp_store=MEMORY;"
      "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;");
}

Status SqliteStore::create_schema() {
  return execute(fmt::format("BEGIN IMMEDIATE; {} PRAGMA application_id={}; PRAGMA user_version={}; COMMIT;",
                             kSchema, kApplicationId, kSchemaVersion));
}

Status SqliteStore::check_version() {
  TRY_ASSIGN(const int64_t application, pragma("application_id"));
  TRY_ASSIGN(const int64_t version, pragma("user_version"));
  TRY_ASSIGN(const int64_t pages, pragma("schema_version"));
  if (application == 0 && version == 0 && pages == 0) return create_schema();
  if (application != kApplicationId) {
    return error(Code::kInvalid, "MR-META-0007",
                 fmt::format("{} is an SQLite file of another program", path_),
                 "point the server at its own data directory");
  }
  if (version <= kSchemaVersion) return {};
  return error(
      Code::kUnsupported, "MR-META-0002",
      fmt::format(
          "the data directory was written by a newer version of Millrace: {} has format {}, this program "
          "reads up to {}",
          path_, version, kSchemaVersion),
      "start the newer version, or another data directory");
}

Status SqliteStore::check_integrity() {
  Statement statement(*this, "PRAGMA quick_check(1)");
  TRY(statement.step("checking it"));
  if (statement.column_bytes(0) == "ok") return {};
  return error(Code::kCorrupt, "MR-META-0003",
               fmt::format("the metadata store {} is damaged: {}", path_, statement.column_bytes(0)),
               "restore the file from a backup of the data directory");
}

Status SqliteStore::start() {
  const size_t slash = path_.rfind('/');
  if (slash != std::string::npos && slash > 0) TRY(vfs_.files().make_directories(path_.substr(0, slash)));
  TRY(connect());
  TRY(check_version());
  return check_integrity();
}

Result<DefinitionId> SqliteStore::insert_row(const Definition& definition) {
  Statement statement(
      *this,
      "INSERT INTO definitions (tenant, kind, name, sql, created_at, activated_at, dropped_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)");
  statement.integer(definition.tenant.value)
      .integer(static_cast<int64_t>(definition.kind))
      .text(definition.name);
  statement.text(definition.sql).integer(to_integer(definition.created_at));
  statement.cut(definition.activated_at).cut(definition.dropped_at);
  TRY(statement.run(fmt::format("adding \"{}\"", definition.name)));
  const int64_t id = sqlite3_last_insert_rowid(db_);
  if (id > kMaxDefinitions) {
    return error(Code::kExhausted, "MR-META-0006",
                 "the metadata store has used up its numbers for definitions", "start a new data directory");
  }
  if (definition.kind == DefinitionKind::kTenant) {
    Statement own(*this, "UPDATE definitions SET tenant = id WHERE id = ?");
    TRY(own.integer(id).run("numbering a tenant"));
  }
  return DefinitionId(static_cast<uint32_t>(id));
}

Result<DefinitionId> SqliteStore::insert(const Definition& definition) {
  TRY(execute("BEGIN IMMEDIATE"));
  auto id = insert_row(definition);
  const Status committed = id.ok() ? execute("COMMIT") : Status();
  if (id.ok() && committed.ok()) return id;
  if (sqlite3_get_autocommit(db_) == 0) (void)execute("ROLLBACK");  // the first error is the one to tell
  return id.ok() ? Result<DefinitionId>(committed.error()) : std::move(id);
}

Status SqliteStore::expect_one(DefinitionId id) {
  if (sqlite3_changes(db_) == 1) return {};
  return error(Code::kNotFound, "MR-META-0005",
               fmt::format("the metadata store has no definition {}", id.value),
               "list the definitions again");
}

Status SqliteStore::mark(std::string_view sql, DefinitionId id, std::optional<Cut> cut) {
  Statement statement(*this, sql);
  TRY(statement.cut(cut).integer(id.value).run(fmt::format("marking definition {}", id.value)));
  return expect_one(id);
}

Status SqliteStore::mark_activated(DefinitionId id, std::optional<Cut> cut) {
  return mark("UPDATE definitions SET activated_at = ? WHERE id = ?", id, cut);
}

Status SqliteStore::mark_dropped(DefinitionId id, std::optional<Cut> cut) {
  return mark("UPDATE definitions SET dropped_at = ? WHERE id = ?", id, cut);
}

Status SqliteStore::set_sql(DefinitionId id, const std::string& sql) {
  Statement statement(*this, "UPDATE definitions SET sql = ? WHERE id = ?");
  TRY(statement.text(sql).integer(id.value).run(fmt::format("replacing definition {}", id.value)));
  return expect_one(id);
}

Status SqliteStore::remove(DefinitionId id) {
  Statement statement(*this, "DELETE FROM definitions WHERE id = ?");
  TRY(statement.integer(id.value).run(fmt::format("removing definition {}", id.value)));
  return expect_one(id);
}

Result<std::vector<Definition>> SqliteStore::list() {
  Statement statement(*this,
                      "SELECT id, tenant, kind, name, sql, created_at, activated_at, dropped_at FROM "
                      "definitions ORDER BY id");
  std::vector<Definition> out;
  for (;;) {
    TRY_ASSIGN(const bool more, statement.step("listing the definitions"));
    if (!more) return out;
    Definition& next = out.emplace_back();
    next.id = DefinitionId(static_cast<uint32_t>(statement.column_integer(0)));
    next.tenant = TenantId(static_cast<uint32_t>(statement.column_integer(1)));
    next.kind = static_cast<DefinitionKind>(statement.column_integer(2));
    next.name = statement.column_bytes(3);
    next.sql = statement.column_bytes(4);
    next.created_at = to_cut(statement.column_integer(5));
    next.activated_at = statement.column_cut(6);
    next.dropped_at = statement.column_cut(7);
  }
}

Result<std::optional<std::string>> SqliteStore::get(const std::string& name) {
  Statement statement(*this, "SELECT value FROM settings WHERE name = ?");
  TRY_ASSIGN(const bool found, statement.text(name).step("reading a setting"));
  if (!found) return std::optional<std::string>();
  return std::optional(statement.column_bytes(0));
}

Status SqliteStore::put(const std::string& name, const std::string& value) {
  Statement statement(*this,
                      "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET "
                      "value = excluded.value");
  return statement.text(name).blob(value).run("writing a setting");
}

Result<std::string> SqliteStore::contents() {
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> bytes(
      sqlite3_serialize(db_, "main", &size, 0), &sqlite3_free);
  if (bytes == nullptr) return failure(SQLITE_IOERR, "copying it");
  return std::string(reinterpret_cast<const char*>(bytes.get()), static_cast<size_t>(size));
}

Result<std::vector<Setting>> SqliteStore::settings(const std::string& prefix) {
  Statement statement(*this, "SELECT name, value FROM settings WHERE substr(name, 1, ?) = ? ORDER BY name");
  statement.integer(static_cast<int64_t>(prefix.size())).text(prefix);
  std::vector<Setting> out;
  for (;;) {
    TRY_ASSIGN(const bool more, statement.step("listing settings"));
    if (!more) return out;
    out.push_back({statement.column_bytes(0), statement.column_bytes(1)});
  }
}

Status SqliteStore::change(const std::vector<SettingChange>& changes) {
  TRY(execute("BEGIN IMMEDIATE"));
  Status done;
  for (const auto& one : changes) {
    if (one.value) {
      done = put(one.name, *one.value);
    } else {
      Statement statement(*this, "DELETE FROM settings WHERE name = ?");
      done = statement.text(one.name).run("removing a setting");
    }
    if (!done.ok()) break;
  }
  if (done.ok()) done = execute("COMMIT");
  if (!done.ok() && sqlite3_get_autocommit(db_) == 0) (void)execute("ROLLBACK");
  return done;
}

}  // namespace

Result<std::unique_ptr<MetadataStore>> MetadataStore::open(Files& files, const std::string& path) {
  auto store = std::make_unique<SqliteStore>(files, path);
  TRY(store->start());
  return std::unique_ptr<MetadataStore>(std::move(store));
}

}  // namespace millrace::metadata
