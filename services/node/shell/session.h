// Session: a shell's connection, and how it shows what comes over it.
//
// Ctrl-C ends the statement that runs, never the shell; what the client has let go of the server stops, too. A server that has gone is met again by the next
// statement, and a word says so.
#pragma once

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/cli.h"
#include "node/row_printer.h"
#include "node/shell/signals.h"

namespace millrace::cli {

struct SessionStyle {
  Form form = Form::kTable;
  Expanded expanded = Expanded::kIfTooWide;
  bool cuts = true;  // long values, to the terminal's width
  bool timing = false;
};

// Where a statement comes from, for its errors.
struct StatementPlace {
  std::string file;
  size_t line = 1;
};

class Session {
 public:
  static Result<std::unique_ptr<Session>> open(const ServerOptions& server, uint32_t timeout_ms,
                                               Signals& stop);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { (void)write_to({}); }

  bool run(const std::string& statement,
           const StatementPlace& place = {});                // false: it failed, or was cancelled
  void watch(const std::string& statement, double seconds);  // again and again, until ctrl-C
  // What the shell itself asks for.
  Result<std::vector<AnswerRow>> ask(const std::string& statement);
  Result<AnswerRow> get(const std::string& path);
  void show(const std::vector<AnswerRow>& rows);
  void say(const Error& failure, const std::string& text = {}, const StatementPlace& place = {});

  Status write_to(const std::string& file);  // rows go there; empty: to the terminal again
  SessionStyle style;
  bool colour() const { return colour_; }
  bool ended() const { return ended_; }  // by a signal that is not ctrl-C

  // Names for completion, asked for when they are needed and kept for a while.
  std::vector<std::string> relations();
  std::vector<std::string> columns(const std::string& relation);

 private:
  using Clock = std::chrono::steady_clock;
  Session(Signals& stop, uint32_t timeout_ms) : stop_(stop), timeout_ms_(timeout_ms) {}
  RowPrinter::Options print_options() const;
  std::vector<std::string> first_values(const std::string& statement);
  void forget_names();
  void take_interrupt();

  Signals& stop_;
  const uint32_t timeout_ms_;
  std::string url_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<HttpClient> names_;  // short of patience
  std::FILE* file_ = nullptr;
  bool colour_ = false;
  bool lost_ = false;
  bool ended_ = false;
  Clock::time_point names_asked_{};
  std::optional<std::vector<std::string>> relations_;
  std::map<std::string, std::vector<std::string>> columns_;
};

}  // namespace millrace::cli
