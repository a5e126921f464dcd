// A .proto text of a file as it was parsed: one layout for all, without comments.
#pragma once

#include <google/protobuf/descriptor.pb.h>

#include <string>

namespace millrace::protobuf {

std::string print(const google::protobuf::FileDescriptorProto& file, bool has_syntax);

}  // namespace millrace::protobuf
