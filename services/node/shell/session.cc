#include "node/shell/session.h"

#include <cerrno>
#include <csignal>
#include <ctime>

#include "fmt/format.h"
#include "node/line_splitter.h"
#include "node/shell/terminal.h"

namespace millrace::cli {
namespace {

constexpr std::chrono::seconds kNamesAge{30};
constexpr std::string_view kNull = "<null>";

Result<std::vector<AnswerRow>> rows_of(HttpClient& client, const HttpRequest& request) {
  TRY_ASSIGN(const HttpAnswer answer, client.call(request));
  if (answer.status >= 300) return error_of(answer);
  std::vector<AnswerRow> rows;
  std::optional<Error> failure;
  LineSplitter lines([&](std::string_view line) {
    if (line.empty()) return true;
    failure = error_of_line(line);
    auto row = answer_row(line);
    if (row) rows.push_back(std::move(*row));
    return !failure;
  });
  lines.add(answer.body);
  lines.finish();
  if (failure) return *failure;
  return rows;
}

HttpRequest request_of(const std::string& statement) {
  return {"POST", "/v1/sql", {{"Content-Type", "application/sql"}}, statement};
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(const ServerOptions& server, uint32_t timeout_ms,
                                               Signals& stop) {
  auto session = std::unique_ptr<Session>(new Session(stop, timeout_ms));
  HttpClient::Options patient;
  patient.answer = std::chrono::milliseconds(0);  // a subscription waits for ever
  patient.cancel_fd = stop.fd();
  TRY_ASSIGN(session->client_, open_client(server, patient));
  HttpClient::Options hasty = patient;
  hasty.connect = std::chrono::milliseconds(1000);
  hasty.answer = std::chrono::milliseconds(2000);
  TRY_ASSIGN(session->names_, open_client(server, hasty));
  session->url_ = server.url;
  session->colour_ = wants_colour();
  // Whether anybody is there, and lets this token in.
  TRY(session->ask("SHOW STREAMS"));
  return session;
}

RowPrinter::Options Session::print_options() const {
  RowPrinter::Options options;
  options.out = file_ != nullptr ? file_ : stdout;
  options.talk = stdout;
  options.interrupted = [this] { return stop_.pending(); };
  options.form = style.form;
  options.style.null = kNull;
  options.style.expanded = style.expanded;
  if (file_ != nullptr) {
    if (style.expanded == Expanded::kIfTooWide) options.style.expanded = Expanded::kNever;
    return options;
  }
  options.style.colour = colour_;
  if (style.cuts) options.style.width = terminal_size().columns;
  options.terminal = true;
  return options;
}

bool Session::run(const std::string& statement, const StatementPlace& place) {
  RowPrinter rows(print_options());
  const auto start = Clock::now();
  const bool live = subscribes(statement);
  const Status done =
      run_sql(*client_, {statement, {}, timeout_ms_}, rows, [this] { return !stop_.pending(); });
  if (file_ != nullptr && (std::fflush(file_) != 0 || std::ferror(file_) != 0)) say(output_failed(errno));
  forget_names();
  if (stop_.pending()) {
    take_interrupt();
    fmt::print("{}\n", live ? "subscription ended" : "cancelled");
    client_->close();
    return false;
  }
  if (!done.ok()) say(done.error(), statement, place);
  if (done.ok() && lost_) fmt::print("connected again to {}\n", url_);
  lost_ = !done.ok() && (done.error().id == "MR-CLI-0001" || done.error().id == "MR-CLI-0013");
  if (style.timing) {
    fmt::print("Time: {:.3f} ms\n", std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::fflush(stdout);
  return done.ok();
}

void Session::watch(const std::string& statement, double seconds) {
  do {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&now, &local);
    char time[32];
    std::strftime(time, sizeof time, "%F %T", &local);
    fmt::print("{}\n", dim(fmt::format("{}, every {:g} s; ctrl-C ends it", time, seconds), colour_));
    if (!run(statement)) return;
  } while (!stop_.wait_for(seconds));
  take_interrupt();
  fmt::print("\n");
}

void Session::take_interrupt() {
  while (const int number = stop_.take()) ended_ = ended_ || number != SIGINT;
}

void Session::say(const Error& failure, const std::string& text, const StatementPlace& place) {
  if (!place.file.empty()) {
    const size_t line = failure.span ? place.line + failure.span->line - 1 : place.line;
    fmt::print("{}:{}: ", place.file, line);
  }
  fmt::print("{}", shown_error(failure, text));
  std::fflush(stdout);
}

Result<std::vector<AnswerRow>> Session::ask(const std::string& statement) {
  auto rows = rows_of(*client_, request_of(statement));
  if (rows.ok()) return rows;
  Error failure = rows.error();
  failure.span.reset();  // nobody has typed the statement
  return failure;
}

Result<AnswerRow> Session::get(const std::string& path) {
  TRY_ASSIGN(std::vector<AnswerRow> rows, rows_of(*client_, {"GET", path, {}, {}}));
  if (rows.size() == 1) return std::move(rows.front());
  return error(Code::kCorrupt, "MR-CLI-0010", "the server sent what is no JSON object");
}

void Session::show(const std::vector<AnswerRow>& rows) {
  const RowPrinter::Options options = print_options();
  Table table(options.out, options.style);
  for (const auto& row : rows) table.add(row);
  table.end();
  std::fflush(stdout);
}

Status Session::write_to(const std::string& file) {
  if (file_ != nullptr) std::fclose(file_);
  file_ = nullptr;
  if (file.empty()) return {};
  file_ = std::fopen(file.c_str(), "we");
  if (file_ == nullptr) return cannot_open(file, errno);
  return {};
}

void Session::forget_names() {
  relations_.reset();
  columns_.clear();
}

std::vector<std::string> Session::first_values(const std::string& statement) {
  std::vector<std::string> out;
  const auto rows = rows_of(*names_, request_of(statement));
  if (!rows.ok()) return out;
  for (const auto& row : *rows) {
    if (!row.empty()) out.push_back(row.front().text);
  }
  return out;
}

std::vector<std::string> Session::relations() {
  if (Clock::now() - names_asked_ > kNamesAge) forget_names();
  if (!relations_) {
    names_asked_ = Clock::now();
    relations_ = first_values("SHOW STREAMS");
    for (auto& view : first_values("SHOW VIEWS")) relations_->push_back(std::move(view));
  }
  return *relations_;
}

std::vector<std::string> Session::columns(const std::string& relation) {
  if (Clock::now() - names_asked_ > kNamesAge) forget_names();
  const auto known = columns_.find(relation);
  if (known != columns_.end()) return known->second;
  names_asked_ = Clock::now();
  return columns_[relation] = first_values("SHOW COLUMNS FROM " + quoted_name(relation));
}

}  // namespace millrace::cli
