#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "CLI/CLI.hpp"
#include "bench/bench.h"
#include "fmt/format.h"
#include "node/cli.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

uint32_t number_of(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number_unsigned() ? it->get<uint32_t>() : 0;
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

std::string_view line_at(std::string_view text, uint32_t line) {
  for (uint32_t n = 1; n < line; ++n) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// "  3 | SELECT nme FROM t" and the span underlined. The column counts characters, not bytes.
std::string underline(const SourceSpan& span, std::string_view text) {
  const std::string_view line = line_at(text, span.line);
  if (line.empty() || span.column == 0) return {};
  const std::string margin = fmt::format("{:>4} | ", span.line);
  const size_t marks = std::max<size_t>(1, std::min<size_t>(span.length, line.size()));
  return fmt::format("{}{}\n{}{}\n", margin, line, std::string(margin.size() + span.column - 1, ' '),
                     std::string(marks, '^'));
}

Result<std::string> token_of(const ServerOptions& options) {
  if (!options.token.empty()) return options.token;
  if (options.token_file.empty()) {
    const char* from_environment = std::getenv("MILLRACE_TOKEN");
    return std::string(from_environment == nullptr ? "" : from_environment);
  }
  std::ifstream in(options.token_file);
  std::string token;
  if (!std::getline(in, token) || token.empty()) {
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
  Error failure = parsed.is_object() ? error_of(parsed, answer.status)
                                     : error(code_of_status(answer.status), "", answer.body.substr(0, 200));
  if (failure.message.empty()) failure.message = fmt::format("the server answered {}", answer.status);
  return failure;
}

int report(const Error& failure, std::string_view text) {
  fmt::print(stderr, "error{}{}: {}\n", failure.id.empty() ? "" : " ", failure.id, failure.message);
  if (failure.span) fmt::print(stderr, "{}", underline(*failure.span, text));
  if (!failure.detail.empty()) fmt::print(stderr, "note: {}\n", failure.detail);
  if (!failure.hint.empty()) fmt::print(stderr, "hint: {}\n", failure.hint);
  if (failure.id == "MR-CLI-0001" || failure.id == "MR-CLI-0002") return kUnreachable;
  return failure.id == "MR-CLI-0004" ? kUsage : kFailed;
}

void add_server_options(CLI::App& command, ServerOptions& options) {
  command.add_option("--server", options.url, "the server's address")
      ->capture_default_str()
      ->envname("MILLRACE_SERVER");
  command.add_option("--token", options.token, "the access token (or MILLRACE_TOKEN)");
  command.add_option("--token-file", options.token_file, "a file whose first line is the token");
}

Result<std::unique_ptr<HttpClient>> open_client(const ServerOptions& options, HttpClient::Options client) {
  TRY_ASSIGN(net::Url url, net::parse_url(options.url));
  TRY_ASSIGN(client.token, token_of(options));
  return std::make_unique<HttpClient>(std::move(url), std::move(client));
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
  CLI::App* command = app.add_subcommand("version", "what this binary is");
  command->callback([&exit_code] {
    fmt::print("millrace {}\n", kVersion);
    exit_code = kOk;
  });
}

void add_client_commands(CLI::App& app, int& exit_code) {
  add_sql_command(app, exit_code);
  add_produce_command(app, exit_code);
  add_consume_command(app, exit_code);
  add_log_command(app, exit_code);
  bench::add_bench_command(app, exit_code);
  add_version_command(app, exit_code);
}

}  // namespace millrace::cli
