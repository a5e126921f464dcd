#include "protobuf/internal/message_bounds.h"

#include <fmt/format.h>

#include "protobuf/internal/message_table.h"
#include "protobuf/message_codec.h"

namespace millrace::protobuf {

namespace {

namespace pb = google::protobuf;

constexpr size_t kFieldWeight = 32;  // of an empty field: its default in JSON

Error refused(std::string what) {
  return error(Code::kInvalid, "MR-PROTO-0007",
               "the payload is not a message of the schema: " + std::move(what),
               "write it with the schema that its id names");
}

class Walker {
 public:
  Walker(std::string_view bytes, const pb::DescriptorPool& pool) : bytes_(bytes), pool_(pool) {}

  // Up to `end`; a group's fields (`group` is its number) end at its mark. `type` null: a group that the schema lacks.
  Status message(size_t end, const pb::Descriptor* type, int group, int depth) {
    if (depth > kMaxMessageDepth)
      return refused(fmt::format("it is nested more than {} deep", kMaxMessageDepth));
    weight_ += kFieldWeight * (type == nullptr ? 1 : 1 + type->field_count());
    if (weight_ > kMaxMessageWeight)
      return refused(fmt::format("it unfolds to more than {} bytes", kMaxMessageWeight));
    Any any;
    while (at_ < end) {
      TRY_ASSIGN(const uint64_t tag, varint(end));
      const auto wire = static_cast<WireType>(tag & 7);
      const uint64_t number = tag >> 3;
      if (number == 0 || number > pb::FieldDescriptor::kMaxNumber)
        return refused(place("a field has no number"));
      if (wire == WireType::kEndGroup) {
        if (static_cast<int>(number) == group) return unfold(any, type, depth);
        return refused(place("a group ends that did not begin"));
      }
      const auto* field = type == nullptr ? nullptr : type->FindFieldByNumber(static_cast<int>(number));
      TRY(value(wire, end, field, static_cast<int>(number), depth, any));
    }
    if (group != 0) return refused("a group has no end");
    return unfold(any, type, depth);
  }

 private:
  struct Any {
    std::string_view url, value;
  };

  std::string place(std::string_view what) const { return fmt::format("{} (byte {})", what, at_); }

  Result<uint64_t> varint(size_t end) {
    uint64_t out = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at_ == end) return refused(place("it is cut off"));
      const auto byte = static_cast<uint8_t>(bytes_[at_++]);
      out |= static_cast<uint64_t>(byte & 0x7F) << (shift % 64);
      if (byte < 0x80) return out;
    }
    return refused(place("a number has more than 10 bytes"));
  }

  Status skip(size_t size, size_t end) {
    if (size > end - at_) return refused(place("it is cut off"));
    at_ += size;
    return {};
  }

  Status value(WireType wire, size_t end, const pb::FieldDescriptor* field, int number, int depth, Any& any) {
    weight_ += kFieldWeight;
    switch (wire) {
      case WireType::kVarint: {
        TRY(varint(end));
        return {};
      }
      case WireType::kFixed64:
        return skip(8, end);
      case WireType::kFixed32:
        return skip(4, end);
      case WireType::kBytes:
        return bytes(end, field, depth, any);
      case WireType::kGroup: {
        const bool known = field != nullptr && field->type() == pb::FieldDescriptor::TYPE_GROUP;
        return message(end, known ? field->message_type() : nullptr, number, depth + 1);
      }
      default:
        return refused(place("a field has an unknown wire type"));
    }
  }

  Status bytes(size_t end, const pb::FieldDescriptor* field, int depth, Any& any) {
    TRY_ASSIGN(const uint64_t size, varint(end));
    if (size > end - at_) return refused(place("it is cut off"));
    if (field != nullptr && field->type() == pb::FieldDescriptor::TYPE_MESSAGE) {
      return message(at_ + size, field->message_type(), 0, depth + 1);
    }
    if (field != nullptr && field->is_packable()) weight_ += kFieldWeight * size;
    if (field != nullptr && field->containing_type()->full_name() == "google.protobuf.Any") {
      (field->number() == 1 ? any.url : any.value) = bytes_.substr(at_, size);
    }
    at_ += size;
    return {};
  }

  Status unfold(const Any& any, const pb::Descriptor* type, int depth) {
    if (type == nullptr || type->full_name() != "google.protobuf.Any") return {};
    const pb::Descriptor* inner =
        pool_.FindMessageTypeByName(std::string(any.url.substr(any.url.rfind('/') + 1)));
    if (inner == nullptr) return {};
    const size_t after = at_;
    at_ = static_cast<size_t>(any.value.data() - bytes_.data());
    if (any.value.empty()) at_ = after;
    TRY(message(at_ + any.value.size(), inner, 0, depth + 1));
    at_ = after;
    return {};
  }

  std::string_view bytes_;
  const pb::DescriptorPool& pool_;
  size_t at_ = 0;
  size_t weight_ = 0;
};

}  // namespace

Status check_message_bounds(std::string_view message, const pb::Descriptor& type,
                            const pb::DescriptorPool& pool) {
  if (message.size() > kMaxMessageBytes) {
    return refused(fmt::format("it has {} bytes, more than {}", message.size(), kMaxMessageBytes));
  }
  return Walker(message, pool).message(message.size(), &type, 0, 1);
}

}  // namespace millrace::protobuf
