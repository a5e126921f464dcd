// millrace tokens create, rotate, revoke. A token goes to stdout alone, what is said about it to stderr.
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "CLI/CLI.hpp"
#include "base/clock.h"
#include "event-gateway/audit_log.h"
#include "event-gateway/http_tokens.h"
#include "event-gateway/token_store.h"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/data_directory.h"
#include "node/duration.h"
#include "node/resource_printer.h"

namespace millrace::cli {
namespace {

constexpr int64_t kUsPerS = 1'000'000;

struct TokenOptions {
  ServerOptions server;
  std::string data;  // offline; empty: by the server
  std::string id;
  std::string tenant, name;
  std::vector<std::string> scopes;
  bool all_tenants = false;
  int64_t expires_s = 0;  // 0: never
  uint64_t overlap_s = 86'400;
};

Result<Json> call(const TokenOptions& options, const std::string& method, const std::string& target,
                  const std::string& body = {}) {
  TRY_ASSIGN(const auto client, open_client(options.server));
  HttpRequest request{method, target, {}, body};
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  TRY_ASSIGN(const HttpAnswer answer, client->call(request));
  if (answer.status >= 300) return error_of(answer);
  Json parsed = Json::parse(answer.body, nullptr, false);
  if (answer.status == 204 || parsed.is_object()) return parsed;
  return error(Code::kCorrupt, "MR-CLI-0010", "the server sent what is no JSON object");
}

void show(const std::string& id, const std::string& token) {
  fmt::print("{}\n", token);
  fmt::print(stderr, "token {}: it is shown this once\n", id);
}

void show(const Json& made) {
  show(made.value("id", ""), made.value("token", ""));
}

Status create_by_server(const TokenOptions& options) {
  Json body{{"scopes", options.scopes}};
  if (!options.tenant.empty()) body["tenant"] = options.tenant;
  if (!options.name.empty()) body["name"] = options.name;
  if (options.all_tenants) body["all_tenants"] = true;
  if (options.expires_s > 0) body["expires_in_seconds"] = options.expires_s;
  TRY_ASSIGN(const Json made, call(options, "POST", "/v1/tokens", body.dump()));
  show(made);
  return {};
}

// Without a server, whose tokens nobody may have yet.
Status create_offline(const TokenOptions& options) {
  const auto files = make_system_files();
  TRY_ASSIGN(const auto lock, node::take_data_directory(*files, options.data));
  TRY_ASSIGN(const auto metadata, metadata::MetadataStore::open(*files, options.data + "/metadata.db"));
  TRY_ASSIGN(const auto store, gateway::TokenStore::open(*metadata));
  gateway::Token token;
  token.tenant = options.tenant.empty() ? "default" : options.tenant;
  token.name = options.name;
  token.all_tenants = options.all_tenants;
  token.created_us = SystemClock().wall_us();
  if (options.expires_s > 0) token.expires_us = token.created_us + options.expires_s * kUsPerS;
  TRY_ASSIGN(token.scopes, gateway::Scopes::parse(options.scopes));
  TRY_ASSIGN(const auto secret, gateway::make_secret());
  TRY_ASSIGN(const auto audit, gateway::AuditLog::open(*files, options.data));
  gateway::AuditAct act{token.created_us, "the command line", token.tenant, "", "CREATE TOKEN", "", "ok"};
  TRY_ASSIGN(const std::string text, store->create(std::move(token), secret));
  act.what = std::string(gateway::parse_token(text)->id);
  for (const auto& scope : options.scopes) act.what += " " + scope;
  TRY(audit->append(act));
  show(std::string(gateway::parse_token(text)->id), text);
  return {};
}

Status rotate(const TokenOptions& options) {
  const std::string target =
      fmt::format("/v1/tokens/{}/rotate?overlap_seconds={}", percent_encode(options.id), options.overlap_s);
  TRY_ASSIGN(const Json made, call(options, "POST", target));
  show(made);
  return {};
}

Status revoke(const TokenOptions& options) {
  TRY(call(options, "DELETE", "/v1/tokens/" + percent_encode(options.id)));
  fmt::print(stderr, "revoked {}\n", options.id);
  return {};
}

// As a server shows it.
Json json_of(const gateway::Token& token) {
  std::string text;
  formats::JsonText out(text);
  out.open('{');
  gateway::append_members(out, token);
  out.close('}');
  return Json::parse(text, nullptr, false);
}

int ended(const Status& done) {
  if (auto written = flush_output(); !written.ok()) return report(written.error());
  return done.ok() ? kOk : report(done.error());
}

void add_create(CLI::App& tokens, int& exit_code) {
  auto* create = tokens.add_subcommand("create", "Create a token, and print it: it is shown this once");
  const auto options = std::make_shared<TokenOptions>();
  const CLI::Validator utf8(check_utf8, "");
  create
      ->add_option(
          "--scope", options->scopes,
          "ingest, read, query, each with :NAME or :PREFIX* where not all is meant; admin; repeatable")
      ->check(utf8)
      ->allow_extra_args(false)
      ->type_name("SCOPE")
      ->required();
  create->add_option("--tenant", options->tenant, "Whose it is; default: the caller's own, or `default`")
      ->check(utf8);
  create->add_option("--name", options->name, "What it is for")->check(utf8);
  create->add_flag("--all-tenants", options->all_tenants, "With admin: of every tenant");
  create
      ->add_option("--expires", options->expires_s,
                   "It ends after this time, as in 12h or 90d; default: never")
      ->type_name("TIME")
      ->transform(CLI::Validator(duration_to_s, ""));
  create->add_option("--data", options->data,
                     "In this data directory, which no server is using; for the first token");
  add_server_options(*create, options->server);
  create->callback([options, &exit_code] {
    exit_code = ended(options->data.empty() ? create_by_server(*options) : create_offline(*options));
  });
}

}  // namespace

Status list_kept_tokens(const std::string& data, ResourcePrinter& printer) {
  const auto files = make_system_files();
  if (!files->exists(data + "/metadata.db")) {
    return error(Code::kNotFound, "MR-NODE-0003", data + " is not a data directory",
                 "name the one that `millrace serve --data` was given");
  }
  TRY_ASSIGN(const auto lock, node::take_data_directory(*files, data));
  TRY_ASSIGN(const auto metadata, metadata::MetadataStore::open(*files, data + "/metadata.db"));
  TRY_ASSIGN(const auto store, gateway::TokenStore::open(*metadata));
  for (const gateway::Token* token : store->list()) printer.add_to_list(json_of(*token));
  printer.end_list();
  return {};
}

void add_token_commands(CLI::App& tokens, int& exit_code) {
  add_create(tokens, exit_code);
  // Whoever gives the token for its id does not mean to show its secret.
  const auto id_alone = [](std::string& id) {
    if (const auto token = gateway::parse_token(id)) id = std::string(token->id);
    return std::string();
  };
  const auto add = [&](const char* word, const char* what, auto run) {
    auto* command = tokens.add_subcommand(word, what);
    const auto options = std::make_shared<TokenOptions>();
    command->add_option("id", options->id, "The token's id")
        ->required()
        ->transform(CLI::Validator(id_alone, ""));
    add_server_options(*command, options->server);
    command->callback([options, run, &exit_code] { exit_code = ended(run(*options)); });
    return std::pair(command, options);
  };
  const auto [command, options] =
      add("rotate", "Give a token a new secret, and print it; the old one is good for a while", rotate);
  command->add_option("--overlap", options->overlap_s, "How long the old secret is good, at most 30d")
      ->type_name("TIME")
      ->default_str("24h")
      ->transform(CLI::Validator(duration_to_s, ""));
  add("revoke", "Revoke a token: at once, and for good", revoke);
}

}  // namespace millrace::cli
