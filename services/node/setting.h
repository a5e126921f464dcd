// Setting: one thing that `millrace serve` can be told, under one name everywhere: `max_body_mb` in the configuration
// file, MILLRACE_MAX_BODY_MB in the environment, --max-body-mb on the command line.
//
// Why: what is accepted, --help, the manual pages and docs/deployment/configuration.md are all made of settings().
// To add one: a member of ServeOptions with its default, and an entry in serve_settings.cc.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "node/serve_options.h"

namespace millrace::node {

struct Setting {
  // Another type of number is another line here.
  using Member = std::variant<std::string ServeOptions::*, std::vector<std::string> ServeOptions::*,
                              bool ServeOptions::*, uint32_t ServeOptions::*, uint64_t ServeOptions::*,
                              double ServeOptions::*, std::chrono::milliseconds ServeOptions::*>;

  std::string_view name;
  Member member;
  std::string_view value;            // what it is, or what it counts: "FILE", "MiB"; empty for a switch
  std::string_view what;             // one line of help
  std::string_view example;          // as in the configuration file
  uint64_t least = 0, most = 0;      // of a number
  std::vector<std::string> choices;  // of a text; empty: any
  std::string (*check)(std::string_view) = nullptr;  // of a text: why it is refused, or empty
};

const std::vector<Setting>& settings();
const Setting* find_setting(std::string_view name);

bool takes_many(const Setting& setting);
bool is_switch(const Setting& setting);

std::string flag_of(const Setting& setting);         // --max-body-mb
std::string environment_of(const Setting& setting);  // MILLRACE_MAX_BODY_MB
std::string type_of(const Setting& setting);         // for people: "whole number", "text"
std::string bounds_of(const Setting& setting);       // "1 to 48", or empty

// Why a value is refused; empty: it is not.
std::string refusal(const Setting& setting, const std::string& value);
// Sets what the values say, of which a setting that does not take many has one. Answers like refusal().
std::string assign(const Setting& setting, const std::vector<std::string>& values, ServeOptions& options);
std::vector<std::string> values_of(const Setting& setting, const ServeOptions& options);

}  // namespace millrace::node
