// Runs tests/schemas/registry/*.test: requests and the whole answers, in order. MILLRACE_REWRITE=1 writes what is answered.
//
//   > METHOD /path?query BODY      a request; lines `: Header: value` behind it
//   < STATUS BODY                  its answer; `< Allow: …` where it has one; in audit.test `< Act: …` for the audit log
//
// Every file runs twice: with one registry, and with a new one over the same facts for each request.
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "schema-registry/api.h"
#include "schema-registry/registry_testing.h"
#include "schema-registry/routes.h"

namespace millrace::registry {
namespace {

std::string decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) out.push_back(part);
  return out;
}

void set_target(RegistryRequest& request, const std::string& target) {
  const size_t mark = std::min(target.find('?'), target.size());
  for (const auto& segment : split(target.substr(1, mark - 1), '/')) request.path.push_back(decoded(segment));
  if (mark > 1 && target[mark - 1] == '/') request.path.emplace_back();
  if (mark == target.size()) return;
  for (const auto& one : split(target.substr(mark + 1), '&')) {
    const size_t equals = std::min(one.find('='), one.size());
    request.query.emplace_back(decoded(one.substr(0, equals)),
                               decoded(equals < one.size() ? one.substr(equals + 1) : ""));
  }
}

void set_header(RegistryRequest& request, const std::string& line) {
  const size_t colon = line.find(": ");
  const std::string name = line.substr(0, colon), value = line.substr(colon + 2);
  if (name == "Accept") request.accept = value;
  if (name == "Content-Type") request.content_type = value;
  if (name == "Tenant") request.tenant = value;
  if (name == "Unknown") request.accept_unknown = value == "true";
  if (name == "May") {
    request.may = [value](Access access, const std::string& subject) {
      return value == name_of(access) || value == std::string(name_of(access)) + ":" + subject;
    };
  }
}

struct Case {
  RegistryRequest request;
  std::string text;  // its lines
};

// What stands between the requests, comments and blank lines, stays as it is.
class File {
 public:
  explicit File(const std::filesystem::path& path) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) take(line);
  }

  // The file's text with the answers that `answer` gives.
  template <typename Answer>
  std::string with(Answer answer) const {
    std::string out;
    for (const auto& one : parts_) {
      out += one.text;
      if (!one.request.method.empty()) out += answer(one.request);
    }
    return out;
  }

 private:
  void take(const std::string& line) {
    if (line.starts_with("< ")) return;
    if (line.starts_with("> ")) {
      Case& next = parts_.emplace_back();
      std::istringstream in(line.substr(2));
      std::string target;
      in >> next.request.method >> target;
      set_target(next.request, target);
      std::getline(in >> std::ws, next.request.body);
    } else if (line.starts_with(": ")) {
      set_header(parts_.back().request, line.substr(2));
    } else if (parts_.empty() || !parts_.back().request.method.empty()) {
      parts_.emplace_back();
    }
    parts_.back().text += line + "\n";
  }
  std::vector<Case> parts_;
};

std::string shown(const RegistryAnswer& answer, bool with_acts) {
  std::string out = "< " + std::to_string(answer.status);
  if (!answer.body.empty()) out += " " + answer.body;
  if (answer.status == 200 && answer.content_type != kRegistryType)
    out += "\n< Content-Type: " + std::string(answer.content_type);
  if (!answer.allow.empty()) out += "\n< Allow: " + answer.allow;
  if (with_acts && answer.act) {
    out +=
        "\n< Act: " + std::string(answer.act->name) + " | " + answer.act->what + " | " + answer.act->outcome;
  }
  return out + "\n";
}

class Server {
 public:
  Server(const std::string& file, bool anew)
      : profile_(file == "profile_409" ? RegistryApi::Profile::kIncompatibleIs409
                                       : RegistryApi::Profile::kCurrent),
        with_acts_(file == "audit"),
        anew_(anew) {}

  std::string answer(const RegistryRequest& request) {
    if (anew_ || !registry_) {
      Registry::Options options;
      options.max_schema_bytes = 400;
      options.now_ms = [] { return int64_t{1'700'000'000'000}; };
      registry_.emplace(std::make_unique<MemoryStore>(facts_), kWordFormats, options);
    }
    return shown(RegistryApi(*registry_, profile_).handle(request), with_acts_);
  }

 private:
  const RegistryApi::Profile profile_;
  const bool with_acts_, anew_;
  MemoryStore::Facts facts_;
  std::optional<Registry> registry_;
};

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::filesystem::path kSource = MILLRACE_SOURCE_DIR;

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "tests/schemas/registry")) {
    if (entry.path().extension() == ".test") out.push_back(entry.path());
  }
  return out;
}

TEST(RegistryCases, AnswersAreThoseOfTheFiles) {
  EXPECT_GT(files().size(), 5u);
  for (const auto& path : files()) {
    const File file(path);
    for (const bool anew : {false, true}) {
      Server server(path.stem(), anew);
      const std::string now = file.with([&](const RegistryRequest& r) { return server.answer(r); });
      if (std::getenv("MILLRACE_REWRITE") != nullptr && !anew) std::ofstream(path) << now;
      EXPECT_EQ(now, text_of(path)) << path << (anew ? ", a registry a request" : "");
    }
  }
}

// The numbers of the documentation's table of errors, as it spells them.
std::vector<std::string> documented_errors() {
  std::istringstream page(text_of(kSource / "docs/api/schema-registry.md"));
  std::vector<std::string> out;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) inside = line == "## Errors";
    if (!inside || !line.starts_with("| ")) continue;
    for (std::string number : split(line.substr(2, line.find(" |") - 2), ',')) {
      number.erase(0, number.find_first_not_of(' '));
      if (std::isdigit(static_cast<unsigned char>(number[0])) != 0) out.push_back(number);
    }
  }
  return out;
}

// With two exceptions: the version's answer changes with each release, the store's error is registry_test's.
TEST(RegistryCases, EveryPathIsAnsweredAndEveryErrorComes) {
  std::set<const Route*> answered;
  std::string all;
  for (const auto& path : files()) {
    Server server(path.stem(), false);
    (void)File(path).with([&](const RegistryRequest& request) {
      std::string answer = server.answer(request), allowed;
      if (answer.starts_with("< 2")) answered.insert(find_route(request.method, request.path, allowed));
      all += answer;
      return answer;
    });
  }
  for (const auto& route : routes())
    EXPECT_NE(answered.contains(&route), route.path == "/v1/metadata/version")
        << route.method << " " << route.path;
  const auto errors = documented_errors();
  EXPECT_GT(errors.size(), 20u);
  for (const auto& number : errors)
    EXPECT_NE(all.find("\"error_code\":" + number + ",") != std::string::npos, number == "50001") << number;
}

TEST(RegistryCases, TheVersionIsTheProgramsOwn) {
  RegistryRequest request;
  request.method = "GET";
  request.path = {"v1", "metadata", "version"};
  MemoryStore::Facts facts;
  Registry registry(std::make_unique<MemoryStore>(facts), kWordFormats, {});
  EXPECT_TRUE(RegistryApi(registry).handle(request).body.starts_with("{\"version\":\"millrace "));
}

// The documentation's table is the routes'.
TEST(RegistryCases, TheDocumentationHasEveryRoute) {
  std::string table;
  for (const auto& route : routes()) {
    const auto code = [](std::string_view text) {
      return text.empty() ? std::string() : "`" + std::string(text) + "`";
    };
    table += "| " + code(std::string(route.method) + " " + std::string(route.path)) + " | " +
             std::string(route.parameters) + " | " +
             std::string(route.access == Access::kOpen ? "none" : name_of(route.access)) + " | " +
             std::string(route.what) + " |\n";
  }
  const auto path = kSource / "docs/api/schema-registry.md";
  std::string page = text_of(path);
  const std::string head = "| --- | --- | --- | --- |\n";
  const size_t from = page.find(head) + head.size(), to = page.find("\n\n", from) + 1;
  if (std::getenv("MILLRACE_REWRITE") != nullptr)
    std::ofstream(path) << page.replace(from, to - from, table);
  else
    EXPECT_EQ(page.substr(from, to - from), table);
}

}  // namespace
}  // namespace millrace::registry
