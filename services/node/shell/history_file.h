// HistoryFile: the statements of earlier shells, an entry a line, oldest first, readable to their owner alone.
//
// Two shells at once both append, so neither loses the other's. An entry that begins with a space is not kept: what
// nobody shall find, is typed so.
// Bound: kMaxEntries of kMaxEntryBytes; load() cuts a file that has twice as many.
// Errors: none: a shell without a history is still one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

class HistoryFile {
 public:
  static constexpr size_t kMaxEntries = 2000;
  static constexpr size_t kMaxEntryBytes = 64u << 10;

  explicit HistoryFile(std::string path) : path_(std::move(path)) {}
  // millrace/history under XDG_STATE_HOME, or under .local/state of HOME; empty: neither is set.
  static std::string default_path();
  static bool keeps(std::string_view entry);

  std::vector<std::string> load();
  void append(std::string_view entry);

 private:
  void rewrite(const std::vector<std::string>& entries);
  const std::string path_;
};

}  // namespace millrace::cli
