#include "node/node_copy.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "event-gateway/audit_log.h"
#include "log/copy_extent.h"
#include "node/cli.h"
#include "node/registry_copy.h"

namespace millrace::cli {
namespace {

using OpenFiles = std::vector<std::pair<std::string, std::shared_ptr<File>>>;

constexpr size_t kBlock = 4096;
constexpr int kTries = 100;

bool is_snapshot(const std::string& name) {
  return name.ends_with(".snap");
}
bool is_pages(const std::string& name) {
  return name.starts_with("pages-") && name.ends_with(".data");
}

// Those that are there; an open file outlives its removal.
Result<OpenFiles> open_all(Files& files, const std::string& folder, bool (*wanted)(const std::string&)) {
  OpenFiles out;
  TRY_ASSIGN(const auto names, files.list(folder));
  for (const auto& name : names) {
    if (!wanted(name)) continue;
    auto file = files.open(folder + "/" + name, Files::Open::kRead);
    if (file.ok()) {
      out.emplace_back(name, std::move(*file));
    } else if (file.error().code != Code::kNotFound) {
      return file.error();
    }
  }
  return out;
}

Result<std::vector<std::string>> list_if_there(Files& files, const std::string& folder) {
  if (!files.exists(folder)) return std::vector<std::string>();
  return files.list(folder);
}

}  // namespace

Result<net::HttpAnswer> NodeCopy::call(const std::string& method, const std::string& what) {
  TRY_ASSIGN(auto answer, server_.call({.method = method, .target = "/v1/backups" + what}));
  if (answer.status >= 300) return error_of(answer);
  renewed_ = Clock::now();
  return answer;
}

Status NodeCopy::hold() {
  TRY_ASSIGN(const auto answer, call("POST", ""));
  const auto held = nlohmann::ordered_json::parse(answer.body, nullptr, false);
  if (!held.is_object() || !held.contains("id") || !held["id"].is_string()) return error_of(answer);
  id_ = held["id"].get<std::string>();
  lease_ = std::chrono::seconds(held.value("lease_seconds", 60));
  const auto here = read_whole_file(files_, data_ + "/BACKUP", kBlock);
  if (here.ok() && *here == id_ + "\n") return {};
  if (!here.ok() && here.error().code != Code::kNotFound) return here.error();
  return error(Code::kConflict, "MR-NODE-0025",
               fmt::format("{} is not the data directory of the server that was called", data_),
               "name with --data the folder that it was started with, on this machine");
}

Status NodeCopy::keep_hold() {
  if (Clock::now() - renewed_ < lease_ / 4) return {};
  TRY(call("POST", "/" + id_ + "/renew"));
  return {};
}

BackupFolder::Tick NodeCopy::tick(const std::string& path) {
  return [this, path](uint64_t bytes) -> Status {
    done_bytes_ += bytes;
    progress_(done_bytes_, path);
    return keep_hold();
  };
}

Status NodeCopy::copy_file(const std::string& path, const std::string& as) {
  TRY_ASSIGN(const auto file, files_.open(data_ + "/" + path, Files::Open::kRead));
  TRY_ASSIGN(const uint64_t bytes, file->size());
  TRY_ASSIGN(auto added, to_.add(as, *file, bytes, 0, tick(as)));
  manifest_.files.push_back(std::move(added));
  return {};
}

Status NodeCopy::copy_snapshots() {
  TRY_ASSIGN(const auto layouts, list_if_there(files_, data_ + "/snapshots"));
  for (const auto& layout : layouts) {
    TRY_ASSIGN(const auto tasks, list_if_there(files_, data_ + "/snapshots/" + layout));
    for (const auto& task : tasks) TRY(copy_snapshots_of_task("snapshots/" + layout + "/" + task));
  }
  return {};
}

Status NodeCopy::copy_snapshots_of_task(const std::string& folder) {
  for (int i = 0; i < kTries; ++i) {
    TRY_ASSIGN(const bool copied, try_snapshots_of_task(folder));
    if (copied) return {};
  }
  return error(Code::kUnavailable, "MR-NODE-0027", "the snapshots in " + folder + " changed again and again",
               "run the backup again: what it has copied is kept");
}

// The pages of a snapshot are there before it is, and go after it: those of one that is there before and after the
// pages were opened are among them.
Result<bool> NodeCopy::try_snapshots_of_task(const std::string& folder) {
  const std::string path = data_ + "/" + folder;
  TRY_ASSIGN(const auto snapshots, open_all(files_, path, &is_snapshot));
  TRY_ASSIGN(const auto pages, open_all(files_, path, &is_pages));
  OpenFiles kept;
  for (const auto& snapshot : snapshots) {
    if (files_.exists(path + "/" + snapshot.first)) kept.push_back(snapshot);
  }
  if (kept.empty()) return snapshots.empty();
  for (const OpenFiles* some : {&std::as_const(kept), &pages}) {
    for (const auto& [name, file] : *some) {
      const std::string to = folder + "/" + name;
      TRY_ASSIGN(const uint64_t bytes, file->size());
      TRY_ASSIGN(auto added, to_.add(to, *file, bytes, 0, tick(to)));
      manifest_.files.push_back(std::move(added));
    }
  }
  return true;
}

Status NodeCopy::cut() {
  TRY_ASSIGN(const auto answer, call("POST", "/" + id_ + "/cut"));
  uint64_t first = 0, last = 0;
  if (std::sscanf(answer.header("millrace-frames").c_str(), "%lu-%lu", &first, &last) != 2)
    return error_of(answer);
  manifest_.first = Cut(first);
  manifest_.last = Cut(last);
  TRY_ASSIGN(auto added, to_.add_text("metadata.db", answer.body));
  manifest_.files.push_back(std::move(added));
  return {};
}

Status NodeCopy::copy_journal() {
  const std::string folder = data_ + "/journal";
  auto extents = log::copy_extents(files_, folder, manifest_.first, manifest_.last);
  // What was freed just before the hold may go still.
  for (int i = 0; i < kTries && !extents.ok() && extents.error().code == Code::kNotFound; ++i)
    extents = log::copy_extents(files_, folder, manifest_.first, manifest_.last);
  if (!extents.ok()) return extents.error();
  for (const auto& extent : *extents) {
    const std::string path = "journal/" + extent.name;
    TRY_ASSIGN(const auto file, files_.open(data_ + "/" + path, Files::Open::kDirectRead));
    auto added = extent.sealed ? to_.add_sealed(path, *file, tick(path))
                               : to_.add(path, *file, extent.bytes, kBlock, tick(path));
    if (!added.ok()) return added.error();
    manifest_.files.push_back(std::move(*added));
  }
  return {};
}

// A file that becomes full meanwhile gets another name, and is copied again under that.
Status NodeCopy::copy_audit_log() {
  for (int i = 0; i < kTries; ++i) {
    TRY_ASSIGN(const auto names, gateway::audit_files(files_, data_));
    const size_t before = manifest_.files.size();
    for (const auto& name : names) TRY(copy_file(name));
    TRY_ASSIGN(const auto now, gateway::audit_files(files_, data_));
    if (now == names) return {};
    manifest_.files.resize(before);
  }
  return error(Code::kUnavailable, "MR-NODE-0027", "the files of the audit log changed again and again",
               "run the backup again: what it has copied is kept");
}

// One that this server does not run may have left its file: nobody writes to it while the hold lasts.
Status NodeCopy::copy_registry() {
  TRY_ASSIGN(const auto answer, call("POST", "/" + id_ + "/registry"));
  const auto told = nlohmann::ordered_json::parse(answer.body, nullptr, false);
  if (!told.is_object() || !told.contains("store") || !told["store"].is_string()) return error_of(answer);
  manifest_.registry = told["store"].get<std::string>();
  if (manifest_.registry == kRegistryInFile) return copy_file(node::kRegistryCopy, node::kRegistryFile);
  if (manifest_.registry != kNoRegistry) return {};
  for (const std::string left : {node::kRegistryFile, node::kRegistryJournal}) {
    if (files_.exists(data_ + "/" + left)) TRY(copy_file(left));
  }
  return {};
}

Result<BackupManifest> NodeCopy::run() {
  TRY(hold());
  TRY(copy_file("VERSION"));
  if (files_.exists(data_ + "/ingest.state")) TRY(copy_file("ingest.state"));
  TRY(copy_snapshots());
  TRY(cut());
  TRY(copy_registry());
  TRY(copy_audit_log());  // what the cut has is written down by then
  TRY(copy_journal());
  TRY(call("DELETE", "/" + id_));
  manifest_.version = kVersion;
  manifest_.name = fmt::format("{:%Y%m%dT%H%M%SZ}-{}", fmt::gmtime(std::time(nullptr)), manifest_.last.value);
  const std::string made = manifest_.name;
  for (int i = 2; to_.has_backup(manifest_.name); ++i) manifest_.name = fmt::format("{}-{}", made, i);
  TRY(to_.write(manifest_));
  return manifest_;
}

}  // namespace millrace::cli
