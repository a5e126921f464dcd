#include "protobuf/internal/row_reader.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "base/bytes.h"
#include "event/small_decimal.h"
#include "event/text.h"
#include "protobuf/message_codec.h"

namespace millrace::protobuf {

namespace {

constexpr int kMostBytesOfTag = 5, kMostBytesOfSize = 5, kMostBytesOfNumber = 10;
// Those of Protobuf: the years 1 to 9999, which are ours, and ten thousand years.
constexpr int64_t kFirstSecond = kMinTimestamp / kMicrosPerSecond,
                  kLastSecond = kMaxTimestamp / kMicrosPerSecond;
constexpr int64_t kLongestSeconds = 315'576'000'000;
constexpr int32_t kMostNanos = 999'999'999;
// Of what names a field, in a message of a row: a few bytes can be in messages of long names, 64 in each other.
constexpr size_t kMostBytesOfField = 200;

[[gnu::noinline]] const char* long_varint(const char* p, const char* end, int bytes, uint64_t& out) {
  uint64_t bits = 0;
  for (int i = 0; i < bytes && p < end; ++i) {
    const auto byte = static_cast<uint8_t>(*p++);
    bits |= uint64_t{byte & 0x7Fu} << (7 * i);
    if (byte < 0x80) {
      out = bits;
      return p;
    }
  }
  return nullptr;
}

inline const char* varint(const char* p, const char* end, uint64_t& out) {
  if (p < end && static_cast<int8_t>(*p) >= 0) [[likely]] {
    out = static_cast<uint8_t>(*p);
    return p + 1;
  }
  return long_varint(p, end, kMostBytesOfNumber, out);
}

inline const char* read_tag(const char* p, const char* end, uint32_t& tag) {
  uint64_t bits = static_cast<uint8_t>(*p);
  if (bits >= 0x80) [[unlikely]] {
    if ((p = long_varint(p, end, kMostBytesOfTag, bits)) == nullptr) return nullptr;
    tag = static_cast<uint32_t>(bits);
    return tag >> 3 == 0 ? nullptr : p;
  }
  tag = static_cast<uint32_t>(bits);
  return tag >> 3 == 0 ? nullptr : p + 1;
}

inline const char* read_bytes(const char* p, const char* end, std::string_view& out) {
  uint64_t size = 0;
  if (p < end && static_cast<int8_t>(*p) >= 0) [[likely]]
    size = static_cast<uint8_t>(*p++);
  else if ((p = long_varint(p, end, kMostBytesOfSize, size)) == nullptr)
    return nullptr;
  if (size > static_cast<size_t>(end - p)) return nullptr;
  out = {p, static_cast<size_t>(size)};
  return p + size;
}

template <typename T>
inline const char* fixed(const char* p, const char* end, T& out) {
  if (static_cast<size_t>(end - p) < sizeof out) return nullptr;
  out = load_le<T>(p);
  return p + sizeof out;
}

int32_t unzigzag32(uint64_t bits) {
  const auto word = static_cast<uint32_t>(bits);
  return static_cast<int32_t>(word >> 1) ^ -static_cast<int32_t>(word & 1);
}

}  // namespace

RowReader::RowReader(const ColumnProgram& program)
    : program_(program),
      targets_(program.columns.size()),
      parts_(program.clocks.size()),
      required_(program.required.size()),
      set_(program.oneofs) {}

void RowReader::begin(Batch& batch) {
  arena_ = batch.arena.get();
  for (size_t i = 0; i < targets_.size(); ++i) {
    Column& column = batch.columns[i];
    targets_[i].valid = column.valid.data();
    switch (physical(column.type)) {
      case Physical::kBoolean:
        targets_[i].values = column.booleans.data();
        break;
      case Physical::kInteger:
        targets_[i].values = column.integers.data();
        break;
      case Physical::kDouble:
        targets_[i].values = column.doubles.data();
        break;
      case Physical::kInterval:
        targets_[i].values = column.intervals.data();
        break;
      default:
        targets_[i].values = column.texts.data();
    }
  }
}

bool RowReader::read(std::string_view payload, size_t row) {
  if (fault_.fault != Fault::kNone) [[unlikely]]
    fault_ = {};  // the last row's
  row_ = row;
  payload_ = payload.data();
  if (!required_.empty()) std::fill(required_.begin(), required_.end(), 0);
  if (!set_.empty()) std::fill(set_.begin(), set_.end(), -1);
  if (payload.size() > kMaxMessageBytes) [[unlikely]]
    return fail(Fault::kTooLong), false;
  // Where there are no bytes, the place where they end may be nullptr.
  if (!payload.empty() && fields(*program_.root, payload_, payload_ + payload.size(), 0, 1) == nullptr)
      [[unlikely]]
    return false;
  return finish();
}

const char* RowReader::fail(Fault fault) {
  if (fault_.fault == Fault::kNone) fault_.fault = fault;
  return nullptr;
}

const char* RowReader::fail_in(std::string_view name, uint32_t tag, const char* at) {
  if (fault_.at == std::string::npos) fault_.at = static_cast<size_t>(at - payload_);
  prepend(name.empty() ? std::string_view(fmt::format_int(tag >> 3).str()) : name);
  return fail(Fault::kMalformed);
}

// The innermost come first, and tell most.
void RowReader::prepend(std::string_view name) {
  constexpr std::string_view kLeftOut = "…";
  std::string& field = fault_.field;
  if (field.starts_with(kLeftOut)) return;
  if (field.empty()) {
    field = start_of(name, kMostBytesOfField);
    if (field.size() < name.size()) field += kLeftOut;
  } else {
    const bool fits = field.size() + name.size() < kMostBytesOfField;
    field.insert(0, fmt::format("{}.", fits ? name : kLeftOut));
  }
}

inline void RowReader::mark(const FieldOp& op) {
  if (op.has_presence) targets_[static_cast<size_t>(op.column)].valid[row_] = 1;
  if (op.oneof >= 0 || op.required >= 0) [[unlikely]]
    link(op);
}

void RowReader::link(const FieldOp& op) {
  if (op.required >= 0) required_[static_cast<size_t>(op.required)] = 1;
  if (op.oneof < 0) return;
  const int last = std::exchange(set_[static_cast<size_t>(op.oneof)], op.column);
  if (last >= 0 && last != op.column) targets_[static_cast<size_t>(last)].valid[row_] = 0;
}

[[gnu::always_inline]] inline const char* RowReader::text(const FieldOp& op, const char* p, const char* end) {
  std::string_view bytes;
  if ((p = read_bytes(p, end, bytes)) == nullptr) return nullptr;
  if (!google::protobuf::internal::IsStructurallyValidUTF8(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Fault::kText);
  if (op.column >= 0) slot<std::string_view>(op) = bytes;
  return p;
}

// In one piece with fields(): a call would take as long as a value.
[[gnu::always_inline]] inline const char* RowReader::field(const FieldOp& op, uint32_t tag, const char* p,
                                                           const char* end, int depth) {
  if (op.marks_first) mark(op);
  uint64_t bits = 0;
  uint32_t word = 0;
  std::string_view bytes;
  switch (op.code) {
    case OpCode::kBoolean:
      p = varint(p, end, bits);
      slot<uint8_t>(op) = bits != 0;
      return p;
    case OpCode::kInt32:
      p = varint(p, end, bits);
      slot<int64_t>(op) = static_cast<int32_t>(bits);
      return p;
    case OpCode::kUint32:
      p = varint(p, end, bits);
      slot<int64_t>(op) = static_cast<uint32_t>(bits);
      return p;
    case OpCode::kSint32:
      p = varint(p, end, bits);
      slot<int64_t>(op) = unzigzag32(bits);
      return p;
    case OpCode::kInt64:
      p = varint(p, end, bits);
      slot<int64_t>(op) = static_cast<int64_t>(bits);
      return p;
    case OpCode::kSint64:
      p = varint(p, end, bits);
      slot<int64_t>(op) = unzigzag(bits);
      return p;
    case OpCode::kFixed32:
      p = fixed(p, end, word);
      slot<int64_t>(op) = word;
      return p;
    case OpCode::kSfixed32:
      p = fixed(p, end, word);
      slot<int64_t>(op) = static_cast<int32_t>(word);
      return p;
    case OpCode::kFixed64:
      p = fixed(p, end, bits);
      slot<int64_t>(op) = static_cast<int64_t>(bits);
      return p;
    case OpCode::kFloat:
      p = fixed(p, end, word);
      slot<double>(op) = std::bit_cast<float>(word);
      return p;
    case OpCode::kDouble:
      p = fixed(p, end, bits);
      slot<double>(op) = std::bit_cast<double>(bits);
      return p;
    case OpCode::kNumeric:
      p = varint(p, end, bits);
      keep_number(op, bits);
      return p;
    case OpCode::kFixedNumeric:
      p = fixed(p, end, bits);
      keep_number(op, bits);
      return p;
    case OpCode::kText:
      return text(op, p, end);
    case OpCode::kBytes:
      p = read_bytes(p, end, bytes);
      slot<std::string_view>(op) = bytes;
      return p;
    case OpCode::kSymbol:
    case OpCode::kClosedSymbol:
      return symbol(op, p, end);
    case OpCode::kSeconds:
      p = varint(p, end, bits);
      parts_[static_cast<size_t>(op.column)].seconds = static_cast<int64_t>(bits);
      return p;
    case OpCode::kNanos:
      p = varint(p, end, bits);
      parts_[static_cast<size_t>(op.column)].nanos = static_cast<int32_t>(bits);
      return p;
    case OpCode::kMessage:
      return message(op, p, end, depth);
    case OpCode::kGroup:
      return group(*op.inner, tag, p, end, depth);
    case OpCode::kSkip:
      return skip(tag, p, end, depth);
    default:
      return packed(op.code, p, end);
  }
}

// Up to the end; a group's (`group` is its number) to its mark.
const char* RowReader::fields(const MessageTable& table, const char* p, const char* end, uint32_t group,
                              int depth) {
  while (p < end) {
    const char* at = p;
    uint32_t tag = 0;
    p = read_tag(p, end, tag);
    if (p == nullptr) [[unlikely]]
      return fail_in({}, tag, at);
    const FieldOp& op = table.find(tag);
    if (op.code == OpCode::kSkip && wire_type(tag) == WireType::kEndGroup) [[unlikely]]
      return tag >> 3 == group ? p : (fail(Fault::kGroup), fail_in({}, tag, at));
    p = field(op, tag, p, end, depth);
    if (p == nullptr) [[unlikely]]
      return fail_in(op.name, tag, at);
  }
  return group == 0 ? p : fail(Fault::kGroup);
}

[[gnu::noinline]] void RowReader::keep_number(const FieldOp& op, uint64_t number) {
  DecimalBuffer buffer;
  slot<std::string_view>(op) = arena_->keep(write_decimal(static_cast<__int128>(number), 0, buffer));
}

const char* RowReader::symbol(const FieldOp& op, const char* p, const char* end) {
  uint64_t bits = 0;
  if ((p = varint(p, end, bits)) == nullptr) return nullptr;
  const auto number = static_cast<int32_t>(bits);
  const std::string_view* name = op.symbols->find(number);
  if (op.code == OpCode::kClosedSymbol) {
    if (name == nullptr) return p;
    mark(op);
  }
  if (op.column >= 0)
    slot<std::string_view>(op) = name != nullptr ? *name : arena_->keep(fmt::format_int(number).str());
  return p;
}

// The first bytes of a message in this row: what they leave out has its default.
void RowReader::start(const FieldOp& op) {
  if (op.clock >= 0) {
    parts_[static_cast<size_t>(op.clock)] = {};
    return;
  }
  const auto column = static_cast<size_t>(op.column);
  switch (physical(program_.columns[column].type)) {
    case Physical::kBoolean:
      slot<uint8_t>(op) = 0;
      break;
    case Physical::kInteger:
      slot<int64_t>(op) = 0;
      break;
    case Physical::kDouble:
      slot<double>(op) = 0;
      break;
    default:
      slot<std::string_view>(op) = program_.initials[column].text;
  }
}

const char* RowReader::message(const FieldOp& op, const char* p, const char* end, int depth) {
  std::string_view bytes;
  if ((p = read_bytes(p, end, bytes)) == nullptr) return nullptr;
  if (depth == kMaxMessageDepth) return fail(Fault::kTooDeep);
  if (op.column >= 0 && !is_set(op.column)) start(op);
  mark(op);
  return fields(*op.inner, bytes.data(), p, 0, depth + 1);
}

const char* RowReader::group(const MessageTable& table, uint32_t tag, const char* p, const char* end,
                             int depth) {
  if (depth == kMaxMessageDepth) return fail(Fault::kTooDeep);
  return fields(table, p, end, tag >> 3, depth + 1);
}

const char* RowReader::skip(uint32_t tag, const char* p, const char* end, int depth) {
  uint64_t bits = 0;
  uint32_t word = 0;
  std::string_view bytes;
  switch (wire_type(tag)) {
    case WireType::kVarint:
      return varint(p, end, bits);
    case WireType::kFixed64:
      return fixed(p, end, bits);
    case WireType::kFixed32:
      return fixed(p, end, word);
    case WireType::kBytes:
      return read_bytes(p, end, bytes);
    case WireType::kGroup:
      return group(nothing_, tag, p, end, depth);
    default:
      return nullptr;
  }
}

const char* RowReader::packed(OpCode code, const char* p, const char* end) {
  std::string_view bytes;
  if ((p = read_bytes(p, end, bytes)) == nullptr) return nullptr;
  if (code != OpCode::kPackedVarints)
    return bytes.size() % (code == OpCode::kPacked32 ? 4 : 8) == 0 ? p : fail(Fault::kPacked);
  uint64_t bits = 0;
  for (const char* at = bytes.data(); at != p;)
    if ((at = varint(at, p, bits)) == nullptr) return fail(Fault::kPacked);
  return p;
}

// What is known once the row's last byte is read.
bool RowReader::finish() {
  for (size_t i = 0; i < parts_.size(); ++i)
    if (!finish_clock(program_.clocks[i], parts_[i])) return fail_row(Fault::kRange, program_.clocks[i].name);
  for (const Range& range : program_.ranges) {
    if (!is_set(range.column)) continue;
    const int64_t value =
        static_cast<const int64_t*>(targets_[static_cast<size_t>(range.column)].values)[row_];
    if (!range.bounds.holds(value)) return fail_row(Fault::kRange, range.name);
  }
  const auto missing = std::find(required_.begin(), required_.end(), 0);
  if (missing == required_.end()) return true;
  return fail_row(Fault::kRequired, program_.required[static_cast<size_t>(missing - required_.begin())]);
}

bool RowReader::finish_clock(const Clock& clock, const Parts& parts) {
  if (!is_set(clock.column)) return true;
  void* const values = targets_[static_cast<size_t>(clock.column)].values;
  const auto [seconds, nanos] = parts;
  const int64_t micros = nanos / 1'000;
  if (clock.is_interval) {
    const bool one_sign = seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0);
    if (!one_sign || seconds < -kLongestSeconds || seconds > kLongestSeconds || nanos < -kMostNanos ||
        nanos > kMostNanos)
      return false;
    static_cast<Interval*>(values)[row_] = {0, 0, seconds * 1'000'000 + micros};
    return true;
  }
  if (seconds < kFirstSecond || seconds > kLastSecond || nanos < 0 || nanos > kMostNanos) return false;
  static_cast<int64_t*>(values)[row_] = seconds * 1'000'000 + micros;
  return true;
}

bool RowReader::fail_row(Fault fault, std::string_view field) {
  fault_.fault = fault;
  prepend(field);
  return false;
}

}  // namespace millrace::protobuf
