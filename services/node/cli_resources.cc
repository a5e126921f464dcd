// millrace streams, views, queries, tenants: the resources of the HTTP API at a command line. And `millrace openapi`.
#include <algorithm>
#include <memory>

#include "CLI/CLI.hpp"
#include "event-gateway/openapi.h"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/resource_printer.h"

namespace millrace::cli {
namespace {

struct Collection {
  const char *word, *one, *what;
  bool drops = false, pauses = false, is_kept = false;  // is_kept: can be listed without a server
};
constexpr Collection kCollections[] = {
    {"streams", "stream", "Streams: declared, derived, and the dead letters", true, false},
    {"views", "view", "Materialized views", true, false},
    {"queries", "query", "What keeps views and derived streams: how it is, and pausing it", false, true},
    {"tenants", "tenant", "The tenants that the token may see", false, false},
    {"tokens", "token", "Access tokens: who may do what until when", false, false, true},
};

struct ResourceOptions {
  ServerOptions server;
  std::string name;
  std::string output;
  std::string data;  // offline; empty: by the server
};

std::string path_of(const Collection& collection, const std::string& name = {}) {
  std::string path = fmt::format("/v1/{}", collection.word);
  if (!name.empty()) path += '/' + percent_encode(name);
  return path;
}

Status list(HttpClient& client, const Collection& collection, ResourcePrinter& printer) {
  std::string target = path_of(collection) + "?limit=1000";
  while (true) {
    TRY_ASSIGN(const Json page, call_api(client, {"GET", target, {}, {}}));
    for (const auto& item : page.value("items", Json::array())) printer.add_to_list(item);
    const auto next = page.find("next");
    if (next == page.end() || !next->is_string()) break;
    target =
        fmt::format("{}?limit=1000&after={}", path_of(collection), percent_encode(next->get<std::string>()));
  }
  printer.end_list();
  return {};
}

int run_list(const Collection& collection, const ResourceOptions& options) {
  ResourcePrinter printer(options.output);
  if (!options.data.empty()) {
    const Status done = list_kept_tokens(options.data, printer);
    return done.ok() ? kOk : report(done.error());
  }
  return with_client(options.server, [&](HttpClient& client) { return list(client, collection, printer); });
}

// Asks for one thing, or that something is done to it, and shows how it is then.
int run_one(const Collection& collection, const ResourceOptions& options, const char* method,
            const std::string& action = {}) {
  return with_client(options.server, [&](HttpClient& client) -> Status {
    TRY_ASSIGN(const Json item,
               call_api(client, {method, path_of(collection, options.name) + action, {}, {}}));
    ResourcePrinter(options.output).show(item);
    return {};
  });
}

int run_drop(const Collection& collection, const ResourceOptions& options) {
  return with_client(options.server, [&](HttpClient& client) -> Status {
    TRY(call_api(client, {"DELETE", path_of(collection, options.name), {}, {}}));
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
  add_output_option(command, options->output);
  return options;
}

void add_collection(CLI::App& app, const Collection& collection, int& exit_code) {
  CLI::App* parent = app.add_subcommand(collection.word, collection.what);
  parent->require_subcommand(1);
  const auto add = [&](const char* word, const std::string& what, Takes takes, bool shows, auto run) {
    CLI::App* command = parent->add_subcommand(word, what);
    const auto options = add_options(*command, collection, takes, shows);
    command->callback([&exit_code, &collection, options, run] { exit_code = run(collection, *options); });
    if (collection.is_kept && takes == Takes::kNothing)
      command->add_option("--data", options->data, "Those of this data directory, which no server is using");
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
