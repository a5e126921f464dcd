// The tree of commands that the parser has, as completion and the manual pages tell of it.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace millrace::cli {

using Words = std::vector<std::string>;

struct Argument {
  std::string name;
  std::string what;
  bool required = false;
  bool repeats = false;
  Words choices;  // empty: any value
};

struct Flag {
  Words names;  // as they are typed
  std::string what;
  std::string value;   // what it takes; empty: nothing
  std::string bounds;  // "1 to 99", or empty
  std::string by_default;
  bool takes_value = false;
  bool repeats = false;
  Words choices;  // empty: any value
};

struct Command {
  std::string path;  // "log verify"; empty: millrace itself
  std::string name;
  std::string what;
  std::string footer;
  std::vector<Flag> flags;
  std::vector<Argument> arguments;
  std::vector<Command> commands;
};

Command command_tree(const CLI::App& app);

}  // namespace millrace::cli
