// Comparison: two files' descriptors, compared message by message.
//
// A pair of messages is compared once, whatever leads to it. Whether a field's type changed depends on the pair that its
// type is, and pairs may lead to each other: each is held to be compatible until something in it or behind it is not.
#pragma once

#include <google/protobuf/descriptor.h>

#include <deque>
#include <map>
#include <set>
#include <string>

#include "protobuf/differences.h"

namespace millrace::protobuf {

class Comparison {
  static constexpr size_t kBytesAPart = 64;

 public:
  Comparison(const google::protobuf::FileDescriptor& reader, const google::protobuf::FileDescriptor& writer)
      : reader_(reader), writer_(writer) {}
  Result<std::vector<Difference>> run();

 private:
  using File = google::protobuf::FileDescriptor;
  using Message = google::protobuf::Descriptor;
  using Field = google::protobuf::FieldDescriptor;
  using Oneof = google::protobuf::OneofDescriptor;
  using Enum = google::protobuf::EnumDescriptor;
  struct Pair;
  // A field whose type is a message that is compared for itself.
  struct Use {
    size_t pair;  // that has the field
    std::string path;
  };
  struct Pair {
    const Message *reader = nullptr, *writer = nullptr;
    std::vector<Difference> found;
    std::vector<Use> uses;
    bool told = false;  // to its uses, that it is incompatible
  };

  void add(DifferenceType type, const std::string& path) {
    spend_on(path);
    pairs_[now_].found.push_back({type, path});
  }
  void spend(size_t parts) { parts_ += parts; }
  void spend_on(const std::string& path) { spend(1 + path.size() / kBytesAPart); }
  bool exhausted() const { return parts_ > kMaxComparedParts; }

  template <typename Parent>
  void compare_types(const Parent& reader, const Parent& writer, const std::string& path);
  void compare_enums(const Enum& reader, const Enum& writer, const std::string& path);
  void compare_messages(const Message& reader, const Message& writer, const std::string& path);
  void compare_oneofs(const Message& reader, const Message& writer, const std::string& path);
  void compare_fields(const Message& reader, const Message& writer, const std::string& path);
  bool is_read(const Oneof& oneof, const Message& reader, const std::set<std::string>& names);
  // The writer's oneofs that the reader has nothing of.
  std::set<const Oneof*> oneofs_gone(const Message& reader, const Message& writer);
  void removed_field(const Field& field, const std::set<const Oneof*>& gone, const std::string& path);
  void added_field(const Field& field, const std::string& path);
  void compare_field(const Field& reader, const Field& writer, const std::string& path, bool with_labels);
  void compare_scalars(const Field& reader, const Field& writer, const std::string& path, bool with_labels);
  void compare_message_types(const Message& reader, const Message& writer, const std::string& path);
  void spread();

  const File &reader_, &writer_;
  size_t parts_ = 0;
  size_t now_ = 0;
  std::deque<Pair> pairs_;  // the first: the files themselves
  std::map<std::pair<const Message*, const Message*>, size_t> known_;
};

}  // namespace millrace::protobuf
