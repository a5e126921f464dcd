// Configuration: what `serve` runs with, and where each value comes from. A flag comes before the environment, the
// environment before the file, the file before the default. A list is taken whole from the first that has one.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/config_file.h"
#include "node/serve_options.h"
#include "node/setting.h"

namespace CLI {
class App;
}

namespace millrace::node {

struct Configuration {
  ServeOptions options;
  std::map<std::string_view, std::string>
      origins;                  // by a setting's name: "--workers", "/etc/millrace.yaml:3"
  ConfigFile file;              // its path is empty where there is none
  std::vector<Error> problems;  // of the environment
};

using Environment = std::function<const char*(const char* name)>;  // as getenv

// `options` hold what the flags of `given` have set.
Configuration configure(ServeOptions options, const std::vector<std::string_view>& given, ConfigFile file,
                        const Environment& environment);
// Of a parsed command that has the flags of add_serve_options(), with this process's environment. What is wrong is told
// on stderr.
std::optional<Configuration> configuration_of(const ServeOptions& options, const CLI::App& command);

// `name: value` a line, as the file has it; a comment says where it comes from, if that is wanted. The password in an
// address is left out.
std::string to_text(const Configuration& configuration, bool with_origins);
// Every setting with its help and default, commented out.
std::string example_config();
// The table of docs/deployment/configuration.md.
std::string settings_table();

}  // namespace millrace::node
