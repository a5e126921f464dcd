// DemoServer: a server of this binary's own for the time of a demo, with its data in a temporary directory.
//
// Owns: the process and the directory; both end with it. Ctrl-C does not reach the process.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace millrace::cli {

class DemoServer {
 public:
  static Result<std::unique_ptr<DemoServer>> start(const std::string& address);  // HOST:PORT
  DemoServer(const DemoServer&) = delete;
  DemoServer& operator=(const DemoServer&) = delete;
  ~DemoServer();

  bool has_ended();
  bool listens() const;
  Error failure() const;  // the end of what it said
  const std::string& directory() const { return directory_; }

 private:
  explicit DemoServer(std::string directory) : directory_(std::move(directory)) {}
  const std::string directory_;
  pid_t process_ = -1;
};

}  // namespace millrace::cli
