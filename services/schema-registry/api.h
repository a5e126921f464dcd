// RegistryApi: the registry's HTTP API as a function from a request to its answer: Confluent's, so that its clients work as they are.
//
// Why:     what paths, parameters, statuses and bodies mean is in one place that knows no sockets, tokens or threads.
// Threads: one; a call may block on the store.
// Errors:  answered as {"error_code": …, "message": …}; 50001 for all that the API has no number for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schema-registry/registry.h"

namespace millrace::registry {

enum class Access : uint8_t { kOpen, kRead, kWrite, kAdmin };

struct RegistryRequest {
  std::string method;
  std::vector<std::string> path;  // its segments, decoded
  std::vector<std::pair<std::string, std::string>> query;
  std::string accept, content_type;
  bool accept_unknown = false;  // Confluent-Accept-Unknown-Properties: true
  std::string body;
  std::string tenant = "default";
  // Of a subject; empty: of all. Null: whatever is asked.
  std::function<bool(Access access, const std::string& subject)> may;
};

// What a request has changed, or should have.
struct RegistryAct {
  std::string_view name;  // static storage: REGISTER SCHEMA
  std::string what;       // orders-value: version 3 id 7
  std::string outcome;    // ok, or the error's code
};

struct RegistryAnswer {
  int status = 200;
  std::string_view content_type;  // static storage
  std::string body;
  int error = 0;                   // the API's number; 0: it is none
  std::optional<RegistryAct> act;  // nothing: nothing was changed, nor should have been
  std::string allow;               // of 405: the path's methods
};

inline constexpr std::string_view kRegistryType = "application/vnd.schemaregistry.v1+json";

std::string error_body(int error_code, std::string_view message);

class RegistryApi {
 public:
  // Released registries differ in the number of an incompatible schema: 40901 of late, 409 before.
  enum class Profile : uint8_t { kCurrent, kIncompatibleIs409 };

  explicit RegistryApi(Registry& registry, Profile profile = Profile::kCurrent)
      : registry_(registry), profile_(profile) {}

  RegistryAnswer handle(const RegistryRequest& request);
  // GET, HEAD, OPTIONS; empty: there is no such path. For any thread.
  static std::string methods_of(const std::vector<std::string>& path);

 private:
  RegistryAnswer refusal(const Error& error) const;

  Registry& registry_;
  const Profile profile_;
};

}  // namespace millrace::registry
