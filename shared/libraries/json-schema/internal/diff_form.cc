#include "json-schema/internal/diff_form.h"

#include <algorithm>
#include <array>

namespace millrace::json_schema {

namespace {

// What a schema without a type is about, by the keywords that it has.
struct Sign {
  std::string_view keyword, type;
};
constexpr std::array<Sign, 29> kSigns = {{
    {"items", "array"},
    {"prefixItems", "array"},
    {"additionalItems", "array"},
    {"unevaluatedItems", "array"},
    {"minItems", "array"},
    {"maxItems", "array"},
    {"uniqueItems", "array"},
    {"contains", "array"},
    {"properties", "object"},
    {"required", "object"},
    {"additionalProperties", "object"},
    {"unevaluatedProperties", "object"},
    {"patternProperties", "object"},
    {"propertyNames", "object"},
    {"minProperties", "object"},
    {"maxProperties", "object"},
    {"dependencies", "object"},
    {"dependentRequired", "object"},
    {"dependentSchemas", "object"},
    {"minimum", "number"},
    {"maximum", "number"},
    {"exclusiveMinimum", "number"},
    {"exclusiveMaximum", "number"},
    {"multipleOf", "number"},
    {"minLength", "string"},
    {"maxLength", "string"},
    {"pattern", "string"},
    {"format", "string"},
    {"contentEncoding", "string"},
}};

constexpr std::array<std::pair<std::string_view, Criterion>, 3> kCriteria = {
    {{"allOf", Criterion::kAllOf}, {"anyOf", Criterion::kAnyOf}, {"oneOf", Criterion::kOneOf}}};

}  // namespace

// A ring of references that says nothing else allows everything.
const Form& Forms::of(const Subschema& schema) {
  std::vector<const Subschema*> way;
  const Form* form = nullptr;
  for (const Subschema* at = &schema; form == nullptr;) {
    const auto found = known_.find(at);
    if (found != known_.end()) {
      form = found->second;
    } else if (way.size() > document_.subschemas().size()) {
      form = add(part(*at, Kind::kAnything));
    } else {
      way.push_back(at);
      const Subschema* next = nullptr;
      form = make(*at, next);
      at = next;
    }
  }
  for (const Subschema* passed : way) known_[passed] = form;
  return *form;
}

const Form* Forms::add(Form form) {
  return &forms_.emplace_back(std::move(form));
}

Form Forms::part(const Subschema& schema, Kind kind) const {
  return {.kind = kind, .document = &document_, .schema = &schema, .branches = {}};
}

// Null: the schema is no more than a reference, to `next`.
const Form* Forms::make(const Subschema& schema, const Subschema*& next) {
  if (schema.value->is(Value::Type::kBoolean)) {
    return add(part(schema, schema.value->boolean ? Kind::kAnything : Kind::kNothing));
  }
  const Subschema* ref = schema.ref != nullptr ? schema.ref : schema.dynamic_ref;
  next = ref;
  if (ref != nullptr && document_.draft(schema) <= Draft::k7) return nullptr;
  std::vector<Branch> parts;
  const auto add_if = [&](std::string_view keyword, Kind kind) {
    if (document_.keyword(schema, keyword) != nullptr) parts.push_back({nullptr, add(part(schema, kind))});
  };
  add_if("enum", Kind::kEnum);
  add_combined(schema, parts);
  add_if("not", Kind::kNot);
  add_if("const", Kind::kConst);
  add_types(schema, parts);
  add_if("if", Kind::kConditional);
  if (parts.empty()) return ref != nullptr ? nullptr : add(part(schema, Kind::kAnything));
  if (ref != nullptr) parts.push_back({ref, nullptr});
  if (parts.size() == 1) return parts[0].form;
  Form whole = part(schema, Kind::kCombined);
  whole.branches = std::move(parts);
  return add(std::move(whole));
}

void Forms::add_combined(const Subschema& schema, std::vector<Branch>& parts) {
  for (const auto& [keyword, criterion] : kCriteria) {
    const Value* branches = document_.keyword(schema, keyword);
    if (branches == nullptr) continue;
    Form form = part(schema, Kind::kCombined);
    form.criterion = criterion;
    for (const Value& branch : branches->items) form.branches.push_back({document_.find(branch), nullptr});
    parts.push_back({nullptr, add(std::move(form))});
  }
}

void Forms::add_types(const Subschema& schema, std::vector<Branch>& parts) {
  const Value* type = document_.keyword(schema, "type");
  if (type != nullptr && type->is(Value::Type::kString)) {
    parts.push_back({nullptr, of_type(schema, type->text)});
  } else if (type != nullptr) {
    Form any = part(schema, Kind::kCombined);
    any.criterion = Criterion::kAnyOf;
    for (const Value& one : type->items) any.branches.push_back({nullptr, of_type(schema, one.text)});
    parts.push_back({nullptr, add(std::move(any))});
  } else {
    std::string_view last;
    for (const Sign& sign : kSigns) {
      if (sign.type == last || document_.keyword(schema, sign.keyword) == nullptr) continue;
      last = sign.type;
      parts.push_back({nullptr, of_type(schema, sign.type)});
    }
  }
}

const Form* Forms::of_type(const Subschema& schema, std::string_view type) {
  constexpr std::array<std::pair<std::string_view, Kind>, 7> kTypes = {{{"string", Kind::kString},
                                                                        {"number", Kind::kNumber},
                                                                        {"integer", Kind::kNumber},
                                                                        {"boolean", Kind::kBoolean},
                                                                        {"null", Kind::kNull},
                                                                        {"object", Kind::kObject},
                                                                        {"array", Kind::kArray}}};
  const auto* found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& known) { return known.first == type; });
  CHECK(found != kTypes.end(), "types are checked when a schema is parsed");
  Form form = part(schema, found->second);
  form.is_integer = type == "integer";
  return add(std::move(form));
}

}  // namespace millrace::json_schema
