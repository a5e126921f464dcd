#include "node/shell/history_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace millrace::cli {
namespace {

namespace fs = std::filesystem;

std::string line_of(std::string_view entry) {
  std::string line;
  for (const char c : entry) {
    if (c == '\\') line += "\\\\";
    if (c == '\n') line += "\\n";
    if (c != '\\' && c != '\n') line += c;
  }
  return line + '\n';
}

std::string entry_of(std::string_view line) {
  std::string entry;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool is_escape = line[i] == '\\' && i + 1 < line.size();
    if (is_escape) ++i;
    entry += is_escape && line[i] == 'n' ? '\n' : line[i];
  }
  return entry;
}

// One write: entries of two shells do not mix.
void write_private(const std::string& path, std::string_view bytes, int how) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600);
  if (fd < 0) return;
  (void)::fchmod(fd, 0600);
  [[maybe_unused]] const ssize_t written = ::write(fd, bytes.data(), bytes.size());
  ::close(fd);
}

void make_private_directory(const fs::path& path) {
  if (path.empty() || ::access(path.c_str(), F_OK) == 0) return;
  make_private_directory(path.parent_path());
  ::mkdir(path.c_str(), 0700);
}

}  // namespace

std::string HistoryFile::default_path() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return std::string(state) + "/millrace/history";
  const char* home = std::getenv("HOME");
  return home == nullptr || home[0] != '/' ? "" : std::string(home) + "/.local/state/millrace/history";
}

bool HistoryFile::keeps(std::string_view entry) {
  return !entry.empty() && entry.front() != ' ' && entry.size() <= kMaxEntryBytes;
}

std::vector<std::string> HistoryFile::load() {
  std::vector<std::string> entries;
  std::ifstream in(path_);
  for (std::string line; std::getline(in, line);) entries.push_back(entry_of(line));
  if (entries.size() <= kMaxEntries) return entries;
  const bool much = entries.size() > 2 * kMaxEntries;
  entries.erase(entries.begin(), entries.end() - kMaxEntries);
  if (much) rewrite(entries);
  return entries;
}

void HistoryFile::append(std::string_view entry) {
  if (path_.empty() || !keeps(entry)) return;
  make_private_directory(fs::path(path_).parent_path());
  write_private(path_, line_of(entry), O_APPEND);
}

void HistoryFile::rewrite(const std::vector<std::string>& entries) {
  std::string bytes;
  for (const auto& entry : entries) bytes += line_of(entry);
  const std::string next = path_ + ".new";
  write_private(next, bytes, O_TRUNC);
  std::rename(next.c_str(), path_.c_str());
}

}  // namespace millrace::cli
