#include "node/data_directory.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace millrace::node {
namespace {
constexpr std::string_view kFormat = "millrace data ";
constexpr unsigned kVersion = 1;

// nullopt: it is no version file of Millrace.
std::optional<unsigned> version_in(std::string_view text) {
  if (!text.starts_with(kFormat) || !text.ends_with('\n')) return std::nullopt;
  text = text.substr(kFormat.size(), text.size() - kFormat.size() - 1);
  unsigned version = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), version);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return version;
}

Error refused(const std::string& directory, std::optional<unsigned> version) {
  if (!version) {
    return error(
        Code::kCorrupt, "MR-NODE-0016",
        fmt::format("the file VERSION of the data directory {} is damaged, or not of Millrace", directory),
        "is it the folder that `millrace serve --data` was given? If so, restore the file from a copy");
  }
  return error(Code::kUnsupported, "MR-NODE-0002",
               fmt::format("the data directory {} has format {}; this Millrace reads and writes format {}",
                           directory, *version, kVersion),
               *version > kVersion
                   ? "a newer Millrace wrote it: start that one, or a newer one; nothing was changed"
                   : "start the Millrace that wrote it; nothing was changed");
}

}  // namespace

Result<std::shared_ptr<void>> take_data_directory(Files& files, const std::string& directory) {
  if (const Status made = files.make_directories(directory); !made.ok()) {
    Error failure = made.error();
    failure.hint =
        "--data names a folder, which is made if it is missing: is there a file of that name, or may "
        "this user not write there?";
    return failure;
  }
  auto lock = files.lock(directory + "/LOCK");
  if (!lock.ok()) {
    if (lock.error().code != Code::kConflict) return lock.error();
    return error(Code::kConflict, "MR-NODE-0001",
                 fmt::format("another process is using the data directory {}", directory),
                 "stop it, or choose another directory with --data");
  }
  if (files.exists(directory + "/" + kRestoring)) {
    return error(Code::kConflict, "MR-NODE-0017",
                 fmt::format("the data directory {} is half restored", directory),
                 "remove the folder and run `millrace restore` again");
  }
  const std::string version_file = directory + "/VERSION";
  if (!files.exists(version_file)) {
    TRY(write_file_atomically(files, version_file, fmt::format("{}{}\n", kFormat, kVersion)));
    return lock;
  }
  TRY_ASSIGN(const auto text, read_whole_file(files, version_file, 256));
  const auto version = version_in(text);
  if (version == kVersion) return lock;
  return refused(directory, version);
}

}  // namespace millrace::node
