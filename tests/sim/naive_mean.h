// The mean of whole numbers, to as many digits as PostgreSQL's numeric division gives.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::sim {

// As JSON's readers show the number: with as many digits as a double has.
std::string naive_mean(int64_t sum, int64_t count);

}  // namespace millrace::sim
