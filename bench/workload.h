// What the cases have in common: the stream, the filter and the window that every latency case runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/bench.h"
#include "bench/server_process.h"
#include "fmt/format.h"

namespace millrace::bench {

inline constexpr int64_t kDisorderMs = 10;

inline std::string create_stream(const std::string& name, const std::string& more_options = "") {
  return fmt::format(
      "CREATE STREAM {} (due BIGINT, ts TIMESTAMPTZ, k TEXT, sel BIGINT, v DOUBLE PRECISION, "
      "WATERMARK FOR ts AS ts - INTERVAL '{} milliseconds') WITH (format = 'json', key = 'k', partitions = "
      "1{});\n",
      name, kDisorderMs, more_options);
}
inline std::string create_filter(const std::string& name, const std::string& from) {
  return fmt::format("CREATE STREAM {} AS SELECT due, ts, k, v FROM {} WHERE sel = 0;\n", name, from);
}
inline std::string create_window(const std::string& name, const std::string& from) {
  return fmt::format(
      "CREATE MATERIALIZED VIEW {} AS SELECT window_start, k, count(*) AS n, max(v) AS top FROM TUMBLE({}, "
      "ts, "
      "INTERVAL '1 second') GROUP BY window_start, k EMIT ON WINDOW CLOSE;\n",
      name, from);
}

inline Result<std::unique_ptr<ServerProcess>> start_node(const std::string& directory,
                                                         std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"serve", "--data", directory, "--http", "127.0.0.1:0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return ServerProcess::start(std::move(arguments), directory, 600);
}

inline Result<std::unique_ptr<ServerProcess>> start_floor(const std::string& directory) {
  return ServerProcess::start({"bench", "floor-server", "--directory", directory}, directory);
}

}  // namespace millrace::bench
