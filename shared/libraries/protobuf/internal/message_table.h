// MessageTable: what is done with the fields of a message, found by their tags.
//
// Why: which column and which check a field has is known before any payload comes.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::protobuf {

enum class WireType : uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5
};
inline WireType wire_type(uint32_t tag) {
  return static_cast<WireType>(tag & 7);
}
inline uint32_t tag_of(int number, WireType wire) {
  return static_cast<uint32_t>(number) << 3 | static_cast<uint32_t>(wire);
}

// What is done with a field's bytes.
enum class OpCode : uint8_t {
  kSkip,  // by its wire type
  kBoolean,
  kInt32,
  kUint32,
  kSint32,
  kInt64,  // and uint64, its bits
  kSint64,
  kFixed32,
  kSfixed32,
  kFixed64,
  kFloat,
  kDouble,
  kNumeric,
  kFixedNumeric,
  kText,
  kBytes,
  kSymbol,
  kClosedSymbol,  // a number without a name is no value
  kSeconds,
  kNanos,
  kMessage,
  kGroup,
  kPackedVarints,
  kPacked32,
  kPacked64
};

// The names of an enum's numbers.
class Symbols {
 public:
  explicit Symbols(
      std::vector<std::pair<int32_t, std::string_view>> names);  // of two for a number the first counts
  const std::string_view* find(int32_t number) const {
    if (static_cast<uint32_t>(number) < small_.size()) [[likely]]
      return small_[static_cast<size_t>(number)].data() == nullptr ? nullptr
                                                                   : &small_[static_cast<size_t>(number)];
    return search(number);
  }

 private:
  const std::string_view* search(int32_t number) const;
  std::vector<std::string_view> small_;
  std::vector<std::pair<int32_t, std::string_view>> names_;  // ascending
};

class MessageTable;

struct FieldOp {
  OpCode code = OpCode::kSkip;
  bool has_presence = false;  // that it is set is kept in the column
  bool marks_first = false;   // that, its oneof and that it was there, before its value is known
  int16_t column = -1;        // of kSeconds and kNanos: the clock
  int16_t clock = -1;         // of a Timestamp or Duration
  int16_t oneof = -1;
  int32_t required = -1;
  const MessageTable* inner = nullptr;
  const Symbols* symbols = nullptr;
  std::string_view name;
};

class MessageTable {
 public:
  MessageTable() : ops_(1) {}
  void add(uint32_t tag, FieldOp op);  // each tag once; at most UINT16_MAX of them, else CHECK
  void close();                        // after the last add()

  // kSkip for what it does not have.
  const FieldOp& find(uint32_t tag) const {
    if (tag < small_.size()) [[likely]]
      return ops_[small_[tag]];
    return search(tag);
  }

 private:
  const FieldOp& search(uint32_t tag) const;
  std::vector<FieldOp> ops_;                          // the first: kSkip
  std::vector<uint16_t> small_;                       // by tag, of ops_
  std::vector<std::pair<uint32_t, uint16_t>> large_;  // tags ascending, of ops_
};

}  // namespace millrace::protobuf
