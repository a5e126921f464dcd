// A whole schema registry as lines of JSON, and back: ids, versions, settings and what is deleted softly are kept.
//
// A line is {"config": SCOPE, "value": {…}}, {"mode": SCOPE, "value": WORD}, {"subject": …, "version": …, "id": …,
// "schemaType": …, "schema": …, "references": […], …, "deleted": true} or, last, {"end": {"subjects": N, "versions": N}}.
// SCOPE: a subject, a context as ":.name:", or "" for all. A version stands behind those that it refers to.
#pragma once

#include <cstddef>
#include <functional>
#include <istream>
#include <string>

#include "node/registry_client.h"

namespace millrace::cli {

struct Transferred {
  size_t subjects = 0, versions = 0;
};

using Line = std::function<Status(const Json&)>;

Result<Transferred> export_registry(RegistryClient& from, const Line& line);

// Into a registry that has none of these subjects, or those of an import that did not come to its end: an id or a version
// that is taken by something else is an error. Meanwhile its mode is IMPORT; at the end, and after give_up(), it is
// READWRITE or what the lines say.
// MR-CLI-0051: the lines are not an export's, or not all of one.
class RegistryImport {
 public:
  static constexpr size_t kMostUnanswered = 6;

  explicit RegistryImport(RegistryClient& to) : to_(to) {}
  Status add(const Json& line);
  Result<Transferred> finish();
  // After an error, by a client that whatever ended the import does not end. A call without an answer in time is made again,
  // until kMostUnanswered had none; every mode is tried. MR-CLI-0054: something is in mode IMPORT still.
  Status give_up(RegistryClient& to);

 private:
  Status begin(const std::string& subject);
  Status add_version(const Json& line);

  struct Delayed {
    std::string path;
    Json body;
  };
  RegistryClient& to_;
  std::vector<std::string> contexts_;     // whose mode is IMPORT now, or may be
  std::vector<std::string> deleted_;      // paths of versions, in the order of their registration
  std::vector<Delayed> configs_, modes_;  // a level would judge what comes in
  std::vector<std::string> subjects_;
  Transferred done_;
  bool whole_ = false;
};

}  // namespace millrace::cli
