// CRC-32C (Castagnoli), by the SSE4.2 instruction on three interleaved lanes, joined by table look-ups.
// Source: V. Gopal et al., "Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction", Intel, 2011.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace {

// Extends `crc` (0 to start) by the bytes: crc32c(crc32c(0, a), b) == crc32c(0, ab).
uint32_t crc32c(uint32_t crc, std::string_view bytes);

}  // namespace millrace
