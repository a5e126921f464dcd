// The lines that differ between two texts, as diff -u shows them.
#pragma once

#include <string>
#include <string_view>

namespace millrace::cli {

// Empty: they are the same. Beyond 4,000 lines that differ on a side all of these are shown as gone, and as new.
std::string line_diff(std::string_view before, std::string_view after, std::string_view before_name,
                      std::string_view after_name);

}  // namespace millrace::cli
