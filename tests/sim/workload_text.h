// What the parts of the workload share.
#pragma once

#include <cstdio>
#include <string>

#include "base/result.h"

namespace millrace::sim {

template <typename T>
T must(Result<T> result, const std::string& sql) {
  if (!result.ok()) std::fprintf(stderr, "%s\n  in: %s\n", result.error().to_string().c_str(), sql.c_str());
  CHECK(result.ok(), "the workload writes SQL that the parser reads");
  return std::move(result).value();
}

}  // namespace millrace::sim
