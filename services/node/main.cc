// The one binary: `millrace serve` runs the services, everything else speaks to them or to their files.
#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <system_error>

#include "node/cli.h"
#include "node/serve.h"

namespace millrace {
namespace {

std::string command_names(const CLI::App& app) {
  std::string names;
  for (const auto* command : app.get_subcommands({})) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

// The innermost command that was given, as it is written.
const CLI::App* innermost(const CLI::App& app, std::string& name) {
  const CLI::App* at = &app;
  name = "millrace";
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  return at;
}

int wrong_usage(const CLI::App& app, const CLI::ParseError& failure) {
  std::string name;
  const CLI::App* command = innermost(app, name);
  const auto left = command->remaining();
  const bool has_commands = !command->get_subcommands({}).empty();
  Error shown = error(Code::kInvalid, "MR-CLI-0014", failure.what(), "see  " + name + " --help");
  if (has_commands && !left.empty() && !left.front().starts_with('-')) {
    shown.message = fmt::format("{} has no command \"{}\"", name, left.front());
    shown.hint = "there are: " + command_names(*command);
  } else if (has_commands && left.empty()) {
    shown.message = name + " needs a command";
    shown.hint = "there are: " + command_names(*command);
  }
  cli::report(shown);
  return cli::kUsage;
}

// A step takes and gives back some megabytes: memory that goes to the kernel each time comes back as page faults, a
// fifth of a worker's time.
void keep_freed_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 8 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

int run(CLI::App& app, int argc, char** argv, int& exit_code) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return e.get_exit_code() == 0 ? app.exit(e) : wrong_usage(app, e);
  } catch (const std::system_error& e) {  // fmt, when stdout takes nothing
    return cli::report(cli::output_failed(e.code().value()));
  }
  if (app.get_subcommands().empty()) std::fputs(app.help().c_str(), stdout);
  return exit_code;
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  millrace::keep_freed_memory();
  CLI::App app(
      "Millrace takes events in, answers standing questions about them exactly once, and keeps them.",
      "millrace");
  app.require_subcommand(0, 1);
  app.set_version_flag("-V,--version", fmt::format("millrace {}", millrace::cli::kVersion),
                       "Print the version and exit");
  app.footer(
      "Exit codes: 0 done, 1 an error, 2 wrong usage, 3 no server there.");  // the commands take it over
  int exit_code = 0;
  millrace::node::add_serve_command(app, exit_code);
  millrace::cli::add_client_commands(app, exit_code);
  app.footer(
      "Start with `millrace serve`, then `millrace sql` in another terminal. Each command has --help.\n"
      "Exit codes: 0 done, 1 an error, 2 wrong usage, 3 no server there.");
  const int code = millrace::run(app, argc, argv, exit_code);
  const auto written = millrace::cli::flush_output();
  return code == millrace::cli::kOk && !written.ok() ? millrace::cli::report(written.error()) : code;
}
