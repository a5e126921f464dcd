// libprotobuf, kept quiet: it logs to nobody, and what it throws at a failed check of its own is an error.
#pragma once

#include <exception>
#include <utility>

#include "base/result.h"

namespace millrace::protobuf {

void silence_library();
Error library_failed(const std::exception& failure);

template <typename Work>
auto guarded(Work&& work) -> decltype(work()) {
  silence_library();
  try {
    return std::forward<Work>(work)();
  } catch (const std::exception& failure) {
    return library_failed(failure);
  }
}

}  // namespace millrace::protobuf
