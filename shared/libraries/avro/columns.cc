#include "avro/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "avro/column_program.h"
#include "avro/datum_skip.h"
#include "avro/datum_text.h"
#include "avro/utf8.h"
#include "base/bytes.h"

namespace millrace::avro {

namespace {

enum class Fault : uint8_t { kNone, kCutOff, kNotThere, kRange, kText, kUnfit, kTooMuch };

// Takes values off the front of a record's bytes.
struct Cursor {
  const char* p;
  const char* end;

  bool varint(int64_t& value) {
    if (p != end && static_cast<signed char>(*p) >= 0) [[likely]] {
      value = unzigzag(static_cast<unsigned char>(*p++));
      return true;
    }
    return long_varint(value);
  }
  bool long_varint(int64_t& value) {
    uint64_t bits = 0;
    for (int shift = 0; shift < 64 && p != end; shift += 7) {
      const auto byte = static_cast<unsigned char>(*p++);
      bits |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value = unzigzag(bits), true;
    }
    return false;
  }
  bool bytes(size_t size, std::string_view& out) {
    if (size > static_cast<size_t>(end - p)) return false;
    out = std::string_view(p, size);
    p += size;
    return true;
  }
  bool sized(std::string_view& out) {
    int64_t size = 0;
    return varint(size) && size >= 0 && bytes(static_cast<size_t>(size), out);
  }
};

bool is_ascii(std::string_view text) {
  const char* p = text.data();
  size_t left = text.size();
  uint64_t high = 0;
  for (; left >= 8; left -= 8, p += 8) high |= load_le<uint64_t>(p);
  for (; left > 0; --left, ++p) high |= static_cast<unsigned char>(*p);
  return (high & 0x8080808080808080) == 0;
}
bool is_text(std::string_view bytes) {
  return is_ascii(bytes) || is_utf8(bytes);
}

std::pair<std::string_view, std::string> fault_text(Fault fault, std::string_view field) {
  const auto of = [&](std::string_view what) { return fmt::format("the field \"{}\": {}", field, what); };
  switch (fault) {
    case Fault::kCutOff:
      return {"MR-AVRO-0011", of("the value is cut off, or a number or length cannot be")};
    case Fault::kNotThere:
      return {"MR-AVRO-0011", of("there is no such branch, symbol or boolean")};
    case Fault::kRange:
      return {"MR-AVRO-0011", of("the value is out of its range")};
    case Fault::kText:
      return {"MR-AVRO-0011", of("a string is not UTF-8, or no uuid")};
    case Fault::kTooMuch:
      return {"MR-AVRO-0012", of("too many parts or levels")};
    default:
      return {"MR-AVRO-0013", of("what was written does not fit the reader's type")};
  }
}

constexpr size_t kShareOfRow = 1024, kShareOfByte = 16;  // values that nobody reads

}  // namespace

struct ColumnReader::Impl {
  std::shared_ptr<const Resolution> resolution;
  millrace::Schema columns;
  std::vector<ColumnOp> ops;

  Arena* arena = nullptr;  // of the batch that is being filled
  std::vector<Column>* out = nullptr;
  std::string scratch;
  size_t skipped = 0;  // values that nobody reads, of kMaxDatumValues
  size_t spare = 0;    // what rows of this call may still skip beyond their share

  // Items without bytes cost a writer nothing: each row skips its share, and all rows of a call together so much more.
  Fault row(Cursor in, size_t row, std::string_view& field) {
    const size_t share = kShareOfRow + kShareOfByte * static_cast<size_t>(in.end - in.p);
    const size_t before = kMaxDatumValues - std::min(kMaxDatumValues, share + spare);
    skipped = before;
    const Fault fault = values(in, row, field);
    const size_t used = skipped - before;
    spare -= std::min(spare, used - std::min(used, share));
    return fault;
  }

  Fault values(Cursor in, size_t row, std::string_view& field) {
    for (const ColumnOp& op : ops) {
      Cursor constant{op.constant.data(), op.constant.data() + op.constant.size()};
      if (const Fault fault = run(op, op.missing ? constant : in, row); fault != Fault::kNone) [[unlikely]] {
        field = op.field;
        return fault;
      }
    }
    field = "the last";
    return in.p == in.end ? Fault::kNone : Fault::kCutOff;
  }

  Fault run(const ColumnOp& op, Cursor& in, size_t row) {
    switch (op.code) {
      case OpCode::kSkip:
        return skip(op, in);
      case OpCode::kNull:
        return Fault::kNone;
      case OpCode::kBranches: {
        int64_t branch = 0;
        if (!in.varint(branch)) return Fault::kCutOff;
        if (static_cast<uint64_t>(branch) >= op.branches.size()) return Fault::kNotThere;
        return run(op.branches[static_cast<size_t>(branch)], in, row);
      }
      default:
        break;
    }
    Column& column = (*out)[static_cast<size_t>(op.column)];
    const Fault fault = value(op, in, column, row);
    column.valid[row] = 1;
    return fault;
  }

  Fault skip(const ColumnOp& op, Cursor& in) {
    if (op.step != nullptr) return Fault::kUnfit;
    ByteReader rest(std::string_view(in.p, static_cast<size_t>(in.end - in.p)));
    const Skipped done = skip_value(rest, *op.node, skipped, 1);
    if (done == Skipped::kTooMuch) return Fault::kTooMuch;
    if (done == Skipped::kMalformed) return Fault::kCutOff;
    in.p = in.end - rest.left();
    return Fault::kNone;
  }

  Fault value(const ColumnOp& op, Cursor& in, Column& column, size_t row) {
    std::string_view bytes;
    switch (op.code) {
      case OpCode::kBoolean:
        if (!in.bytes(1, bytes)) return Fault::kCutOff;
        column.booleans[row] = static_cast<uint8_t>(bytes[0]);
        return static_cast<uint8_t>(bytes[0]) > 1 ? Fault::kNotThere : Fault::kNone;
      case OpCode::kInteger:
      case OpCode::kClock:
      case OpCode::kIntegerReal:
        return integer(op, in, column, row);
      case OpCode::kFloat:
        if (!in.bytes(4, bytes)) return Fault::kCutOff;
        column.doubles[row] = std::bit_cast<float>(load_le<uint32_t>(bytes.data()));
        return Fault::kNone;
      case OpCode::kDouble:
        if (!in.bytes(8, bytes)) return Fault::kCutOff;
        column.doubles[row] = std::bit_cast<double>(load_le<uint64_t>(bytes.data()));
        return Fault::kNone;
      case OpCode::kText:
        if (!in.sized(bytes)) return Fault::kCutOff;
        column.texts[row] = bytes;
        return is_text(bytes) ? Fault::kNone : Fault::kText;
      case OpCode::kBytes:
        return in.sized(column.texts[row]) ? Fault::kNone : Fault::kCutOff;
      case OpCode::kFixed:
        return in.bytes(op.size, column.texts[row]) ? Fault::kNone : Fault::kCutOff;
      case OpCode::kSymbol:
        return symbol(op, in, column, row);
      default:
        return composed(op, in, column, row);
    }
  }

  static Fault integer(const ColumnOp& op, Cursor& in, Column& column, size_t row) {
    int64_t number = 0;
    if (!in.varint(number)) return Fault::kCutOff;
    if (op.narrow && number != static_cast<int32_t>(number)) return Fault::kRange;
    if (op.code == OpCode::kIntegerReal) {
      column.doubles[row] = op.to_real ? static_cast<float>(number) : static_cast<double>(number);
      return Fault::kNone;
    }
    if (op.code == OpCode::kClock) {
      const auto kept = column_integer(*op.node, number);
      if (!kept) return Fault::kRange;
      number = *kept;
    }
    column.integers[row] = number;
    return Fault::kNone;
  }

  static Fault symbol(const ColumnOp& op, Cursor& in, Column& column, size_t row) {
    int64_t number = 0;
    if (!in.varint(number)) return Fault::kCutOff;
    if (static_cast<uint64_t>(number) >= op.step->symbols.size()) return Fault::kNotThere;
    const int32_t read = op.step->symbols[static_cast<size_t>(number)];
    if (read < 0) return Fault::kUnfit;
    column.texts[row] = op.node->symbols[static_cast<size_t>(read)];
    return Fault::kNone;
  }

  // What is kept in other bytes than those that were written.
  Fault composed(const ColumnOp& op, Cursor& in, Column& column, size_t row) {
    std::string_view bytes;
    const bool sized = op.code == OpCode::kDecimal || op.code == OpCode::kUuid;
    if (sized ? !in.sized(bytes) : !in.bytes(op.size, bytes)) return Fault::kCutOff;
    if (op.code == OpCode::kDuration) return duration(bytes, column.intervals[row]);
    if (op.code == OpCode::kUuid) return uuid(bytes, column.texts[row]);
    if (op.code == OpCode::kFixedUuid) {
      scratch.clear();
      append_logical(scratch, *op.node, bytes);
      column.texts[row] = arena->keep(std::string_view(scratch).substr(1, 36));
      return Fault::kNone;
    }
    const auto kept = column_decimal(*op.node, bytes);
    if (!kept) return Fault::kRange;
    column.texts[row] = arena->keep(*kept);
    return Fault::kNone;
  }

  static Fault duration(std::string_view bytes, Interval& out) {
    const auto months = load_le<uint32_t>(bytes.data()), days = load_le<uint32_t>(bytes.data() + 4);
    if (months > INT32_MAX || days > INT32_MAX) return Fault::kRange;
    out = {static_cast<int32_t>(months), static_cast<int32_t>(days),
           int64_t{load_le<uint32_t>(bytes.data() + 8)} * 1000};
    return Fault::kNone;
  }

  Fault uuid(std::string_view text, std::string_view& out) {
    static const Node kUuid = [] {
      Node node;
      node.kind = Kind::kFixed;
      node.logical = Logical::kUuid;
      node.size = 16;
      return node;
    }();
    const auto bytes = logical_bytes(kUuid, text);
    if (!bytes) return Fault::kText;
    scratch.clear();
    append_logical(scratch, kUuid, *bytes);
    out = arena->keep(std::string_view(scratch).substr(1, 36));
    return Fault::kNone;
  }
};

ColumnReader::ColumnReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ColumnReader::~ColumnReader() = default;

Result<std::unique_ptr<ColumnReader>> ColumnReader::make(std::shared_ptr<const AvroSchema> writer,
                                                         std::shared_ptr<const AvroSchema> reader,
                                                         const millrace::Schema& columns) {
  const Node& root = reader->root();
  TRY_ASSIGN(auto resolution, Resolution::make(std::move(writer), std::move(reader)));
  if (resolution->root().action != Step::Action::kRecord) return no_column("the schemas are no records");
  TRY_ASSIGN(auto ops, column_program(columns, root, resolution->root()));
  auto impl = std::make_unique<Impl>();
  impl->columns = columns;
  impl->ops = std::move(ops);
  impl->resolution = std::move(resolution);
  return std::unique_ptr<ColumnReader>(new ColumnReader(std::move(impl)));
}

void ColumnReader::decode(const std::vector<std::string_view>& values, Batch& out,
                          std::vector<RowError>& errors) {
  Impl& own = *impl_;
  if (out.rows == 0) out.set_schema(own.columns);
  CHECK(out.columns.size() == own.columns.size(), "rows are appended to a batch of other columns");
  own.spare = kMaxDatumValues;
  for (Column& column : out.columns) column.grow(values.size());
  own.arena = out.arena.get();
  own.out = &out.columns;
  for (const std::string_view value : values) {
    const size_t row = out.rows++;
    std::string_view field;
    const Fault fault = own.row({value.data(), value.data() + value.size()}, row, field);
    if (fault == Fault::kNone) [[likely]]
      continue;
    for (Column& column : out.columns) column.valid[row] = 0;
    auto [id, message] = fault_text(fault, field);
    errors.push_back({static_cast<uint32_t>(row), id, std::move(message), {}});
  }
  for (Column& column : out.columns) column.shrink_valid();
}

}  // namespace millrace::avro
