// millrace man: the manual pages, for `man -l -` or for an installation.
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/man_pages.h"

namespace millrace::cli {
namespace {

struct ManOptions {
  std::string page = "millrace.1";
  std::string folder;
};

int write_all(const CLI::App& app, const std::string& folder) {
  for (const auto& [name, text] : man_pages(app)) {
    const auto path = std::filesystem::path(folder) / name;
    errno = 0;
    std::ofstream out(path, std::ios::binary);
    out << text << std::flush;
    if (!out) return report(cannot_open(path, errno));
  }
  return kOk;
}

}  // namespace

void add_man_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ManOptions>();
  CLI::App* command =
      app.add_subcommand("man", "A manual page, in roff:  millrace man millrace-serve.1 | man -l -");
  const auto is_page = [&app](std::string& name) {
    const auto pages = man_pages(app);
    if (pages.count(name) > 0) return std::string();
    std::string names;
    for (const auto& [page, text] : pages) names += " " + page;
    return fmt::format("\"{}\" is not a page; there are{}", name, names);
  };
  command->add_option("page", options->page, "The page")
      ->capture_default_str()
      ->check(CLI::Validator(is_page, ""));
  command->add_option("--to", options->folder, "Write all pages into this folder")->type_name("FOLDER");
  command->callback([&app, options, &exit_code] {
    if (!options->folder.empty()) {
      exit_code = write_all(app, options->folder);
      return;
    }
    fmt::print("{}", man_pages(app).at(options->page));
    exit_code = kOk;
  });
}

}  // namespace millrace::cli
