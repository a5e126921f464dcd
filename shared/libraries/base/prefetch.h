// prefetch_line: asks the caches for the line that holds a byte.
//
// By assembler: GCC 12 takes a function that does nothing but __builtin_prefetch for one without effects, and leaves its
// calls out.
#pragma once

namespace millrace {

inline void prefetch_line(const void* at) {
  asm volatile("prefetcht0 %0" : : "m"(*static_cast<const char*>(at)));
}

}  // namespace millrace
