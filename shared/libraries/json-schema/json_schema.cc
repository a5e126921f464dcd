#include "json-schema/json_schema.h"

#include "json-schema/diff.h"

namespace millrace::json_schema {

Result<schema::SchemaPtr> JsonSchema::parse(std::string_view text,
                                            std::span<const schema::NamedSchema> references) {
  TRY_ASSIGN(DocumentPtr document, Document::parse(text, references));
  return schema::SchemaPtr(std::make_shared<JsonSchema>(std::move(document)));
}

JsonSchema::JsonSchema(DocumentPtr document)
    : document_(std::move(document)), text_(write_json(document_->value())) {}

std::string JsonSchema::normalized() const {
  return write_json(document_->value(), MemberOrder::kByName);
}

namespace {

const Document& document_of(const schema::Schema& schema) {
  CHECK(schema.type() == schema::SchemaType::kJson, "two schemas of one type are compared");
  return *static_cast<const JsonSchema&>(schema).document();
}

}  // namespace

Result<std::vector<schema::Incompatibility>> JsonSchema::what_hinders_reading(
    const schema::Schema& writer) const {
  return diff(*document_, document_of(writer));
}

Result<std::vector<schema::Incompatibility>> JsonSchema::what_hinders_trusting(
    const schema::Schema& writer) const {
  return diff(*document_, document_of(writer), Policy::kLenient);
}

}  // namespace millrace::json_schema
