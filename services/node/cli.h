// The command line's client side: sql, produce, consume, streams, views, queries, tenants, tokens, audit, dead-letters, schema, log, backup,
// restore, test, bench, config, demo, top, doctor, openapi, completion, man, version.
//
// Each command is a file, cli_<name>.cc, and one add_… here. Data goes to stdout, talk to stderr.
// Exit codes: kOk, kFailed (an error answer, rejected events, a damaged journal), kUsage, kUnreachable (no
// server there).
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http_client.h"

namespace CLI {
class App;
}

namespace millrace::cli {

using net::HttpAnswer;
using net::HttpClient;
using net::HttpRequest;

enum Exit : int { kOk = 0, kFailed = 1, kUsage = 2, kUnreachable = 3 };

inline constexpr std::string_view kVersion = MILLRACE_VERSION;

// All of them. A command stores its exit code when it has run.
void add_client_commands(CLI::App& app, int& exit_code);

void add_sql_command(CLI::App& app, int& exit_code);
void add_produce_command(CLI::App& app, int& exit_code);
void add_consume_command(CLI::App& app, int& exit_code);
void add_log_command(CLI::App& app, int& exit_code);
void add_resource_commands(CLI::App& app, int& exit_code);  // streams, views, queries, tenants
void add_token_commands(CLI::App& tokens, int& exit_code);  // create, rotate, revoke
void add_audit_command(CLI::App& app, int& exit_code);
void add_dead_letters_command(CLI::App& app, int& exit_code);
void add_schema_command(CLI::App& app, int& exit_code);
void add_openapi_command(CLI::App& app, int& exit_code);
void add_backup_commands(CLI::App& app, int& exit_code);  // backup, restore
void add_test_command(CLI::App& app, int& exit_code);
void add_config_command(CLI::App& app, int& exit_code);
void add_top_command(CLI::App& app, int& exit_code);
void add_doctor_command(CLI::App& app, int& exit_code);
void add_demo_command(CLI::App& app, int& exit_code);
void add_completion_command(CLI::App& app, int& exit_code);
void add_man_command(CLI::App& app, int& exit_code);
void add_version_command(CLI::App& app, int& exit_code);

// The access tokens of a data directory that no server uses, as a server lists them.
class ResourcePrinter;
Status list_kept_tokens(const std::string& data, ResourcePrinter& printer);

// What every command that speaks to a server takes.
struct ServerOptions {
  std::string url = "http://127.0.0.1:8080";
  std::string ca_file;     // whom https:// trusts; empty: whom the machine does
  std::string token;       // or the environment's MILLRACE_TOKEN
  std::string token_file;  // its first line
};
void add_server_options(CLI::App& command, ServerOptions& options);
void add_access_options(CLI::App& command, ServerOptions& options);  // all but the address
Result<std::unique_ptr<HttpClient>> open_client(const ServerOptions& options,
                                                HttpClient::Options client = {});

// Says what went wrong on stderr; answers the exit code. `text`: what the user wrote, for the span; `file`: where.
int report(const Error& failure, std::string_view text = {}, const std::string& file = {});

// What a program reads from stdout is whole, or the exit code says that it is not (MR-CLI-0012).
Status flush_output();
Error output_failed(int reason);

// Before the first of several tries.
void say_trying_again(const Error& failure, double seconds);

Error cannot_open(const std::string& file, int reason);  // MR-CLI-0006

// The error in an answer's body (or one made of its status), as the server meant it.
Error error_of(const HttpAnswer& answer);
// The same from one parsed JSON object of an answer.
Error error_of(const nlohmann::ordered_json& object, int status);

// The same from a line {"error":{…}} behind an answer's rows; none if it is not one.
std::optional<Error> error_of_line(std::string_view line);

// What report() says.
std::string shown_error(const Error& failure, std::string_view text);

// A request's body: the statements and the values of $1, $2, …
std::string with_parameters(const std::string& text, const std::vector<std::string>& values);

std::string check_utf8(const std::string& value);        // of an option: why it is refused, or empty
std::string quoted_name(std::string_view name);          // for SQL
std::string counted(uint64_t n, std::string_view what);  // "1 event", "2 events"
std::string percent_encode(std::string_view text);

}  // namespace millrace::cli
