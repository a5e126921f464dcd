// The .proto files that are there without being referred to.
#pragma once

#include <google/protobuf/descriptor.h>

namespace millrace::protobuf {

// Built once, then never changed: the pools of schemas lie on it.
const google::protobuf::DescriptorPool& builtin_files();

}  // namespace millrace::protobuf
