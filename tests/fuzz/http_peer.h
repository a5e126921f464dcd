// A client of a whole HTTP connection in memory: the server's side is the real one, over a pair of sockets; its
// backend answers at once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::fuzz {

inline constexpr size_t kMostHead = 512;
inline constexpr size_t kMostBody = 2048;

// Sends the pieces one by one, then ends; answers what came back. Two things depend on when bytes arrive: interim
// answers (100) are left out, and a last answer that refuses the bytes as such is "refused", whatever its status.
// Afterwards nothing of the connection is left.
std::string serve(const std::vector<std::string_view>& pieces);

}  // namespace millrace::fuzz
