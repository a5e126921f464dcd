// A file in its normal form: what has an order for people alone is sorted, names of types are in full.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

namespace millrace::protobuf {

// `proto` as it was written, `file` what it became.
google::protobuf::FileDescriptorProto normal_form(google::protobuf::FileDescriptorProto proto,
                                                  const google::protobuf::FileDescriptor& file);
google::protobuf::FileDescriptorProto without_custom_options(google::protobuf::FileDescriptorProto proto);

}  // namespace millrace::protobuf
