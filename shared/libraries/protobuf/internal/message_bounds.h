// What is checked of a payload before it is unfolded: that it is well-formed, how deep it goes, also through groups and
// Any, and how much it becomes. Two bytes can stand for a message of a hundred fields.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string_view>

#include "base/result.h"

namespace millrace::protobuf {

Status check_message_bounds(std::string_view message, const google::protobuf::Descriptor& type,
                            const google::protobuf::DescriptorPool& pool);

}  // namespace millrace::protobuf
