// CSV as RFC 4180 has it: what holds a comma, a quote or a line break stands in quotes.
#pragma once

#include <string>
#include <vector>

namespace millrace::cli {

std::string csv_line(const std::vector<std::string>& fields);  // with its line end

}  // namespace millrace::cli
