// millrace sql: statements to a server, rows back as a table or as JSON lines.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "formats/text_types.h"
#include "node/cli.h"
#include "node/duration.h"
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
  std::vector<std::string> parameters;
  uint32_t timeout_ms = 0;  // 0: the server's
  std::string output = "table";
};

// All of it, or a little more than is taken anyway.
Result<std::string> read_all(std::FILE* in, const std::string& name) {
  std::string text;
  char piece[64 << 10];
  while (text.size() <= kMaxText) {
    const size_t n = std::fread(piece, 1, sizeof piece, in);
    text.append(piece, n);
    if (n > 0) continue;
    if (std::ferror(in) == 0) break;
    return error(Code::kUnavailable, "MR-CLI-0011",
                 fmt::format("cannot read {}: {}", name, std::generic_category().message(errno)));
  }
  return text;
}

Result<std::string> read_input(const std::string& file) {
  if (file.empty() || file == "-") {
    if (::isatty(STDIN_FILENO) != 0) fmt::print(stderr, "SQL, then ctrl-D:\n");
    return read_all(stdin, "the input");
  }
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> in(std::fopen(file.c_str(), "rb"), &std::fclose);
  if (in == nullptr) return cannot_open(file, errno);
  return read_all(in.get(), file);
}

Result<std::string> text_of(const SqlOptions& options) {
  std::string text = options.command;
  if (text.empty()) {
    TRY_ASSIGN(text, read_input(options.file));
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
bool is_command_status(const AnswerRow& row) {
  if (row.size() != 1 || row[0].name != "status" || row[0].kind != AnswerValue::Kind::kText) return false;
  const std::string& text = row[0].text;
  if (text == "PAUSE" || text == "RESUME") return true;
  return text.starts_with("CREATE ") || text.starts_with("DROP ") || text.starts_with("INSERT 0 ");
}

// What it answers goes on until somebody ends it. Rows of a subscription are shown as they come. What does not parse here, the server says.
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
    const auto row = answer_row(text);
    if (!row) {
      failure_ = error(Code::kCorrupt, "MR-CLI-0010", "the server sent a line that is no JSON object");
      return false;
    }
    silent_ = false;
    if (row->size() == 1 && row->front().name == "error") {
      const Json object = Json::parse(text, nullptr, false);
      if (object.is_object() && object["error"].is_object()) {
        failure_ = error_of(object, 500);
        return false;
      }
    }
    return as_table_ ? show(*row) : print(text);
  }
  // `answered`: an answer without a line is a SELECT without a row.
  void finish(bool answered) {
    if (!as_table_) return;
    end_table();
    if (silent_ && answered) fmt::print(stderr, "(0 rows)\n");
  }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  bool show(const AnswerRow& row) {
    if (is_command_status(row)) {
      end_table();
      fmt::print(stderr, "{}\n", row[0].text);
      return true;
    }
    if (table_.rows() > 0 && !table_.fits(row)) end_table();
    table_.add(row);
    return std::ferror(stdout) == 0;
  }
  static bool print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
    return std::fflush(stdout) == 0;
  }
  void end_table() {
    const size_t rows = table_.rows();
    if (rows == 0) return;
    table_.end();
    fmt::print(stderr, "({} row{})\n", rows, rows == 1 ? "" : "s");
  }

  bool as_table_;
  bool silent_ = true;  // no line has come
  Table table_;
  std::optional<Error> failure_;
};

Error server_has_ended() {
  return error(Code::kUnavailable, "MR-CLI-0013", "the server has ended the subscription: it stops",
               "subscribe again when it is back");
}

std::string check_utf8(const std::string& value) {
  return formats::is_utf8(value) ? "" : "the value of a parameter has bytes that are not UTF-8";
}

std::string with_parameters(const std::string& text, const std::vector<std::string>& values) {
  using nlohmann::json;
  return json{{"sql", text}, {"parameters", values}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

int run(const SqlOptions& options) {
  const auto text = text_of(options);
  if (!text.ok()) {
    report(text.error());
    return kUsage;
  }
  HttpClient::Options limits;
  const bool live = subscribes(*text);
  limits.answer = std::chrono::milliseconds(0);  // a subscription waits for ever; ctrl-C ends it
  auto client = open_client(options.server, limits);
  if (!client.ok()) return report(client.error());
  RowPrinter rows(options.output == "table");
  if (live) rows.go_live();
  LineSplitter lines([&](std::string_view line) { return rows.line(line); });
  EventReader events([&](const ServerEvent& event) { return rows.line(event.data); });
  std::optional<bool> is_events;
  const bool plain = options.parameters.empty();
  const std::string body = plain ? *text : with_parameters(*text, options.parameters);
  const std::string target =
      options.timeout_ms == 0 ? "/v1/sql" : fmt::format("/v1/sql?timeout_ms={}", options.timeout_ms);
  HttpRequest request{
      "POST", target, {{"Content-Type", plain ? "application/sql" : "application/json"}}, body};
  const auto answer = (*client)->call(request, [&](std::string_view piece) {
    // Server-sent events begin with a field's name or a comment; a row begins with a brace.
    if (!is_events) is_events = !piece.empty() && piece.front() != '{' && piece.front() != '\n';
    return *is_events ? events.add(piece) : lines.add(piece);
  });
  const bool answered = answer.ok() && answer->status < 300;
  if (answered) lines.finish();
  rows.finish(answered && !rows.failure());
  if (auto written = flush_output(); !written.ok()) return report(written.error());
  if (!answer.ok()) return report(answer.error());
  if (!answered) return report(error_of(*answer), *text, options.file);
  if (rows.failure()) return report(*rows.failure(), *text, options.file);
  // Nobody but the client ends a subscription, or the server with its own end.
  if (live) return report(server_has_ended());
  return kOk;
}

}  // namespace

void add_sql_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SqlOptions>();
  CLI::App* command =
      app.add_subcommand("sql", "Run SQL on a server: from -c, from -f, or from standard input");
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
  command->add_option("--output", options->output, "table, or json: one object a row")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace millrace::cli
