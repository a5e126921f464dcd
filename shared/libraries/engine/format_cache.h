// FormatCache: an evaluation's formats, taken apart. A call's rows come one behind the other and a format is the same for
// all of them nearly always, so the last one of each kind is enough.
#pragma once

#include <memory>
#include <string_view>

#include "engine/java_time_format.h"
#include "engine/number_format.h"
#include "engine/time_format.h"
#include "engine/time_reader.h"

namespace millrace::engine {

template <typename Format>
class LastFormat {
 public:
  Format& find(std::string_view format) {  // valid until the next call
    if (!last_ || last_->format() != format) last_ = std::make_unique<Format>(format);
    return *last_;
  }

 private:
  std::unique_ptr<Format> last_;
};

struct FormatCache {
  LastFormat<TimeFormat> times;
  LastFormat<JavaTimeFormat> java_times;
  LastFormat<TimeReader> readers;
  LastFormat<NumberFormat> numbers;
};

}  // namespace millrace::engine
