// Usage: how much a registry holds, for whoever shows it while the registry works.
//
// Threads: any; one writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace millrace::registry {

// Soft-deleted ones count.
struct TenantUsage {
  size_t subjects = 0, versions = 0, schemas = 0;

  void add(const TenantUsage& other) {
    subjects += other.subjects;
    versions += other.versions;
    schemas += other.schemas;
  }
};

class Usage {
 public:
  struct Numbers {
    std::map<std::string, TenantUsage> tenants;
    size_t parsed_bytes = 0;  // of the texts of schemas that are kept parsed, with all that they refer to
    uint64_t store_failures = 0;
  };

  void set(const std::string& tenant, const TenantUsage& usage) {
    const std::lock_guard hold(mutex_);
    numbers_.tenants[tenant] = usage;
  }
  void set_parsed_bytes(size_t bytes) {
    const std::lock_guard hold(mutex_);
    numbers_.parsed_bytes = bytes;
  }
  void count_store_failure() {
    const std::lock_guard hold(mutex_);
    ++numbers_.store_failures;
  }
  Numbers numbers() const {
    const std::lock_guard hold(mutex_);
    return numbers_;
  }

 private:
  mutable std::mutex mutex_;
  Numbers numbers_;
};

}  // namespace millrace::registry
