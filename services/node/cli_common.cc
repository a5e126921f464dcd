#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <system_error>

#include "CLI/CLI.hpp"
#include "bench/bench.h"
#include "engine/quoted_name.h"
#include "fmt/format.h"
#include "formats/text_types.h"
#include "node/cli.h"
#include "node/json_members.h"
#include "node/table.h"
#include "sql/sql.h"

namespace millrace::cli {
namespace {

std::string text_of(const Json& object, const char* name) {
  return text_in(object, name).value_or("");
}

uint32_t number_of(const Json& object, const char* name) {
  return static_cast<uint32_t>(number_in(object, name).value_or(0));
}

Code code_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return Code::kDenied;
    case 404:
      return Code::kNotFound;
    case 409:
    case 422:
      return Code::kConflict;
    case 410:
      return Code::kGone;
    case 429:
      return Code::kExhausted;
    case 503:
      return Code::kUnavailable;
    case 504:
      return Code::kDeadline;
    default:
      return status >= 500 ? Code::kInternal : Code::kInvalid;
  }
}

// The server speaks of requests; whoever sits at a command line has commands and options.
std::string hint_of(const Error& failure) {
  const std::string_view hint = failure.hint;
  constexpr std::string_view kLists = "GET /v1/", kVerb = " lists";
  if (failure.id == "MR-API-0014" || failure.id == "MR-API-0015")
    return "give one with --token-file FILE, --token TOKEN, or in the environment as MILLRACE_TOKEN";
  if (failure.id == "MR-EVS-0001") return "begin again with the oldest event that is kept: --from start";
  if (failure.id == "MR-EVS-0004")
    return "it comes from another server or data directory; begin with --from start, or --from end";
  if (hint.starts_with("write partition="))
    return "--from takes start, end, a cursor such as 1042-3, or an RFC 3339 time";
  const size_t verb = hint.find(kVerb);
  if (!hint.starts_with(kLists) || verb == std::string_view::npos) return failure.hint;
  return fmt::format("`millrace {} list` lists{}", hint.substr(kLists.size(), verb - kLists.size()),
                     hint.substr(verb + kVerb.size()));
}

bool is_unreachable(const Error& failure) {
  return failure.id == "MR-CLI-0001" || failure.id == "MR-CLI-0002" || failure.id == "MR-CLI-0013";
}

Result<std::string> token_of(const ServerOptions& options) {
  if (!options.token.empty()) return options.token;
  if (options.token_file.empty()) {
    const char* from_environment = std::getenv("MILLRACE_TOKEN");
    return std::string(from_environment == nullptr ? "" : from_environment);
  }
  std::ifstream in(options.token_file);
  std::string token;
  std::getline(in, token);
  token.erase(token.find_last_not_of(" \t\r") + 1);  // an editor's line end is not the token's
  if (token.empty()) {
    return error(Code::kInvalid, "MR-CLI-0005", "no token in " + options.token_file,
                 "the file's first line is the token");
  }
  return token;
}

}  // namespace

Error error_of(const Json& object, int status) {
  const Json& at = object.contains("error") && object["error"].is_object() ? object["error"] : object;
  Error failure =
      error(code_of_status(status), text_of(at, "code"), text_of(at, "message"), text_of(at, "hint"));
  failure.detail = text_of(at, "detail");
  const Json& place = at.contains("span") && at["span"].is_object() ? at["span"] : at;
  SourceSpan span{number_of(place, "line"), number_of(place, "column"), number_of(place, "offset"),
                  number_of(place, "length")};
  if (span.line != 0) failure.span = span;
  return failure;
}

Error error_of(const HttpAnswer& answer) {
  const Json parsed = Json::parse(answer.body, nullptr, false);
  if (parsed.is_object() && parsed.contains("code")) return error_of(parsed, answer.status);
  return error(Code::kCorrupt, "MR-CLI-0003",
               fmt::format("the server answered {} without a code of Millrace's", answer.status),
               "is this a Millrace server's address?");
}

std::optional<Error> error_of_line(std::string_view line) {
  const Json object = Json::parse(line, nullptr, false);
  if (!object.is_object() || !object.contains("error") || !object["error"].is_object()) return std::nullopt;
  return error_of(object, 500);
}

std::string with_parameters(const std::string& text, const std::vector<std::string>& values) {
  using nlohmann::json;
  return json{{"sql", text}, {"parameters", values}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string shown_error(const Error& failure, std::string_view text) {
  Error shown = failure;
  shown.hint = hint_of(failure);
  return printable(sql::render_error(shown, text), true);
}

int report(const Error& failure, std::string_view text, const std::string& file) {
  if (!file.empty() && failure.span) {
    fmt::print(stderr, "{}:{}:{}: ", file, failure.span->line, failure.span->column);
  }
  fmt::print(stderr, "{}", shown_error(failure, text));
  if (is_unreachable(failure)) return kUnreachable;
  return failure.id == "MR-CLI-0004" ? kUsage : kFailed;
}

Error output_failed(int reason) {
  const std::string why = reason == 0 ? "" : ": " + std::generic_category().message(reason);
  return error(Code::kUnavailable, "MR-CLI-0012", "the output cannot be written" + why,
               "what was written so far is not all");
}

void say_trying_again(const Error& failure, double seconds) {
  fmt::print(stderr, "{}: {}; trying again for {:.0f} s\n", failure.id, failure.message, seconds);
}

Error cannot_open(const std::string& file, int reason) {
  return error(Code::kNotFound, "MR-CLI-0006",
               fmt::format("cannot open {}: {}", file, std::generic_category().message(reason)));
}

Status flush_output() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
  return output_failed(errno);
}

void add_server_options(CLI::App& command, ServerOptions& options) {
  command.add_option("--server", options.url, "The server's address, http:// or https://")
      ->capture_default_str()
      ->envname("MILLRACE_SERVER");
  add_access_options(command, options);
}

void add_access_options(CLI::App& command, ServerOptions& options) {
  command
      .add_option("--ca", options.ca_file,
                  "PEM file of whom to trust with https:// (default: whom the machine trusts)")
      ->envname("MILLRACE_CA");
  command.add_option("--token", options.token,
                     "The access token (or MILLRACE_TOKEN); others see it in the list of processes");
  command.add_option("--token-file", options.token_file, "A file whose first line is the token");
}

Result<std::unique_ptr<HttpClient>> open_client(const ServerOptions& options, HttpClient::Options client) {
  TRY_ASSIGN(net::Url url, net::parse_url(options.url));
  TRY_ASSIGN(client.token, token_of(options));
  client.ca_file = options.ca_file;
  return std::make_unique<HttpClient>(std::move(url), std::move(client));
}

std::string check_utf8(const std::string& value) {
  return formats::is_utf8(value) ? "" : "its value has bytes that are not UTF-8";
}

std::string quoted_name(std::string_view name) {
  std::string out;
  engine::append_quoted_name(out, name);
  return out;
}

std::string counted(uint64_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

void add_version_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("version", "What this binary is");
  command->callback([&exit_code] {
    fmt::print("millrace {}\n", kVersion);
    exit_code = kOk;
  });
}

void add_client_commands(CLI::App& app, int& exit_code) {
  add_sql_command(app, exit_code);
  add_produce_command(app, exit_code);
  add_consume_command(app, exit_code);
  add_resource_commands(app, exit_code);
  add_dead_letters_command(app, exit_code);
  add_log_command(app, exit_code);
  add_backup_commands(app, exit_code);
  add_test_command(app, exit_code);
  bench::add_bench_command(app, exit_code);
  add_config_command(app, exit_code);
  add_demo_command(app, exit_code);
  add_top_command(app, exit_code);
  add_doctor_command(app, exit_code);
  add_schema_command(app, exit_code);
  add_audit_command(app, exit_code);
  add_openapi_command(app, exit_code);
  add_completion_command(app, exit_code);
  add_man_command(app, exit_code);
  add_version_command(app, exit_code);
}

}  // namespace millrace::cli
