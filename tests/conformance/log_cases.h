// What log/log.h promises, as cases: each leads a fresh log through some life; an error says which promise was
// broken.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "tests/conformance/log_subject.h"

namespace millrace::conformance {

struct LogCase {
  const char* name;
  uint64_t seeds;
  Status (*run)(LogSubject& subject, uint64_t seed);
};

const std::vector<LogCase>& log_cases();

}  // namespace millrace::conformance
