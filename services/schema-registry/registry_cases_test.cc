// Runs tests/schemas/registry/*.test: requests and the whole answers, in order. MILLRACE_REWRITE=1 writes what is answered.
//
//   > METHOD /path?query BODY      a request; lines `: Header: value` behind it
//   < STATUS BODY                  its answer; `< Allow: …` where it has one; in audit.test `< Act: …` for the audit log
//
// Every file runs twice: with one registry, and with a new one over the same facts for each request.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
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

TEST(RegistryCases, AnswersAreThoseOfTheFiles) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "tests/schemas/registry")) {
    if (entry.path().extension() != ".test") continue;
    ++files;
    const File file(entry.path());
    for (const bool anew : {false, true}) {
      Server server(entry.path().stem(), anew);
      const std::string now = file.with([&](const RegistryRequest& r) { return server.answer(r); });
      if (std::getenv("MILLRACE_REWRITE") != nullptr && !anew) std::ofstream(entry.path()) << now;
      EXPECT_EQ(now, text_of(entry.path())) << entry.path() << (anew ? ", a registry a request" : "");
    }
  }
  EXPECT_GT(files, 5u);
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
