// The commands that begin with a backslash.
#include <fnmatch.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

#include "fmt/format.h"
#include "node/shell/shell_loop.h"
#include "node/shell/statement_help.h"
#include "node/shell/terminal.h"
#include "sql/keywords.h"
#include "sql/lexer.h"

namespace millrace::cli {
namespace {

using Kind = AnswerValue::Kind;
using Rows = std::vector<AnswerRow>;

AnswerValue value_of(const AnswerRow& row, std::string_view name) {
  for (const auto& value : row) {
    if (value.name == name) return value;
  }
  return {std::string(name), Kind::kNull, {}};
}

AnswerRow only(const AnswerRow& row, std::initializer_list<std::string_view> names) {
  AnswerRow out;
  for (const auto name : names) out.push_back(value_of(row, name));
  return out;
}

Rows only(const Rows& rows, std::initializer_list<std::string_view> names) {
  Rows out;
  for (const auto& row : rows) out.push_back(only(row, names));
  return out;
}

// A name as the catalog has it: "Na me", or folded.
std::string name_of(const std::string& written) {
  const auto read = sql::read_typed(written);
  const bool is_name = read.tokens.size() == 1 && (read.tokens[0].kind == sql::TokenKind::kWord ||
                                                   read.tokens[0].kind == sql::TokenKind::kQuotedName);
  return is_name ? sql::name_value(written, read.tokens[0]) : written;
}

// With a wildcard the whole name, else any part of it.
bool matches(const std::string& name, const std::string& pattern) {
  if (pattern.find_first_of("*?") == std::string::npos) return name.find(pattern) != std::string::npos;
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

Result<std::string> text_of_file(const std::string& name) {
  std::error_code failure;
  if (std::filesystem::is_directory(name, failure)) return cannot_open(name, EISDIR);
  errno = 0;
  std::ifstream in(name, std::ios::binary);
  if (!in) return cannot_open(name, errno);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Error wrong(const std::string& what, const std::string& hint) {
  return error(Code::kInvalid, "MR-CLI-0016", what, hint);
}

// $VISUAL, $EDITOR or vi over a file that nobody else may read; what it holds then.
Result<std::string> edited(const std::string& text) {
  const char* folder = std::getenv("TMPDIR");
  std::string path = fmt::format("{}/millrace-XXXXXX.sql", folder == nullptr ? "/tmp" : folder);
  const int fd = ::mkstemps(path.data(), 4);
  if (fd < 0) return cannot_open(path, errno);
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  const pid_t child = written ? ::fork() : -1;
  if (child == 0) {
    Signals::unblock_all();
    ::execl("/bin/sh", "sh", "-c", R"(exec ${VISUAL:-${EDITOR:-vi}} "$0")", path.c_str(), nullptr);
    ::_exit(127);
  }
  int status = -1;
  if (child > 0) ::waitpid(child, &status, 0);
  auto after = text_of_file(path);
  ::unlink(path.c_str());
  if (status != 0)
    return wrong("the editor has failed: nothing was taken over", "it is $VISUAL, $EDITOR or vi");
  return after;
}

}  // namespace

const std::vector<Shell::Command>& Shell::commands() {
  static const std::vector<Command> all = {
      {"\\d", "[NAME]", "streams and views; or one of them: columns, definition", &Shell::describe},
      {"\\ds", "", "streams", &Shell::list_streams},
      {"\\dv", "", "materialized views", &Shell::list_views},
      {"\\dq", "", "queries: state, lag, memory", &Shell::list_queries},
      {"\\df", "[PATTERN]", "functions; with * and ?, or a part of the name", &Shell::list_functions},
      {"\\e", "", "edit what is typed, or the last statement, with $EDITOR", &Shell::edit},
      {"\\g", "", "run what is typed, or the last statement again", &Shell::run_typed},
      {"\\gx", "", "the same, a line for each value", &Shell::run_expanded},
      {"\\watch", "[SECONDS]", "the same, again and again (every 2 s)", &Shell::watch},
      {"\\i", "FILE", "run the statements of a file", &Shell::read_file},
      {"\\o", "[FILE]", "rows go to a file; without one to the terminal again", &Shell::write_to},
      {"\\p", "", "print what is typed", &Shell::print_typed},
      {"\\r", "", "forget what is typed (ctrl-C does, too)", &Shell::forget_typed},
      {"\\x", "[on|off|auto]", "a line for each value; auto: where columns have no room",
       &Shell::set_expanded},
      {"\\cut", "[on|off]", "long values are cut to the terminal's width", &Shell::set_cut},
      {"\\output", "FORM", "table, json (ndjson) or csv", &Shell::set_form},
      {"\\timing", "[on|off]", "how long each statement takes", &Shell::set_timing},
      {"\\h", "[STATEMENT]", "how a statement is written", &Shell::help_statement},
      {"\\?", "", "this list", &Shell::help_commands},
      {"\\q", "", "leave (ctrl-D does, too)", &Shell::quit},
  };
  return all;
}

void Shell::run_command(const std::string& line) {
  const size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::string name = line.substr(0, end);
  const size_t start = std::min(line.find_first_not_of(" \t", end), line.size());
  std::string argument = line.substr(start);
  while (argument.ends_with(';')) argument.pop_back();
  for (const auto& command : commands()) {
    if (command.name != name) continue;
    (this->*command.run)(argument);
    std::fflush(stdout);
    return;
  }
  session_.say(wrong(fmt::format("there is no command {}", name), "\\? lists them"));
}

void Shell::show(const Result<Rows>& rows) {
  if (!rows.ok()) return session_.say(rows.error());
  session_.show(*rows);
  if (rows->empty()) fmt::print("(none)\n");
}

void Shell::describe(const std::string& name) {
  if (!name.empty()) return describe_one(name_of(name));
  const auto streams = session_.ask("SHOW STREAMS");
  const auto queries = session_.ask("SHOW QUERIES");
  const auto views = session_.ask("SHOW VIEWS");
  for (const auto* asked : {&streams, &queries, &views}) {
    if (!asked->ok()) return session_.say(asked->error());
  }
  std::map<std::string, AnswerValue> states;
  for (const auto& query : *queries) states[value_of(query, "name").text] = value_of(query, "state");
  Rows rows;
  const auto add = [&](const AnswerRow& row, const AnswerValue& kind) {
    const AnswerValue name_there = value_of(row, "name");
    const auto state = states.find(name_there.text);
    rows.push_back(
        {name_there, kind, state == states.end() ? AnswerValue{"state", Kind::kNull, {}} : state->second});
  };
  for (const auto& stream : *streams) {
    AnswerValue kind = value_of(stream, "kind");
    if (kind.text.find("stream") == std::string::npos)
      kind.text += kind.text == "dead letters" ? "" : " stream";
    add(stream, kind);
  }
  for (const auto& view : *views) add(view, {"kind", Kind::kText, "view"});
  show(rows);
}

void Shell::describe_one(const std::string& name) {
  const auto columns = session_.ask("DESCRIBE " + quoted_name(name));
  show(columns);
  if (!columns.ok()) return;
  auto thing = session_.get("/v1/streams/" + percent_encode(name));
  if (!thing.ok()) thing = session_.get("/v1/views/" + percent_encode(name));
  if (!thing.ok()) return session_.say(thing.error());
  for (const auto& value : *thing) {
    const bool shown = value.name != "name" && value.name != "columns" && value.name != "definition";
    if (shown && value.kind != Kind::kNull)
      fmt::print("{}: {}\n", printable(value.name), printable(value.text));
  }
  const AnswerValue definition = value_of(*thing, "definition");
  if (definition.kind != Kind::kNull) fmt::print("{}\n", printable(definition.text, true));
}

void Shell::list_streams(const std::string& /*unused*/) {
  show(session_.ask("SHOW STREAMS"));
}

void Shell::list_views(const std::string& /*unused*/) {
  const auto rows = session_.ask("SHOW VIEWS");
  if (!rows.ok()) return show(rows);
  show(only(*rows, {"name", "source", "state", "lag_seconds", "state_bytes"}));
}

void Shell::list_queries(const std::string& /*unused*/) {
  show(session_.ask("SHOW QUERIES"));
}

void Shell::list_functions(const std::string& pattern) {
  const auto rows = session_.ask("SHOW FUNCTIONS");
  if (!rows.ok()) return show(rows);
  Rows found;
  for (const auto& row : *rows) {
    if (matches(value_of(row, "name").text, pattern)) found.push_back(only(row, {"form", "meaning"}));
  }
  show(found);
}

void Shell::edit(const std::string& /*unused*/) {
  const auto text = edited(buffer_.empty() ? last_ + ";\n" : buffer_.text());
  if (!text.ok()) return session_.say(text.error());
  buffer_.clear();
  fmt::print("{}", printable(*text, true));
  buffer_.add_line(*text);
}

std::string Shell::statement_to_run() {
  if (!buffer_.empty()) last_ = buffer_.take_rest().text;
  if (last_.empty()) session_.say(wrong("there is no statement to run", "type one before it"));
  return last_;
}

void Shell::run_typed(const std::string& /*unused*/) {
  const std::string statement = statement_to_run();
  if (!statement.empty()) session_.run(statement, place_);
}

void Shell::run_expanded(const std::string& unused) {
  const Expanded before = std::exchange(session_.style.expanded, Expanded::kAlways);
  run_typed(unused);
  session_.style.expanded = before;
}

void Shell::watch(const std::string& seconds) {
  double every = 2;
  const auto [end, failure] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), every);
  const bool is_number = failure == std::errc() && end == seconds.data() + seconds.size();
  if ((!seconds.empty() && !is_number) || every < 0.1) {
    return session_.say(wrong("\\watch takes seconds, 0.1 or more", "\\watch 5"));
  }
  const std::string statement = statement_to_run();
  if (!statement.empty()) session_.watch(statement, every);
}

void Shell::read_file(const std::string& name) {
  if (name.empty()) return session_.say(wrong("\\i takes the name of a file", "\\i FILE"));
  if (files_ >= kMaxFiles)
    return session_.say(wrong(fmt::format("more than {} files read one another", kMaxFiles), ""));
  const auto text = text_of_file(name);
  text.ok() ? take_file(*text, name) : session_.say(text.error());
}

void Shell::write_to(const std::string& name) {
  const Status done = session_.write_to(name);
  if (!done.ok()) session_.say(done.error());
}

void Shell::print_typed(const std::string& /*unused*/) {
  fmt::print("{}", buffer_.empty() ? "nothing is typed\n" : buffer_.text());
}

void Shell::forget_typed(const std::string& /*unused*/) {
  buffer_.clear();
}

bool Shell::switched(const std::string& value, bool now) {
  return value == "on" || (value != "off" && !now);
}

void Shell::set_cut(const std::string& value) {
  session_.style.cuts = switched(value, session_.style.cuts);
  fmt::print("long values are {}\n", session_.style.cuts ? "cut to the terminal" : "shown whole");
}

void Shell::set_expanded(const std::string& value) {
  Expanded& now = session_.style.expanded;
  const bool on = value == "on" || (value.empty() && now != Expanded::kAlways);
  now = on ? Expanded::kAlways : value == "off" ? Expanded::kNever : Expanded::kIfTooWide;
  fmt::print("a line for each value: {}\n", on                        ? "always"
                                            : now == Expanded::kNever ? "never"
                                                                      : "where columns have no room");
}

void Shell::set_form(const std::string& value) {
  const auto form = form_of(value);
  if (!form) return session_.say(wrong("\\output takes table, json or csv", "\\output table"));
  session_.style.form = *form;
}

void Shell::set_timing(const std::string& value) {
  session_.style.timing = switched(value, session_.style.timing);
  fmt::print("timing is {}\n", session_.style.timing ? "on" : "off");
}

void Shell::help_commands(const std::string& /*unused*/) {
  for (const auto& command : commands()) {
    fmt::print("  {:<22} {}\n", fmt::format("{} {}", command.name, command.argument), command.what);
  }
  fmt::print("  a statement ends with ; and ctrl-C ends it, or a subscription, while it runs\n");
}

void Shell::help_statement(const std::string& head) {
  bool found = false;
  for (const auto& help : statement_help()) {
    if (head.empty()) fmt::print("  {:<26} {}\n", help.head, help.what);
    if (head.empty() || !sql::same_word(help.head.substr(0, head.size()), head)) continue;
    fmt::print("{}{}: {}\n{}\n", found ? "\n" : "", bold(help.head, session_.colour()), help.what, help.form);
    found = true;
  }
  if (!head.empty() && !found)
    session_.say(wrong(fmt::format("there is no statement {}", head), "\\h lists them"));
}

void Shell::quit(const std::string& /*unused*/) {
  done_ = true;
}

}  // namespace millrace::cli
