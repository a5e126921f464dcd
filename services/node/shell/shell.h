// run_shell: `millrace sql` on a terminal. Statements up to their semicolons, commands that begin with a backslash.
#pragma once

#include "node/cli.h"
#include "node/row_printer.h"

namespace millrace::cli {

struct ShellOptions {
  ServerOptions server;
  uint32_t timeout_ms = 0;  // of a statement; 0: the server's
  Form form = Form::kTable;
};
int run_shell(const ShellOptions& options);  // the exit code

}  // namespace millrace::cli
