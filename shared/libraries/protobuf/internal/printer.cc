#include "protobuf/internal/printer.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace millrace::protobuf {

namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptorProto;

constexpr int kMostFieldNumber = 536'870'911;  // what the end of a range is that goes to `max`

void append_number(std::string& out, char c) {
  fmt::format_to(std::back_inserter(out), "\\{:03o}", static_cast<unsigned char>(c));
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kSpecial = "\a\b\f\n\r\t\v\\'\"", kLetters = "abfnrtv\\'\"";
  const size_t at = kSpecial.find(c);
  if (at != std::string_view::npos) {
    out += {'\\', kLetters[at]};
  } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
    append_number(out, c);
  } else {
    out += c;
  }
}

// A string is any bytes, a text clean UTF-8: what is neither a letter nor a sign stands by its number.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const pb::StringPiece rest(text.data(), text.size());
    const auto clean = static_cast<size_t>(pb::internal::UTF8SpnStructurallyValid(rest));
    for (const char c : text.substr(0, clean)) append_escaped(out, c);
    text.remove_prefix(clean);
    if (text.empty()) break;
    append_number(out, text.front());
    text.remove_prefix(1);
  }
  return out + '"';
}

std::string name_of(const pb::UninterpretedOption& option) {
  std::string out;
  for (const auto& part : option.name()) {
    if (!out.empty()) out += '.';
    out += part.is_extension() ? "(" + part.name_part() + ")" : part.name_part();
  }
  return out;
}

std::string value_of(const pb::UninterpretedOption& option) {
  if (option.has_identifier_value()) return option.identifier_value();
  if (option.has_positive_int_value()) return std::to_string(option.positive_int_value());
  if (option.has_negative_int_value()) return std::to_string(option.negative_int_value());
  if (option.has_double_value()) return fmt::format("{}", option.double_value());
  if (option.has_aggregate_value()) return "{ " + option.aggregate_value() + " }";
  return quoted(option.string_value());
}

template <typename Options>
std::vector<std::string> texts_of(const Options& options) {
  std::vector<std::string> out;
  for (const auto& option : options.uninterpreted_option())
    out.push_back(name_of(option) + " = " + value_of(option));
  return out;
}

std::string_view last_name(const Field& field) {
  const std::string_view name = field.type_name();
  return name.substr(name.rfind('.') + 1);
}

// What stands in a message or file, by name. A group is printed where its field is.
class Inner {
 public:
  explicit Inner(const pb::DescriptorProto& type) {
    add_types(type.nested_type());
    add_groups(type.field());
    add_groups(type.extension());
  }
  explicit Inner(const pb::FileDescriptorProto& file) {
    add_types(file.message_type());
    add_groups(file.extension());
  }

  bool is_group(const pb::DescriptorProto& type) const { return groups_.contains(type.name()); }
  const pb::DescriptorProto* type_of(const Field& field) const {
    const auto found = types_.find(last_name(field));
    return found == types_.end() ? nullptr : found->second;
  }

 private:
  template <typename Types>
  void add_types(const Types& types) {
    for (const auto& type : types) types_.emplace(type.name(), &type);
  }
  template <typename Fields>
  void add_groups(const Fields& fields) {
    for (const Field& field : fields) {
      if (field.type() == Field::TYPE_GROUP) groups_.insert(last_name(field));
    }
  }

  std::map<std::string_view, const pb::DescriptorProto*> types_;
  std::set<std::string_view> groups_;
};

class Printer {
 public:
  void file(const pb::FileDescriptorProto& file, bool has_syntax) {
    proto3_ = file.syntax() == "proto3";
    if (has_syntax) line(fmt::format("syntax = \"{}\";", proto3_ ? "proto3" : "proto2"));
    if (file.has_package()) line(fmt::format("package {};", file.package()));
    imports(file);
    section(texts_of(file.options()), [&](const std::string& text) { option(text); });
    if (!file.message_type().empty() || !file.enum_type().empty()) blank();
    const Inner inner(file);
    for (const auto& type : file.message_type()) {
      if (!inner.is_group(type)) message(type);
    }
    for (const auto& type : file.enum_type()) enumeration(type);
    extensions(file.extension(), inner);
    section(file.service(), [&](const auto& service) { this->service(service); });
  }

  std::string take() { return std::move(out_); }

 private:
  void line(std::string_view text) { out_.append(2 * depth_, ' ').append(text) += '\n'; }
  // Between sections; the first one of a block follows its head.
  void blank() {
    if (!out_.ends_with("{\n")) out_ += '\n';
  }
  void option(const std::string& text) { line("option " + text + ";"); }

  template <typename List, typename Each>
  void section(const List& list, Each each) {
    if (!list.empty()) blank();
    for (const auto& item : list) each(item);
  }

  template <typename Inner>
  void block(const std::string& head, Inner inner) {
    line(head + " {");
    ++depth_;
    const size_t before = out_.size();
    inner();
    --depth_;
    if (out_.size() > before) return line("}");
    out_.pop_back();
    out_ += "}\n";
  }

  void imports(const pb::FileDescriptorProto& file) {
    const auto is_public = [&](int i) {
      return std::find(file.public_dependency().begin(), file.public_dependency().end(), i) !=
             file.public_dependency().end();
    };
    if (file.dependency_size() > 0) blank();
    for (const bool wanted : {false, true}) {
      for (int i = 0; i < file.dependency_size(); ++i) {
        if (is_public(i) == wanted)
          line(fmt::format("import {}{};", wanted ? "public " : "", quoted(file.dependency(i))));
      }
    }
  }

  void message(const pb::DescriptorProto& type) {
    block("message " + type.name(), [&] { body(type); });
  }

  void body(const pb::DescriptorProto& type) {
    reserved(type);
    section(texts_of(type.options()), [&](const std::string& text) { option(text); });
    const Inner inner(type);
    fields(type, inner);
    oneofs(type, inner);
    section(type.extension_range(), [&](const auto& range) {
      line(fmt::format("extensions {}{};", range_text(range.start(), range.end() - 1),
                       options_text(texts_of(range.options()))));
    });
    nested(type, inner);
    extensions(type.extension(), inner);
  }

  static std::string range_text(int first, int last) {
    if (first == last) return std::to_string(first);
    return last >= kMostFieldNumber ? fmt::format("{} to max", first) : fmt::format("{} to {}", first, last);
  }

  template <typename Type>
  void reserved(const Type& type) {
    constexpr bool kEndIsIn = std::is_same_v<Type, pb::EnumDescriptorProto>;
    std::vector<std::string> items;
    for (const auto& range : type.reserved_range()) {
      items.push_back(range_text(range.start(), kEndIsIn ? range.end() : range.end() - 1));
    }
    for (const auto& name : type.reserved_name()) items.push_back(quoted(name));
    section(items, [&](const std::string& item) { line("reserved " + item + ";"); });
  }

  static bool is_in_oneof(const Field& field) { return field.has_oneof_index() && !field.proto3_optional(); }

  // Fields that stand in the message itself: not in a oneof, but for the ones that `optional` stands for.
  void fields(const pb::DescriptorProto& type, const Inner& inner) {
    bool first = true;
    for (const Field& field : type.field()) {
      if (is_in_oneof(field)) continue;
      if (first) blank();
      first = false;
      this->field(field, inner);
    }
  }

  void oneofs(const pb::DescriptorProto& type, const Inner& inner) {
    std::map<int, std::vector<const Field*>> members;
    for (const Field& field : type.field()) {
      if (is_in_oneof(field)) members[field.oneof_index()].push_back(&field);
    }
    for (const auto& [index, fields] : members) {
      const auto& oneof = type.oneof_decl(index);
      blank();
      block("oneof " + oneof.name(), [&, &fields = fields] {
        section(texts_of(oneof.options()), [&](const std::string& text) { option(text); });
        for (const Field* field : fields) this->field(*field, inner);
      });
    }
  }

  void nested(const pb::DescriptorProto& type, const Inner& inner) {
    const auto is_own = [&](const pb::DescriptorProto& one) {
      return !one.options().map_entry() && !inner.is_group(one);
    };
    const auto& types = type.nested_type();
    if (std::any_of(types.begin(), types.end(), is_own) || type.enum_type_size() > 0) blank();
    for (const auto& one : types) {
      if (is_own(one)) message(one);
    }
    for (const auto& one : type.enum_type()) enumeration(one);
  }

  void field(const Field& field, const Inner& inner) {
    const pb::DescriptorProto* own = inner.type_of(field);
    if (field.type() == Field::TYPE_GROUP && own != nullptr) {
      return block(label_of(field) + fmt::format("group {} = {}", own->name(), field.number()),
                   [&] { body(*own); });
    }
    const bool is_map = own != nullptr && own->options().map_entry();
    const std::string type = is_map
                                 ? fmt::format("map<{}, {}>", type_of(own->field(0)), type_of(own->field(1)))
                                 : label_of(field) + type_of(field);
    std::vector<std::string> options = texts_of(field.options());
    if (field.has_default_value()) options.push_back("default = " + default_of(field));
    if (field.has_json_name()) options.push_back("json_name = " + quoted(field.json_name()));
    statement(fmt::format("{} {} = {}", type, field.name(), field.number()), options);
  }

  std::string label_of(const Field& field) const {
    if (field.label() == Field::LABEL_REPEATED) return "repeated ";
    if (field.label() == Field::LABEL_REQUIRED) return "required ";
    if (field.proto3_optional()) return "optional ";
    return proto3_ || field.has_oneof_index() ? "" : "optional ";
  }

  static std::string type_of(const Field& field) {
    if (!field.type_name().empty()) return field.type_name();
    constexpr std::string_view kNames[] = {
        "",      "double",  "float", "int64",  "uint64", "int32",    "fixed64",  "fixed32", "bool",  "string",
        "group", "message", "bytes", "uint32", "enum",   "sfixed32", "sfixed64", "sint32",  "sint64"};
    return std::string(kNames[field.type()]);
  }

  static std::string default_of(const Field& field) {
    if (field.type() == Field::TYPE_STRING) return quoted(field.default_value());
    return field.type() == Field::TYPE_BYTES ? "\"" + field.default_value() + "\"" : field.default_value();
  }

  std::string options_text(const std::vector<std::string>& options) const {
    if (options.empty()) return {};
    if (options.size() == 1) return " [" + options[0] + "]";
    const std::string indent(2 * (depth_ + 1), ' ');
    std::string out = " [\n";
    for (size_t i = 0; i < options.size(); ++i)
      out += indent + options[i] + (i + 1 < options.size() ? ",\n" : "\n");
    return out + std::string(2 * depth_, ' ') + "]";
  }

  void statement(const std::string& head, const std::vector<std::string>& options) {
    line(head + options_text(options) + ";");
  }

  void enumeration(const pb::EnumDescriptorProto& type) {
    block("enum " + type.name(), [&] {
      reserved(type);
      for (const std::string& text : texts_of(type.options())) option(text);
      for (const auto& value : type.value()) {
        statement(fmt::format("{} = {}", value.name(), value.number()), texts_of(value.options()));
      }
    });
  }

  template <typename Fields>
  void extensions(const Fields& fields, const Inner& inner) {
    for (auto first = fields.begin(); first != fields.end();) {
      const auto last = std::find_if(
          first, fields.end(), [&](const Field& field) { return field.extendee() != first->extendee(); });
      blank();
      block("extend " + first->extendee(), [&] {
        for (auto field = first; field != last; ++field) this->field(*field, inner);
      });
      first = last;
    }
  }

  void service(const pb::ServiceDescriptorProto& service) {
    block("service " + service.name(), [&] {
      section(texts_of(service.options()), [&](const std::string& text) { option(text); });
      section(service.method(), [&](const auto& method) { this->method(method); });
    });
  }

  void method(const pb::MethodDescriptorProto& method) {
    const std::string head =
        fmt::format("rpc {} ({}{}) returns ({}{})", method.name(), method.client_streaming() ? "stream " : "",
                    method.input_type(), method.server_streaming() ? "stream " : "", method.output_type());
    const auto options = texts_of(method.options());
    if (options.empty()) return line(head + ";");
    block(head, [&] {
      for (const std::string& text : options) option(text);
    });
    out_.insert(out_.size() - 1, ";");
  }

  std::string out_;
  size_t depth_ = 0;
  bool proto3_ = false;
};

}  // namespace

std::string print(const pb::FileDescriptorProto& file, bool has_syntax) {
  Printer printer;
  printer.file(file, has_syntax);
  return printer.take();
}

}  // namespace millrace::protobuf
