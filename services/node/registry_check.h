// What a restored schema registry is held to.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "node/node.h"

namespace millrace::cli {

// Reads all of the data directory's registry.db. MR-NODE-0030: a schema that a stream names is not in it, and was not deleted
// for good either, or cannot be used any more.
Status check_registry(Files& files, const std::string& data, const std::vector<node::NamedSchema>& named);

}  // namespace millrace::cli
