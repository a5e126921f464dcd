#include "node/config_file.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

#include "formats/text_types.h"
#include "node/setting.h"
#include "sql/errors.h"

namespace millrace::node {
namespace {

constexpr std::string_view kForm = "a line is  name: value  ; `millrace config example` shows every name";
constexpr std::string_view kNames = "`millrace config example` shows every name";

// FirstPlace is where a document begins.
struct FirstPlace : YAML::EventHandler {
  YAML::Mark place;
  void OnDocumentStart(const YAML::Mark& mark) override { place = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
  }
  void OnMapEnd() override {}
};

// Reader goes over the parsed text: a mapping of names to a value or to a list of values, and nothing deeper.
class Reader {
 public:
  explicit Reader(ConfigFile& file) : file_(file) {}

  void read() try {
    if (!is_text()) return;
    refuse_more();
    if (!file_.problems.empty()) return;
    const YAML::Node root = YAML::Load(file_.text);
    if (root.IsNull()) return;
    if (!root.IsMap())
      return wrong(root.Mark(), 1, "MR-CLI-0026", "the file is not a list of settings", kForm);
    for (const auto& pair : root) take(pair.first, pair.second);
  } catch (const YAML::Exception& problem) {
    wrong(problem.mark, 1, "MR-CLI-0026", "this is not YAML: " + problem.msg, kForm);
  }

 private:
  // What a YAML parser need not be bothered with, or would say less well.
  bool is_text() {
    if (!formats::is_utf8(file_.text) || file_.text.find('\0') != std::string::npos) {
      file_.problems.push_back(error(Code::kInvalid, "MR-CLI-0026", "the file is not a text in UTF-8"));
      return false;
    }
    YAML::Mark at;
    for (size_t start = 0; start < file_.text.size(); ++at.line) {
      const size_t indent = file_.text.find_first_not_of(' ', start);
      if (indent != std::string::npos && file_.text[indent] == '\t') {
        at.column = static_cast<int>(indent - start);
        wrong(at, 1, "MR-CLI-0026", "a tab stands where the line begins", "YAML takes spaces there");
        return false;
      }
      const size_t end = file_.text.find('\n', start);
      start = end == std::string::npos ? file_.text.size() : end + 1;
    }
    return true;
  }

  // Load() leaves what stands behind the first document alone, and LoadAll() never ends on some texts.
  void refuse_more() {
    std::istringstream in(file_.text);
    YAML::Parser parser(in);
    FirstPlace ignored, second;
    if (!parser.HandleNextDocument(ignored) || !parser.HandleNextDocument(second)) return;
    wrong(second.place, 1, "MR-CLI-0026", "something stands behind the settings", "one file is one document");
  }

  void take(const YAML::Node& key, const YAML::Node& value) {
    if (!key.IsScalar()) return wrong(key.Mark(), 1, "MR-CLI-0026", "this is no name of a setting", kForm);
    const std::string& name = key.Scalar();
    const Setting* setting = find_setting(name);
    if (setting == nullptr) return unknown(key);
    const auto same = [&](const ConfigEntry& entry) { return entry.name == name; };
    const auto before = std::find_if(file_.entries.begin(), file_.entries.end(), same);
    if (before != file_.entries.end()) {
      return wrong(key.Mark(), name.size(), "MR-CLI-0028",
                   fmt::format("{} stands here again; first in line {}", name, before->span.line),
                   "keep one of them");
    }
    ConfigEntry entry{name, {}, span_of(key.Mark(), name.size())};
    if (value.IsSequence() && takes_many(*setting)) {
      for (const auto& one : value) take_value(*setting, one, entry);
    } else {
      take_value(*setting, value, entry);
    }
    file_.entries.push_back(std::move(entry));
  }

  void take_value(const Setting& setting, const YAML::Node& value, ConfigEntry& entry) {
    const auto refuse = [&](const std::string& why) {
      wrong(value.Mark(), value.IsScalar() ? value.Scalar().size() : 1, "MR-CLI-0029",
            fmt::format("{}: {}", setting.name, why),
            fmt::format("for example  {}: {}", setting.name, setting.example));
    };
    if (value.IsNull()) return refuse("the value is missing");
    if (!value.IsScalar())
      return refuse(value.IsMap() ? "names with values do not belong here"
                                  : "it takes one value, not a list");
    if (!is_plain(value.Tag())) return refuse("the tag " + value.Tag() + " does not belong here");
    const std::string refused = refusal(setting, value.Scalar());
    refused.empty() ? entry.values.push_back(value.Scalar()) : refuse(refused);
  }

  static bool is_plain(const std::string& tag) { return tag.empty() || tag == "?" || tag == "!"; }

  void unknown(const YAML::Node& key) {
    std::vector<std::string> names;
    for (const auto& setting : settings()) names.emplace_back(setting.name);
    const std::string name = key.Scalar().substr(0, 100);
    std::string meant = name;
    std::replace(meant.begin(), meant.end(), '-', '_');
    const std::string close = find_setting(meant) == nullptr ? sql::did_you_mean(meant, names)
                                                             : fmt::format("did you mean \"{}\"?", meant);
    wrong(key.Mark(), key.Scalar().size(), "MR-CLI-0027", fmt::format("there is no setting \"{}\"", name),
          close.empty() ? kNames : close);
  }

  void wrong(const YAML::Mark& mark, size_t length, std::string_view id, std::string message,
             std::string_view hint) {
    if (file_.problems.size() >= kMaxProblems) return;
    Error problem = error(Code::kInvalid, id, std::move(message), std::string(hint));
    problem.span = span_of(mark, std::max<size_t>(length, 1));
    file_.problems.push_back(std::move(problem));
  }

  // The parser counts lines and bytes from 0; what has no place is -1.
  SourceSpan span_of(const YAML::Mark& mark, size_t length) const {
    const std::string_view text = file_.text;
    size_t start = 0;
    for (int line = 0; line < mark.line && start < text.size(); ++line) {
      const size_t end = text.find('\n', start);
      start = end == std::string_view::npos ? text.size() : end + 1;
    }
    const std::string_view before = text.substr(start, static_cast<size_t>(std::max(mark.column, 0)));
    const auto characters =
        std::count_if(before.begin(), before.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; });
    return {static_cast<uint32_t>(std::max(mark.line, 0) + 1), static_cast<uint32_t>(characters + 1),
            static_cast<uint32_t>(start + before.size()), static_cast<uint32_t>(length)};
  }

  ConfigFile& file_;
};

}  // namespace

ConfigFile parse_config(std::string path, std::string text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  ConfigFile file{std::move(path), std::move(text), {}, {}};
  Reader(file).read();
  return file;
}

Result<ConfigFile> read_config(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text;
  std::array<char, 4096> piece{};
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    text.append(piece.data(), static_cast<size_t>(in.gcount()));
    if (text.size() > kMaxConfigBytes) {
      return error(
          Code::kInvalid, "MR-CLI-0026",
          fmt::format("{} is no configuration: it has more than {} KiB", path, kMaxConfigBytes >> 10),
          "is it the right file?");
    }
  }
  if (!in.eof()) {
    return error(
        Code::kNotFound, "MR-CLI-0025",
        fmt::format("cannot read the configuration {}: {}", path, std::generic_category().message(errno)),
        "check the path and its rights");
  }
  return parse_config(path, std::move(text));
}

}  // namespace millrace::node
