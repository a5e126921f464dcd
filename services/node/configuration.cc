#include "node/configuration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "node/cli.h"

namespace millrace::node {
namespace {

using Texts = std::vector<std::string>;

Texts split_list(const std::string& text) {
  Texts out = CLI::detail::split(text, ',');
  for (auto& one : out) CLI::detail::trim(one);
  return out;
}

void take_environment(const Setting& setting, const std::string& text, Configuration& out) {
  const std::string name = environment_of(setting);
  const std::string refused =
      assign(setting, takes_many(setting) ? split_list(text) : Texts{text}, out.options);
  out.origins[setting.name] = name;
  if (refused.empty()) return;
  out.problems.push_back(
      error(Code::kInvalid, "MR-CLI-0029", fmt::format("{} of the environment: {}", name, refused)));
}

void take_file(const Setting& setting, Configuration& out) {
  for (const auto& entry : out.file.entries) {
    if (entry.name != setting.name) continue;
    out.origins[setting.name] = fmt::format("{}:{}", out.file.path, entry.span.line);
    assign(setting, entry.values, out.options);  // the file's reader has told what is wrong
  }
}

// http://user:secret@host is http://user:***@host.
std::string without_password(const std::string& value) {
  const size_t scheme = value.find("://");
  const size_t at = scheme == std::string::npos ? scheme : value.find('@', scheme);
  if (at == std::string::npos) return value;
  const size_t colon = value.find(':', scheme + 3);
  return colon < at ? value.substr(0, colon + 1) + "***" + value.substr(at) : value;
}

std::string quoted(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string yaml_of(const Setting& setting, const ServeOptions& options) {
  Texts values = values_of(setting, options);
  const std::string type = type_of(setting);
  const bool is_text = type == "text" || takes_many(setting);
  if (is_text) std::transform(values.begin(), values.end(), values.begin(), &quoted);
  if (takes_many(setting)) return fmt::format("[{}]", fmt::join(values, ", "));
  return values.empty() ? "\"\"" : values.front();
}

}  // namespace

Configuration configure(ServeOptions options, const std::vector<std::string_view>& given, ConfigFile file,
                        const Environment& environment) {
  Configuration out{std::move(options), {}, std::move(file), {}};
  for (const auto& setting : settings()) {
    const char* variable = environment(environment_of(setting).c_str());
    if (std::find(given.begin(), given.end(), setting.name) != given.end()) {
      out.origins[setting.name] = flag_of(setting);
    } else if (variable != nullptr && *variable != '\0') {
      take_environment(setting, variable, out);
    } else {
      take_file(setting, out);
    }
  }
  return out;
}

std::optional<Configuration> configuration_of(const ServeOptions& options, const CLI::App& command) {
  std::vector<std::string_view> given;
  for (const auto& setting : settings()) {
    if (command.count(flag_of(setting)) > 0) given.push_back(setting.name);
  }
  const char* variable = std::getenv("MILLRACE_CONFIG");
  const std::string path = options.config.empty() && variable != nullptr ? variable : options.config;
  Result<ConfigFile> file = path.empty() ? ConfigFile() : read_config(path);
  if (!file.ok()) {
    cli::report(file.error());
    return std::nullopt;
  }
  auto out = configure(options, given, std::move(*file), [](const char* name) { return std::getenv(name); });
  for (const auto& problem : out.file.problems) cli::report(problem, out.file.text, path);
  for (const auto& problem : out.problems) cli::report(problem);
  if (!out.problems.empty() || !out.file.problems.empty()) return std::nullopt;
  return out;
}

std::string to_text(const Configuration& configuration, bool with_origins) {
  std::string out;
  for (const auto& setting : settings()) {
    const std::string line =
        fmt::format("{}: {}", setting.name, without_password(yaml_of(setting, configuration.options)));
    const auto at = configuration.origins.find(setting.name);
    const std::string origin = at == configuration.origins.end() ? "default" : at->second;
    out += with_origins ? fmt::format("{:<40}  # {}\n", line, origin) : line + "\n";
  }
  return out;
}

std::string example_config() {
  std::string out =
      "# What `millrace serve --config FILE` reads: man millrace.yaml. A line that is commented out shows "
      "the default.\n";
  for (const auto& setting : settings()) {
    const std::string bounds = bounds_of(setting);
    const std::string of = bounds.empty() ? "" : fmt::format(" ({}, {})", setting.value, bounds);
    out +=
        fmt::format("\n# {}{}\n#{}: {}\n", setting.what, of, setting.name, yaml_of(setting, ServeOptions()));
  }
  return out;
}

std::string settings_table() {
  std::string out = "| setting | type | default | example | what it is |\n| --- | --- | --- | --- | --- |\n";
  for (const auto& setting : settings()) {
    const std::string bounds = bounds_of(setting);
    const std::string type =
        fmt::format("{}{}{}", type_of(setting), setting.value.empty() ? "" : ", ", setting.value);
    out += fmt::format("| `{}` | {}{} | `{}` | `{}` | {} |\n", setting.name, type,
                       bounds.empty() ? "" : ", " + bounds, yaml_of(setting, ServeOptions()), setting.example,
                       setting.what);
  }
  return out;
}

}  // namespace millrace::node
