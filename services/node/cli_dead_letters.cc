// millrace dead-letters: what queries could not use: list, counts, show, edit, dry-run, redrive, discard.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/duration.h"
#include "node/resource_printer.h"

namespace millrace::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kPath = "/v1/dead-letters";
constexpr uint64_t kMostAtOnce = 1'000;  // of one request

struct LetterOptions {
  ServerOptions server;
  std::string id, output;
  std::string query, stream, code, cause, state, from, to;
  std::string order = "newest";
  uint64_t limit = 100;
  std::string payload, file;
  bool all = false;
  uint64_t rate = 100;
  uint64_t within_ms = 600'000;

  bool filters() const {
    const auto all_of_them = {&query, &stream, &code, &cause, &state, &from, &to};
    return std::any_of(all_of_them.begin(), all_of_them.end(),
                       [](const auto* text) { return !text->empty(); });
  }
};

std::string path_of(const LetterOptions& options, const char* action = "") {
  return fmt::format("{}/{}{}", kPath, percent_encode(options.id), action);
}

std::string target_of(const LetterOptions& options, const std::string& path) {
  std::string target = path + '?';
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) target += fmt::format("{}={}&", name, percent_encode(value));
  };
  add("query", options.query);
  add("stream", options.stream);
  add("code", options.code);
  add("cause", options.cause);
  add("state", options.state);
  add("from", options.from);
  add("to", options.to);
  return target;
}

std::string next_of(const Json& page) {
  const auto next = page.find("next");
  return next != page.end() && next->is_string() ? next->get<std::string>() : std::string();
}

// ----- reading

int run_list(const LetterOptions& options) {
  return with_client(options.server, [&](HttpClient& client) -> Status {
    ResourcePrinter printer(options.output);
    std::string after;
    for (uint64_t left = options.limit; left > 0;) {
      std::string target = target_of(options, kPath) +
                           fmt::format("order={}&limit={}", options.order, std::min(left, kMostAtOnce));
      if (!after.empty()) target += "&after=" + after;
      TRY_ASSIGN(const Json page, call_api(client, {"GET", target, {}, {}}));
      const Json items = page.value("items", Json::array());
      for (const auto& item : items) printer.add_to_list(item);
      left -= std::min<uint64_t>(left, items.size());
      after = next_of(page);
      if (after.empty()) break;
    }
    printer.end_list();
    return {};
  });
}

// Several answers' counts of the same kind are one.
int run_counts(const LetterOptions& options) {
  return with_client(options.server, [&](HttpClient& client) -> Status {
    std::vector<Json> kinds;
    std::string after;
    do {
      std::string target = target_of(options, std::string(kPath) + "/counts");
      target += after.empty() ? "" : "after=" + after;
      if (target.back() == '?' || target.back() == '&') target.pop_back();
      TRY_ASSIGN(const Json page, call_api(client, {"GET", target, {}, {}}));
      for (Json item : page.value("items", Json::array())) {
        const auto letters = item.value("letters", uint64_t{0});
        item["letters"] = 0;
        auto known = std::find_if(kinds.begin(), kinds.end(), [&](Json kind) {
          kind["letters"] = 0;
          return kind == item;
        });
        if (known == kinds.end()) known = kinds.insert(kinds.end(), item);
        (*known)["letters"] = known->value("letters", uint64_t{0}) + letters;
      }
      after = next_of(page);
    } while (!after.empty());
    ResourcePrinter printer(options.output);
    for (const auto& kind : kinds) printer.add_to_list(kind);
    printer.end_list();
    return {};
  });
}

// ----- one letter

int run_one(const LetterOptions& options, const char* method, const char* action) {
  return with_client(options.server, [&](HttpClient& client) -> Status {
    TRY_ASSIGN(const Json letter, call_api(client, {method, path_of(options, action), {}, {}}));
    ResourcePrinter(options.output).show(letter);
    return {};
  });
}

Result<std::string> payload_of(const LetterOptions& options) {
  if (!options.payload.empty()) return options.payload;
  if (options.file.empty()) return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream file(options.file, std::ios::binary);
  if (!file) return cannot_open(options.file, errno);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

int run_edit(const LetterOptions& options) {
  const auto payload = payload_of(options);
  if (!payload.ok()) return report(payload.error());
  return with_client(options.server, [&](HttpClient& client) -> Status {
    TRY_ASSIGN(
        const Json letter,
        call_api(client,
                 {"PUT", path_of(options, "/payload"), {{"Content-Type", "application/json"}}, *payload}));
    ResourcePrinter(options.output).show(letter);
    return {};
  });
}

// ----- many

// In small pieces, so that they come at the rate that was asked for.
Status redrive_many(HttpClient& client, const LetterOptions& options) {
  const auto begun = Clock::now();
  const auto end = begun + std::chrono::milliseconds(options.within_ms);
  ResourcePrinter printer(options.output);
  std::string after;
  uint64_t redriven = 0, skipped = 0;
  while (redriven < options.limit && Clock::now() < end) {
    const uint64_t piece = std::clamp<uint64_t>(options.rate / 10, 1, kMostAtOnce);
    std::string target = target_of(options, std::string(kPath) + "/redrive") +
                         fmt::format("limit={}", std::min(piece, options.limit - redriven));
    if (!after.empty()) target += "&after=" + after;
    TRY_ASSIGN(const Json report, call_api(client, {"POST", target, {}, {}}));
    for (const auto& one : report.value("skipped", Json::array())) {
      printer.add_to_list(one);
      ++skipped;
    }
    redriven += report.value("redriven", uint64_t{0});
    after = next_of(report);
    if (after.empty()) break;
    std::this_thread::sleep_until(begun + std::chrono::milliseconds(redriven * 1000 / options.rate));
  }
  if (skipped > 0) printer.end_list();
  fmt::print(stderr, "redriven: {}, not redriven: {}\n", redriven, skipped);
  if (!after.empty()) fmt::print(stderr, "there are more: ask again\n");
  if (skipped == 0) return {};
  return error(Code::kConflict, "MR-CLI-0041", counted(skipped, "dead letter") + " could not be redriven",
               "each is listed above, with the reason");
}

int run_redrive(const LetterOptions& options) {
  if (!options.id.empty()) return run_one(options, "POST", "/redrive");
  if (!options.all && !options.filters()) {
    report(error(Code::kInvalid, "MR-CLI-0040", "it is not said which dead letters are meant",
                 "give a letter's number, a filter such as --query NAME, or --all"));
    return kUsage;
  }
  return with_client(options.server, [&](HttpClient& client) { return redrive_many(client, options); });
}

// ----- the commands

using OptionsPtr = std::shared_ptr<LetterOptions>;

void add_filters(CLI::App& command, LetterOptions& options) {
  command.add_option("--query", options.query, "Only what this query could not use");
  command.add_option("--stream", options.stream, "Only events of this stream");
  command.add_option("--code", options.code, "Only those with this code");
  command.add_option("--cause", options.cause,
                     "late, closed_while_idle, no_event_time, failed or undecodable");
  command.add_option("--state", options.state, "Only those in this state")
      ->check(CLI::IsMember({"open", "edited", "discarded", "redriven"}));
  command.add_option("--from", options.from, "Only those written at this RFC 3339 time or later");
  command.add_option("--to", options.to, "Only those written before this RFC 3339 time");
}

template <typename Run>
CLI::App* add_command(CLI::App& parent, int& exit_code, const char* word, const char* what,
                      const OptionsPtr& options, Run run) {
  CLI::App* command = parent.add_subcommand(word, what);
  add_server_options(*command, options->server);
  add_output_option(*command, options->output);
  command->callback([&exit_code, options, run] { exit_code = run(*options); });
  return command;
}

void add_reading(CLI::App& parent, int& exit_code) {
  const auto list = std::make_shared<LetterOptions>();
  CLI::App* command = add_command(parent, exit_code, "list", "Dead letters, newest first", list, run_list);
  add_filters(*command, *list);
  command->add_option("--order", list->order, "Which come first")
      ->check(CLI::IsMember({"newest", "oldest"}))
      ->capture_default_str();
  command->add_option("--limit", list->limit, "How many at most")->capture_default_str();
  const auto counts = std::make_shared<LetterOptions>();
  add_filters(*add_command(parent, exit_code, "counts", "How many, by query, stream, cause, code and state",
                           counts, run_counts),
              *counts);
}

void add_one(CLI::App& parent, int& exit_code, const char* word, const char* what, const char* method,
             const char* action) {
  const auto options = std::make_shared<LetterOptions>();
  add_command(parent, exit_code, word, what, options,
              [method, action](const LetterOptions& given) { return run_one(given, method, action); })
      ->add_option("id", options->id, "The letter's number")
      ->required();
}

void add_edit(CLI::App& parent, int& exit_code) {
  const auto options = std::make_shared<LetterOptions>();
  CLI::App* command =
      add_command(parent, exit_code, "edit", "Correct its event; what came, and the log, stay as they are",
                  options, run_edit);
  command->add_option("id", options->id, "The letter's number")->required();
  auto* payload = command->add_option("--payload", options->payload, "The event as JSON; else stdin has it");
  command->add_option("--file", options->file, "A file with it")->excludes(payload);
}

void add_redrive(CLI::App& parent, int& exit_code) {
  const auto options = std::make_shared<LetterOptions>();
  options->limit = kMostAtOnce;
  CLI::App* command =
      add_command(parent, exit_code, "redrive",
                  "Give letters to the query that could not use them, once each", options, run_redrive);
  auto* id =
      command->add_option("id", options->id, "A letter's number; without it those that pass the filters");
  add_filters(*command, *options);
  command->add_flag("--all", options->all, "All of them")->excludes(id);
  command->add_option("--limit", options->limit, "How many at most")->capture_default_str();
  command->add_option("--rate", options->rate, "How many a second at most")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  command->add_option("--within", options->within_ms, "For how long at most: 30s, 10m")
      ->transform(CLI::Validator(duration_to_ms, ""))
      ->default_str("10m");
}

}  // namespace

void add_dead_letters_command(CLI::App& app, int& exit_code) {
  CLI::App* parent =
      app.add_subcommand("dead-letters", "What queries could not use: shown, corrected, redriven");
  parent->require_subcommand(1);
  add_reading(*parent, exit_code);
  add_one(*parent, exit_code, "show", "One of them: its bytes, the cause, what was done with it", "GET", "");
  add_edit(*parent, exit_code);
  add_one(*parent, exit_code, "dry-run", "What its query would make of it now", "POST", "/dry-run");
  add_redrive(*parent, exit_code);
  add_one(*parent, exit_code, "discard", "Mark it as done with", "POST", "/discard");
}

}  // namespace millrace::cli
