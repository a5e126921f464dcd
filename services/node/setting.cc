#include "node/setting.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "node/duration.h"

namespace millrace::node {
namespace {

using Texts = std::vector<std::string>;
using Milliseconds = std::chrono::milliseconds;

template <typename T>
constexpr bool is_number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

std::string read(const Setting& setting, const std::string& text, std::string& out) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  if (std::any_of(text.begin(), text.end(), is_control)) return "it holds a control character";
  const auto& choices = setting.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
    return fmt::format("\"{}\" is none of {}", text, fmt::join(choices, ", "));
  }
  std::string refused = setting.check == nullptr ? "" : setting.check(text);
  if (refused.empty()) out = text;
  return refused;
}

std::string read(const Setting& setting, const std::string& text, Texts& out) {
  std::string one;
  std::string refused = read(setting, text, one);
  if (refused.empty()) out.push_back(std::move(one));
  return refused;
}

std::string read(const Setting&, const std::string& text, bool& out) {
  if (text != "true" && text != "false") return fmt::format("\"{}\" is neither true nor false", text);
  out = text == "true";
  return "";
}

template <typename T>
requires is_number<T> std::string read(const Setting& setting, const std::string& text, T& out) {
  T number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool good = problem == std::errc() && end == text.data() + text.size() &&
                    number >= static_cast<T>(setting.least) && number <= static_cast<T>(setting.most);
  if (!good) return fmt::format("\"{}\" is not a {} from {}", text, type_of(setting), bounds_of(setting));
  out = number;
  return "";
}

std::string read(const Setting&, const std::string& text, Milliseconds& out) {
  std::string ms = text;
  std::string refused = duration_to_ms(ms);
  if (refused.empty()) out = Milliseconds(std::stoul(ms));
  return refused;
}

Texts texts(const std::string& value) {
  return value.empty() ? Texts() : Texts{value};
}
Texts texts(const Texts& values) {
  return values;
}
Texts texts(Milliseconds value) {
  const bool whole = value.count() % 1'000 == 0;
  return {whole ? fmt::format("{}s", value.count() / 1'000) : fmt::format("{}ms", value.count())};
}
template <typename T>
requires std::is_arithmetic_v<T> Texts texts(T value) {
  return {fmt::format("{}", value)};
}

}  // namespace

const Setting* find_setting(std::string_view name) {
  const auto& all = settings();
  const auto at =
      std::find_if(all.begin(), all.end(), [&](const Setting& setting) { return setting.name == name; });
  return at == all.end() ? nullptr : &*at;
}

bool takes_many(const Setting& setting) {
  return std::holds_alternative<Texts ServeOptions::*>(setting.member);
}

bool is_switch(const Setting& setting) {
  return std::holds_alternative<bool ServeOptions::*>(setting.member);
}

std::string flag_of(const Setting& setting) {
  std::string flag = "--" + std::string(setting.name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string environment_of(const Setting& setting) {
  std::string name = "MILLRACE_" + std::string(setting.name);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

std::string type_of(const Setting& setting) {
  if (is_switch(setting)) return "true or false";
  if (takes_many(setting)) return "list of texts";
  if (std::holds_alternative<Milliseconds ServeOptions::*>(setting.member)) return "time";
  if (std::holds_alternative<double ServeOptions::*>(setting.member)) return "number";
  return std::holds_alternative<std::string ServeOptions::*>(setting.member) ? "text" : "whole number";
}

std::string bounds_of(const Setting& setting) {
  if (!setting.choices.empty()) return fmt::format("{}", fmt::join(setting.choices, ", "));
  return setting.most == 0 ? "" : fmt::format("{} to {}", setting.least, setting.most);
}

std::string refusal(const Setting& setting, const std::string& value) {
  ServeOptions ignored;
  return assign(setting, {value}, ignored);
}

std::string assign(const Setting& setting, const Texts& values, ServeOptions& options) {
  if (takes_many(setting)) options.*std::get<Texts ServeOptions::*>(setting.member) = {};
  for (const auto& value : values) {
    const auto read_one = [&](auto member) { return read(setting, value, options.*member); };
    if (auto refused = std::visit(read_one, setting.member); !refused.empty()) return refused;
  }
  return "";
}

Texts values_of(const Setting& setting, const ServeOptions& options) {
  return std::visit([&](auto member) { return texts(options.*member); }, setting.member);
}

}  // namespace millrace::node
