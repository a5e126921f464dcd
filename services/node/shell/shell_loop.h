// Shell: what has been typed, run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "node/shell/history_file.h"
#include "node/shell/line_editor.h"
#include "node/shell/session.h"
#include "node/shell/statement_buffer.h"

namespace millrace::cli {

class Shell {
 public:
  // A command like \d: its argument is what stands behind it.
  struct Command {
    std::string_view name, argument, what;
    void (Shell::*run)(const std::string& argument);
  };
  static const std::vector<Command>& commands();

  Shell(Session& session, Signals& stop);
  void run();

 private:
  static constexpr int kMaxFiles = 10;  // \i in files of \i

  std::string prompt() const;
  Completion complete_line(const std::string& before, const std::string& after);
  void take_line(const std::string& line);
  bool take_word(const std::string& line);  // quit, exit, help
  bool run_what_is_whole();                 // false: something failed
  bool run_statement(const StatementBuffer::Statement& statement);
  void run_command(const std::string& line);
  void remember();
  void take_file(const std::string& text, const std::string& name);
  std::string statement_to_run();  // what is typed, or the last one

  // The commands (shell_commands.cc).
  void describe(const std::string& name);
  void describe_one(const std::string& name);
  void list_streams(const std::string& unused);
  void list_views(const std::string& unused);
  void list_queries(const std::string& unused);
  void list_functions(const std::string& pattern);
  void edit(const std::string& unused);
  void run_typed(const std::string& unused);
  void run_expanded(const std::string& unused);
  void read_file(const std::string& name);
  void write_to(const std::string& name);
  void print_typed(const std::string& unused);
  void forget_typed(const std::string& unused);
  void set_cut(const std::string& value);
  void set_expanded(const std::string& value);
  void set_form(const std::string& value);
  void set_timing(const std::string& value);
  void watch(const std::string& seconds);
  void help_commands(const std::string& unused);
  void help_statement(const std::string& head);
  void quit(const std::string& unused);
  void show(const Result<std::vector<AnswerRow>>& rows);
  static bool switched(const std::string& value, bool now);

  Session& session_;
  Signals& stop_;
  HistoryFile history_;
  LineEditor editor_;
  StatementBuffer buffer_;
  std::string typed_;  // since the buffer was empty: an entry of the history
  std::string last_;   // the statement that ran last
  StatementPlace place_;
  int files_ = 0;
  bool done_ = false;
};

}  // namespace millrace::cli
