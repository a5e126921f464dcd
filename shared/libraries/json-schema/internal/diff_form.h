// Form: what kind of thing a schema describes, which is what two schemas are compared by.
//
// A schema that says several things at once (a type, an enum, a oneOf) is an allOf of forms that say one each; a list of
// types is an anyOf; a reference is what it refers to.
#pragma once

#include <deque>
#include <unordered_map>

#include "json-schema/document.h"

namespace millrace::json_schema {

enum class Kind : uint8_t {
  kAnything,
  kNothing,
  kString,
  kNumber,
  kBoolean,
  kNull,
  kEnum,
  kConst,
  kNot,
  kObject,
  kArray,
  kCombined,
  kConditional,
};

enum class Criterion : uint8_t { kAllOf, kAnyOf, kOneOf };

struct Form;

// A branch: a schema of the text, or a form that only stands for a part of what a schema says.
struct Branch {
  const Subschema* schema = nullptr;
  const Form* form = nullptr;
};

struct Form {
  Kind kind;
  const Document* document;
  const Subschema* schema;  // whose keywords count
  bool is_integer = false;
  Criterion criterion = Criterion::kAllOf;
  std::vector<Branch> branches;

  const Value* keyword(std::string_view name) const { return document->keyword(*schema, name); }
};

class Forms {
 public:
  explicit Forms(const Document& document) : document_(document) {}
  const Form& of(const Subschema& schema);
  const Form& of(const Branch& branch) { return branch.form != nullptr ? *branch.form : of(*branch.schema); }
  const Document& document() const { return document_; }

 private:
  const Form* make(const Subschema& schema, const Subschema*& next);
  const Form* add(Form form);
  Form part(const Subschema& schema, Kind kind) const;
  void add_combined(const Subschema& schema, std::vector<Branch>& parts);
  void add_types(const Subschema& schema, std::vector<Branch>& parts);
  const Form* of_type(const Subschema& schema, std::string_view type);

  const Document& document_;
  std::deque<Form> forms_;
  std::unordered_map<const Subschema*, const Form*> known_;
};

}  // namespace millrace::json_schema
