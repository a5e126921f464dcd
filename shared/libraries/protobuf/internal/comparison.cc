#include "protobuf/internal/comparison.h"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <optional>

namespace millrace::protobuf {

namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

std::string below(const std::string& path, const std::string& name) {
  return path == "#/" ? path + name : path + "/" + name;
}

std::string place_of(const Field& field, const std::string& path) {
  const auto* oneof = field.real_containing_oneof();
  return below(oneof == nullptr ? path : below(path, oneof->name()), std::to_string(field.number()));
}

// A message's or enum's name without its package: what types are matched by.
template <typename Type>
std::string local_name(const Type& type) {
  const std::string& package = type.file()->package();
  return package.empty() ? type.full_name() : type.full_name().substr(package.size() + 1);
}

std::string path_of(const pb::Descriptor& type) {
  std::string out = "#/" + local_name(type);
  std::replace(out.begin(), out.end(), '.', '/');
  return out;
}

enum class Kind { kScalar, kMessage, kMap };

Kind kind_of(const Field& field) {
  if (field.is_map()) return Kind::kMap;
  return field.message_type() != nullptr ? Kind::kMessage : Kind::kScalar;
}

enum class ScalarKind { kNumber, kSigned, kStringOrBytes, kFixed32, kFixed64, kFloat, kDouble };

ScalarKind scalar_kind_of(const Field& field) {
  switch (field.type()) {
    case Field::TYPE_SINT32:
    case Field::TYPE_SINT64:
      return ScalarKind::kSigned;
    case Field::TYPE_STRING:
    case Field::TYPE_BYTES:
      return ScalarKind::kStringOrBytes;
    case Field::TYPE_FIXED32:
    case Field::TYPE_SFIXED32:
      return ScalarKind::kFixed32;
    case Field::TYPE_FIXED64:
    case Field::TYPE_SFIXED64:
      return ScalarKind::kFixed64;
    case Field::TYPE_FLOAT:
      return ScalarKind::kFloat;
    case Field::TYPE_DOUBLE:
      return ScalarKind::kDouble;
    default:
      return ScalarKind::kNumber;
  }
}

// Labels as they are written: a field without one differs from none of them.
enum class Label { kNone, kOptional, kRequired, kRepeated };

Label label_of(const Field& field) {
  if (field.real_containing_oneof() != nullptr) return Label::kNone;
  if (field.is_repeated()) return Label::kRepeated;
  if (field.is_required()) return Label::kRequired;
  return field.has_optional_keyword() ? Label::kOptional : Label::kNone;
}

// The types that stand in a file or message, by name, in the order of names; those that map fields make are not written.
template <typename Parent>
std::vector<const pb::Descriptor*> messages_in(const Parent& parent) {
  std::vector<const pb::Descriptor*> out;
  if constexpr (std::is_same_v<Parent, pb::FileDescriptor>) {
    for (int i = 0; i < parent.message_type_count(); ++i) out.push_back(parent.message_type(i));
  } else {
    for (int i = 0; i < parent.nested_type_count(); ++i) {
      if (!parent.nested_type(i)->options().map_entry()) out.push_back(parent.nested_type(i));
    }
  }
  return out;
}

template <typename Parent>
std::map<std::string, const pb::EnumDescriptor*> enums_in(const Parent& parent) {
  std::map<std::string, const pb::EnumDescriptor*> out;
  for (int i = 0; i < parent.enum_type_count(); ++i) out[parent.enum_type(i)->name()] = parent.enum_type(i);
  return out;
}

struct Placed {
  const pb::Descriptor* type;
  size_t place;
};

std::map<std::string, Placed> by_name(const std::vector<const pb::Descriptor*>& types) {
  std::map<std::string, Placed> out;
  for (size_t i = 0; i < types.size(); ++i) out[types[i]->name()] = {types[i], i};
  return out;
}

template <typename Value>
std::set<std::string> names_of(const std::map<std::string, Value>& a, const std::map<std::string, Value>& b) {
  std::set<std::string> out;
  for (const auto& [name, value] : a) out.insert(name);
  for (const auto& [name, value] : b) out.insert(name);
  return out;
}

template <typename Value>
const Value* find(const std::map<std::string, Value>& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? nullptr : &found->second;
}

std::set<int> numbers_of(const pb::Descriptor& a, const pb::Descriptor& b) {
  std::set<int> out;
  for (int i = 0; i < a.field_count(); ++i) out.insert(a.field(i)->number());
  for (int i = 0; i < b.field_count(); ++i) out.insert(b.field(i)->number());
  return out;
}

// Fields of a reader's oneof that a writer may set together: those that come from different places of the writer's
// message. How many come from outside a oneof says how it is called.
std::optional<DifferenceType> newly_exclusive(const pb::OneofDescriptor& oneof,
                                              const pb::Descriptor& writer) {
  std::set<const void*> origins;
  int from_outside = 0;
  for (int i = 0; i < oneof.field_count(); ++i) {
    const Field* old = writer.FindFieldByNumber(oneof.field(i)->number());
    if (old == nullptr) continue;
    const auto* from = old->real_containing_oneof();
    origins.insert(from != nullptr ? static_cast<const void*>(from) : old);
    from_outside += from == nullptr ? 1 : 0;
  }
  if (origins.size() < 2) return std::nullopt;
  return from_outside > 1 ? DifferenceType::kMultipleFieldsMovedToOneof
                          : DifferenceType::kFieldMovedToExistingOneof;
}

}  // namespace

Result<std::vector<Difference>> Comparison::run() {
  pairs_.emplace_back();
  if (reader_.package() != writer_.package()) add(DifferenceType::kPackageChanged, "#/");
  compare_types(reader_, writer_, "#/");
  for (now_ = 1; now_ < pairs_.size() && !exhausted(); ++now_) {
    const Pair& pair = pairs_[now_];
    compare_messages(*pair.reader, *pair.writer, path_of(*pair.reader));
  }
  if (exhausted()) {
    return error(Code::kExhausted, "MR-PROTO-0005", "the two schemas take too long to compare",
                 "split them into several");
  }
  spread();
  std::vector<Difference> out;
  for (Pair& pair : pairs_) std::move(pair.found.begin(), pair.found.end(), std::back_inserter(out));
  return out;
}

template <typename Parent>
void Comparison::compare_types(const Parent& reader, const Parent& writer, const std::string& path) {
  const auto new_messages = by_name(messages_in(reader)), old_messages = by_name(messages_in(writer));
  for (const std::string& name : names_of(new_messages, old_messages)) {
    const Placed *after = find(new_messages, name), *before = find(old_messages, name);
    const std::string here = below(path, name);
    if (after == nullptr) {
      add(DifferenceType::kMessageRemoved, here);
    } else if (before == nullptr) {
      add(DifferenceType::kMessageAdded, here);
    } else {
      compare_messages(*after->type, *before->type, here);
      if (after->place != before->place) add(DifferenceType::kMessageMoved, here);
    }
  }
  const auto new_enums = enums_in(reader), old_enums = enums_in(writer);
  for (const std::string& name : names_of(new_enums, old_enums)) {
    const auto *after = find(new_enums, name), *before = find(old_enums, name);
    const std::string here = below(path, name);
    if (after == nullptr || before == nullptr) {
      add(after == nullptr ? DifferenceType::kEnumRemoved : DifferenceType::kEnumAdded, here);
    } else {
      compare_enums(**after, **before, here);
    }
  }
}

void Comparison::compare_enums(const Enum& reader, const Enum& writer, const std::string& path) {
  spend(reader.value_count() + writer.value_count());
  std::map<int, std::pair<std::string, std::string>> names;  // by number: the reader's, the writer's
  for (int i = 0; i < reader.value_count(); ++i)
    names[reader.value(i)->number()].first = reader.value(i)->name();
  for (int i = 0; i < writer.value_count(); ++i)
    names[writer.value(i)->number()].second = writer.value(i)->name();
  for (const auto& [number, name] : names) {
    if (name.first == name.second) continue;
    add(name.first.empty()    ? DifferenceType::kEnumConstRemoved
        : name.second.empty() ? DifferenceType::kEnumConstAdded
                              : DifferenceType::kEnumConstChanged,
        below(path, std::to_string(number)));
  }
}

void Comparison::compare_messages(const Message& reader, const Message& writer, const std::string& path) {
  spend(1 + reader.field_count() + writer.field_count());
  if (exhausted()) return;
  compare_oneofs(reader, writer, path);
  compare_fields(reader, writer, path);
  compare_types(reader, writer, path);
}

void Comparison::compare_oneofs(const Message& reader, const Message& writer, const std::string& path) {
  std::map<std::string, std::pair<bool, bool>> names;
  for (int i = 0; i < reader.real_oneof_decl_count(); ++i) {
    const auto& oneof = *reader.oneof_decl(i);
    names[oneof.name()].first = true;
    if (const auto type = newly_exclusive(oneof, writer)) add(*type, below(path, oneof.name()));
  }
  for (int i = 0; i < writer.real_oneof_decl_count(); ++i) names[writer.oneof_decl(i)->name()].second = true;
  for (const auto& [name, in] : names) {
    if (in.first == in.second) continue;
    add(in.first ? DifferenceType::kOneofAdded : DifferenceType::kOneofRemoved, below(path, name));
  }
}

// A whole oneof may go: nobody reads any of its fields any more.
bool Comparison::is_read(const Oneof& oneof, const Message& reader, const std::set<std::string>& names) {
  if (names.contains(oneof.name())) return true;
  spend(oneof.field_count());
  for (int i = 0; i < oneof.field_count(); ++i) {
    if (reader.FindFieldByNumber(oneof.field(i)->number()) != nullptr) return true;
  }
  return false;
}

std::set<const Comparison::Oneof*> Comparison::oneofs_gone(const Message& reader, const Message& writer) {
  std::set<std::string> names;
  for (int i = 0; i < reader.real_oneof_decl_count(); ++i) names.insert(reader.oneof_decl(i)->name());
  std::set<const Oneof*> out;
  for (int i = 0; i < writer.real_oneof_decl_count(); ++i) {
    if (!is_read(*writer.oneof_decl(i), reader, names)) out.insert(writer.oneof_decl(i));
  }
  return out;
}

void Comparison::compare_fields(const Message& reader, const Message& writer, const std::string& path) {
  const auto gone = oneofs_gone(reader, writer);
  for (const int number : numbers_of(reader, writer)) {
    const Field *after = reader.FindFieldByNumber(number), *before = writer.FindFieldByNumber(number);
    if (after == nullptr) {
      removed_field(*before, gone, path);
      continue;
    }
    const std::string here = place_of(*after, path);
    if (before == nullptr) {
      added_field(*after, here);
      continue;
    }
    if (before->real_containing_oneof() != nullptr && after->real_containing_oneof() == nullptr) {
      add(DifferenceType::kOneofFieldMovedToTopLevel, here);
    }
    if (before->name() != after->name()) add(DifferenceType::kFieldNameChanged, here);
    compare_field(*after, *before, here, true);
  }
}

void Comparison::removed_field(const Field& field, const std::set<const Oneof*>& gone,
                               const std::string& path) {
  const std::string here = place_of(field, path);
  if (const auto* oneof = field.real_containing_oneof()) {
    if (!gone.contains(oneof)) add(DifferenceType::kOneofFieldRemoved, here);
  } else {
    add(field.is_required() ? DifferenceType::kRequiredFieldRemoved : DifferenceType::kFieldRemoved, here);
  }
}

void Comparison::added_field(const Field& field, const std::string& path) {
  if (field.real_containing_oneof() != nullptr) {
    add(DifferenceType::kOneofFieldAdded, path);
  } else {
    add(field.is_required() ? DifferenceType::kRequiredFieldAdded : DifferenceType::kFieldAdded, path);
  }
}

void Comparison::compare_field(const Field& reader, const Field& writer, const std::string& path,
                               bool with_labels) {
  if (kind_of(reader) != kind_of(writer)) return add(DifferenceType::kFieldKindChanged, path);
  switch (kind_of(reader)) {
    case Kind::kScalar:
      return compare_scalars(reader, writer, path, with_labels);
    case Kind::kMessage:
      return compare_message_types(*reader.message_type(), *writer.message_type(), path);
    case Kind::kMap:
      compare_field(*reader.message_type()->map_key(), *writer.message_type()->map_key(), path, false);
      compare_field(*reader.message_type()->map_value(), *writer.message_type()->map_value(), path, false);
  }
}

void Comparison::compare_scalars(const Field& reader, const Field& writer, const std::string& path,
                                 bool with_labels) {
  if (scalar_kind_of(reader) != scalar_kind_of(writer))
    return add(DifferenceType::kFieldScalarKindChanged, path);
  const Label after = label_of(reader), before = label_of(writer);
  if (!with_labels || after == before || after == Label::kNone || before == Label::kNone) return;
  add(scalar_kind_of(reader) == ScalarKind::kStringOrBytes ? DifferenceType::kFieldStringOrBytesLabelChanged
                                                           : DifferenceType::kFieldNumericLabelChanged,
      path);
}

// Two messages of the files themselves are compared by their names there; others through the fields that have them.
void Comparison::compare_message_types(const Message& reader, const Message& writer,
                                       const std::string& path) {
  if (local_name(reader) != local_name(writer)) return add(DifferenceType::kFieldNamedTypeChanged, path);
  if (&reader == &writer || (reader.file() == &reader_ && writer.file() == &writer_)) return;
  const auto [at, is_new] = known_.try_emplace({&reader, &writer}, pairs_.size());
  if (is_new) {
    pairs_.emplace_back();
    pairs_.back().reader = &reader;
    pairs_.back().writer = &writer;
  }
  spend_on(path);
  pairs_[at->second].uses.push_back({now_, path});
}

void Comparison::spread() {
  const auto hinders = [](const Pair& pair) {
    return !pair.told && std::any_of(pair.found.begin(), pair.found.end(),
                                     [](const Difference& d) { return !is_compatible(d.type); });
  };
  std::vector<size_t> open;
  for (size_t i = 0; i < pairs_.size(); ++i) {
    if (hinders(pairs_[i])) open.push_back(i);
  }
  while (!open.empty()) {
    Pair& pair = pairs_[open.back()];
    open.pop_back();
    if (pair.told) continue;
    pair.told = true;
    for (const Use& use : pair.uses) {
      pairs_[use.pair].found.push_back({DifferenceType::kFieldNamedTypeChanged, use.path});
      if (hinders(pairs_[use.pair])) open.push_back(use.pair);
    }
  }
}

}  // namespace millrace::protobuf
