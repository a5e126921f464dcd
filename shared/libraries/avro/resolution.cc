#include "avro/resolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "avro/datum_writer.h"
#include "avro/resolve_names.h"

namespace millrace::avro {

namespace {

using Action = Step::Action;

class Resolver {
 public:
  explicit Resolver(std::deque<Step>& steps) : steps_(steps) {}

  const Step* resolve(const Node& writer, const Node& reader) {
    const Step* root = step(writer, reader);
    for (; filled_ < steps_.size() && !exhausted(); ++filled_) {
      Step& next = steps_[filled_];
      fill(next, *next.writer, *next.reader);
    }
    return root;
  }
  bool exhausted() const {
    return steps_.size() > kMaxSteps || looked_at_ > kMaxLooks || defaults_ > kMaxDefaults;
  }

 private:
  struct PairHash {
    size_t operator()(const std::pair<const Node*, const Node*>& pair) const {
      return std::hash<const Node*>()(pair.first) * 31 + std::hash<const Node*>()(pair.second);
    }
  };

  // To be filled when its turn comes: types lead to each other by any number of steps.
  const Step* step(const Node& writer, const Node& reader) {
    const auto [known, fresh] = known_.try_emplace({&writer, &reader}, nullptr);
    if (!fresh) return known->second;
    Step& made = steps_.emplace_back();
    known->second = &made;
    made.writer = &writer;
    made.reader = &reader;
    return &made;
  }

  static void fail(Step& made, std::string reason) {
    made.action = Action::kFail;
    made.reason = std::move(reason);
  }

  void fill(Step& made, const Node& writer, const Node& reader) {
    if (writer.kind == Kind::kUnion) {
      made.action = Action::kChoose;
      for (const Node* branch : writer.branches) made.branches.push_back(step(*branch, reader));
    } else if (reader.kind == Kind::kUnion) {
      enclose(made, writer, reader);
    } else if (writer.kind != reader.kind) {
      if (!promotes(writer.kind, reader.kind)) mismatch(made, writer, reader);
    } else if (is_named(writer.kind) && !same_name(reader, writer)) {
      mismatch(made, writer, reader);
    } else {
      same_kind(made, writer, reader);
    }
  }
  static void mismatch(Step& made, const Node& writer, const Node& reader) {
    fail(made,
         fmt::format("{} was written, and the reader has {}", writer.branch_name(), reader.branch_name()));
  }

  void enclose(Step& made, const Node& writer, const Node& reader) {
    const Node* branch = branch_for(writer, reader);
    if (branch == nullptr)
      return fail(made, fmt::format("{} was written, and no branch of the reader's union takes it",
                                    writer.branch_name()));
    made.action = Action::kEnclose;
    made.reader = branch;
    made.inner = step(writer, *branch);
  }
  // The same type, else one of the same name in another namespace or by an alias, else one that it is promoted to.
  const Node* branch_for(const Node& writer, const Node& reader) {
    looked_at_ += reader.branches.size();
    const auto first = [&](auto takes) {
      const auto found = std::find_if(reader.branches.begin(), reader.branches.end(), takes);
      return found == reader.branches.end() ? nullptr : *found;
    };
    if (const Node* same =
            first([&](const Node* b) { return b->kind == writer.kind && b->name == writer.name; }))
      return same;
    if (const Node* like = first([&](const Node* b) {
          return b->kind == writer.kind && is_named(b->kind) && same_name(*b, writer);
        }))
      return like;
    return first([&](const Node* b) { return promotes(writer.kind, b->kind); });
  }

  void same_kind(Step& made, const Node& writer, const Node& reader) {
    switch (writer.kind) {
      case Kind::kArray:
      case Kind::kMap:
        made.action = Action::kParts;
        made.inner = step(*writer.element, *reader.element);
        return;
      case Kind::kFixed:
        if (writer.size != reader.size)
          fail(made, fmt::format("{} has {} bytes, the reader's {}", writer.name, writer.size, reader.size));
        return;
      case Kind::kEnum:
        return symbols(made, writer, reader);
      case Kind::kRecord:
        return record(made, writer, reader);
      default:
        return;
    }
  }

  static void symbols(Step& made, const Node& writer, const Node& reader) {
    std::unordered_map<std::string_view, int32_t> places;
    for (const std::string& symbol : reader.symbols)
      places.emplace(symbol, static_cast<int32_t>(places.size()));
    const int32_t other = reader.fallback ? places.at(*reader.fallback) : -1;
    for (const std::string& symbol : writer.symbols) {
      const auto found = places.find(symbol);
      made.symbols.push_back(found == places.end() ? other : found->second);
    }
  }

  void record(Step& made, const Node& writer, const Node& reader) {
    made.action = Action::kRecord;
    const FieldIndex index(writer);
    std::unordered_map<const Field*, const Field*> read;
    for (const Field& field : reader.fields) {
      const Field* written = index.find(field);
      if (written != nullptr && read.emplace(written, &field).second) continue;
      if (exhausted()) return;
      if (!field.default_value)
        return fail(made, fmt::format("the field \"{}\" was not written and has no default", field.name));
      MissingField missing{.field = &field, .step = step(*field.type, *field.type)};
      if (const Status coded = write_default(*field.type, *field.default_value, missing.value, looked_at_);
          !coded.ok())
        return fail(made,
                    fmt::format("the default of the field \"{}\": {}", field.name, coded.error().message));
      defaults_ += missing.value.size();
      made.missing.push_back(std::move(missing));
    }
    for (const Field& field : writer.fields) {
      const auto found = read.find(&field);
      const Field* reads = found == read.end() ? nullptr : found->second;
      made.fields.push_back({&field, reads, reads == nullptr ? nullptr : step(*field.type, *reads->type)});
    }
  }

  static constexpr size_t kMaxLooks = 10'000'000;    // at branches of unions and values of defaults
  static constexpr size_t kMaxDefaults = 16u << 20;  // bytes

  std::deque<Step>& steps_;
  size_t filled_ = 0;  // of them
  size_t looked_at_ = 0;
  size_t defaults_ = 0;
  std::unordered_map<std::pair<const Node*, const Node*>, const Step*, PairHash> known_;
};

size_t bytes_of(const Step& step) {
  size_t out = sizeof(Step) + step.branches.size() * sizeof(step.branches[0]) +
               step.symbols.size() * sizeof(int32_t) + step.fields.size() * sizeof(FieldStep) +
               step.missing.size() * sizeof(MissingField) + step.reason.size();
  for (const MissingField& missing : step.missing) out += missing.value.size();
  return out;
}

}  // namespace

Result<std::shared_ptr<const Resolution>> Resolution::make(std::shared_ptr<const AvroSchema> writer,
                                                           std::shared_ptr<const AvroSchema> reader) {
  std::shared_ptr<Resolution> made(new Resolution());
  Resolver resolver(made->steps_);
  made->root_ = resolver.resolve(writer->root(), reader->root());
  if (resolver.exhausted())
    return error(Code::kExhausted, "MR-AVRO-0009",
                 fmt::format("reading with the schema takes more than {} pairs of types", kMaxSteps),
                 "fewer branches in unions of unlike types");
  if (made->root_->action == Action::kFail)
    return error(Code::kInvalid, "MR-AVRO-0013", "the schemas do not fit: " + made->root_->reason,
                 "a schema that is compatible with the writer's");
  for (const Step& step : made->steps_) made->bytes_ += bytes_of(step);
  made->writer_ = std::move(writer);
  made->reader_ = std::move(reader);
  return std::shared_ptr<const Resolution>(std::move(made));
}

}  // namespace millrace::avro
