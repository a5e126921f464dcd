// The one binary: `millrace serve` runs the services, everything else speaks to them or to their files.
#include <CLI/CLI.hpp>

#include "node/cli.h"
#include "node/serve.h"

int main(int argc, char** argv) {
  CLI::App app(
      "Millrace takes events in, answers standing questions about them exactly once, and keeps them.",
      "millrace");
  app.require_subcommand(0, 1);
  app.footer(
      "Start with `millrace serve`, then `millrace sql` in another terminal. Each command has --help.");
  int exit_code = 0;
  millrace::node::add_serve_command(app, exit_code);
  millrace::cli::add_client_commands(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : millrace::cli::kUsage;
  }
  if (app.get_subcommands().empty()) std::fputs(app.help().c_str(), stdout);
  return exit_code;
}
