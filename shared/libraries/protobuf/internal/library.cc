#include "protobuf/internal/library.h"

#include <google/protobuf/stubs/logging.h>

namespace millrace::protobuf {

void silence_library() {
  [[maybe_unused]] static const bool once = [] {
    google::protobuf::SetLogHandler(nullptr);
    return true;
  }();
}

Error library_failed(const std::exception& failure) {
  return error(Code::kInternal, "MR-PROTO-0009",
               std::string("the Protobuf library gave up: ") + failure.what(),
               "report it with the schema and the data");
}

}  // namespace millrace::protobuf
