// millrace sql: statements to a server, rows back in a form that was asked for; on a terminal a shell.
#include <unistd.h>

#include <memory>
#include <vector>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/duration.h"
#include "node/read_input.h"
#include "node/row_printer.h"
#include "node/shell/shell.h"

namespace millrace::cli {
namespace {

constexpr size_t kMaxText = 1u << 20;

struct SqlOptions {
  ServerOptions server;
  std::string command;
  std::string file;
  std::vector<std::string> parameters;
  uint32_t timeout_ms = 0;  // 0: the server's
  std::string output = "table";
};

Result<std::string> typed_or_piped() {
  if (::isatty(STDIN_FILENO) != 0) fmt::print(stderr, "SQL, then ctrl-D:\n");
  return read_input("-", kMaxText);
}

Result<std::string> text_of(const SqlOptions& options) {
  std::string text = options.command;
  if (text.empty()) {
    const bool is_stdin = options.file.empty() || options.file == "-";
    TRY_ASSIGN(text, is_stdin ? typed_or_piped() : read_input(options.file, kMaxText));
  }
  if (text.size() > kMaxText) {
    return error(Code::kInvalid, "MR-CLI-0007", "the SQL text is longer than 1 MB", "send it in parts");
  }
  if (text.find_first_not_of(" \t\r\n;") == std::string::npos) {
    return error(Code::kInvalid, "MR-CLI-0008", "there is no SQL to run", "give it with -c, -f or on stdin");
  }
  return text;
}

// Somebody who sits before it, and has said nothing of what to run.
bool is_interactive(const SqlOptions& options) {
  return options.command.empty() && options.file.empty() && options.parameters.empty() &&
         ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
}

int run_text(const SqlOptions& options, const std::string& text) {
  HttpClient::Options limits;
  limits.answer = std::chrono::milliseconds(0);  // a subscription waits for ever; ctrl-C ends it
  auto client = open_client(options.server, limits);
  if (!client.ok()) return report(client.error());
  RowPrinter::Options print;
  print.form = *form_of(options.output);
  RowPrinter rows(print);
  const Status done = run_sql(**client, {text, options.parameters, options.timeout_ms}, rows);
  if (auto written = flush_output(); !written.ok()) return report(written.error());
  return done.ok() ? kOk : report(done.error(), text, options.file);
}

int run(const SqlOptions& options) {
  if (is_interactive(options)) {
    return run_shell({options.server, options.timeout_ms, *form_of(options.output)});
  }
  const auto text = text_of(options);
  if (text.ok()) return run_text(options, *text);
  report(text.error());
  return kUsage;
}

}  // namespace

void add_sql_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SqlOptions>();
  CLI::App* command = app.add_subcommand(
      "sql", "Run SQL on a server: from -c, from -f, from standard input; on a terminal, a shell");
  add_server_options(*command, options->server);
  auto* text = command->add_option("-c,--command", options->command, "The SQL to run");
  command->add_option("-f,--file", options->file, "A file with the SQL to run; - for standard input")
      ->excludes(text);
  command->add_option("--param", options->parameters, "The value of $1; again: of $2, and so on")
      ->check(CLI::Validator(check_utf8, ""))
      ->type_name("VALUE")
      ->allow_extra_args(false);
  command
      ->add_option("--timeout", options->timeout_ms,
                   "A statement that reads longer is stopped: 500ms, 60s, 5m; at most the server's own bound")
      ->type_name("TIME")
      ->transform(CLI::Validator(duration_to_ms, ""));
  command->add_option("--output", options->output, "table; json or ndjson: one object a line; csv")
      ->check(CLI::IsMember({"table", "json", "ndjson", "csv"}))
      ->capture_default_str();
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace millrace::cli
