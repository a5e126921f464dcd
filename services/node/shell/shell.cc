#include "node/shell/shell.h"

#include <csignal>
#include <utility>

#include "fmt/format.h"
#include "node/shell/shell_loop.h"
#include "node/shell/terminal.h"

namespace millrace::cli {
namespace {

std::string trimmed(const std::string& text) {
  const size_t end = text.find_last_not_of(" \t\r\n");
  return text.substr(0, end == std::string::npos ? 0 : end + 1);
}

}  // namespace

Shell::Shell(Session& session, Signals& stop)
    : session_(session),
      stop_(stop),
      history_(HistoryFile::default_path()),
      editor_(stop, [this](const auto& before, const auto& after) { return complete_line(before, after); }) {
  for (const auto& entry : history_.load()) editor_.remember(entry);
}

void Shell::run() {
  while (!done_ && !session_.ended()) {
    std::string line;
    std::fflush(stdout);
    switch (editor_.read(prompt(), line)) {
      case LineEditor::Got::kLine:
        take_line(line);
        break;
      case LineEditor::Got::kInterrupted:
        done_ = stop_.take() != SIGINT;
        fmt::print("^C\n");
        buffer_.clear();
        typed_.clear();
        break;
      case LineEditor::Got::kEnd:
        fmt::print("\n");
        done_ = true;
        break;
    }
  }
}

// What is open stands in it.
std::string Shell::prompt() const {
  const char open = buffer_.open();
  if (open != '=') return fmt::format("       {}> ", open);
  if (!session_.colour()) return "millrace> ";
  return "\1\033[1m\1millrace>\1\033[0m\1 ";
}

Completion Shell::complete_line(const std::string& before, const std::string& after) {
  CompletionNames names;
  names.relations = [this] { return session_.relations(); };
  names.columns = [this](const std::string& relation) { return session_.columns(relation); };
  for (const auto& command : commands()) names.commands.emplace_back(command.name);
  const size_t typed = buffer_.text().size();
  Completion found = complete(buffer_.text() + before, after, names);
  if (found.from < typed) return {before.size(), {}};
  found.from -= typed;
  return found;
}

void Shell::take_line(const std::string& line) {
  if (buffer_.empty() && take_word(trimmed(line))) return;
  typed_ += line + "\n";
  buffer_.add_line(line);
  run_what_is_whole();
  if (!buffer_.empty()) return;
  buffer_.clear();
  remember();
}

bool Shell::take_word(const std::string& line) {
  if (line == "quit" || line == "exit") done_ = true;
  if (line == "help") fmt::print("\\? lists the commands, \\h the statements; a statement ends with ;\n");
  return done_ || line == "help";
}

void Shell::remember() {
  const std::string entry = trimmed(typed_);
  typed_.clear();
  if (!HistoryFile::keeps(entry)) return;
  editor_.remember(entry);
  history_.append(entry);
}

bool Shell::run_what_is_whole() {
  while (!done_ && !session_.ended()) {
    if (const auto statement = buffer_.take_statement()) {
      if (!run_statement(*statement) && !place_.file.empty()) return false;
    } else if (const auto command = buffer_.take_command()) {
      run_command(*command);
    } else {
      return true;
    }
  }
  return true;
}

bool Shell::run_statement(const StatementBuffer::Statement& statement) {
  last_ = statement.text;
  place_.line = statement.line;
  return session_.run(statement.text, place_);
}

// In a file the first statement that fails ends it.
void Shell::take_file(const std::string& text, const std::string& name) {
  const StatementPlace outer = std::exchange(place_, {name, 1});
  StatementBuffer typed = std::exchange(buffer_, {});
  buffer_.add_line(text);
  ++files_;
  if (run_what_is_whole() && !buffer_.empty()) run_statement(buffer_.take_rest());
  --files_;
  buffer_ = std::move(typed);
  place_ = outer;
}

int run_shell(const ShellOptions& options) {
  Signals stop({SIGINT, SIGTERM, SIGHUP});
  auto session = Session::open(options.server, options.timeout_ms, stop);
  if (!session.ok()) return report(session.error());
  (*session)->style.form = options.form;
  fmt::print("millrace {}, {}. \\? lists the commands, \\q or ctrl-D leaves.\n", kVersion,
             options.server.url);
  Shell(**session, stop).run();
  return kOk;
}

}  // namespace millrace::cli
