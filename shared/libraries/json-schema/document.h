// Document: a JSON Schema with everything it refers to. Each schema in it, wherever it stands, is a Subschema whose
// references have been resolved. A validator is compiled from it; two are compared by walking them.
//
// Owns:    the texts' values; a Subschema lives as long as its Document. Immutable, for any thread.
// Errors:  MR-JSCH-0001 to 0005. Nothing is fetched: what `$ref` names is in the text, in one of the references, or one
//          of the drafts' metaschemas, which are built in. In a reference that nothing names, nothing is resolved.
// Bound:   those of json_value.h for each text; kMostSubschemas; kMostUriBytes; kMostUriBytesInAll.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>

#include "json-schema/keywords.h"
#include "schema/schema.h"

namespace millrace::json_schema {

constexpr size_t kMostSubschemas = 100'000;
constexpr size_t kMostUriBytes = 4096;  // of an identifier: what stands below it has a copy
constexpr size_t kMostUriBytesInAll = 16 << 20;

struct Subschema;

// A schema with an identifier of its own, or a whole text, with those inside it that have none.
struct Resource {
  std::string uri;
  uint32_t text = 0;  // 0 is the schema's own
  Draft draft = Draft::k7;
  uint8_t vocabularies = kEveryVocabulary;  // of enum Vocabulary
  const Subschema* root = nullptr;
  std::map<std::string, const Subschema*, std::less<>> anchors;  // of either kind
  std::map<std::string, const Subschema*, std::less<>>
      dynamic_anchors;  // "" is what `$recursiveAnchor` makes
};

struct Subschema {
  const Value* value;       // an object or a boolean
  const Subschema* parent;  // null: a text's root
  std::string steps;        // from the parent: /properties/name
  uint32_t resource;        // Document::resource()
  uint32_t number;          // of all in the document, from 0

  const Subschema* ref =
      nullptr;  // what `$ref` names. In drafts 4 to 7 it counts alone: what stands beside it does not
  // What `$dynamicRef` or `$recursiveRef` names at first. With `is_dynamic`, it is the outermost schema that has been
  // entered and has the dynamic anchor `dynamic_anchor` instead.
  const Subschema* dynamic_ref = nullptr;
  bool is_dynamic = false;
  std::string dynamic_anchor;
};

class Document {
 public:
  // A schema without `$schema` is of `fallback`: as Confluent's registry, draft 7. So is one of an unknown metaschema.
  static Result<std::shared_ptr<const Document>> parse(std::string_view text,
                                                       std::span<const schema::NamedSchema> references,
                                                       Draft fallback = Draft::k7);

  const Value& value() const { return texts_.front(); }
  const Subschema& root() const { return subschemas_.front(); }
  // The schema that this value of the document is; null: it is none (the value of a `const`, say).
  const Subschema* find(const Value& value) const;
  const Resource& resource(const Subschema& subschema) const { return resources_[subschema.resource]; }
  Draft draft(const Subschema& subschema) const { return resource(subschema).draft; }

  // A keyword's value, if the draft and the vocabularies of the subschema have the keyword and it counts there.
  const Value* keyword(const Subschema& subschema, std::string_view name) const;
  // Where it stands in its text: a JSON Pointer, "" for the root.
  std::string pointer(const Subschema& subschema) const;

  std::span<const Resource> resources() const { return resources_; }
  const std::deque<Subschema>& subschemas() const { return subschemas_; }

 private:
  friend class DocumentReader;

  std::deque<Value> texts_;  // the schema's, then the references', then metaschemas'
  std::vector<Resource> resources_;
  std::deque<Subschema> subschemas_;
  std::unordered_map<const Value*, const Subschema*> by_value_;
};
using DocumentPtr = std::shared_ptr<const Document>;

}  // namespace millrace::json_schema
