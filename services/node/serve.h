// The command that runs a node.
#pragma once

namespace CLI {
class App;
}

namespace millrace::node {

void add_serve_command(CLI::App& app, int& exit_code);

}  // namespace millrace::node
