#include "node/schema_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace millrace::cli {
namespace {

using Json = RegistryClient::Json;

constexpr const char* kAllContexts = ":*:";

Error not_an_export(std::string message) {
  return error(Code::kInvalid, "MR-CLI-0051", std::move(message), "millrace schema export writes one");
}

// ":.context:name" has a context; what has none is in the default one, "".
std::string context_of(const std::string& subject) {
  if (!subject.starts_with(":.")) return "";
  const size_t end = subject.find(':', 2);
  return end == std::string::npos ? "" : subject.substr(0, end + 1);
}

std::string scope_path(const char* what, const std::string& scope) {
  return scope.empty() ? fmt::format("/{}", what) : fmt::format("/{}/{}", what, percent_encode(scope));
}

// Reads all of a registry, then writes it in an order that it can be registered in.
class Exporter {
 public:
  Exporter(RegistryClient& from, const Line& line) : from_(from), line_(line) {}

  Result<Transferred> run() {
    TRY_ASSIGN(const Json subjects, from_.call("GET", fmt::format("/subjects?deleted=true&subjectPrefix={}",
                                                                  percent_encode(kAllContexts))));
    std::set<std::string> contexts{""};
    for (const auto& name : subjects) contexts.insert(context_of(name.get<std::string>()));
    for (const auto& context : contexts) TRY(write_settings(context));
    for (const auto& name : subjects) {
      TRY(write_settings(name.get<std::string>()));
      TRY(read_versions(name.get<std::string>()));
    }
    for (auto& [key, version] : versions_) TRY(write(version));
    const Transferred done{subjects.size(), versions_.size()};
    TRY(line_(Json{{"end", {{"subjects", done.subjects}, {"versions", done.versions}}}}));
    return done;
  }

 private:
  enum class State : uint8_t { kWaiting, kBegun, kWritten };
  struct Version {
    Json json;
    State state = State::kWaiting;
  };
  using Key = std::pair<std::string, int64_t>;

  Status write_settings(const std::string& scope) {
    TRY_ASSIGN(auto config, from_.find(scope_path("config", scope)));
    if (config) {
      // Asked for under one name and set under another.
      if (config->contains("compatibilityLevel")) {
        (*config)["compatibility"] = (*config)["compatibilityLevel"];
        config->erase("compatibilityLevel");
      }
      TRY(line_(Json{{"config", scope}, {"value", *config}}));
    }
    TRY_ASSIGN(const auto mode, from_.find(scope_path("mode", scope)));
    if (mode) TRY(line_(Json{{"mode", scope}, {"value", mode->value("mode", "")}}));
    return {};
  }

  Status read_versions(const std::string& subject) {
    const std::string path = subject_path(subject) + "/versions";
    TRY_ASSIGN(const Json all, from_.call("GET", path + "?deleted=true"));
    TRY_ASSIGN(const auto kept, from_.find(path));
    for (const auto& number : all) {
      TRY_ASSIGN(Json version, from_.call("GET", version_path(subject, number.dump()) + "?deleted=true"));
      const bool deleted = !kept || std::find(kept->begin(), kept->end(), number) == kept->end();
      version["subject"] = subject;
      if (deleted) version["deleted"] = true;
      versions_[{subject, number.get<int64_t>()}].json = std::move(version);
    }
    return {};
  }

  Status write(Version& version) {
    if (version.state != State::kWaiting) return {};
    version.state = State::kBegun;
    const std::string context = context_of(version.json.value("subject", ""));
    for (const auto& reference : version.json.value("references", Json::array())) {
      const std::string subject = reference.value("subject", "");
      const int64_t number = reference.value("version", int64_t{0});
      auto found = versions_.find({subject, number});
      if (found == versions_.end()) found = versions_.find({context + subject, number});
      if (found != versions_.end()) TRY(write(found->second));
    }
    version.state = State::kWritten;
    return line_(version.json);
  }

  RegistryClient& from_;
  const Line& line_;
  std::map<Key, Version> versions_;
};

}  // namespace

Result<Transferred> export_registry(RegistryClient& from, const Line& line) {
  return Exporter(from, line).run();
}

Status RegistryImport::add(const Json& line) {
  if (!line.is_object()) return not_an_export("a line is not an object of an export");
  if (line.contains("subject")) return add_version(line);
  if (line.contains("config") && line.contains("value")) {
    configs_.push_back({scope_path("config", line.value("config", "")), line["value"]});
    return {};
  }
  if (line.contains("mode") && line.contains("value")) {
    modes_.push_back({scope_path("mode", line.value("mode", "")), {{"mode", line["value"]}}});
    return {};
  }
  if (!line.contains("end")) return not_an_export("a line is not one of an export");
  whole_ = line["end"].value("versions", size_t{0}) == done_.versions;
  return {};
}

Status RegistryImport::begin(const std::string& subject) {
  const std::string context = context_of(subject);
  if (std::find(contexts_.begin(), contexts_.end(), context) != contexts_.end()) return {};
  TRY(to_.call("PUT", scope_path("mode", context) + "?force=true", {{"mode", "IMPORT"}}));
  contexts_.push_back(context);
  return {};
}

Status RegistryImport::add_version(const Json& line) {
  const std::string subject = line.value("subject", "");
  const std::string version = line.value("version", Json()).dump();
  TRY(begin(subject));
  Json body = line;
  for (const char* name : {"subject", "deleted", "guid", "ts"}) body.erase(name);
  TRY(to_.call("POST", subject_path(subject) + "/versions", body));
  if (line.value("deleted", false)) deleted_.push_back(version_path(subject, version));
  if (std::find(subjects_.begin(), subjects_.end(), subject) == subjects_.end()) subjects_.push_back(subject);
  ++done_.versions;
  return {};
}

// What refers to another version goes first.
Result<Transferred> RegistryImport::finish() {
  if (!whole_) return not_an_export("the export ends early, behind " + counted(done_.versions, "version"));
  for (auto path = deleted_.rbegin(); path != deleted_.rend(); ++path) {
    TRY_ASSIGN(const auto there, to_.find(*path));
    if (there) TRY(to_.call("DELETE", *path));
  }
  for (const auto& config : configs_) TRY(to_.call("PUT", config.path, config.body));
  give_up();
  for (const auto& mode : modes_) TRY(to_.call("PUT", mode.path + "?force=true", mode.body));
  done_.subjects = subjects_.size();
  return done_;
}

void RegistryImport::give_up() {
  for (const auto& context : contexts_) {
    // The answer does not matter: an error that led here is told, and a mode that stays IMPORT refuses what comes.
    const std::string path = scope_path("mode", context);
    (void)(context.empty() ? to_.call("PUT", path + "?force=true", {{"mode", "READWRITE"}})
                           : to_.call("DELETE", path));
  }
  contexts_.clear();
}

}  // namespace millrace::cli
