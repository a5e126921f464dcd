#include <fmt/format.h>

#include <bit>

#include "avro/codec.h"
#include "avro/datum_text.h"
#include "avro/utf8.h"
#include "base/bytes.h"
#include "schema/json_pointer.h"

namespace millrace::avro {

namespace {

using Action = Step::Action;

class Reader {
 public:
  Reader(std::string_view datum, JsonForm form, std::string& out, size_t most)
      : in_(datum),
        size_(datum.size()),
        plain_(form == JsonForm::kPlain),
        out_(out),
        most_(most),
        end_(out.size() + most) {}

  Status whole(const Step& root) {
    if (Status done = read(root); !done.ok()) return with_path(std::move(done).error());
    if (in_.left() > 0) return malformed(fmt::format("{} bytes are behind the end of the value", in_.left()));
    return {};
  }

 private:
  // Innermost first.
  Error with_path(Error failure) const {
    std::string path;
    for (auto part = path_.rbegin(); part != path_.rend(); ++part)
      (path += '/') += schema::pointer_escaped(*part);
    if (!path.empty()) failure.message += fmt::format(" (at {})", path);
    return failure;
  }
  Error malformed(const std::string& what) const {
    return error(Code::kInvalid, "MR-AVRO-0011", fmt::format("{}, at byte {}", what, at_),
                 "the bytes of one value, written with this schema");
  }
  static Error too_much(const std::string& what) {
    return error(Code::kInvalid, "MR-AVRO-0012", what, "a smaller value");
  }

  Status enter() {
    at_ = size_ - in_.left();
    if (++values_ > kMaxDatumValues)
      return too_much(fmt::format("there are more than {} values", kMaxDatumValues));
    if (out_.size() > end_) return too_much(fmt::format("the JSON has more than {} bytes", most_));
    if (++depth_ > kMaxDatumDepth)
      return too_much(fmt::format("the value nests deeper than {}", kMaxDatumDepth));
    return {};
  }

  Status read(const Step& step) {
    TRY(enter());
    TRY(dispatch(step));
    --depth_;
    return {};
  }
  Status dispatch(const Step& step) {
    switch (step.action) {
      case Action::kValue:
        return value(step);
      case Action::kParts:
        return parts(step);
      case Action::kRecord:
        return record(step);
      case Action::kChoose: {
        TRY_ASSIGN(const size_t branch, branch_index(*step.writer));
        return read(*step.branches[branch]);
      }
      case Action::kEnclose:
        return enclosed(step);
      case Action::kFail:
        return error(Code::kInvalid, "MR-AVRO-0013", step.reason,
                     "a schema that is compatible with the writer's");
    }
    return {};
  }

  Result<int64_t> number(const char* what) {
    const int64_t n = in_.signed_varint();
    if (!in_.ok()) return malformed(fmt::format("{} is cut off or has more than ten bytes", what));
    return n;
  }
  Result<size_t> branch_index(const Node& node) {
    TRY_ASSIGN(const int64_t n, number("a union's branch"));
    if (n < 0 || n >= static_cast<int64_t>(node.branches.size()))
      return malformed(fmt::format("a union of {} branches has no branch {}", node.branches.size(), n));
    return static_cast<size_t>(n);
  }
  Result<std::string_view> bytes() {
    TRY_ASSIGN(const int64_t length, number("a length"));
    if (length < 0 || static_cast<uint64_t>(length) > in_.left())
      return malformed(fmt::format("a length of {} where {} bytes are left", length, in_.left()));
    return in_.take(static_cast<size_t>(length));
  }
  Result<std::string_view> exactly(size_t size) {
    if (size > in_.left())
      return malformed(fmt::format("{} bytes are needed, {} are left", size, in_.left()));
    return in_.take(size);
  }

  Status value(const Step& step) {
    const Node &writer = *step.writer, &reader = *step.reader;
    switch (writer.kind) {
      case Kind::kNull:
        out_ += "null";
        return {};
      case Kind::kBoolean: {
        TRY_ASSIGN(const auto byte, exactly(1));
        if (byte[0] != 0 && byte[0] != 1) return malformed("a boolean is neither 0 nor 1");
        out_ += byte[0] == 1 ? "true" : "false";
        return {};
      }
      case Kind::kInt:
      case Kind::kLong:
        return integer(writer, reader);
      case Kind::kFloat: {
        TRY_ASSIGN(const auto raw, exactly(4));
        const float real = std::bit_cast<float>(load_le<uint32_t>(raw.data()));
        if (reader.kind == Kind::kDouble)
          append_real(out_, static_cast<double>(real));
        else
          append_real(out_, real);
        return {};
      }
      case Kind::kDouble: {
        TRY_ASSIGN(const auto raw, exactly(8));
        append_real(out_, std::bit_cast<double>(load_le<uint64_t>(raw.data())));
        return {};
      }
      case Kind::kFixed: {
        TRY_ASSIGN(const auto raw, exactly(static_cast<size_t>(writer.size)));
        return binary(writer, reader, raw);
      }
      case Kind::kEnum:
        return symbol(step);
      default:
        return text(writer, reader);
    }
  }

  Status integer(const Node& writer, const Node& reader) {
    TRY_ASSIGN(const int64_t n, number("a number"));
    if (writer.kind == Kind::kInt && (n < INT32_MIN || n > INT32_MAX))
      return malformed("an int is out of its range");
    if (reader.kind == Kind::kFloat)
      append_real(out_, static_cast<float>(n));
    else if (reader.kind == Kind::kDouble)
      append_real(out_, static_cast<double>(n));
    else if (!plain_ || !append_logical(out_, meaning_of(writer, reader), n))
      out_ += std::to_string(n);
    return {};
  }

  Status text(const Node& writer, const Node& reader) {
    TRY_ASSIGN(const auto held, bytes());
    if (reader.kind == Kind::kBytes) return binary(writer, reader, held);
    if (!is_utf8(held)) return malformed("a string is not UTF-8");
    append_quoted(out_, held);
    return {};
  }
  Status binary(const Node& writer, const Node& reader, std::string_view held) {
    if (!plain_)
      append_latin1(out_, held);
    else if (!append_logical(out_, meaning_of(writer, reader), held))
      append_hex_text(out_, held);
    return {};
  }

  Status symbol(const Step& step) {
    TRY_ASSIGN(const int64_t n, number("a symbol"));
    if (n < 0 || n >= static_cast<int64_t>(step.symbols.size()))
      return malformed(fmt::format("an enum of {} symbols has no symbol {}", step.symbols.size(), n));
    const int32_t read = step.symbols[static_cast<size_t>(n)];
    if (read < 0)
      return error(Code::kInvalid, "MR-AVRO-0013",
                   fmt::format("the symbol {} was written, and the reader's {} has neither it nor a default",
                               step.writer->symbols[static_cast<size_t>(n)], step.reader->name),
                   "a schema that is compatible with the writer's");
    append_quoted(out_, step.reader->symbols[static_cast<size_t>(read)]);
    return {};
  }

  // The number of parts in the next block, 0 at the end; how many bytes they take where it says so, else -1.
  struct Block {
    uint64_t count = 0;
    int64_t size = -1;
  };
  Result<Block> block() {
    TRY_ASSIGN(const int64_t count, number("a block's count"));
    if (count >= 0) return Block{static_cast<uint64_t>(count), -1};
    TRY_ASSIGN(const int64_t size, number("a block's size"));
    if (size < 0 || static_cast<uint64_t>(size) > in_.left())
      return malformed(fmt::format("a block of {} bytes where {} are left", size, in_.left()));
    return Block{uint64_t{0} - static_cast<uint64_t>(count), size};
  }

  Status parts(const Step& step) {
    const bool map = step.writer->kind == Kind::kMap;
    out_ += map ? '{' : '[';
    size_t index = 0;
    while (true) {
      TRY_ASSIGN(const Block next, block());
      if (next.count == 0) break;
      const size_t before = in_.left();
      for (uint64_t i = 0; i < next.count; ++i, ++index) {
        if (index > 0) out_ += ',';
        std::string_view key;
        if (map) {
          TRY_ASSIGN(key, bytes());
          if (!is_utf8(key)) return malformed("a key is not UTF-8");
          append_quoted(out_, key);
          out_ += ':';
        }
        Status done = read(*step.inner);
        if (!done.ok()) return within(map ? key : std::string_view(std::to_string(index)), std::move(done));
      }
      if (next.size >= 0 && before - in_.left() != static_cast<uint64_t>(next.size))
        return malformed(
            fmt::format("a block says that it has {} bytes, and has {}", next.size, before - in_.left()));
    }
    out_ += map ? '}' : ']';
    return {};
  }
  Status within(std::string_view name, Status done) {
    if (!done.ok()) path_.emplace_back(name);
    return done;
  }

  Status record(const Step& step) {
    const char* separator = "{\"";
    const auto begin = [&](const Field& field) {
      ((out_ += separator) += field.name) += "\":";
      separator = ",\"";
    };
    for (const FieldStep& field : step.fields) {
      if (field.step == nullptr) {
        TRY(within(field.written->name, skip(*field.written->type)));
        continue;
      }
      begin(*field.field);
      TRY(within(field.field->name, read(*field.step)));
    }
    for (const MissingField& missing : step.missing) {
      begin(*missing.field);
      TRY(within(missing.field->name, default_value(missing)));
    }
    out_ += separator[0] == '{' ? "{}" : "}";
    return {};
  }
  Status default_value(const MissingField& missing) {
    const ByteReader rest = std::exchange(in_, ByteReader(missing.value));
    Status done = read(*missing.step);
    in_ = rest;
    return done;
  }

  Status enclosed(const Step& step) {
    if (plain_ || step.reader->kind == Kind::kNull) return read(*step.inner);
    ((out_ += "{\"") += step.reader->branch_name()) += "\":";
    TRY(read(*step.inner));
    out_ += '}';
    return {};
  }

  Status skip(const Node& node) {
    at_ = size_ - in_.left();
    switch (skip_value(in_, node, values_, depth_)) {
      case Skipped::kWhole:
        return {};
      case Skipped::kMalformed:
        return malformed("a value that the reader skips is cut off or cannot be");
      case Skipped::kTooMuch:
        return too_much("a value that the reader skips has too many parts or levels");
    }
    return {};
  }

  ByteReader in_;
  const size_t size_;
  const bool plain_;
  size_t at_ = 0;
  size_t values_ = 0;
  int depth_ = 0;
  std::string& out_;
  const size_t most_, end_;  // bytes of this value, of all
  std::vector<std::string> path_;
};

}  // namespace

Result<std::string> to_json(const Resolution& resolution, std::string_view datum, JsonForm form) {
  std::string out;
  TRY(append_json(out, resolution, datum, form));
  return out;
}

Status append_json(std::string& out, const Resolution& resolution, std::string_view datum, JsonForm form,
                   size_t most) {
  return Reader(datum, form, out, most).whole(resolution.root());
}

}  // namespace millrace::avro
