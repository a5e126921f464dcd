#include "node/row_printer.h"

#include <algorithm>

#include "fmt/format.h"
#include "node/cli.h"
#include "node/csv.h"
#include "node/line_splitter.h"
#include "sql/parser.h"

namespace millrace::cli {
namespace {

// A statement without rows is answered with {"status":"CREATE STREAM"}. A view's only column may be called
// so, too: then its values are hardly commands.
bool is_command_status(const AnswerRow& row) {
  if (row.size() != 1 || row[0].name != "status" || row[0].kind != AnswerValue::Kind::kText) return false;
  const std::string& text = row[0].text;
  if (text == "PAUSE" || text == "RESUME" || text == "ALTER STREAM") return true;
  return text.starts_with("CREATE ") || text.starts_with("DROP ") || text.starts_with("INSERT 0 ");
}

}  // namespace

std::optional<Form> form_of(std::string_view name) {
  if (name == "table") return Form::kTable;
  if (name == "json" || name == "ndjson") return Form::kJson;
  if (name == "csv") return Form::kCsv;
  return std::nullopt;
}

void RowPrinter::go_live() {
  live_ = true;
  table_.go_live();
}

bool RowPrinter::line(std::string_view text) {
  if (text.empty()) return true;
  auto row = answer_row(text);
  if (!row) {
    failure_ = error(Code::kCorrupt, "MR-CLI-0010", "the server sent a line that is no JSON object");
    return false;
  }
  silent_ = false;
  if (row->size() == 1 && row->front().name == "error") {
    failure_ = error_of_line(text);
    if (failure_) return false;
  }
  return options_.form == Form::kJson ? print(text) : show(std::move(*row));
}

void RowPrinter::pause() {
  if (live_ && options_.form == Form::kTable) table_.finish();
}

void RowPrinter::finish(bool answered) {
  if (options_.interrupted && options_.interrupted()) fmt::print(options_.talk, "\n");
  if (options_.form != Form::kTable) return;
  end_table();
  if (silent_ && answered) fmt::print(options_.talk, "(0 rows)\n");
}

Table::Tint RowPrinter::mark(AnswerRow& row) const {
  if (!options_.terminal || !live_ || row.empty() || row.front().name != "_op") return Table::Tint::kNone;
  const bool removed = row.front().text == "delete";
  row.front().name.clear();
  row.front().text = removed ? "-" : "+";
  return removed ? Table::Tint::kRemoved : Table::Tint::kAdded;
}

bool RowPrinter::show(AnswerRow row) {
  if (is_command_status(row)) {
    end_table();
    fmt::print(options_.talk, "{}\n", printable(row[0].text));
    return true;
  }
  if (options_.form == Form::kCsv) return print_csv(row);
  const Table::Tint tint = mark(row);
  if (table_.rows() > 0 && !table_.fits(row)) end_table();
  table_.add(row, tint);
  return std::ferror(options_.out) == 0;
}

bool RowPrinter::print(std::string_view text) {
  const std::string shown = options_.terminal ? printable(text) : std::string(text);
  std::fwrite(shown.data(), 1, shown.size(), options_.out);
  std::fputc('\n', options_.out);
  return std::fflush(options_.out) == 0;
}

// A head where the columns are others than before; NULL is an empty field.
bool RowPrinter::print_csv(const AnswerRow& row) {
  std::vector<std::string> names, texts;
  for (const auto& value : row) {
    names.push_back(options_.terminal ? printable(value.name) : value.name);
    texts.push_back(options_.terminal ? printable(value.text) : value.text);
  }
  if (names != csv_head_) fmt::print(options_.out, "{}", csv_line(names));
  csv_head_ = std::move(names);
  fmt::print(options_.out, "{}", csv_line(texts));
  if (live_) std::fflush(options_.out);
  return std::ferror(options_.out) == 0;
}

void RowPrinter::end_table() {
  const size_t rows = table_.rows();
  if (rows == 0) return;
  table_.end();
  fmt::print(options_.talk, "({} row{}{})\n", rows, rows == 1 ? "" : "s",
             table_.has_cut() ? "; cut to the terminal: \\x shows all of it" : "");
}

bool subscribes(const std::string& text) {
  const auto statements = sql::parse(text);
  return statements.ok() && std::any_of(statements->begin(), statements->end(), [](const auto& statement) {
           return std::holds_alternative<sql::ast::Subscribe>(statement->body);
         });
}

Status run_sql(net::HttpClient& client, const SqlRequest& request, RowPrinter& rows,
               const std::function<bool()>& go_on) {
  const bool live = subscribes(request.text);
  if (live) rows.go_live();
  LineSplitter lines([&](std::string_view line) { return rows.line(line); });
  EventReader events([&](const ServerEvent& event) { return rows.line(event.data); });
  std::optional<bool> is_events;
  const bool plain = request.parameters.empty();
  const std::string body = plain ? request.text : with_parameters(request.text, request.parameters);
  const std::string target =
      request.timeout_ms == 0 ? "/v1/sql" : fmt::format("/v1/sql?timeout_ms={}", request.timeout_ms);
  const HttpRequest sent{
      "POST", target, {{"Content-Type", plain ? "application/sql" : "application/json"}}, body};
  const auto answer = client.call(sent, [&](std::string_view piece) {
    // Server-sent events begin with a field's name or a comment; a row begins with a brace.
    if (!is_events) is_events = !piece.empty() && piece.front() != '{' && piece.front() != '\n';
    const bool more = *is_events ? events.add(piece) : lines.add(piece);
    rows.pause();
    return more && (!go_on || go_on());
  });
  const bool answered = answer.ok() && answer->status < 300;
  if (answered) lines.finish();
  rows.finish(answered && !rows.failure());
  if (!answer.ok()) return answer.error();
  if (!answered) return error_of(*answer);
  if (rows.failure()) return *rows.failure();
  // Nobody but the client ends a subscription, or the server with its own end.
  if (!live || (go_on && !go_on())) return {};
  return error(Code::kUnavailable, "MR-CLI-0013", "the server has ended the subscription: it stops",
               "subscribe again when it is back");
}

}  // namespace millrace::cli
