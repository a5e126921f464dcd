// to_char's formats of a timestamp, in UTC. Every format makes a text: what is no pattern stands for itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::engine {

// `zone`: what TZ stands for; empty if the timestamp has none.
void format_timestamp(int64_t timestamp, std::string_view zone, std::string_view format, std::string& out);

}  // namespace millrace::engine
