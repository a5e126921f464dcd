// ConfigFile: a configuration file's settings, and everything that is wrong with it, by line and column.
//
// The file is YAML, and flat:  max_body_mb: 8   allow_host: [a.example.com, b.example.com]
// Tags, deeper values and a second document are refused. An alias stands for one value, so it cannot multiply.
// Bounds: kMaxConfigBytes; the first kMaxProblems are told.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace millrace::node {

inline constexpr size_t kMaxConfigBytes = 256u << 10;
inline constexpr size_t kMaxProblems = 20;

struct ConfigEntry {
  std::string name;
  std::vector<std::string> values;
  SourceSpan span;  // of the name
};

struct ConfigFile {
  std::string path;
  std::string text;
  std::vector<ConfigEntry> entries;  // good ones only
  std::vector<Error> problems;       // MR-CLI-0026 to MR-CLI-0029
};

ConfigFile parse_config(std::string path, std::string text);
// MR-CLI-0025 it cannot be read, MR-CLI-0026 it is too large.
Result<ConfigFile> read_config(const std::string& path);

}  // namespace millrace::node
