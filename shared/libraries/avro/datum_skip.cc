#include "avro/datum_skip.h"

namespace millrace::avro {

namespace {

class Skip {
 public:
  Skip(ByteReader& in, size_t& values, int depth) : in_(in), values_(values), depth_(depth) {}

  Skipped pass(const Node& node) {
    if (++values_ > kMaxDatumValues || depth_ >= kMaxDatumDepth) return Skipped::kTooMuch;
    ++depth_;
    const Skipped done = parts(node);
    --depth_;
    return done;
  }

 private:
  Skipped read() const { return in_.ok() ? Skipped::kWhole : Skipped::kMalformed; }
  Skipped bytes(int64_t size) {
    if (!in_.ok() || size < 0) return Skipped::kMalformed;
    in_.take(static_cast<size_t>(size));
    return read();
  }

  Skipped parts(const Node& node) {
    switch (node.kind) {
      case Kind::kNull:
        return Skipped::kWhole;
      case Kind::kBoolean:
        return bytes(1);
      case Kind::kInt:
      case Kind::kLong:
      case Kind::kEnum:
        in_.varint();
        return read();
      case Kind::kFloat:
        return bytes(4);
      case Kind::kDouble:
        return bytes(8);
      case Kind::kBytes:
      case Kind::kString:
        return bytes(in_.signed_varint());
      case Kind::kFixed:
        return bytes(node.size);
      case Kind::kRecord:
        for (const Field& field : node.fields)
          if (const Skipped done = pass(*field.type); done != Skipped::kWhole) return done;
        return Skipped::kWhole;
      case Kind::kUnion: {
        const int64_t branch = in_.signed_varint();
        if (!in_.ok() || branch < 0 || branch >= static_cast<int64_t>(node.branches.size()))
          return Skipped::kMalformed;
        return pass(*node.branches[static_cast<size_t>(branch)]);
      }
      case Kind::kArray:
      case Kind::kMap:
        return blocks(node);
    }
    return Skipped::kWhole;
  }

  Skipped blocks(const Node& node) {
    while (true) {
      const int64_t count = in_.signed_varint();
      if (!in_.ok() || count == 0) return read();
      Skipped done = count < 0 ? bytes(in_.signed_varint()) : Skipped::kWhole;
      for (int64_t i = 0; i < count && done == Skipped::kWhole; ++i) {
        if (node.kind == Kind::kMap) done = bytes(in_.signed_varint());
        if (done == Skipped::kWhole) done = pass(*node.element);
      }
      if (done != Skipped::kWhole) return done;
    }
  }

  ByteReader& in_;
  size_t& values_;
  int depth_;
};

}  // namespace

Skipped skip_value(ByteReader& in, const Node& node, size_t& values, int depth) {
  return Skip(in, values, depth).pass(node);
}

}  // namespace millrace::avro
