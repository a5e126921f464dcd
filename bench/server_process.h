// ServerProcess: the server under test, this binary again in a process of its own.
//
// Owns: the child (killed with the object) and nothing of its directory. Also scratch directories and the
//       machine's facts that the reports need.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace millrace::bench {

class ServerProcess {
 public:
  // Starts `millrace ARGUMENTS…`; it has to write directory/http.port. Waits until /readyz says so.
  static Result<std::unique_ptr<ServerProcess>> start(std::vector<std::string> arguments,
                                                      const std::string& directory,
                                                      double ready_within_s = 60);
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  uint16_t port() const { return port_; }
  double ready_ms() const { return ready_ms_; }  // from the start of the process to the first good /readyz
  double rss_mb() const;
  double cpu_seconds() const;
  void kill_hard();  // SIGKILL
  Status stop();     // SIGTERM, and waits
  Status sql(const std::string& text, const std::string& token = {}) const;
  Result<std::string> metrics(const std::string& token = {}) const;
  int pid() const { return pid_; }

 private:
  ServerProcess() = default;
  Status wait_ready(const std::string& directory, double within_s, int64_t started);
  bool has_ended();
  int pid_ = -1;
  uint16_t port_ = 0;
  double ready_ms_ = 0;
  std::string log_;
};

// What of a process is in memory, in MB.
double resident_mb(int pid);

// The value of one line of Prometheus text, `name` with its labels as written; the sum over all labels if it
// has none.
double metric_value(const std::string& metrics, const std::string& name, double missing = -1);

// A directory that is removed with the object.
class Scratch {
 public:
  static Result<Scratch> make(const std::string& parent, const std::string& name);
  Scratch(Scratch&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();
  const std::string& path() const { return path_; }
  double free_gb() const;

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace millrace::bench
