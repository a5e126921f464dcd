#include "avro/compatibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "avro/resolve_names.h"

namespace millrace::avro {

namespace {

using Findings = std::vector<schema::Incompatibility>;

std::string upper(std::string_view word) {
  std::string out(word);
  for (char& c : out) c = static_cast<char>(c - 32);
  return out;
}

class Comparison {
 public:
  // What is found below a pair, with the places at which it was met first. A pair that is being compared counts as
  // compatible with itself: what is wrong with it is found where it began.
  const Findings& pair(const Node& reader, const Node& writer, const std::string& path) {
    const auto key = uint64_t{reader.number} << 32 | writer.number;
    const auto [entry, fresh] = seen_.try_emplace(key);
    if (!fresh) return entry->second;
    if (++comparisons_ > kMaxComparisons) return none_;
    Findings found = calculate(reader, writer, path);
    return seen_[key] = std::move(found);
  }
  bool exhausted() const { return comparisons_ > kMaxComparisons; }

 private:
  static void add(Findings& out, const Findings& more) {
    for (const auto& finding : more)
      if (out.size() < kMaxIncompatibilities) out.push_back(finding);
  }
  static void add(Findings& out, std::string_view type, std::string_view path, std::string message) {
    if (out.size() < kMaxIncompatibilities)
      out.push_back({std::string(type), path.empty() ? "/" : std::string(path), std::move(message)});
  }

  Findings calculate(const Node& reader, const Node& writer, const std::string& path) {
    Findings out;
    if (reader.kind == Kind::kUnion && writer.kind == Kind::kUnion)
      each_branch_is_read(reader, writer, path, out);
    else if (writer.kind == Kind::kUnion)
      for (size_t i = 0; i < writer.branches.size(); ++i)
        add(out, pair(reader, *writer.branches[i], path + "/" + std::to_string(i)));
    else if (reader.kind == Kind::kUnion)
      some_branch_reads(reader, writer, path, out);
    else if (reader.kind == writer.kind)
      same_kind(reader, writer, path, out);
    else if (!promotes(writer.kind, reader.kind))
      mismatch(reader, writer, path, out);
    return out;
  }

  static void mismatch(const Node& reader, const Node& writer, const std::string& path, Findings& out) {
    add(out, "TYPE_MISMATCH", path,
        fmt::format("reader type: {} not compatible with writer type: {}", upper(to_string(reader.kind)),
                    upper(to_string(writer.kind))));
  }
  static void missing_branch(const Node& writer, const std::string& path, Findings& out) {
    add(out, "MISSING_UNION_BRANCH", path,
        fmt::format("reader union lacking writer type: {}", upper(to_string(writer.kind))));
  }

  void each_branch_is_read(const Node& reader, const Node& writer, const std::string& path, Findings& out) {
    for (size_t i = 0; i < writer.branches.size(); ++i)
      if (!pair(reader, *writer.branches[i], "").empty())
        missing_branch(*writer.branches[i], path + "/" + std::to_string(i), out);
  }
  void some_branch_reads(const Node& reader, const Node& writer, const std::string& path, Findings& out) {
    for (const Node* branch : reader.branches)
      if (pair(*branch, writer, "").empty()) return;
    missing_branch(writer, path, out);
  }

  void same_kind(const Node& reader, const Node& writer, const std::string& path, Findings& out) {
    comparisons_ +=
        (reader.aliases.size() + reader.symbols.size() + writer.symbols.size() + writer.fields.size()) / 8;
    if (is_named(reader.kind) && !same_name(reader, writer))
      add(out, "NAME_MISMATCH", path + "/name", "expected: " + writer.name);
    switch (reader.kind) {
      case Kind::kArray:
        return add(out, pair(*reader.element, *writer.element, path + "/items"));
      case Kind::kMap:
        return add(out, pair(*reader.element, *writer.element, path + "/values"));
      case Kind::kFixed:
        if (reader.size != writer.size)
          add(out, "FIXED_SIZE_MISMATCH", path + "/size",
              fmt::format("expected: {}, found: {}", writer.size, reader.size));
        return;
      case Kind::kEnum:
        return symbols(reader, writer, path, out);
      case Kind::kRecord:
        return fields(reader, writer, path, out);
      default:
        return;
    }
  }

  static void symbols(const Node& reader, const Node& writer, const std::string& path, Findings& out) {
    if (reader.fallback) return;
    std::set<std::string_view> missing(writer.symbols.begin(), writer.symbols.end());
    for (const std::string& symbol : reader.symbols) missing.erase(symbol);
    if (!missing.empty())
      add(out, "MISSING_ENUM_SYMBOLS", path + "/symbols", fmt::format("[{}]", fmt::join(missing, ", ")));
  }

  void fields(const Node& reader, const Node& writer, const std::string& path, Findings& out) {
    const FieldIndex index(writer);
    for (size_t i = 0; i < reader.fields.size(); ++i) {
      const Field& field = reader.fields[i];
      const std::string here = path + "/fields/" + std::to_string(i);
      const Field* written = index.find(field);
      if (written != nullptr)
        add(out, pair(*field.type, *written->type, here + "/type"));
      else if (!field.default_value && field.type->fallback)
        add(out, pair(*field.type, writer, here + "/type"));
      else if (!field.default_value)
        add(out, "READER_FIELD_MISSING_DEFAULT_VALUE", here, field.name);
    }
  }

  std::unordered_map<uint64_t, Findings> seen_;
  Findings none_;  // stays empty
  size_t comparisons_ = 0;
};

}  // namespace

Result<std::vector<schema::Incompatibility>> compare(const Node& reader, const Node& writer) {
  Comparison comparison;
  Findings found = comparison.pair(reader, writer, "");
  if (comparison.exhausted())
    return error(Code::kExhausted, "MR-AVRO-0009",
                 fmt::format("comparing the schemas takes more than {} pairs of types", kMaxComparisons),
                 "fewer branches in unions of unlike types");
  return found;
}

}  // namespace millrace::avro
