// KeyHash: for tables whose keys come from clients, who must not be able to choose which of them collide.
// Private to engine/.
#pragma once

#include <string_view>

#include "base/hash.h"

namespace millrace::engine {

struct KeyHash {
  using is_transparent = void;
  size_t operator()(std::string_view key) const { return seeded_hash(key, process_hash_seed()); }
};

}  // namespace millrace::engine
