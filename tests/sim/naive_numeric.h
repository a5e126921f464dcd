// Numerics as the oracle has them: as JSON's readers show them, with as many digits as a double has.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::sim {

std::string naive_numeric(const std::string& digits);
// The mean of whole numbers, to as many digits as PostgreSQL's numeric division gives.
std::string naive_mean(int64_t sum, int64_t count);

}  // namespace millrace::sim
