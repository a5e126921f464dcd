#include "node/man_pages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "node/command_tree.h"
#include "node/configuration.h"
#include "node/man_page.h"

namespace millrace::cli {
namespace {

constexpr std::string_view kExits = "Exit codes: ";

std::string full_name(const Command& command) {
  return command.path.empty() ? "millrace" : "millrace " + command.path;
}

// It does something without one of its commands, too: it has options beside --help.
bool stands_alone(const Command& command) {
  return command.commands.empty() || (!command.path.empty() && command.flags.size() > 1);
}

std::string synopsis(const Command& command) {
  std::string out = full_name(command);
  if (!command.flags.empty()) out += " [OPTION]...";
  if (!command.commands.empty()) out += stands_alone(command) ? " [COMMAND]" : " COMMAND";
  for (const auto& argument : command.arguments) {
    const std::string name = argument.name + (argument.repeats ? "..." : "");
    out += argument.required ? " " + name : " [" + name + "]";
  }
  return out;
}

std::string notes(const Words& choices, const std::string& bounds, const std::string& by_default) {
  Words notes;
  if (!choices.empty()) notes.push_back(fmt::format("One of: {}.", fmt::join(choices, ", ")));
  if (!bounds.empty() && bounds.find("9223372036854775807") == std::string::npos)
    notes.push_back("From " + bounds + ".");
  if (!by_default.empty()) notes.push_back("Default: " + by_default + ".");
  return notes.empty() ? "" : fmt::format(".\n{}", fmt::join(notes, " "));
}

void add_options(const Command& command, ManPage& page) {
  for (const auto& argument : command.arguments)
    page.item(argument.name, argument.what + notes(argument.choices, "", ""));
  for (const auto& flag : command.flags) {
    const std::string value = flag.takes_value ? " " + flag.value : "";
    page.item(fmt::format("{}{}", fmt::join(flag.names, ", "), value),
              flag.what + notes(flag.choices, flag.bounds, flag.by_default));
  }
}

void add_footer(const Command& command, ManPage& page) {
  const size_t exits = command.footer.find(kExits);
  if (exits == std::string::npos) return;
  page.heading("EXIT STATUS");
  page.paragraph(command.footer.substr(exits + kExits.size()));
}

std::string page_name(const Command& command) {
  return "millrace-" + command.name;
}

std::string command_page(const Command& command) {
  ManPage page(page_name(command), 1, command.what);
  page.heading("SYNOPSIS");
  if (stands_alone(command)) page.paragraph(synopsis(command));
  for (const auto& sub : command.commands) page.paragraph(synopsis(sub));
  page.heading("DESCRIPTION");
  page.paragraph(command.what + ".");
  page.heading("OPTIONS");
  add_options(command, page);
  for (const auto& sub : command.commands) {
    page.subheading(full_name(sub));
    page.paragraph(sub.what + ".");
    add_options(sub, page);
  }
  if (command.name == "serve") {
    page.heading("ENVIRONMENT");
    page.paragraph(
        "Each option may also stand in the environment or in the configuration file: see millrace.yaml(5).");
  }
  add_footer(command, page);
  page.heading("SEE ALSO");
  page.paragraph("millrace(1), millrace.yaml(5)");
  return page.text();
}

std::string main_page(const Command& root) {
  ManPage page("millrace", 1, "take events in, answer standing questions about them, keep them");
  page.heading("SYNOPSIS");
  page.paragraph(synopsis(root));
  page.heading("DESCRIPTION");
  page.paragraph(root.what);
  page.paragraph(
      "millrace serve runs a node; the other commands speak to one, or look at its files. Data goes to the "
      "output, talk to the "
      "error output.");
  page.heading("COMMANDS");
  for (const auto& command : root.commands) page.item(page_name(command) + "(1)", command.what);
  page.heading("OPTIONS");
  add_options(root, page);
  page.heading("ENVIRONMENT");
  page.item("MILLRACE_SERVER", "The server's address, for the commands that speak to one.");
  page.item("MILLRACE_TOKEN", "The access token, likewise.");
  page.item("MILLRACE_CONFIG",
            "The configuration file of millrace serve; millrace.yaml(5) has the variables of its settings.");
  add_footer(root, page);
  page.heading("SEE ALSO");
  page.paragraph("millrace-serve(1), millrace-sql(1), millrace.yaml(5)");
  return page.text();
}

std::string settings_page() {
  ManPage page("millrace.yaml", 5, "configuration of a Millrace node");
  page.heading("DESCRIPTION");
  page.paragraph(
      "What millrace serve reads, if --config or MILLRACE_CONFIG names it; without either no file is read. "
      "It is YAML, one setting a line. "
      "A name that is not a setting and a value that is not one of its are errors, and the node does not "
      "start.");
  page.paragraph(
      "A flag goes before the environment, the environment before the file. An empty variable counts as "
      "none, and a list has commas there.");
  page.heading("SETTINGS");
  for (const auto& setting : node::settings()) {
    const std::string bounds = node::bounds_of(setting);
    const auto values = node::values_of(setting, node::ServeOptions());
    std::string text =
        fmt::format("{}.\nType: {}{}{}{}.", setting.what, node::type_of(setting),
                    setting.value.empty() ? "" : ", ", setting.value, bounds.empty() ? "" : ", " + bounds);
    text += values.empty() ? " No default." : fmt::format(" Default: {}.", fmt::join(values, ", "));
    text += fmt::format("\nFlag {}, variable {}. Example: {}", node::flag_of(setting),
                        node::environment_of(setting), setting.example);
    page.item(setting.name, text);
  }
  page.heading("EXAMPLE");
  page.verbatim(
      "data: /var/lib/millrace\nhttp: 0.0.0.0:8080\ntokens: /etc/millrace/tokens.yaml\nallow_host: "
      "[events.example.com]");
  page.heading("FILES");
  page.item("/etc/millrace/millrace.yaml", "What the systemd unit of the package names.");
  page.heading("SEE ALSO");
  page.paragraph("millrace-serve(1), millrace-config(1)");
  return page.text();
}

}  // namespace

std::map<std::string, std::string> man_pages(const CLI::App& app) {
  const Command root = command_tree(app);
  std::map<std::string, std::string> pages{{"millrace.1", main_page(root)},
                                           {"millrace.yaml.5", settings_page()}};
  for (const auto& command : root.commands) pages[page_name(command) + ".1"] = command_page(command);
  return pages;
}

}  // namespace millrace::cli
