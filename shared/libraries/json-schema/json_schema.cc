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

Result<std::vector<schema::Incompatibility>> JsonSchema::what_hinders_reading(
    const schema::Schema& writer) const {
  CHECK(writer.type() == schema::SchemaType::kJson, "two schemas of one type are compared");
  return diff(*document_, *static_cast<const JsonSchema&>(writer).document());
}

}  // namespace millrace::json_schema
