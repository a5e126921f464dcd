// AvroSchema: a schema of Apache Avro, parsed and checked.
//
// Owns:       its tree of types, those of its references included; immutable.
// Invariants: text() is what Java's library writes for it, with types of references mentioned by name.
// Errors:     MR-AVRO-… (docs/errors.md).
#pragma once

#include <memory>
#include <string>

#include "avro/node.h"
#include "schema/schema.h"

namespace millrace::avro {

class AvroSchema final : public schema::Schema {
 public:
  static Result<std::shared_ptr<const AvroSchema>> parse(
      std::string_view text, std::span<const schema::NamedSchema> references = {});

  schema::SchemaType type() const override { return schema::SchemaType::kAvro; }
  const std::string& text() const override { return text_; }
  std::string normalized() const override;
  Result<std::string> formatted(
      std::string_view format) const override;  // "resolved": references written out
  Result<std::vector<schema::Incompatibility>> what_hinders_reading(
      const schema::Schema& writer) const override;

  const Node& root() const { return *tree_.root; }
  std::string canonical() const;
  uint64_t fingerprint() const;

 private:
  explicit AvroSchema(SchemaTree tree);

  SchemaTree tree_;
  std::string text_;
};

schema::SchemaFormat avro_format();

}  // namespace millrace::avro
