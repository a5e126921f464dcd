// `millrace backup`, `millrace restore`: copies of a running node, and a node out of a copy.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "base/clock.h"
#include "base/files.h"
#include "node/backup_folder.h"
#include "node/cli.h"
#include "node/machine_memory.h"
#include "node/node.h"
#include "node/node_copy.h"
#include "node/progress.h"
#include "node/registry_check.h"
#include "node/restore.h"
#include "node/table.h"

namespace millrace::cli {
namespace {

constexpr uint64_t kMiB = 1u << 20;

struct BackupOptions {
  ServerOptions server;
  std::string data = "./data";
  std::string folder;
  std::string name;
  bool recompute = false;
};

int missing(const char* command, const char* option) {
  report(error(Code::kInvalid, "MR-CLI-0035", fmt::format("{} needs {}", command, option),
               fmt::format("see  {} --help", command)));
  return kUsage;
}

std::string size_text(uint64_t bytes) {
  return bytes < kMiB ? fmt::format("{} bytes", bytes) : fmt::format("{} MiB", bytes / kMiB);
}

BackupFolder::Tick show(Progress& progress, uint64_t total) {
  return [&progress, total, done = uint64_t{0}](uint64_t bytes) mutable -> Status {
    done += bytes;
    progress.at(done, total, fmt::format("{} of {} MiB", done / kMiB, total / kMiB));
    return {};
  };
}

// What the disk of a node loses, its backups would lose with it; and each would be copied into the next.
Status check_place(const BackupOptions& options) {
  std::error_code ignored;
  const auto data = std::filesystem::weakly_canonical(options.data, ignored);
  const auto to = std::filesystem::weakly_canonical(options.folder, ignored);
  if (data.empty() || std::mismatch(data.begin(), data.end(), to.begin(), to.end()).first != data.end())
    return {};
  return error(Code::kInvalid, "MR-CLI-0042",
               fmt::format("{} is inside the data directory {}", options.folder, options.data),
               "name a folder elsewhere with --to, best on another disk");
}

Status back_up(Files& files, const BackupOptions& options) {
  TRY(check_place(options));
  TRY_ASSIGN(auto folder, BackupFolder::make(files, options.folder));
  TRY_ASSIGN(const auto server, open_client(options.server));
  Progress progress;
  NodeCopy copy(files, *server, options.data, folder, [&](uint64_t bytes, const std::string& file) {
    progress.at(0, 0, fmt::format("{} MiB  {}", bytes / kMiB, file));
  });
  auto made = copy.run();
  progress.wipe();
  if (!made.ok()) return made.error();
  fmt::print("backup {}: frames {} to {}, {}, {}, of which {} are new\n", made->name, made->first.value,
             made->last.value, counted(made->files.size(), "file"), size_text(made->bytes()),
             size_text(folder.copied_bytes()));
  if (made->registry == kRegistryInPostgres)
    fmt::print(stderr, "its schemas are in PostgreSQL, and not in the backup: have it backed up, too\n");
  return {};
}

// Every object once, whichever backups have it.
int verify(Files& files, const std::string& path) {
  const auto folder = BackupFolder::open(files, path);
  if (!folder.ok()) return report(folder.error());
  const auto names = folder->names();
  if (!names.ok()) return report(names.error());
  Progress progress;
  std::set<std::string> seen;
  bool whole = true;
  uint64_t objects = 0, bytes = 0;
  const auto tick = [&](uint64_t more) -> Status {
    bytes += more;
    progress.at(0, 0, fmt::format("{} MiB", bytes / kMiB));
    return {};
  };
  for (const auto& name : *names) {
    const auto manifest = folder->read(name);
    Status all = manifest.ok() ? Status() : Status(manifest.error());
    for (size_t i = 0; manifest.ok() && i < manifest->files.size(); ++i) {
      const BackupFile& file = manifest->files[i];
      if (!seen.insert(fmt::format("{} {}", file.sha256, file.bytes)).second) continue;
      ++objects;
      const Status found = folder->read_object(file, nullptr, tick);
      if (all.ok()) all = found;
    }
    progress.wipe();
    if (all.ok()) continue;
    whole = false;
    report(all.error());
    fmt::print("DAMAGED {}\n", name);
  }
  fmt::print("verified {}, {}, {}\n", counted(names->size(), "backup"), counted(objects, "object"),
             size_text(bytes));
  fmt::print("{}\n", whole ? "all is well" : "not all can be restored");
  return whole ? kOk : kFailed;
}

int list(Files& files, const std::string& path) {
  const auto folder = BackupFolder::open(files, path);
  if (!folder.ok()) return report(folder.error());
  const auto names = folder->names();
  if (!names.ok()) return report(names.error());
  int code = kOk;
  for (const auto& name : *names) {
    const auto manifest = folder->read(name);
    if (!manifest.ok()) {
      code = report(manifest.error());
      continue;
    }
    fmt::print("{}  frames {} to {}, {} files, {}, schema registry: {}, by millrace {}\n", name,
               manifest->first.value, manifest->last.value, manifest->files.size(),
               size_text(manifest->bytes()), manifest->registry.empty() ? "not in it" : manifest->registry,
               manifest->version);
  }
  return code;
}

Status recompute_all(Files& files, const std::string& data, const BackupManifest& manifest) {
  const SystemClock clock;
  Progress progress;
  const auto found =
      node::recompute(files, clock, data, node::machine_memory_bytes(files) / node::kStateShare,
                      [&](uint64_t done, uint64_t total) {
                        progress.at(done, total, fmt::format("{} of {} frames", done, total));
                      });
  progress.wipe();
  if (!found.ok()) return found.error();
  fmt::print("recomputed {} queries, {} steps, {} rows: {}\n", found->queries, found->steps, found->rows,
             found->differences.empty() ? "all as recorded" : "not as recorded");
  if (found->differences.empty()) {
    if (manifest.registry != kRegistryInFile) return {};
    TRY(check_registry(files, data, found->schemas));
    fmt::print("the schema registry is whole: it knows the schemas of {}\n",
               counted(found->schemas.size(), "stream"));
    return {};
  }
  return error(Code::kCorrupt, "MR-NODE-0029", "the restored node has answers that its events do not give",
               "see  millrace log verify --recompute " + data);
}

Status run_restore(Files& files, const BackupOptions& options) {
  TRY_ASSIGN(const auto folder, BackupFolder::open(files, options.folder));
  TRY_ASSIGN(const auto manifest, folder.read(options.name));
  Progress progress;
  const Status restored =
      restore(files, folder, manifest, options.data, show(progress, 2 * manifest.bytes()));
  progress.wipe();
  TRY(restored);
  fmt::print("restored {} to {}: frames {} to {}, {} files, {}\n", manifest.name, options.data,
             manifest.first.value, manifest.last.value, manifest.files.size(), size_text(manifest.bytes()));
  return options.recompute ? recompute_all(files, options.data, manifest) : Status();
}

int exit_of(const Status& done) {
  return done.ok() ? static_cast<int>(kOk) : report(done.error());
}

void add_of_folder(CLI::App& backup, const char* name, const char* what, int& exit_code,
                   int (*run)(Files& files, const std::string& path)) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = backup.add_subcommand(name, what);
  command->add_option("folder", *path, "The folder of backups")->required();
  command->callback([path, run, &exit_code] { exit_code = run(*make_system_files(), *path); });
}

void add_restore_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<BackupOptions>();
  CLI::App* command = app.add_subcommand("restore", "Make a data directory out of a backup");
  command->add_option("--from", options->folder, "The folder of backups");
  command->add_option("--data", options->data, "The data directory: empty, or to be made")
      ->capture_default_str();
  command->add_option("--backup", options->name, "Which one, as `millrace backup list` names it; the newest");
  command->add_flag("--recompute", options->recompute,
                    "Then run every query again and compare, as `millrace log verify --recompute` does");
  command->footer("Exit codes: 0 restored, 1 an error, 2 wrong usage.");
  command->callback([options, &exit_code] {
    if (options->folder.empty()) {
      exit_code = missing("millrace restore", "--from FOLDER");
      return;
    }
    exit_code = exit_of(run_restore(*make_system_files(), *options));
  });
}

}  // namespace

void add_backup_commands(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<BackupOptions>();
  CLI::App* command =
      app.add_subcommand("backup", "Copy a running node, at one moment of it; look at copies");
  add_server_options(*command, options->server);
  command->add_option("--data", options->data, "The data directory of that server")->capture_default_str();
  command->add_option("--to", options->folder, "The folder of backups; made if missing");
  command->footer("Exit codes: 0 done, 1 an error or damage, 2 wrong usage, 3 no server there.");
  command->require_subcommand(0, 1);
  add_of_folder(*command, "verify", "Check every byte of every backup", exit_code, &verify);
  add_of_folder(*command, "list", "The backups that there are, oldest first", exit_code, &list);
  command->callback([command, options, &exit_code] {
    if (!command->get_subcommands().empty()) return;
    if (options->folder.empty()) {
      exit_code = missing("millrace backup", "--to FOLDER");
      return;
    }
    exit_code = exit_of(back_up(*make_system_files(), *options));
  });
  add_restore_command(app, exit_code);
}

}  // namespace millrace::cli
