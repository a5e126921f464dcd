#include "json-schema/internal/diff_rules.h"

namespace millrace::json_schema {

namespace {

const std::vector<Member>& members_of(const Form& form, std::string_view keyword) {
  static const std::vector<Member> kNone;
  const Value* value = form.keyword(keyword);
  return value == nullptr ? kNone : value->members;
}

std::set<std::string_view> required_in(Pairs& pairs, const Form& form) {
  std::set<std::string_view> out;
  const Value* names = form.keyword("required");
  if (names != nullptr && names->is(Value::Type::kArray)) {
    pairs.spend(names->items.size());
    for (const Value& name : names->items) out.insert(name.text);
  }
  return out;
}

const Value* property_of(const Form& form, std::string_view name) {
  const Value* properties = form.keyword("properties");
  return properties == nullptr ? nullptr : properties->find(name);
}

bool has_default(const Value& schema) {
  return schema.find("default") != nullptr;
}

bool is_open(const Form& form) {
  return members_of(form, "patternProperties").empty() &&
         content_model(form, "additionalProperties", "unevaluatedProperties").is_open;
}

// What a partially open model wants of a property that is not declared.
const Subschema* covering(Pairs& pairs, const Form& form, const std::string& name) {
  for (const Member& pattern : members_of(form, "patternProperties")) {
    if (pairs.is_in(pattern.name, name)) return form.document->find(pattern.value);
  }
  return content_model(form, "additionalProperties", "unevaluatedProperties").rest;
}

class Properties {
 public:
  Properties(Pairs& pairs, const Form& writer, const Form& reader)
      : pairs_(pairs),
        writer_(writer),
        reader_(reader),
        writer_is_open_(is_open(writer)),
        reader_is_open_(is_open(reader)),
        old_required_(required_in(pairs, writer)),
        new_required_(required_in(pairs, reader)) {}

  void compare() {
    for (const Member& property : members_of(writer_, "properties")) {
      pairs_.spend(1);
      const Value* after = property_of(reader_, property.name);
      const Form& before = pairs_.form_of(writer_, *writer_.document->find(property.value));
      if (after == nullptr) {
        removed(property.name, before);
        continue;
      }
      compare_required(property.name, *after);
      pairs_.descend(before, pairs_.form_of(reader_, *reader_.document->find(*after)),
                     "properties/" + property.name);
    }
    for (const Member& property : members_of(reader_, "properties")) {
      pairs_.spend(1);
      if (property_of(writer_, property.name) == nullptr) added(property.name, property.value);
    }
  }

 private:
  void compare_required(const std::string& name, const Value& after) {
    const bool was = old_required_.contains(name), is = new_required_.contains(name);
    if (was == is) return;
    pairs_.add(was                  ? type_of("REQUIRED_ATTRIBUTE_REMOVED")
               : has_default(after) ? type_of("REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED")
                                    : type_of("REQUIRED_ATTRIBUTE_ADDED"),
               "required/" + name);
  }

  void removed(const std::string& name, const Form& before) {
    const std::string path = "properties/" + name;
    if (reader_is_open_) return pairs_.add(type_of("PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL"), path);
    const Subschema* cover = covering(pairs_, reader_, name);
    if (cover == nullptr) {
      return pairs_.add(before.kind == Kind::kNothing
                            ? type_of("PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL")
                            : type_of("PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL"),
                        path);
    }
    const Form& after = pairs_.form_of(reader_, *cover);
    pairs_.descend(before, after, path);
    pairs_.add(pairs_.holds(before, after)
                   ? type_of("PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL")
                   : type_of("PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"),
               path);
  }

  void added(const std::string& name, const Value& schema) {
    const std::string path = "properties/" + name;
    const Form& after = pairs_.form_of(reader_, *reader_.document->find(schema));
    if (writer_is_open_) return added_to_open(name, schema, after, path);
    if (const Subschema* cover = covering(pairs_, writer_, name)) {
      const Form& before = pairs_.form_of(writer_, *cover);
      pairs_.descend(before, after, path);
      pairs_.add(pairs_.holds(before, after)
                     ? type_of("PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL")
                     : type_of("PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"),
                 path);
    }
    pairs_.add(!new_required_.contains(name) ? type_of("OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL")
               : has_default(schema) ? type_of("REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL")
                                     : type_of("REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"),
               path);
  }

  void added_to_open(const std::string& name, const Value& schema, const Form& after,
                     const std::string& path) {
    const bool required = new_required_.contains(name);
    pairs_.add(required && !has_default(schema) ? type_of("REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL")
               : after.kind == Kind::kAnything
                   ? type_of("PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL")
               : required ? type_of("REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL")
                          : type_of("OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"),
               path);
  }

  Pairs& pairs_;
  const Form &writer_, &reader_;
  bool writer_is_open_, reader_is_open_;
  std::set<std::string_view> old_required_, new_required_;
};

// By the property that has them: the names that it wants beside it, or the schema that the object must match.
struct Dependencies {
  std::map<std::string, std::set<std::string>> names;
  std::map<std::string, const Subschema*> schemas;
};

Dependencies dependencies_of(Pairs& pairs, const Form& form) {
  Dependencies out;
  for (const std::string_view keyword : {"dependencies", "dependentRequired", "dependentSchemas"}) {
    for (const Member& member : members_of(form, keyword)) {
      pairs.spend(1 + member.value.items.size());
      if (!member.value.is(Value::Type::kArray)) {
        out.schemas[member.name] = form.document->find(member.value);
        continue;
      }
      auto& names = out.names[member.name];
      for (const Value& name : member.value.items) names.insert(name.text);
    }
  }
  return out;
}

const DifferenceType* array_change(const std::set<std::string>& before, const std::set<std::string>& after) {
  const auto holds_all = [](const auto& all, const auto& some) {
    for (const auto& one : some) {
      if (!all.contains(one)) return false;
    }
    return true;
  };
  if (holds_all(after, before)) return type_of("DEPENDENCY_ARRAY_EXTENDED");
  return holds_all(before, after) ? type_of("DEPENDENCY_ARRAY_NARROWED")
                                  : type_of("DEPENDENCY_ARRAY_CHANGED");
}

void compare_dependencies(Pairs& pairs, const Form& writer, const Form& reader) {
  const Dependencies before = dependencies_of(pairs, writer), after = dependencies_of(pairs, reader);
  const auto path = [](const std::string& name) { return "dependencies/" + name; };
  for (const auto& [name, names] : before.names) {
    const auto found = after.names.find(name);
    if (found == after.names.end()) {
      pairs.add(type_of("DEPENDENCY_ARRAY_REMOVED"), path(name));
    } else if (found->second != names) {
      pairs.add(array_change(names, found->second), path(name));
    }
  }
  for (const auto& [name, names] : after.names) {
    if (!before.names.contains(name)) pairs.add(type_of("DEPENDENCY_ARRAY_ADDED"), path(name));
  }
  for (const auto& [name, schema] : before.schemas) {
    const auto found = after.schemas.find(name);
    if (found == after.schemas.end()) {
      pairs.add(type_of("DEPENDENCY_SCHEMA_REMOVED"), path(name));
    } else {
      pairs.descend(pairs.form_of(writer, *schema), pairs.form_of(reader, *found->second), path(name));
    }
  }
  for (const auto& [name, schema] : after.schemas) {
    if (!before.schemas.contains(name)) pairs.add(type_of("DEPENDENCY_SCHEMA_ADDED"), path(name));
  }
}

}  // namespace

void compare_objects(Pairs& pairs, const Form& writer, const Form& reader) {
  Properties(pairs, writer, reader).compare();
  compare_dependencies(pairs, writer, reader);
  compare_models(pairs, writer, content_model(writer, "additionalProperties", ""), reader,
                 content_model(reader, "additionalProperties", ""), "additionalProperties",
                 {type_of("ADDITIONAL_PROPERTIES_ADDED"), type_of("ADDITIONAL_PROPERTIES_REMOVED"),
                  type_of("ADDITIONAL_PROPERTIES_EXTENDED"), type_of("ADDITIONAL_PROPERTIES_NARROWED")});
  compare_unevaluated(
      pairs, writer, reader, "unevaluatedProperties",
      {type_of("UNEVALUATED_PROPERTIES_ADDED"), type_of("UNEVALUATED_PROPERTIES_REMOVED"),
       type_of("UNEVALUATED_PROPERTIES_EXTENDED"), type_of("UNEVALUATED_PROPERTIES_NARROWED")});
  compare_limits(pairs, "maxProperties", number_of(writer, "maxProperties"),
                 number_of(reader, "maxProperties"),
                 {type_of("MAX_PROPERTIES_ADDED"), type_of("MAX_PROPERTIES_REMOVED"),
                  type_of("MAX_PROPERTIES_INCREASED"), type_of("MAX_PROPERTIES_DECREASED")});
  compare_limits(pairs, "minProperties", number_of(writer, "minProperties"),
                 number_of(reader, "minProperties"),
                 {type_of("MIN_PROPERTIES_ADDED"), type_of("MIN_PROPERTIES_REMOVED"),
                  type_of("MIN_PROPERTIES_INCREASED"), type_of("MIN_PROPERTIES_DECREASED")});
}

}  // namespace millrace::json_schema
