// millrace streams, views, queries, tenants: the resources of the HTTP API at a command line. And `millrace openapi`.
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "CLI/CLI.hpp"
#include "event-gateway/openapi.h"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/csv.h"
#include "node/table.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

struct Collection {
  const char *word, *one, *what;
  bool drops = false, pauses = false;
};
constexpr Collection kCollections[] = {
    {"streams", "stream", "Streams: declared, derived, and the dead letters", true, false},
    {"views", "view", "Materialized views", true, false},
    {"queries", "query", "What keeps views and derived streams: how it is, and pausing it", false, true},
    {"tenants", "tenant", "The tenants that the token may see", false, false},
    {"tokens", "token", "Access tokens: who may do what until when", false, false},
};
// Too long for a row of a table; `show` has them.
const Words kNotInLists = {"columns", "definition", "failure"};

struct ResourceOptions {
  ServerOptions server;
  std::string name;
  std::string output = "table";
};

std::string path_of(const Collection& collection, const std::string& name = {}) {
  std::string path = fmt::format("/v1/{}", collection.word);
  if (!name.empty()) path += '/' + percent_encode(name);
  return path;
}

// In a table a column's definition, or a scope, is read, not parsed.
std::string text_of_list(const Json& list) {
  std::string out;
  for (const auto& column : list) {
    if (!out.empty()) out += ", ";
    out += column.is_string() ? column.get<std::string>()
                              : fmt::format("{} {}", column.value("name", ""), column.value("type", ""));
  }
  return out;
}

AnswerValue value_of(const std::string& name, const Json& value, bool as_table) {
  using Kind = AnswerValue::Kind;
  if (value.is_null()) return {name, Kind::kNull, {}};
  if (value.is_string()) return {name, Kind::kText, value.get<std::string>()};
  if (value.is_array() && as_table) return {name, Kind::kOther, text_of_list(value)};
  return {name, value.is_number() ? Kind::kNumber : Kind::kOther, value.dump()};
}

// Shows what comes, in the form that was asked for.
class ResourcePrinter {
 public:
  explicit ResourcePrinter(std::string form) : form_(std::move(form)), table_(stdout) {}

  void add_to_list(const Json& item) {
    ++items_;
    if (form_ == "json") return print_json(item);
    const bool as_table = form_ == "table";
    AnswerRow row;
    for (const auto& [name, value] : item.items()) {
      const bool long_one = std::find(kNotInLists.begin(), kNotInLists.end(), name) != kNotInLists.end();
      if (!as_table || !long_one) row.push_back(value_of(name, value, as_table));
    }
    as_table ? table_.add(row) : print_csv(row);
  }
  void end_list() {
    if (form_ != "table") return;
    table_.end();
    fmt::print(stderr, "({} row{})\n", items_, items_ == 1 ? "" : "s");
  }
  // One thing: a table has a line for each of its members.
  void show(const Json& item) {
    if (form_ != "table") return add_to_list(item);
    for (const auto& [name, value] : item.items()) {
      AnswerValue shown = value_of(name, value, true);
      if (shown.kind == AnswerValue::Kind::kNumber) shown.kind = AnswerValue::Kind::kOther;
      shown.name = "value";
      table_.add({{"property", AnswerValue::Kind::kText, name}, shown});
    }
    table_.end();
  }

 private:
  static void print_json(const Json& item) { fmt::print("{}\n", item.dump()); }
  void print_csv(const AnswerRow& row) {
    if (items_ == 1) {
      Words names;
      for (const auto& value : row) names.push_back(value.name);
      fmt::print("{}", csv_line(names));
    }
    Words texts;
    for (const auto& value : row) texts.push_back(value.text);
    fmt::print("{}", csv_line(texts));
  }

  const std::string form_;
  Table table_;
  size_t items_ = 0;
};

Result<Json> call(HttpClient& client, const char* method, const std::string& target) {
  TRY_ASSIGN(const HttpAnswer answer, client.call({method, target, {}, {}}));
  if (answer.status >= 300) return error_of(answer);
  Json parsed = Json::parse(answer.body, nullptr, false);
  if (answer.status == 204 || parsed.is_object()) return parsed;
  return error(Code::kCorrupt, "MR-CLI-0010", "the server sent what is no JSON object");
}

Status list(HttpClient& client, const Collection& collection, ResourcePrinter& printer) {
  std::string target = path_of(collection) + "?limit=1000";
  while (true) {
    TRY_ASSIGN(const Json page, call(client, "GET", target));
    for (const auto& item : page.value("items", Json::array())) printer.add_to_list(item);
    const auto next = page.find("next");
    if (next == page.end() || !next->is_string()) break;
    target =
        fmt::format("{}?limit=1000&after={}", path_of(collection), percent_encode(next->get<std::string>()));
  }
  printer.end_list();
  return {};
}

// `act` does the command's work with a client.
template <typename Act>
int with_client(const ResourceOptions& options, const Act& act) {
  auto client = open_client(options.server);
  if (!client.ok()) return report(client.error());
  const Status done = act(**client);
  if (auto written = flush_output(); !written.ok()) return report(written.error());
  return done.ok() ? kOk : report(done.error());
}

int run_list(const Collection& collection, const ResourceOptions& options) {
  ResourcePrinter printer(options.output);
  return with_client(options, [&](HttpClient& client) { return list(client, collection, printer); });
}

// Asks for one thing, or that something is done to it, and shows how it is then.
int run_one(const Collection& collection, const ResourceOptions& options, const char* method,
            const std::string& action = {}) {
  return with_client(options, [&](HttpClient& client) -> Status {
    TRY_ASSIGN(const Json item, call(client, method, path_of(collection, options.name) + action));
    ResourcePrinter(options.output).show(item);
    return {};
  });
}

int run_drop(const Collection& collection, const ResourceOptions& options) {
  return with_client(options, [&](HttpClient& client) -> Status {
    TRY(call(client, "DELETE", path_of(collection, options.name)));
    fmt::print(stderr, "dropped {}\n", options.name);
    return {};
  });
}

enum class Takes : uint8_t { kNothing, kName };

std::shared_ptr<ResourceOptions> add_options(CLI::App& command, const Collection& collection, Takes takes,
                                             bool shows) {
  auto options = std::make_shared<ResourceOptions>();
  if (takes == Takes::kName)
    command.add_option("name", options->name, fmt::format("The {}'s name", collection.one))->required();
  add_server_options(command, options->server);
  if (!shows) return options;
  command.add_option("--output", options->output, "table, json: one object a line, or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
  return options;
}

void add_collection(CLI::App& app, const Collection& collection, int& exit_code) {
  CLI::App* parent = app.add_subcommand(collection.word, collection.what);
  parent->require_subcommand(1);
  const auto add = [&](const char* word, const std::string& what, Takes takes, bool shows, auto run) {
    CLI::App* command = parent->add_subcommand(word, what);
    const auto options = add_options(*command, collection, takes, shows);
    command->callback([&exit_code, &collection, options, run] { exit_code = run(collection, *options); });
  };
  add("list", fmt::format("All {}, by name", collection.word), Takes::kNothing, true, run_list);
  add("show", fmt::format("One {}", collection.one), Takes::kName, true,
      [](const Collection& c, const ResourceOptions& o) { return run_one(c, o, "GET"); });
  if (collection.drops) add("drop", fmt::format("Drop a {}", collection.one), Takes::kName, false, run_drop);
  if (!collection.pauses) return;
  add("pause", "Stop it where it stands, over restarts, too", Takes::kName, true,
      [](const Collection& c, const ResourceOptions& o) { return run_one(c, o, "POST", "/pause"); });
  add("resume", "Go on, also after a failure", Takes::kName, true,
      [](const Collection& c, const ResourceOptions& o) { return run_one(c, o, "POST", "/resume"); });
}

}  // namespace

void add_resource_commands(CLI::App& app, int& exit_code) {
  for (const auto& collection : kCollections) add_collection(app, collection, exit_code);
  add_token_commands(*app.get_subcommand("tokens"), exit_code);
}

void add_openapi_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("openapi", "The HTTP API as an OpenAPI 3.1 document");
  command->callback([&exit_code] {
    fmt::print("{}", gateway::openapi_document());
    exit_code = kOk;
  });
}

}  // namespace millrace::cli
