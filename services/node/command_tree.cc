#include "node/command_tree.h"

#include <algorithm>

#include "CLI/CLI.hpp"

namespace millrace::cli {
namespace {

// CLI11 tells an option's choices in the name of its type: TEXT:{table,json}.
Words choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto open = type.find(":{");
  const auto close = type.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return CLI::detail::split(type.substr(open + 2, close - open - 2), ',');
}

// … and a number's bounds: INT:INT in [1 - 99].
std::string bounds_of(const std::string& type) {
  const auto open = type.find(" in [");
  const auto close = type.find(']', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return "";
  std::string bounds = type.substr(open + 5, close - open - 5);
  const auto dash = bounds.find(" - ");
  return dash == std::string::npos ? "" : bounds.replace(dash, 3, " to ");
}

// What stands before either.
std::string value_name(const std::string& type) {
  size_t end = type.size();
  for (const char* mark : {":{", ":INT in", ":FLOAT in"}) end = std::min(end, type.find(mark));
  return type.substr(0, end);
}

Flag flag_of(const CLI::Option& option) {
  Flag flag;
  for (const auto& name : option.get_snames()) flag.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) flag.names.push_back("--" + name);
  flag.what = option.get_description();
  flag.takes_value = option.get_items_expected_max() > 0;
  flag.repeats = option.get_items_expected_max() > 1;
  flag.choices = choices_of(option);
  flag.bounds = bounds_of(option.get_type_name());
  if (flag.takes_value) flag.value = value_name(option.get_type_name());
  flag.by_default = option.get_default_str();
  return flag;
}

Argument argument_of(const CLI::Option& option) {
  return {option.get_name(true), option.get_description(), option.get_required(),
          option.get_items_expected_max() > 1, choices_of(option)};
}

Command command_of(const CLI::App& app, const std::string& path) {
  Command command{path, app.get_name(), app.get_description(), app.get_footer(), {}, {}, {}};
  for (const auto* option : app.get_options()) {
    if (option->get_positional()) command.arguments.push_back(argument_of(*option));
    if (option->nonpositional()) command.flags.push_back(flag_of(*option));
  }
  for (const auto* sub : app.get_subcommands({})) {
    command.commands.push_back(
        command_of(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name()));
  }
  return command;
}

}  // namespace

Command command_tree(const CLI::App& app) {
  return command_of(app, "");
}

}  // namespace millrace::cli
