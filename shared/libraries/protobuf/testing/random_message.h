// Random values for a message's fields, by libprotobuf's reflection.
#pragma once

#include <string_view>

#include "base/random.h"

namespace google::protobuf {
class Message;
}

namespace millrace::protobuf {

std::string_view random_scalar(Random& random);  // the name of a type: sint32

// Three of four fields are set; messages in each other end after a few.
void fill(Random& random, google::protobuf::Message& message);

}  // namespace millrace::protobuf
