#include "node/backup_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "node/sha256.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kFormat = 1;

Error damaged(const std::string& file) {
  return error(Code::kCorrupt, "MR-NODE-0022", fmt::format("{} is damaged, or not a backup's", file),
               "use another backup of the folder: `millrace backup list`");
}

bool is_digest(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// Nothing of a manifest leads out of the folder that it is restored to.
bool stays_inside(const std::string& path) {
  const bool relative = !path.empty() && path.front() != '/' && path.find('\0') == std::string::npos;
  return relative && ("/" + path + "/").find("/../") == std::string::npos;
}

Json members_of(const BackupManifest& manifest) {
  Json files = Json::array();
  for (const auto& file : manifest.files)
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  Json members{{"format", kFormat},
               {"name", manifest.name},
               {"version", manifest.version},
               {"first_frame", manifest.first.value},
               {"last_frame", manifest.last.value}};
  if (!manifest.registry.empty()) members["registry"] = manifest.registry;
  members["files"] = std::move(files);
  return members;
}

// Throws where a member is missing or of another type.
BackupManifest manifest_of(const Json& members) {
  BackupManifest manifest;
  manifest.name = members.at("name").get<std::string>();
  manifest.version = members.at("version").get<std::string>();
  manifest.first = Cut(members.at("first_frame").get<uint64_t>());
  manifest.last = Cut(members.at("last_frame").get<uint64_t>());
  manifest.registry = members.value("registry", "");
  for (const auto& file : members.at("files")) {
    manifest.files.push_back({file.at("path").get<std::string>(), file.at("bytes").get<uint64_t>(),
                              file.at("sha256").get<std::string>()});
  }
  return manifest;
}

}  // namespace

uint64_t BackupManifest::bytes() const {
  uint64_t all = 0;
  for (const auto& file : files) all += file.bytes;
  return all;
}

std::string to_text(const BackupManifest& manifest) {
  const Json members = members_of(manifest);
  return Json{{"backup", members}, {"sha256", sha256_hex(members.dump())}}.dump(1) + "\n";
}

Result<BackupManifest> parse_manifest(std::string_view text, const std::string& file) {
  const Json all = Json::parse(text, nullptr, false);
  if (!all.is_object() || !all.contains("backup") || !all.contains("sha256")) return damaged(file);
  const Json& members = all["backup"];
  if (all["sha256"] != sha256_hex(members.dump(-1, ' ', false, Json::error_handler_t::replace)))
    return damaged(file);
  if (!members.contains("format") || members["format"] != kFormat) {
    return error(Code::kUnsupported, "MR-NODE-0023",
                 fmt::format("{} has another format than this Millrace reads", file),
                 "restore it with the Millrace that made it, or a newer one");
  }
  try {
    BackupManifest manifest = manifest_of(members);
    const bool sound = std::all_of(manifest.files.begin(), manifest.files.end(), [](const BackupFile& f) {
      return is_digest(f.sha256) && stays_inside(f.path);
    });
    if (sound) return manifest;
  } catch (const Json::exception&) {  // of a member
  }
  return damaged(file);
}

}  // namespace millrace::cli
