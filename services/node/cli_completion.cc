// millrace completion: a shell's completion, made of the tree of commands that the parser itself has.
#include <algorithm>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "node/cli.h"
#include "node/command_tree.h"

namespace millrace::cli {
namespace {

template <typename Each>
void walk(const Command& command, const Each& each) {
  each(command);
  for (const auto& sub : command.commands) walk(sub, each);
}

Words names_of(const Command& command) {
  Words names;
  for (const auto& sub : command.commands) names.push_back(sub.name);
  return names;
}

Words argument_choices(const Command& command) {
  return command.arguments.empty() ? Words() : command.arguments.back().choices;
}

Words flag_names(const Command& command) {
  Words names;
  for (const auto& flag : command.flags) names.insert(names.end(), flag.names.begin(), flag.names.end());
  return names;
}

std::string with_underscores(std::string path) {
  std::replace_if(
      path.begin(), path.end(), [](char c) { return c == ' ' || c == '-'; }, '_');
  return path.empty() ? path : "_" + path;
}

std::string escaped(std::string_view text, std::string_view special, std::string_view with) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += with;
    out += c;
  }
  return out;
}

// ----- bash

void print_bash_values(const Command& command) {
  Words any;
  for (const auto& flag : command.flags) {
    Words here;
    for (const auto& name : flag.names) here.push_back(fmt::format("'{} {}'", command.path, name));
    if (!flag.choices.empty()) {
      fmt::print("    {}) words='{}' value=1 ;;\n", fmt::join(here, " | "), fmt::join(flag.choices, " "));
    } else if (flag.takes_value) {
      any.insert(any.end(), here.begin(), here.end());
    }
  }
  if (!any.empty()) fmt::print("    {}) value=1 ;;\n", fmt::join(any, " | "));
}

// What may stand where no option's value does. Where files may, the words are none, and bash completes files.
void print_bash_words(const Command& command) {
  const Words words = command.commands.empty() ? argument_choices(command) : names_of(command);
  const bool only_flags = words.empty() && command.arguments.empty();
  fmt::print("    '{}') flags='{}' words={} ;;\n", command.path, fmt::join(flag_names(command), " "),
             only_flags ? "$flags" : fmt::format("'{}'", fmt::join(words, " ")));
}

void print_bash(const Command& root) {
  fmt::print(R"(# Completion of millrace for bash, made by `millrace completion bash`.
# In this shell: source <(millrace completion bash)
# In every one:  millrace completion bash > ~/.local/share/bash-completion/completions/millrace
#                (needs the package bash-completion; or put the first line into ~/.bashrc)
_millrace() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command= words= flags= value= i
  # --output=json comes in three words.
  if [[ $word == '=' ]]; then
    word=
  elif [[ $previous == '=' ]]; then
    previous=${{COMP_WORDS[COMP_CWORD-2]}}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command ${{COMP_WORDS[i]}}" in
)");
  walk(root, [](const Command& command) {
    if (command.path.empty()) return;
    fmt::print("    '{}{}') command='{}' ;;\n", command.path == command.name ? " " : "", command.path,
               command.path);
  });
  fmt::print("    esac\n  done\n  case \"$command $previous\" in\n");
  walk(root, print_bash_values);
  fmt::print("    *) case $command in\n");
  walk(root, print_bash_words);
  fmt::print(R"(    esac ;;
  esac
  if [[ $word == -* && -z $value ]]; then words=$flags; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _millrace millrace
)");
}

// ----- zsh

std::string zsh_value(const Flag& flag) {
  if (!flag.takes_value) return "";
  return flag.choices.empty() ? ":value:_files" : fmt::format(":value:({})", fmt::join(flag.choices, " "));
}

// Inside single quotes; a bracket ends an option's description, a colon a command's.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : escaped(text, "[]:\\", "\\"))
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out;
}

void print_zsh_flags(const Command& command) {
  for (const auto& flag : command.flags) {
    for (const auto& name : flag.names) {
      const char* joined = !flag.takes_value ? "" : name.starts_with("--") ? "=" : "+";
      fmt::print(" \\\n    '{}{}{}[{}]{}'", flag.repeats ? "*" : "", name, joined, zsh_text(flag.what),
                 zsh_value(flag));
    }
  }
}

void print_zsh_function(const Command& command) {
  const std::string function = "_millrace" + with_underscores(command.path);
  fmt::print("{}() {{\n", function);
  if (command.commands.empty()) {
    fmt::print("  _arguments");
    print_zsh_flags(command);
    if (!argument_choices(command).empty()) {
      fmt::print(" \\\n    '1:value:({})'", fmt::join(argument_choices(command), " "));
    } else if (!command.arguments.empty()) {
      fmt::print(" \\\n    '*:file:_files'");
    }
    fmt::print("\n}}\n");
    return;
  }
  fmt::print("  local state line\n  local -a commands=(\n");
  for (const auto& sub : command.commands) fmt::print("    '{}:{}'\n", sub.name, zsh_text(sub.what));
  fmt::print("  )\n  _arguments -C");
  print_zsh_flags(command);
  fmt::print(" \\\n    '1:command:->command' '*::argument:->arguments'\n  case $state in\n");
  fmt::print("    command) _describe command commands ;;\n    arguments) case $words[1] in\n");
  for (const auto& sub : command.commands) {
    fmt::print("      {}) _millrace{} ;;\n", sub.name, with_underscores(sub.path));
  }
  fmt::print("    esac ;;\n  esac\n}}\n");
}

void print_zsh(const Command& root) {
  fmt::print(R"(#compdef millrace
# Completion of millrace for zsh, made by `millrace completion zsh`.
# In this shell: source <(millrace completion zsh)
# In every one:  millrace completion zsh > "${{fpath[1]}}/_millrace"   (and compinit runs in ~/.zshrc)
)");
  walk(root, print_zsh_function);
  fmt::print(R"(if [[ $funcstack[1] == _millrace ]]; then _millrace "$@"; else compdef _millrace millrace; fi
)");
}

// ----- fish

std::string fish_text(std::string_view text) {
  return escaped(text, "\\'", "\\");
}

// True where this command, and none below it, was given.
std::string fish_condition(const Command& command) {
  std::string condition;
  for (const auto& word : CLI::detail::split(command.path, ' ')) {
    if (!word.empty())
      condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
  }
  if (command.commands.empty()) return condition;
  return fmt::format("{}not __fish_seen_subcommand_from {}", condition.empty() ? "" : condition + "; and ",
                     fmt::join(names_of(command), " "));
}

void print_fish_flag(const std::string& start, const Flag& flag) {
  fmt::print("{}", start);
  for (const auto& name : flag.names) {
    const bool is_long = name.starts_with("--");
    fmt::print(" -{} {}", is_long ? 'l' : 's', name.substr(is_long ? 2 : 1));
  }
  if (flag.takes_value && flag.choices.empty()) fmt::print(" -rF");
  if (!flag.choices.empty()) fmt::print(" -xa '{}'", fmt::join(flag.choices, " "));
  fmt::print(" -d '{}'\n", fish_text(flag.what));
}

void print_fish_command(const Command& command) {
  const std::string start = fmt::format("complete -c millrace -n '{}'", fish_condition(command));
  for (const auto& sub : command.commands) {
    fmt::print("{} -a {} -d '{}'\n", start, sub.name, fish_text(sub.what));
  }
  if (!argument_choices(command).empty()) {
    fmt::print("{} -a '{}'\n", start, fmt::join(argument_choices(command), " "));
  } else if (!command.arguments.empty()) {
    fmt::print("{} -F\n", start);
  }
  for (const auto& flag : command.flags) print_fish_flag(start, flag);
}

void print_fish(const Command& root) {
  fmt::print(R"(# Completion of millrace for fish, made by `millrace completion fish`.
# In this shell: millrace completion fish | source
# In every one:  millrace completion fish > ~/.config/fish/completions/millrace.fish
complete -c millrace -f
)");
  walk(root, print_fish_command);
}

}  // namespace

void add_completion_command(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("completion", "A shell's completion of commands, options and choices");
  auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "The shell; what is printed begins with how to install it")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, shell, &exit_code] {
    const Command root = command_tree(app);
    if (*shell == "bash") print_bash(root);
    if (*shell == "zsh") print_zsh(root);
    if (*shell == "fish") print_fish(root);
    exit_code = kOk;
  });
}

}  // namespace millrace::cli
