// Any lines as requests to a schema registry: METHOD, a path, a body. What it answers has a status and is JSON where it says so; a
// registry that is made anew from the facts answers the same.
#include <cstdint>
#include <cstdlib>
#include <sstream>

#include "base/result.h"
#include "formats/jsonb.h"
#include "schema-registry/api.h"
#include "schema-registry/registry_testing.h"

namespace millrace::registry {
namespace {

constexpr size_t kMaxRequests = 50;

RegistryRequest request_of(const std::string& line) {
  RegistryRequest request;
  std::istringstream in(line);
  std::string target;
  in >> request.method >> target;
  std::getline(in >> std::ws, request.body);
  const size_t mark = std::min(target.find('?'), target.size());
  std::istringstream path(target.substr(0, mark));
  for (std::string segment; std::getline(path, segment, '/');) request.path.push_back(segment);
  if (!request.path.empty() && request.path[0].empty()) request.path.erase(request.path.begin());
  std::istringstream query(target.substr(std::min(mark + 1, target.size())));
  for (std::string one; std::getline(query, one, '&');) {
    const size_t equals = std::min(one.find('='), one.size());
    request.query.emplace_back(one.substr(0, equals), one.substr(std::min(equals + 1, one.size())));
  }
  return request;
}

void check(const RegistryRequest& request, const RegistryAnswer& answer) {
  CHECK(answer.status >= 200 && answer.status < 500, "a status of a request's own making");
  const bool raw = !request.path.empty() && request.path.back() == "schema";
  CHECK(answer.body.empty() || raw || formats::parse_jsonb(answer.body).ok(), "the answer is JSON");
}

std::string everything(Registry& registry) {
  RegistryRequest all;
  all.method = "GET";
  all.path = {"schemas"};
  all.query = {{"deleted", "true"}};
  return RegistryApi(registry).handle(all).body;
}

}  // namespace
}  // namespace millrace::registry

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace::registry;
  MemoryStore::Facts facts;
  Registry registry(std::make_unique<MemoryStore>(facts), kWordFormats, {});
  RegistryApi api(registry);
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  size_t count = 0;
  for (std::string line; std::getline(in, line) && count < kMaxRequests; ++count) {
    // The server refuses what is no clean UTF-8 before.
    if (!millrace::formats::parse_jsonb("\"" + line.substr(0, line.find('{')) + "\"").ok()) continue;
    const RegistryRequest request = request_of(line);
    check(request, api.handle(request));
  }
  Registry again(std::make_unique<MemoryStore>(facts), kWordFormats, {});
  CHECK(everything(registry) == everything(again), "the facts are the state");
  return 0;
}
