#include "sql/errors.h"

#include <algorithm>
#include <numeric>

namespace millrace::sql {
namespace {

constexpr size_t kMaxCompared = 64;  // bytes of a name; names are at most 63

// Edit distance with neighbours swapped as one mistake. Source: Damerau, 1964, in the "optimal string
// alignment" form.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replace, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

std::vector<std::string> close_names(std::string_view name, const std::vector<std::string>& candidates) {
  std::vector<std::pair<size_t, std::string>> found;
  if (name.empty() || name.size() > kMaxCompared) return {};
  const std::string wanted = lower(name);
  const size_t allowed = std::max<size_t>(1, name.size() / 3);
  for (const auto& candidate : candidates) {
    if (candidate.size() > kMaxCompared || candidate == name) continue;
    const size_t distance = edit_distance(wanted, lower(candidate));
    if (distance <= allowed) found.emplace_back(distance, candidate);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (const auto& [distance, candidate] : found) {
    if (names.size() < 3 && (names.empty() || names.back() != candidate)) names.push_back(candidate);
  }
  return names;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const auto names = close_names(name, candidates);
  if (names.empty()) return {};
  std::string out = "did you mean ";
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += '"' + names[i] + '"';
  }
  return out + "?";
}

std::string list_names(const std::vector<std::string>& names) {
  constexpr size_t kShown = 12;
  std::string out;
  for (size_t i = 0; i < names.size() && i < kShown; ++i) out += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kShown) out += ", …";
  return out;
}

}  // namespace millrace::sql
