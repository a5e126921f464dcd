// The manual pages, made of the tree of commands and of the table of settings: millrace.1, a page for each command, and
// millrace.yaml.5.
#pragma once

#include <map>
#include <string>

namespace CLI {
class App;
}

namespace millrace::cli {

// By the name of the file, "millrace-serve.1".
std::map<std::string, std::string> man_pages(const CLI::App& app);

}  // namespace millrace::cli
