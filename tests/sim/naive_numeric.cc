#include "tests/sim/naive_numeric.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace millrace::sim {
namespace {

// PostgreSQL counts in groups of four digits.
struct Leading {
  int groups = 0;
  int64_t first = 0;
};
Leading leading(int64_t value) {
  Leading out{1, value};
  for (; out.first >= 10'000; out.first /= 10'000) ++out.groups;
  return out;
}

int scale_of(int64_t sum, int64_t count) {
  const Leading a = leading(sum);
  const Leading b = leading(count);
  const int weight = a.groups - b.groups - (a.first <= b.first ? 1 : 0);
  return std::max(16 - 4 * weight, 0);
}

}  // namespace

std::string naive_numeric(const std::string& digits) {
  return nlohmann::json::parse(digits).dump();
}

std::string naive_mean(int64_t sum, int64_t count) {
  if (sum == 0) return "0";
  const int scale = scale_of(std::abs(sum), count);
  __int128 scaled = std::abs(sum);
  for (int i = 0; i < scale; ++i) scaled *= 10;
  __int128 rest = (scaled + count / 2) / count;  // rounded, halves up
  std::string digits;
  for (int i = 0; rest > 0 || i <= scale; ++i, rest /= 10) {
    if (i == scale && scale > 0) digits += '.';
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  }
  std::reverse(digits.begin(), digits.end());
  if (digits.find('.') != std::string::npos) {
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
  }
  return naive_numeric((sum < 0 ? "-" : "") + digits);
}

}  // namespace millrace::sim
