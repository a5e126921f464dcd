// Any bytes as a configuration file. Every mistake has a place inside the text and can be shown; what is taken, its setting
// takes.
#include <cstdint>

#include "node/config_file.h"
#include "node/setting.h"
#include "sql/sql.h"
#include "tests/fuzz/require.h"

using namespace millrace;        // NOLINT
using namespace millrace::node;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = parse_config("f.yaml", std::string(reinterpret_cast<const char*>(data), size));
  fuzz::require(file.problems.size() <= kMaxProblems, "mistakes are bounded");
  for (const auto& problem : file.problems) {
    fuzz::require(!problem.span || problem.span->offset <= file.text.size(), "a place is inside the text",
                  problem.message);
    fuzz::require(!sql::render_error(problem, file.text).empty(), "a mistake can be shown");
  }
  ServeOptions options;
  for (const auto& entry : file.entries) {
    const Setting* setting = find_setting(entry.name);
    fuzz::require(setting != nullptr, "a name is a setting's", entry.name);
    fuzz::require(assign(*setting, entry.values, options).empty(), "a value is one of its setting",
                  entry.name);
  }
  return 0;
}
