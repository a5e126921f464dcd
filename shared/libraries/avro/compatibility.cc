#include "avro/compatibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>
#include <unordered_map>

#include "avro/resolve_names.h"

namespace millrace::avro {

namespace {

using Findings = std::vector<uint32_t>;  // places among all

std::string upper(std::string_view word) {
  std::string out(word);
  for (char& c : out) c = static_cast<char>(c - 32);
  return out;
}

// What is found below a pair of types, with the places at which it was met first. A pair that is being compared counts as
// compatible with itself: what is wrong with it is found where it began.
// The pairs that lead to the present one are a stack of its own: types lead to each other by any number of steps.
class Comparison {
 public:
  std::vector<schema::Incompatibility> found_between(const Node& reader, const Node& writer) {
    ask(reader, writer, nullptr, "");
    while (!pairs_.empty() && !exhausted()) {
      Pair& pair = pairs_.back();
      if (!has_all_answers(pair)) continue;  // another stands on top of it
      known_[key_of(*pair.reader, *pair.writer)] = std::move(pair.found);
      pairs_.pop_back();
    }
    std::vector<schema::Incompatibility> out;
    for (const uint32_t place : known_[key_of(reader, writer)]) out.push_back(all_[place]);
    return out;
  }
  bool exhausted() const { return work_ > kMaxComparisons; }

 private:
  struct Pair {
    const Node *reader, *writer;
    const Pair* above;  // where its path goes on from; nullptr: it begins here
    std::string step;
    Findings found = {};
    size_t next = 0;  // branch or field to be asked about
  };

  static uint64_t key_of(const Node& reader, const Node& writer) {
    return uint64_t{reader.number} << 32 | writer.number;
  }

  // What is known of the pair. nullptr: nothing yet, it is to be compared next.
  const Findings* ask(const Node& reader, const Node& writer, const Pair* above, std::string step) {
    const auto [entry, fresh] = known_.try_emplace(key_of(reader, writer));
    if (!fresh) return &entry->second;
    ++work_;
    begin(pairs_.emplace_back(Pair{&reader, &writer, above, std::move(step)}));
    return nullptr;
  }

  static std::string path_of(const Pair& pair) {
    std::vector<const Pair*> way;
    for (const Pair* at = &pair; at != nullptr; at = at->above) way.push_back(at);
    std::string path;
    for (auto at = way.rbegin(); at != way.rend(); ++at) path += (*at)->step;
    return path;
  }
  void add(Pair& pair, std::string_view type, std::string_view step, std::string message) {
    if (pair.found.size() >= kMaxIncompatibilities || exhausted()) return;
    std::string path = path_of(pair);
    path += step;
    if (path.empty()) path += '/';
    work_ += 1 + (path.size() + message.size()) / 64;
    pair.found.push_back(static_cast<uint32_t>(all_.size()));
    all_.push_back({std::string(type), std::move(path), std::move(message)});
  }
  void add(Pair& pair, const Findings& more) {
    const size_t count = std::min(kMaxIncompatibilities - pair.found.size(), more.size());
    pair.found.insert(pair.found.end(), more.begin(), more.begin() + static_cast<std::ptrdiff_t>(count));
    work_ += count / 64;
  }

  // What is wrong with the two themselves.
  void begin(Pair& pair) {
    const Node &reader = *pair.reader, &writer = *pair.writer;
    if (reader.kind == Kind::kUnion || writer.kind == Kind::kUnion) return;
    if (reader.kind != writer.kind) {
      if (!promotes(writer.kind, reader.kind)) mismatch(pair);
      return;
    }
    work_ += (reader.aliases.size() + reader.symbols.size() + reader.fields.size() + writer.symbols.size() +
              writer.fields.size()) /
             8;
    if (is_named(reader.kind) && !same_name(reader, writer))
      add(pair, "NAME_MISMATCH", "/name", "expected: " + writer.name);
    if (reader.kind == Kind::kFixed && reader.size != writer.size)
      add(pair, "FIXED_SIZE_MISMATCH", "/size",
          fmt::format("expected: {}, found: {}", writer.size, reader.size));
    if (reader.kind == Kind::kEnum) symbols(pair);
  }
  void mismatch(Pair& pair) {
    add(pair, "TYPE_MISMATCH", "",
        fmt::format("reader type: {} not compatible with writer type: {}",
                    upper(to_string(pair.reader->kind)), upper(to_string(pair.writer->kind))));
  }
  void symbols(Pair& pair) {
    if (pair.reader->fallback) return;
    std::set<std::string_view> missing(pair.writer->symbols.begin(), pair.writer->symbols.end());
    for (const std::string& symbol : pair.reader->symbols) missing.erase(symbol);
    if (!missing.empty())
      add(pair, "MISSING_ENUM_SYMBOLS", "/symbols", fmt::format("[{}]", fmt::join(missing, ", ")));
  }

  // What is wrong with their parts. False: one of those has to be compared first; then this goes on there.
  bool has_all_answers(Pair& pair) {
    const Node &reader = *pair.reader, &writer = *pair.writer;
    if (reader.kind == Kind::kUnion && writer.kind == Kind::kUnion) return each_branch_is_read(pair);
    if (writer.kind == Kind::kUnion) return each_branch(pair);
    if (reader.kind == Kind::kUnion) return some_branch_reads(pair);
    if (reader.kind != writer.kind) return true;
    if (reader.kind == Kind::kRecord) return fields(pair);
    if (reader.kind == Kind::kArray) return part(pair, *reader.element, *writer.element, "/items");
    if (reader.kind == Kind::kMap) return part(pair, *reader.element, *writer.element, "/values");
    return true;
  }

  bool part(Pair& pair, const Node& reader, const Node& writer, std::string step) {
    const Findings* found = ask(reader, writer, &pair, std::move(step));
    if (found != nullptr) add(pair, *found);
    return found != nullptr;
  }

  bool each_branch(Pair& pair) {
    const auto& branches = pair.writer->branches;
    for (; pair.next < branches.size(); ++pair.next)
      if (!part(pair, *pair.reader, *branches[pair.next], fmt::format("/{}", pair.next))) return false;
    return true;
  }
  bool each_branch_is_read(Pair& pair) {
    const auto& branches = pair.writer->branches;
    for (; pair.next < branches.size(); ++pair.next) {
      const Findings* found = ask(*pair.reader, *branches[pair.next], nullptr, "");
      if (found == nullptr) return false;
      if (!found->empty()) missing_branch(pair, *branches[pair.next], fmt::format("/{}", pair.next));
    }
    return true;
  }
  bool some_branch_reads(Pair& pair) {
    const auto& branches = pair.reader->branches;
    for (; pair.next < branches.size(); ++pair.next) {
      const Findings* found = ask(*branches[pair.next], *pair.writer, nullptr, "");
      if (found == nullptr) return false;
      if (found->empty()) return true;
    }
    missing_branch(pair, *pair.writer, "");
    return true;
  }
  void missing_branch(Pair& pair, const Node& writer, std::string_view step) {
    add(pair, "MISSING_UNION_BRANCH", step,
        fmt::format("reader union lacking writer type: {}", upper(to_string(writer.kind))));
  }

  bool fields(Pair& pair) {
    const Node& writer = *pair.writer;
    const auto index = indexes_.try_emplace(&writer, writer).first;
    for (; pair.next < pair.reader->fields.size(); ++pair.next) {
      const Field& field = pair.reader->fields[pair.next];
      const std::string step = fmt::format("/fields/{}", pair.next);
      const Field* written = index->second.find(field);
      const bool is_enum = !field.default_value && field.type->fallback;
      if (written != nullptr || is_enum) {
        const Node& type = written != nullptr ? *written->type : writer;
        if (!part(pair, *field.type, type, step + "/type")) return false;
      } else if (!field.default_value) {
        add(pair, "READER_FIELD_MISSING_DEFAULT_VALUE", step, field.name);
      }
    }
    return true;
  }

  std::deque<Pair> pairs_;
  std::unordered_map<uint64_t, Findings> known_;
  std::vector<schema::Incompatibility> all_;
  std::unordered_map<const Node*, FieldIndex> indexes_;  // of writers
  size_t work_ = 0;
};

}  // namespace

Result<std::vector<schema::Incompatibility>> compare(const Node& reader, const Node& writer) {
  Comparison comparison;
  auto found = comparison.found_between(reader, writer);
  if (comparison.exhausted())
    return error(Code::kExhausted, "MR-AVRO-0009",
                 fmt::format("comparing the schemas takes more than {} pairs of types", kMaxComparisons),
                 "fewer branches in unions of unlike types");
  return found;
}

}  // namespace millrace::avro
