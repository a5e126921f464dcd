// JSON Schema as a format of schema.h: what the registry keeps. A pattern that cannot be carried out is no reason to refuse
// a text here, only to refuse to validate with it (validator.h).
#pragma once

#include "json-schema/document.h"

namespace millrace::json_schema {

class JsonSchema : public schema::Schema {
 public:
  static Result<schema::SchemaPtr> parse(std::string_view text,
                                         std::span<const schema::NamedSchema> references);

  explicit JsonSchema(DocumentPtr document);

  schema::SchemaType type() const override { return schema::SchemaType::kJson; }
  const std::string& text() const override { return text_; }  // members in the order of the text
  std::string normalized() const override;                    // members sorted by name
  Result<std::string> formatted(std::string_view) const override { return text_; }
  Result<std::vector<schema::Incompatibility>> what_hinders_reading(
      const schema::Schema& writer) const override;
  Result<std::vector<schema::Incompatibility>> what_hinders_trusting(
      const schema::Schema& writer) const override;  // Policy::kLenient

  const DocumentPtr& document() const { return document_; }

 private:
  DocumentPtr document_;
  std::string text_;
};

inline constexpr schema::SchemaFormat kFormat{schema::SchemaType::kJson, &JsonSchema::parse};

}  // namespace millrace::json_schema
