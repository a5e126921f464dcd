#include "protobuf/internal/parsed_file.h"

#include <fmt/format.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/strutil.h>

#include <algorithm>

#include "protobuf/internal/builtin_files.h"
#include "protobuf/internal/text_bounds.h"
#include "protobuf/protobuf_schema.h"

namespace millrace::protobuf {

namespace {

namespace pb = google::protobuf;

constexpr const char* kOwnName = "default";  // of a schema's own file: a registry's schemas have none

// The first mistake, with its place: what comes after follows from it more often than not.
class FirstMistake : public pb::io::ErrorCollector, public pb::DescriptorPool::ErrorCollector {
 public:
  explicit FirstMistake(std::string_view file) : file_(file) {}

  void AddError(int line, pb::io::ColumnNumber column, const std::string& message) override {
    note(line, column, message);
  }
  void AddError(const std::string& /*file*/, const std::string& element, const pb::Message* descriptor,
                ErrorLocation location, const std::string& message) override {
    int line = -1, column = 0;
    places.Find(descriptor, location, &line, &column);
    note(line, column, element.empty() ? message : fmt::format("{}: {}", element, message));
  }

  bool any() const { return found_.has_value(); }
  Error error() const {
    Error out =
        found_.value_or(millrace::error(Code::kInvalid, "MR-PROTO-0001", "the schema is not Protobuf"));
    if (file_ != kOwnName) out.message = fmt::format("in the reference \"{}\": {}", file_, out.message);
    return out;
  }

  pb::compiler::SourceLocationTable places;

 private:
  void note(int line, int column, const std::string& message) {
    if (found_) return;
    found_ = millrace::error(Code::kInvalid, "MR-PROTO-0001", message, "correct the .proto text");
    if (line < 0) return;
    found_->message = fmt::format("{} (line {}, column {})", message, line + 1, column + 1);
    found_->span = SourceSpan{static_cast<uint32_t>(line + 1), static_cast<uint32_t>(column + 1), 0, 0};
  }

  std::string file_;
  std::optional<Error> found_;
};

size_t parts_of(const pb::EnumDescriptorProto& type) {
  return 1 + type.value_size() + type.reserved_range_size() + type.reserved_name_size();
}

size_t parts_of(const pb::DescriptorProto& type) {
  size_t out = 1 + type.field_size() + type.extension_size() + type.oneof_decl_size() +
               type.reserved_range_size() + type.reserved_name_size() + type.extension_range_size();
  for (const auto& nested : type.nested_type()) out += parts_of(nested);
  for (const auto& nested : type.enum_type()) out += parts_of(nested);
  return out;
}

size_t parts_of(const pb::FileDescriptorProto& file) {
  size_t out = file.dependency_size() + file.extension_size();
  for (const auto& type : file.message_type()) out += parts_of(type);
  for (const auto& type : file.enum_type()) out += parts_of(type);
  for (const auto& service : file.service()) out += 1 + service.method_size();
  return out;
}

int most_ranges(const pb::EnumDescriptorProto& type) {
  return std::max(type.reserved_range_size(), type.reserved_name_size());
}

int most_ranges(const pb::DescriptorProto& type) {
  int out = std::max(type.reserved_range_size() + type.extension_range_size(), type.reserved_name_size());
  for (const auto& nested : type.nested_type()) out = std::max(out, most_ranges(nested));
  for (const auto& nested : type.enum_type()) out = std::max(out, most_ranges(nested));
  return out;
}

// Of what is named in each other, the longest whole name, without what stands before this one's own.
template <typename Named>
size_t longest_name(const Named& named) {
  return named.name().size();
}

template <typename Named>
size_t longest_of(const pb::RepeatedPtrField<Named>& all) {
  size_t out = 0;
  for (const Named& one : all) out = std::max(out, longest_name(one));
  return out;
}

size_t whole(const std::string& name, size_t inner) {
  return inner == 0 ? name.size() : name.size() + 1 + inner;
}

// Values stand beside their enum.
template <>
size_t longest_name(const pb::EnumDescriptorProto& type) {
  return std::max(type.name().size(), longest_of(type.value()));
}

template <>
size_t longest_name(const pb::ServiceDescriptorProto& service) {
  return whole(service.name(), longest_of(service.method()));
}

template <>
size_t longest_name(const pb::DescriptorProto& type) {
  return whole(type.name(), std::max({longest_of(type.field()), longest_of(type.extension()),
                                      longest_of(type.oneof_decl()), longest_of(type.nested_type()),
                                      longest_of(type.enum_type())}));
}

size_t longest_name(const pb::FileDescriptorProto& file) {
  return whole(file.package(), std::max({longest_of(file.message_type()), longest_of(file.enum_type()),
                                         longest_of(file.extension()), longest_of(file.service())}));
}

Status check_names(const pb::FileDescriptorProto& file) {
  if (longest_name(file) <= kMaxNameBytes) return {};
  return error(Code::kInvalid, "MR-PROTO-0002",
               fmt::format("a name, with those that it stands in, has more than {} bytes", kMaxNameBytes),
               "shorten it, or the package's or the messages' names");
}

Status check_parts(const pb::FileDescriptorProto& file) {
  TRY(check_names(file));
  const size_t parts = parts_of(file);
  int ranges = 0;
  for (const auto& type : file.message_type()) ranges = std::max(ranges, most_ranges(type));
  for (const auto& type : file.enum_type()) ranges = std::max(ranges, most_ranges(type));
  if (parts <= kMaxParts && static_cast<size_t>(ranges) <= kMaxReservedRanges) return {};
  return error(
      Code::kInvalid, "MR-PROTO-0002",
      parts > kMaxParts
          ? fmt::format("the schema has {} messages, fields and values, more than {}", parts, kMaxParts)
          : fmt::format("a type has {} reserved ranges or names, more than {}", ranges, kMaxReservedRanges),
      "split it into several and refer to them");
}

bool says_syntax(const pb::FileDescriptorProto& proto) {
  const auto& places = proto.source_code_info().location();
  return std::any_of(places.begin(), places.end(), [](const auto& place) {
    return place.path_size() == 1 && place.path(0) == pb::FileDescriptorProto::kSyntaxFieldNumber;
  });
}

Result<pb::FileDescriptorProto> parse_text(std::string_view text, const std::string& name,
                                           FirstMistake& mistakes) {
  TRY(check_text_bounds(text));
  pb::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  pb::io::Tokenizer tokens(&stream, &mistakes);
  pb::compiler::Parser parser;
  parser.RecordErrorsTo(&mistakes);
  parser.RecordSourceLocationsTo(&mistakes.places);
  pb::FileDescriptorProto out;
  // What is no token is told to the collector alone.
  if (!parser.Parse(&tokens, &out) || mistakes.any()) return mistakes.error();
  out.set_name(name);
  TRY(check_parts(out));
  return out;
}

Status check_imports(const pb::FileDescriptorProto& proto, const pb::DescriptorPool& pool) {
  for (const std::string& import : proto.dependency()) {
    if (pool.FindFileByName(import) != nullptr) continue;
    return error(
        Code::kInvalid, "MR-PROTO-0003",
        fmt::format("\"{}\" imports \"{}\", which is not among the references", proto.name(), import),
        "register that file and refer to it by this name; nothing is fetched");
  }
  return {};
}

Result<const pb::FileDescriptor*> build(pb::DescriptorPool& pool, const pb::FileDescriptorProto& proto,
                                        FirstMistake& mistakes) {
  TRY(check_imports(proto, pool));
  const pb::FileDescriptor* file = pool.BuildFileCollectingErrors(proto, &mistakes);
  if (file == nullptr) return mistakes.error();
  return file;
}

bool is_base64(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
             std::string_view::npos;
}

// The .proto text of what some clients send instead: the base64 of a FileDescriptorProto.
Result<std::string> text_of_base64(std::string_view base64, const pb::DescriptorPool& imports) {
  if (base64.size() > kMaxTextBytes) return check_text_bounds(base64).error();
  std::string bytes;
  pb::FileDescriptorProto proto;
  if (!pb::Base64Unescape(pb::StringPiece(base64.data(), base64.size()), &bytes) ||
      !proto.ParseFromString(bytes)) {
    return error(Code::kInvalid, "MR-PROTO-0004",
                 "the schema is neither a .proto text nor base64 of a FileDescriptorProto",
                 "send the .proto text");
  }
  TRY(check_parts(proto));
  proto.set_name(kOwnName);
  FirstMistake mistakes(kOwnName);
  pb::DescriptorPool pool(&imports);
  TRY_ASSIGN(const pb::FileDescriptor* file, build(pool, proto, mistakes));
  return file->DebugString();
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

struct Read {
  pb::FileDescriptorProto proto;
  const pb::FileDescriptor* file;
};

Result<Read> add(pb::DescriptorPool& pool, std::string_view text, const std::string& name) {
  std::string decoded;
  if (is_base64(trimmed(text))) {
    TRY_ASSIGN(decoded, text_of_base64(trimmed(text), pool));
    text = decoded;
  }
  FirstMistake mistakes(name);
  TRY_ASSIGN(pb::FileDescriptorProto proto, parse_text(text, name, mistakes));
  TRY_ASSIGN(const pb::FileDescriptor* file, build(pool, proto, mistakes));
  return Read{std::move(proto), file};
}

Status check_total(std::string_view text, std::span<const schema::NamedSchema> references) {
  size_t bytes = text.size();
  for (const auto& reference : references) bytes += reference.text.size();
  if (bytes <= kMaxAllTextBytes) return {};
  return error(
      Code::kInvalid, "MR-PROTO-0002",
      fmt::format("the schema and its references have {} bytes, more than {}", bytes, kMaxAllTextBytes),
      "refer to fewer files");
}

}  // namespace

Result<std::unique_ptr<ParsedFile>> parse_file(std::string_view text,
                                               std::span<const schema::NamedSchema> references) {
  TRY(check_total(text, references));
  if (trimmed(text).empty())
    return error(Code::kInvalid, "MR-PROTO-0001", "the schema is empty", "send the .proto text");
  auto out = std::make_unique<ParsedFile>(builtin_files());
  for (const auto& reference : references) {
    if (out->pool.FindFileByName(reference.name) == nullptr)
      TRY(add(out->pool, reference.text, reference.name));
  }
  TRY_ASSIGN(Read read, add(out->pool, text, kOwnName));
  out->proto = std::move(read.proto);
  out->file = read.file;
  out->has_syntax = says_syntax(out->proto);
  return out;
}

}  // namespace millrace::protobuf
