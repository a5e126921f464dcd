// millrace sql: statements to a server, rows back as a table or as JSON lines.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/line_splitter.h"
#include "node/table.h"
#include "sql/parser.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;
constexpr size_t kMaxText = 1u << 20;

struct SqlOptions {
  ServerOptions server;
  std::string command;
  std::string file;
  std::string output = "table";
};

Result<std::string> text_of(const SqlOptions& options) {
  std::string text = options.command;
  if (!options.file.empty()) {
    std::ifstream in(options.file, std::ios::binary);
    if (!in) return error(Code::kNotFound, "MR-CLI-0006", "cannot read " + options.file);
    text.assign(std::istreambuf_iterator<char>(in), {});
  } else if (text.empty()) {
    if (::isatty(STDIN_FILENO) != 0) fmt::print(stderr, "SQL, then ctrl-D:\n");
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  }
  if (text.size() > kMaxText) {
    return error(Code::kInvalid, "MR-CLI-0007", "the SQL text is longer than 1 MB", "send it in parts");
  }
  if (text.find_first_not_of(" \t\r\n;") == std::string::npos) {
    return error(Code::kInvalid, "MR-CLI-0008", "there is no SQL to run", "give it with -c, -f or on stdin");
  }
  return text;
}

// A statement without rows is answered with {"status":"CREATE STREAM"}. A view's only column may be called
// so, too: then its values are hardly commands.
bool is_command_status(const Json& object) {
  if (object.size() != 1 || !object.contains("status") || !object["status"].is_string()) return false;
  const auto& text = object["status"].get_ref<const std::string&>();
  return text.starts_with("CREATE ") || text.starts_with("DROP ");
}

// Rows of a subscription are shown as they come. What does not parse here, the server says.
bool subscribes(const std::string& text) {
  const auto statements = sql::parse(text);
  return statements.ok() && std::any_of(statements->begin(), statements->end(), [](const auto& statement) {
           return std::holds_alternative<sql::ast::Subscribe>(statement->body);
         });
}

// RowPrinter shows what the server sends. A line is a row, a command's status, or {"error":{…}}, which ends
// everything.
class RowPrinter {
 public:
  explicit RowPrinter(bool as_table) : as_table_(as_table), table_(stdout) {}

  void go_live() { table_.go_live(); }

  bool line(std::string_view text) {
    if (text.empty()) return true;
    const Json object = Json::parse(text, nullptr, false);
    if (!object.is_object()) {
      failure_ = error(Code::kCorrupt, "MR-CLI-0010", "the server sent a line that is no JSON object");
      return false;
    }
    if (object.size() == 1 && object.contains("error") && object["error"].is_object()) {
      failure_ = error_of(object, 500);
      return false;
    }
    if (as_table_ && is_command_status(object)) {
      table_.finish();
      fmt::print(stderr, "{}\n", object["status"].get_ref<const std::string&>());
    } else if (as_table_) {
      table_.add(object);
    } else {
      fmt::print("{}\n", text);
      std::fflush(stdout);
    }
    return true;
  }
  void finish() {
    if (!as_table_ || table_.rows() == 0) return;
    table_.finish();
    fmt::print(stderr, "({} row{})\n", table_.rows(), table_.rows() == 1 ? "" : "s");
  }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  bool as_table_;
  Table table_;
  std::optional<Error> failure_;
};

int run(const SqlOptions& options) {
  const auto text = text_of(options);
  if (!text.ok()) {
    report(text.error());
    return kUsage;
  }
  HttpClient::Options limits;
  limits.answer = std::chrono::milliseconds(0);  // a subscription waits for ever; ctrl-C ends it
  auto client = open_client(options.server, limits);
  if (!client.ok()) return report(client.error());
  RowPrinter rows(options.output == "table");
  if (subscribes(*text)) rows.go_live();
  LineSplitter lines([&](std::string_view line) { return rows.line(line); });
  EventReader events([&](const ServerEvent& event) { return rows.line(event.data); });
  std::optional<bool> is_events;
  HttpRequest request{"POST", "/v1/sql", {{"Content-Type", "application/sql"}}, *text};
  const auto answer = (*client)->call(request, [&](std::string_view piece) {
    // Server-sent events begin with a field's name or a comment; a row begins with a brace.
    if (!is_events) is_events = !piece.empty() && piece.front() != '{' && piece.front() != '\n';
    return *is_events ? events.add(piece) : lines.add(piece);
  });
  if (answer.ok() && answer->status < 300) lines.finish();
  rows.finish();
  if (!answer.ok()) return report(answer.error());
  if (answer->status >= 300) return report(error_of(*answer), *text);
  if (rows.failure()) return report(*rows.failure(), *text);
  return kOk;
}

}  // namespace

void add_sql_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SqlOptions>();
  CLI::App* command = app.add_subcommand("sql", "run SQL on a server; -c, -f or standard input");
  add_server_options(*command, options->server);
  auto* text = command->add_option("-c,--command", options->command, "the SQL to run");
  command->add_option("-f,--file", options->file, "a file with the SQL to run")->excludes(text);
  command->add_option("--output", options->output, "table or json (one object a row)")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace millrace::cli
