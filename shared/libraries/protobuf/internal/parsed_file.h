// ParsedFile: a schema's file with what it imports, as the library's descriptors.
//
// Owns: the pool; the descriptors live in it.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <memory>
#include <span>
#include <string_view>

#include "schema/schema.h"

namespace millrace::protobuf {

struct ParsedFile {
  google::protobuf::DescriptorPool pool;
  google::protobuf::FileDescriptorProto
      proto;  // as it was written: names not resolved, options not interpreted
  bool has_syntax = false;
  const google::protobuf::FileDescriptor* file = nullptr;

  explicit ParsedFile(const google::protobuf::DescriptorPool& underlay) : pool(&underlay) {}
};

Result<std::unique_ptr<ParsedFile>> parse_file(std::string_view text,
                                               std::span<const schema::NamedSchema> references);

}  // namespace millrace::protobuf
