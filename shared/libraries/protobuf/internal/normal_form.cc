#include "protobuf/internal/normal_form.h"

#include <algorithm>
#include <tuple>
#include <vector>

namespace millrace::protobuf {

namespace {

namespace pb = google::protobuf;

std::string name_of(const pb::UninterpretedOption& option) {
  std::string out;
  for (const auto& part : option.name()) out += "." + part.name_part();
  return out;
}

// Calls each(options) for the options of everything in the file.
template <typename Each>
void each_options(pb::EnumDescriptorProto& type, Each each) {
  if (type.has_options()) each(*type.mutable_options());
  for (auto& value : *type.mutable_value()) {
    if (value.has_options()) each(*value.mutable_options());
  }
}

template <typename Each>
void each_options(pb::DescriptorProto& type, Each each) {
  if (type.has_options()) each(*type.mutable_options());
  for (auto& field : *type.mutable_field()) {
    if (field.has_options()) each(*field.mutable_options());
  }
  for (auto& field : *type.mutable_extension()) {
    if (field.has_options()) each(*field.mutable_options());
  }
  for (auto& oneof : *type.mutable_oneof_decl()) {
    if (oneof.has_options()) each(*oneof.mutable_options());
  }
  for (auto& nested : *type.mutable_nested_type()) each_options(nested, each);
  for (auto& nested : *type.mutable_enum_type()) each_options(nested, each);
}

template <typename Each>
void each_options(pb::ServiceDescriptorProto& service, Each each) {
  if (service.has_options()) each(*service.mutable_options());
  for (auto& method : *service.mutable_method()) {
    if (method.has_options()) each(*method.mutable_options());
  }
}

template <typename Each>
void each_options(pb::FileDescriptorProto& file, Each each) {
  if (file.has_options()) each(*file.mutable_options());
  for (auto& type : *file.mutable_message_type()) each_options(type, each);
  for (auto& type : *file.mutable_enum_type()) each_options(type, each);
  for (auto& service : *file.mutable_service()) each_options(service, each);
  for (auto& field : *file.mutable_extension()) {
    if (field.has_options()) each(*field.mutable_options());
  }
}

void resolve(pb::FieldDescriptorProto& field, const pb::FieldDescriptor& made) {
  if (made.message_type() != nullptr) field.set_type_name("." + made.message_type()->full_name());
  if (made.enum_type() != nullptr) field.set_type_name("." + made.enum_type()->full_name());
  if (made.is_extension()) field.set_extendee("." + made.containing_type()->full_name());
}

void resolve(pb::DescriptorProto& type, const pb::Descriptor& made) {
  for (int i = 0; i < type.field_size(); ++i) resolve(*type.mutable_field(i), *made.field(i));
  for (int i = 0; i < type.extension_size(); ++i) resolve(*type.mutable_extension(i), *made.extension(i));
  for (int i = 0; i < type.nested_type_size(); ++i)
    resolve(*type.mutable_nested_type(i), *made.nested_type(i));
}

void resolve(pb::FileDescriptorProto& proto, const pb::FileDescriptor& file) {
  for (int i = 0; i < proto.message_type_size(); ++i)
    resolve(*proto.mutable_message_type(i), *file.message_type(i));
  for (int i = 0; i < proto.extension_size(); ++i) resolve(*proto.mutable_extension(i), *file.extension(i));
  for (int i = 0; i < proto.service_size(); ++i) {
    for (int k = 0; k < proto.service(i).method_size(); ++k) {
      auto& method = *proto.mutable_service(i)->mutable_method(k);
      method.set_input_type("." + file.service(i)->method(k)->input_type()->full_name());
      method.set_output_type("." + file.service(i)->method(k)->output_type()->full_name());
    }
  }
}

template <typename List, typename Key>
void sort_by(List& list, Key key) {
  std::stable_sort(list.begin(), list.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
}

// The first value stays: it is the default.
void sort(pb::EnumDescriptorProto& type) {
  const std::string first = type.value_size() > 0 ? type.value(0).name() : "";
  sort_by(*type.mutable_value(),
          [&](const auto& value) { return std::tuple(value.name() != first, value.number(), value.name()); });
  sort_by(*type.mutable_reserved_range(), [](const auto& range) { return range.start(); });
  sort_by(*type.mutable_reserved_name(), [](const auto& name) { return name; });
}

// The order of messages stays: message indexes count on it. Oneofs go by their lowest field.
void sort(pb::DescriptorProto& type) {
  sort_by(*type.mutable_field(), [](const auto& field) { return field.number(); });
  sort_by(*type.mutable_reserved_range(), [](const auto& range) { return range.start(); });
  sort_by(*type.mutable_reserved_name(), [](const auto& name) { return name; });
  sort_by(*type.mutable_extension_range(), [](const auto& range) { return range.start(); });
  std::vector<int> place(type.oneof_decl_size(), -1);
  pb::RepeatedPtrField<pb::OneofDescriptorProto> oneofs;
  for (auto& field : *type.mutable_field()) {
    if (!field.has_oneof_index()) continue;
    int& now = place[field.oneof_index()];
    if (now < 0) {
      now = oneofs.size();
      *oneofs.Add() = type.oneof_decl(field.oneof_index());
    }
    field.set_oneof_index(now);
  }
  *type.mutable_oneof_decl() = oneofs;
  for (auto& nested : *type.mutable_nested_type()) sort(nested);
  for (auto& nested : *type.mutable_enum_type()) sort(nested);
}

// Imports sorted, each once; which of them are public goes by number.
void sort_imports(pb::FileDescriptorProto& file) {
  std::vector<std::pair<std::string, bool>> imports;
  for (const auto& name : file.dependency()) imports.emplace_back(name, false);
  for (const int i : file.public_dependency()) imports[i].second = true;
  std::sort(imports.begin(), imports.end());
  imports.erase(std::unique(imports.begin(), imports.end()), imports.end());
  file.clear_dependency();
  file.clear_public_dependency();
  for (const auto& [name, is_public] : imports) {
    if (is_public) file.add_public_dependency(file.dependency_size());
    file.add_dependency(name);
  }
}

}  // namespace

pb::FileDescriptorProto normal_form(pb::FileDescriptorProto proto, const pb::FileDescriptor& file) {
  resolve(proto, file);
  sort_imports(proto);
  for (auto& type : *proto.mutable_message_type()) sort(type);
  for (auto& type : *proto.mutable_enum_type()) sort(type);
  each_options(proto, [](auto& options) {
    sort_by(*options.mutable_uninterpreted_option(), [](const auto& option) { return name_of(option); });
  });
  return proto;
}

pb::FileDescriptorProto without_custom_options(pb::FileDescriptorProto proto) {
  each_options(proto, [](auto& options) {
    auto& list = *options.mutable_uninterpreted_option();
    const auto is_custom = [](const auto& option) {
      return option.name_size() > 0 && option.name(0).is_extension();
    };
    list.erase(std::remove_if(list.begin(), list.end(), is_custom), list.end());
  });
  return proto;
}

}  // namespace millrace::protobuf
