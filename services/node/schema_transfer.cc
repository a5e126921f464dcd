#include "node/schema_transfer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "schema-registry/subject_name.h"

namespace millrace::cli {
namespace {

constexpr const char* kAllContexts = ":*:";

Error not_an_export(std::string message) {
  return error(Code::kInvalid, "MR-CLI-0051", std::move(message), "millrace schema export writes one");
}

std::string scope_of(const std::string& subject) {
  return registry::context_scope(registry::context_of(subject));
}

std::string scope_path(const char* what, const std::string& scope) {
  return scope.empty() ? fmt::format("/{}", what) : fmt::format("/{}/{}", what, percent_encode(scope));
}

Status end_import(RegistryClient& registry, const std::string& context) {
  const std::string path = scope_path("mode", context);
  const auto ended = context.empty() ? registry.call("PUT", path + "?force=true", {{"mode", "READWRITE"}})
                                     : registry.call("DELETE", path);
  // It has no mode of its own.
  if (ended.ok() || ended.error().code == Code::kNotFound) return {};
  return ended.error();
}

bool is_late(const Status& status) {
  return !status.ok() && status.error().code == Code::kDeadline;
}

// Reads all of a registry, then writes it in an order that it can be registered in.
class Exporter {
 public:
  Exporter(RegistryClient& from, const Line& line) : from_(from), line_(line) {}

  Result<Transferred> run() {
    TRY_ASSIGN(const Json listed, from_.call("GET", fmt::format("/subjects?deleted=true&subjectPrefix={}",
                                                                percent_encode(kAllContexts))));
    TRY_ASSIGN(const auto subjects, answered(texts_of(listed), "a list of subjects"));
    std::set<std::string> contexts{""};
    for (const auto& name : subjects) contexts.insert(scope_of(name));
    for (const auto& context : contexts) TRY(write_settings(context));
    for (const auto& name : subjects) {
      TRY(write_settings(name));
      TRY(read_versions(name));
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
  using Key = std::pair<std::string, uint64_t>;

  Status write_settings(const std::string& scope) {
    TRY_ASSIGN(auto config, from_.find(scope_path("config", scope)));
    if (config) {
      if (!config->is_object()) return answers_without("a configuration");
      // Asked for under one name and set under another.
      if (config->contains("compatibilityLevel")) {
        (*config)["compatibility"] = (*config)["compatibilityLevel"];
        config->erase("compatibilityLevel");
      }
      TRY(line_(Json{{"config", scope}, {"value", *config}}));
    }
    TRY_ASSIGN(const auto mode, from_.find(scope_path("mode", scope)));
    if (!mode) return {};
    TRY_ASSIGN(const std::string word, answered(text_in(*mode, "mode"), "a mode"));
    return line_(Json{{"mode", scope}, {"value", word}});
  }

  Status read_versions(const std::string& subject) {
    const std::string path = subject_path(subject) + "/versions";
    TRY_ASSIGN(const Json listed, from_.call("GET", path + "?deleted=true"));
    TRY_ASSIGN(const auto all, answered(numbers_of(listed), "a list of versions"));
    TRY_ASSIGN(const auto not_deleted, from_.find(path));
    TRY_ASSIGN(const auto kept,
               answered(numbers_of(not_deleted.value_or(Json::array())), "a list of versions"));
    for (const uint64_t number : all) {
      TRY_ASSIGN(Json version,
                 from_.call("GET", version_path(subject, std::to_string(number)) + "?deleted=true"));
      if (!text_in(version, "schema")) return answers_without("a schema");
      version["subject"] = subject;
      if (std::find(kept.begin(), kept.end(), number) == kept.end()) version["deleted"] = true;
      versions_[{subject, number}].json = std::move(version);
    }
    return {};
  }

  Status write(Version& version) {
    if (version.state != State::kWaiting) return {};
    version.state = State::kBegun;
    const std::string parent = text_in(version.json, "subject").value_or("");
    for (const auto& reference : member_in(version.json, "references")) {
      const std::string subject = text_in(reference, "subject").value_or("");
      const uint64_t number = number_in(reference, "version").value_or(0);
      const auto found = versions_.find({registry::in_context_of(parent, subject), number});
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
  const Json& value = member_in(line, "value");
  if (line.contains("subject")) return add_version(line);
  if (const auto scope = text_in(line, "config"); scope && value.is_object()) {
    configs_.push_back({scope_path("config", *scope), value});
    return {};
  }
  if (const auto scope = text_in(line, "mode"); scope && value.is_string()) {
    modes_.push_back({scope_path("mode", *scope), {{"mode", value}}});
    return {};
  }
  const auto versions = number_in(member_in(line, "end"), "versions");
  if (!versions) return not_an_export("a line is not one of an export");
  whole_ = *versions == done_.versions;
  return {};
}

Status RegistryImport::begin(const std::string& subject) {
  const std::string context = scope_of(subject);
  if (std::find(contexts_.begin(), contexts_.end(), context) != contexts_.end()) return {};
  const auto begun = to_.call("PUT", scope_path("mode", context) + "?force=true", {{"mode", "IMPORT"}});
  // What has no answer may be done.
  const bool unknown =
      !begun.ok() && (begun.error().code == Code::kCancelled || retryable(begun.error().code));
  if (begun.ok() || unknown) contexts_.push_back(context);
  return begun.ok() ? Status() : begun.error();
}

Status RegistryImport::add_version(const Json& line) {
  const auto subject = text_in(line, "subject");
  const auto version = number_in(line, "version");
  const Json& deleted = member_in(line, "deleted");
  if (!subject || !version || !(deleted.is_null() || deleted.is_boolean()))
    return not_an_export("a line is not one of an export");
  TRY(begin(*subject));
  Json body = line;
  for (const char* name : {"subject", "deleted", "guid", "ts"}) body.erase(name);
  TRY(to_.call("POST", subject_path(*subject) + "/versions", body));
  if (deleted == true) deleted_.push_back(version_path(*subject, std::to_string(*version)));
  if (std::find(subjects_.begin(), subjects_.end(), *subject) == subjects_.end())
    subjects_.push_back(*subject);
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
  for (; !contexts_.empty(); contexts_.pop_back()) TRY(end_import(to_, contexts_.back()));
  for (const auto& mode : modes_) TRY(to_.call("PUT", mode.path + "?force=true", mode.body));
  done_.subjects = subjects_.size();
  return done_;
}

Status RegistryImport::give_up(RegistryClient& to) {
  std::vector<std::string> left;
  size_t unanswered = 0;
  for (const auto& context : std::exchange(contexts_, {})) {
    Status ended;
    do {
      ended = end_import(to, context);
    } while (is_late(ended) && ++unanswered < kMostUnanswered);
    if (!ended.ok()) left.push_back(context.empty() ? "the default context" : context);
  }
  if (left.empty()) return {};
  return error(Code::kUnavailable, "MR-CLI-0054",
               fmt::format("in mode IMPORT still: {}", fmt::join(left, ", ")),
               "import again, or set the mode: PUT /mode, of a context DELETE /mode/CONTEXT");
}

}  // namespace millrace::cli
