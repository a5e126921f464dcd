#include "avro/avro_schema.h"

#include "avro/compatibility.h"
#include "avro/parse.h"
#include "avro/text.h"

namespace millrace::avro {

AvroSchema::AvroSchema(SchemaTree tree)
    : tree_(std::move(tree)), text_(schema_text(*tree_.root, tree_.own, Layout::kDeclared)) {}

Result<std::shared_ptr<const AvroSchema>> AvroSchema::parse(std::string_view text,
                                                            std::span<const schema::NamedSchema> references) {
  TRY_ASSIGN(SchemaTree tree, parse_tree(text, references));
  return std::shared_ptr<const AvroSchema>(new AvroSchema(std::move(tree)));
}

std::string AvroSchema::normalized() const {
  return schema_text(*tree_.root, tree_.own, Layout::kNormalized);
}

Result<std::string> AvroSchema::formatted(std::string_view format) const {
  if (format != "resolved") return text_;
  return schema_text(*tree_.root, 0, Layout::kDeclared);
}

Result<std::vector<schema::Incompatibility>> AvroSchema::what_hinders_reading(
    const schema::Schema& writer) const {
  CHECK(writer.type() == schema::SchemaType::kAvro, "only schemas of one format can be compared");
  return compare(*tree_.root, static_cast<const AvroSchema&>(writer).root());
}

std::string AvroSchema::canonical() const {
  return canonical_form(*tree_.root);
}
uint64_t AvroSchema::fingerprint() const {
  return avro::fingerprint(*tree_.root);
}

namespace {

Result<schema::SchemaPtr> parse_avro(std::string_view text, std::span<const schema::NamedSchema> references) {
  TRY_ASSIGN(schema::SchemaPtr parsed, AvroSchema::parse(text, references));
  return parsed;
}

}  // namespace

schema::SchemaFormat avro_format() {
  return {schema::SchemaType::kAvro, parse_avro};
}

}  // namespace millrace::avro
