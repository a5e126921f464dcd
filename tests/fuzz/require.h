// require: a rule that must hold for every input; libFuzzer takes the abort for a find and keeps the input.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace millrace::fuzz {

inline void require(bool holds, const char* rule, const std::string& seen = {}) {
  if (holds) return;
  std::fprintf(stderr, "broken rule: %s: %s\n", rule, seen.c_str());
  std::abort();
}

}  // namespace millrace::fuzz
