// Interface: https://www.sqlite.org/vfs.html
#include "metadata/sqlite_vfs.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

namespace millrace::metadata {
namespace {

constexpr int kSectorBytes = 4096;

// What SQLite sees as an open file: its own struct first, ours behind it, in memory that SQLite allocates.
struct OpenFile {
  sqlite3_file base;
  SqliteVfs* vfs;
  std::shared_ptr<File> file;
  std::string path;
  bool name_unsynced;
  bool delete_on_close;
};

OpenFile& open_file(sqlite3_file* file) {
  return *reinterpret_cast<OpenFile*>(file);
}
SqliteVfs& vfs_of(sqlite3_vfs* vfs) {
  return *static_cast<SqliteVfs*>(vfs->pAppData);
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

int close_file(sqlite3_file* base) {
  OpenFile& file = open_file(base);
  if (file.delete_on_close)
    (void)file.vfs->files().remove(file.path);  // temporary; what is left costs only space
  file.~OpenFile();
  return SQLITE_OK;
}

int read_file(sqlite3_file* base, void* out, int size, sqlite3_int64 position) {
  OpenFile& file = open_file(base);
  const auto wanted = static_cast<size_t>(size);
  auto got = file.file->read_at(static_cast<uint64_t>(position), static_cast<char*>(out), wanted);
  if (!got.ok()) return file.vfs->failed(got.error(), SQLITE_IOERR_READ);
  if (*got == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(out) + *got, 0, wanted - *got);  // SQLite asks for zeros behind the end
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* base, const void* bytes, int size, sqlite3_int64 position) {
  OpenFile& file = open_file(base);
  const std::string_view view(static_cast<const char*>(bytes), static_cast<size_t>(size));
  const Status done = file.file->write_at(static_cast<uint64_t>(position), view);
  return done.ok() ? SQLITE_OK : file.vfs->failed(done.error(), SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
  OpenFile& file = open_file(base);
  const Status done = file.file->resize(static_cast<uint64_t>(size));
  return done.ok() ? SQLITE_OK : file.vfs->failed(done.error(), SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* base, int) {
  OpenFile& file = open_file(base);
  Status done = file.file->sync();
  if (!done.ok()) return file.vfs->failed(done.error(), SQLITE_IOERR_FSYNC);
  if (!file.name_unsynced) return SQLITE_OK;
  done = file.vfs->files().sync_directory(directory_of(file.path));
  if (!done.ok()) return file.vfs->failed(done.error(), SQLITE_IOERR_DIR_FSYNC);
  file.name_unsynced = false;
  return SQLITE_OK;
}

int file_size(sqlite3_file* base, sqlite3_int64* out) {
  OpenFile& file = open_file(base);
  auto size = file.file->size();
  if (!size.ok()) return file.vfs->failed(size.error(), SQLITE_IOERR_FSTAT);
  *out = static_cast<sqlite3_int64>(*size);
  return SQLITE_OK;
}

int no_lock(sqlite3_file*, int) {
  return SQLITE_OK;
}
int no_reserved_lock(sqlite3_file*, int* out) {
  *out = 0;
  return SQLITE_OK;
}
int no_control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
  return kSectorBytes;
}
int characteristics(sqlite3_file*) {
  return 0;
}  // promises nothing: a write may tear anywhere

constexpr sqlite3_io_methods kMethods = {
    1,       close_file, read_file,        write_file, truncate_file, sync_file,       file_size,
    no_lock, no_lock,    no_reserved_lock, no_control, sector_size,   characteristics, nullptr,
    nullptr, nullptr,    nullptr,          nullptr,    nullptr};

int open_path(sqlite3_vfs* base, const char* path, sqlite3_file* out, int flags, int* out_flags) {
  SqliteVfs& vfs = vfs_of(base);
  out->pMethods = nullptr;
  if (path == nullptr) return SQLITE_CANTOPEN;  // a nameless temporary file: temp_store=MEMORY makes none
  const bool there = vfs.files().exists(path);
  if (!there && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
  const bool read_only = (flags & SQLITE_OPEN_READONLY) != 0;
  auto file = vfs.files().open(path, read_only ? Files::Open::kRead : Files::Open::kWrite);
  if (!file.ok()) return vfs.failed(file.error(), SQLITE_CANTOPEN);
  auto* made = new (out) OpenFile{{&kMethods}, &vfs, std::move(*file), path, !there, false};
  made->delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_path(sqlite3_vfs* base, const char* path, int sync_directory) {
  SqliteVfs& vfs = vfs_of(base);
  if (!vfs.files().exists(path)) return SQLITE_IOERR_DELETE_NOENT;
  Status done = vfs.files().remove(path);
  if (!done.ok()) return vfs.failed(done.error(), SQLITE_IOERR_DELETE);
  if (sync_directory == 0) return SQLITE_OK;
  done = vfs.files().sync_directory(directory_of(path));
  return done.ok() ? SQLITE_OK : vfs.failed(done.error(), SQLITE_IOERR_DIR_FSYNC);
}

int access_path(sqlite3_vfs* base, const char* path, int, int* out) {
  *out = vfs_of(base).files().exists(path) ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* path, int size, char* out) {
  const size_t length = std::strlen(path);
  if (length >= static_cast<size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(out, path, length + 1);
  return SQLITE_OK;
}

// Time and chance come from nowhere: nothing stored here depends on them.
int randomness(sqlite3_vfs*, int size, char* out) {
  std::memset(out, 0, static_cast<size_t>(size));
  return size;
}
int no_sleep(sqlite3_vfs*, int) {
  return 0;
}
int no_time(sqlite3_vfs*, double* out) {
  *out = 2440587.5;  // the Unix epoch as a Julian day
  return SQLITE_OK;
}
int no_last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

}  // namespace

SqliteVfs::SqliteVfs(Files& files) : files_(files) {
  static std::atomic<uint64_t> next{1};
  name_ = fmt::format("millrace-{}", next.fetch_add(1));
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(OpenFile);
  vfs_.mxPathname = 4096;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = open_path;
  vfs_.xDelete = delete_path;
  vfs_.xAccess = access_path;
  vfs_.xFullPathname = full_path;
  vfs_.xRandomness = randomness;
  vfs_.xSleep = no_sleep;
  vfs_.xCurrentTime = no_time;
  vfs_.xGetLastError = no_last_error;
  CHECK(sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK, "registering SQLite's file layer");
}

SqliteVfs::~SqliteVfs() {
  sqlite3_vfs_unregister(&vfs_);
}

int SqliteVfs::failed(const Error& error, int otherwise) {
  last_error_ = error;
  return error.code == Code::kExhausted ? SQLITE_FULL : otherwise;
}

}  // namespace millrace::metadata
