#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "node/config_file.h"
#include "node/configuration.h"
#include "node/setting.h"
#include "sql/sql.h"

namespace millrace::node {
namespace {

const char* nothing(const char*) {
  return nullptr;
}

std::vector<std::string> ids(const ConfigFile& file) {
  std::vector<std::string> out;
  for (const auto& problem : file.problems) {
    out.push_back(fmt::format("{} {}:{}", problem.id, problem.span ? problem.span->line : 0,
                              problem.span ? problem.span->column : 0));
  }
  return out;
}

std::vector<std::string> wrong(const std::string& text) {
  return ids(parse_config("f.yaml", text));
}

Configuration from_file(const std::string& text) {
  return configure({}, {}, parse_config("f.yaml", text), &nothing);
}

using Strings = std::vector<std::string>;

TEST(ConfigFile, SetsWhatItNames) {
  const auto c = from_file(
      "\xEF\xBB\xBF# a comment\r\ndata: /srv/ü b\r\nworkers: 3   # three\r\nmax_body_mb: "
      "\"8\"\r\ngateway_only: true\r\n"
      "allow_host: [a.example.com, 'b.example.com:1']\r\nstate_mb: 4096\r\n");
  EXPECT_EQ(ids(c.file), Strings{});
  EXPECT_EQ(c.options.data, "/srv/ü b");
  EXPECT_EQ(c.options.workers, 3u);
  EXPECT_EQ(c.options.max_body_mb, 8u);
  EXPECT_EQ(c.options.state_mb, 4096u);
  EXPECT_TRUE(c.options.gateway_only);
  EXPECT_EQ(c.options.allowed_hosts, (Strings{"a.example.com", "b.example.com:1"}));
  EXPECT_EQ(c.origins.at("workers"), "f.yaml:3");
  EXPECT_EQ(from_file("allow_host:\n  - a\n  - b\n").options.allowed_hosts, (Strings{"a", "b"}));
  EXPECT_EQ(from_file("allow_host: a\n").options.allowed_hosts, Strings{"a"});
  EXPECT_EQ(from_file("{workers: 2, data: x}").options.workers, 2u);
}

TEST(ConfigFile, MayBeEmpty) {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n", "{}", "~"})
    EXPECT_EQ(wrong(text), Strings{}) << text;
}

TEST(ConfigFile, TellsEveryMistakeByItsPlace) {
  EXPECT_EQ(wrong("data: x\nworkrs: 2\nworkers: 65\nhttp: a\nmax_body_mb: lots\ndata: y\n"),
            (Strings{"MR-CLI-0027 2:1", "MR-CLI-0029 3:10", "MR-CLI-0029 5:14", "MR-CLI-0028 6:1"}));
  const auto file = parse_config("f.yaml", "workers: 2\nmax-body-mb: 8\n");
  ASSERT_EQ(file.problems.size(), 1u);
  EXPECT_EQ(sql::render_error(file.problems[0], file.text),
            "error MR-CLI-0027: there is no setting \"max-body-mb\"\n  --> line 2, column 1\n  |\n"
            "2 | max-body-mb: 8\n  | ^^^^^^^^^^^\nhint: did you mean \"max_body_mb\"?\n");
  const auto range = parse_config("f.yaml", "workers: 0");
  ASSERT_EQ(range.problems.size(), 1u);
  EXPECT_EQ(range.problems[0].message, "workers: \"0\" is not a whole number from 1 to 64");
  EXPECT_EQ(range.problems[0].hint, "for example  workers: 4");
}

TEST(ConfigFile, RefusesWrongValues) {
  for (const char* text : {"workers: 1.5",
                           "workers: 0x2",
                           "workers: -1",
                           "workers: ' 2'",
                           "workers: 99999999999999999999",
                           "workers:",
                           "workers: ~",
                           "workers: [2]",
                           "workers: {a: 2}",
                           "workers: ''",
                           "workers: !!int 2",
                           "gateway_only: yes",
                           "gateway_only: True",
                           "allow_host: ['*']",
                           "allow_host: [[a]]",
                           "allow_host: [~]",
                           "allow_host: {a: b}",
                           "data: [a, b]",
                           "data: \"a\\nb\"",
                           "data: |\n  a\n  b\n",
                           "state_mb: 0",
                           "idle_seconds: 1m"}) {
    const auto found = wrong(text);
    ASSERT_EQ(found.size(), 1u) << text;
    EXPECT_EQ(found[0].substr(0, 11), "MR-CLI-0029") << text << found[0];
  }
}

TEST(ConfigFile, RefusesWhatIsNoConfiguration) {
  for (const char* text :
       {"data", "[data, x]", "- data: x", "data: x\n---\ndata: y", "data: [x", "data: 'x", "data: x: y",
        "? [a]\n: x", "\tdata: x", "allow_host:\n \t- a", "data: \xFF", "data: *nothing", "workers:2",
        "{data: x} workers: 2", "!ionE,e\n", "data: x\n  workers: 2\n", "@"}) {
    const auto found = wrong(text);
    ASSERT_GE(found.size(), 1u) << text;
    EXPECT_EQ(found[0].substr(0, 11), "MR-CLI-0026") << text << found[0];
  }
  EXPECT_EQ(wrong(std::string("data: x\0", 8)), Strings{"MR-CLI-0026 0:0"});
  EXPECT_EQ(wrong("# a\tb\ndata: x\t# c\n  \t\n"), Strings{"MR-CLI-0026 3:3"});
}

TEST(ConfigFile, BoundsWhatItIsGiven) {
  EXPECT_EQ(wrong(std::string(200'000, '[')).size(), 1u);
  EXPECT_EQ(wrong(std::string(200'000, '{')).size(), 1u);
  std::string dashes;
  for (int i = 0; i < 60'000; ++i) dashes += "- ";
  EXPECT_EQ(wrong(dashes).size(), 1u);
  std::string unknown;
  for (int i = 0; i < 20'000; ++i) unknown += fmt::format("k{}: 1\n", i);
  EXPECT_EQ(wrong(unknown).size(), kMaxProblems);
  // Each list ten times the one before: nobody goes through it.
  std::string bomb = "a0: &a0 [x]\n";
  for (int i = 1; i < 30; ++i) {
    bomb += fmt::format("a{0}: &a{0} [", i);
    for (int j = 0; j < 10; ++j) bomb += fmt::format("{}*a{}", j == 0 ? "" : ", ", i - 1);
    bomb += "]\n";
  }
  EXPECT_EQ(wrong(bomb + "allow_host: *a29\n").size(), kMaxProblems);
  EXPECT_EQ(wrong("allow_host: &a [*a]\n").size(), 1u);
}

TEST(ConfigFile, IsReadWithinItsBound) {
  const std::string path = ::testing::TempDir() + "config_test.yaml";
  const auto read = [&](const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    const auto file = read_config(path);
    return file.ok() ? fmt::format("{}", fmt::join(ids(*file), " ")) : file.error().id;
  };
  EXPECT_EQ(read("workers: 2\n"), "");
  EXPECT_EQ(read(std::string(kMaxConfigBytes, '#')), "");
  EXPECT_EQ(read(std::string(kMaxConfigBytes + 1, '#')), "MR-CLI-0026");
  EXPECT_EQ(read(std::string(10 << 20, '\n')), "MR-CLI-0026");
  for (const char* none : {"/there/is/nothing", "/"}) {
    const auto file = read_config(none);
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().id, "MR-CLI-0025");
    EXPECT_NE(file.error().message.find(none[1] == 0 ? "Is a directory" : "No such file"), std::string::npos);
  }
}

TEST(Configuration, AFlagGoesBeforeTheEnvironmentBeforeTheFile) {
  ServeOptions flags;
  flags.workers = 4;
  flags.allowed_hosts = {"flag"};
  const std::map<std::string, std::string> set = {{"MILLRACE_WORKERS", "3"},
                                                  {"MILLRACE_MAX_BODY_MB", "9"},
                                                  {"MILLRACE_TOKENS", ""},
                                                  {"MILLRACE_DATA", "/env"},
                                                  {"MILLRACE_SERVER", "http://elsewhere"}};
  const Environment environment = [&](const char* name) -> const char* {
    const auto at = set.find(name);
    return at == set.end() ? nullptr : at->second.c_str();
  };
  const auto file = parse_config(
      "f.yaml",
      "workers: 2\nmax_body_mb: 7\nidle_seconds: 5\nallow_host: [a, b]\ntokens: t.yaml\ndata: /file\n");
  const auto c = configure(flags, {"workers", "allow_host"}, file, environment);
  EXPECT_TRUE(c.problems.empty());
  EXPECT_EQ(c.options.workers, 4u);
  EXPECT_EQ(c.options.max_body_mb, 9u);
  EXPECT_EQ(c.options.idle_seconds, 5u);
  EXPECT_EQ(c.options.heartbeat_seconds, 15u);
  EXPECT_EQ(c.options.allowed_hosts, Strings{"flag"});
  EXPECT_EQ(c.options.tokens, "t.yaml") << "an empty variable is none";
  EXPECT_EQ(c.options.data, "/env");
  EXPECT_EQ(c.origins.at("workers"), "--workers");
  EXPECT_EQ(c.origins.at("max_body_mb"), "MILLRACE_MAX_BODY_MB");
  EXPECT_EQ(c.origins.at("idle_seconds"), "f.yaml:3");
  EXPECT_EQ(c.origins.count("heartbeat_seconds"), 0u);
  const std::string shown = to_text(c, true);
  EXPECT_NE(shown.find("workers: 4                                # --workers\n"), std::string::npos)
      << shown;
  EXPECT_NE(shown.find("heartbeat_seconds: 15                     # default\n"), std::string::npos) << shown;
}

TEST(Configuration, TheEnvironmentIsChecked) {
  const auto c = configure({}, {}, {}, [](const char* name) -> const char* {
    if (std::string(name) == "MILLRACE_WORKERS") return "many";
    return std::string(name) == "MILLRACE_ALLOW_HOST" ? "a.example.com, b.example.com:8443" : nullptr;
  });
  ASSERT_EQ(c.problems.size(), 1u);
  EXPECT_EQ(c.problems[0].message,
            "MILLRACE_WORKERS of the environment: \"many\" is not a whole number from 1 to 64");
  EXPECT_EQ(c.options.allowed_hosts, (Strings{"a.example.com", "b.example.com:8443"}));
}

TEST(Configuration, WhatItShowsSetsTheSame) {
  ServeOptions o;
  o.data = "/a \"quoted\" \\ ü: #";
  o.allowed_hosts = {"a", "b:1"};
  o.gateway_only = true;
  o.state_mb = 77;
  const auto shown = to_text(configure(o, {"data", "state_mb"}, {}, &nothing), true);
  const auto again = from_file(shown);
  EXPECT_EQ(ids(again.file), Strings{});
  for (const auto& setting : settings()) {
    EXPECT_EQ(values_of(setting, again.options), values_of(setting, o)) << setting.name;
  }
  o.data = "https://user:secret@example.com/x";
  EXPECT_NE(to_text(configure(o, {}, {}, &nothing), false).find("data: \"https://user:***@example.com/x\"\n"),
            std::string::npos);
}

TEST(Configuration, TheExampleHoldsTheDefaults) {
  std::string text = example_config();
  EXPECT_TRUE(parse_config("f", text).entries.empty());
  for (const auto& setting : settings()) {
    const size_t at = text.find(fmt::format("\n#{}: ", setting.name));
    ASSERT_NE(at, std::string::npos) << setting.name;
    text.erase(at + 1, 1);
  }
  const auto c = from_file(text);
  EXPECT_EQ(ids(c.file), Strings{});
  EXPECT_EQ(c.file.entries.size(), settings().size());
  for (const auto& setting : settings()) {
    EXPECT_EQ(values_of(setting, c.options), values_of(setting, ServeOptions())) << setting.name;
  }
}

TEST(Settings, ExamplesAreAccepted) {
  for (const auto& setting : settings()) {
    EXPECT_FALSE(setting.what.empty()) << setting.name;
    const auto c = from_file(fmt::format("{}: {}\n", setting.name, setting.example));
    EXPECT_EQ(ids(c.file), Strings{}) << setting.name;
    EXPECT_NE(values_of(setting, c.options), values_of(setting, ServeOptions()))
        << setting.name << ": the example shows the default";
  }
}

TEST(Settings, OfATextMayBeChoices) {
  const Setting setting{
      .name = "log_format", .member = &ServeOptions::data, .value = "FORMAT", .choices = {"text", "json"}};
  ServeOptions o;
  EXPECT_EQ(assign(setting, {"json"}, o), "");
  EXPECT_EQ(o.data, "json");
  EXPECT_EQ(assign(setting, {"xml"}, o), "\"xml\" is none of text, json");
  EXPECT_EQ(bounds_of(setting), "text, json");
}

// Every option of serve is a setting: a line in serve_settings.cc.
TEST(Settings, AreTheFlagsOfServe) {
  CLI::App serve;
  ServeOptions options;
  add_serve_options(serve, options);
  std::set<std::string> flags, expected{"--config", "--help"};
  for (const auto* option : serve.get_options()) flags.insert("--" + option->get_lnames().front());
  for (const auto& setting : settings()) expected.insert(flag_of(setting));
  EXPECT_EQ(flags, expected);
}

// docs/deployment/configuration.md has the table between two marks. MILLRACE_REWRITE=1 writes it.
TEST(Settings, AreDocumented) {
  const std::string path = MILLRACE_DOCS "/deployment/configuration.md";
  std::stringstream page;
  page << std::ifstream(path).rdbuf();
  const std::string text = page.str(), begin = "<!-- settings -->\n", end = "<!-- end -->\n";
  const size_t from = text.find(begin), upto = text.find(end);
  ASSERT_TRUE(from != std::string::npos && upto != std::string::npos && from < upto);
  std::string table = "\n" + settings_table() + "\n";
  if (std::getenv("MILLRACE_REWRITE") != nullptr) {
    std::ofstream(path) << text.substr(0, from + begin.size()) << table << text.substr(upto);
  } else {
    EXPECT_EQ(text.substr(from + begin.size(), upto - from - begin.size()), table)
        << "write it anew: MILLRACE_REWRITE=1 build/release/bin/config_test";
  }
}

}  // namespace
}  // namespace millrace::node
