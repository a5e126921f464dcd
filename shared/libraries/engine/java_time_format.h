// JavaTimeFormat: a format of Flink's DATE_FORMAT, which is one of Java: yyyy-MM-dd HH:mm:ss.
#pragma once

#include <string>
#include <string_view>

#include "engine/time_format.h"

namespace millrace::engine {

class JavaTimeFormat {
 public:
  explicit JavaTimeFormat(std::string_view format);
  const std::string& format() const { return times_.format(); }
  const std::string& error() const { return error_; }  // empty: none
  const std::string& text_of(int64_t timestamp) { return times_.text_of(timestamp, "UTC"); }

 private:
  std::string error_;
  TimeFormat times_;
};

}  // namespace millrace::engine
