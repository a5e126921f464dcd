#include "json-schema/document.h"

#include <fmt/format.h>

#include <algorithm>

#include "json-schema/metaschemas.h"
#include "json-schema/uri.h"
#include "schema/json_pointer.h"

namespace millrace::json_schema {

namespace {

using Type = Value::Type;

std::string_view string_member(const Value& object, std::string_view name) {
  const Value* found = object.find(name);
  return found != nullptr && found->is(Type::kString) ? std::string_view(found->text) : std::string_view();
}

std::string_view without_fragment(std::string_view uri) {
  return split_fragment(uri).uri;
}

const Value* step_into(const Value& value, std::string_view step) {
  if (!value.is(Type::kArray)) return value.find(step);
  const bool is_place = !step.empty() && step.size() < 10 && (step == "0" || step[0] != '0') &&
                        step.find_first_not_of("0123456789") == step.npos;
  if (!is_place) return nullptr;
  const size_t place = std::stoul(std::string(step));
  return place < value.items.size() ? &value.items[place] : nullptr;
}

}  // namespace

// Fills a Document: the texts first, then every schema in them, at last what they refer to.
class DocumentReader {
 public:
  DocumentReader(Document& document, Draft fallback) : document_(document), fallback_(fallback) {}

  Status read(std::string_view text, std::span<const schema::NamedSchema> references) {
    TRY_ASSIGN(Value parsed, parse_json(text));
    const Value& root = document_.texts_.emplace_back(std::move(parsed));
    const std::string base = resolve_uri("", without_fragment(id_of(root)));
    TRY(check_length(base));
    std::vector<const Value*> others;
    for (const schema::NamedSchema& reference : references) {
      TRY_ASSIGN(const Value* value, read_reference(reference, base));
      others.push_back(value);
    }
    TRY(add_text(root, ""));
    for (size_t i = 0; i < others.size(); ++i) {
      TRY(add_text(*others[i], resolve_uri(base, references[i].name)));
      by_uri_.emplace(references[i].name, document_.by_value_.at(others[i])->resource);
    }
    return resolve_all();
  }

 private:
  struct Text {
    bool is_reached = false;          // from the schema's own text
    std::vector<Subschema*> waiting;  // until it is
  };

  static std::string_view id_of(const Value& value) {
    const std::string_view id = string_member(value, "$id");
    return id.empty() ? string_member(value, "id") : id;
  }

  Result<const Value*> read_reference(const schema::NamedSchema& reference, std::string_view base) {
    auto parsed = parse_json(reference.text);
    if (!parsed.ok()) {
      Error failure = std::move(parsed).error();
      failure.message = fmt::format("in the reference `{}`: {}", reference.name, failure.message);
      return failure;
    }
    TRY(check_length(reference.name));
    const Value* value = &document_.texts_.emplace_back(std::move(parsed).value());
    unread_.emplace(resolve_uri(base, reference.name), value);
    unread_.emplace(without_fragment(id_of(*value)), value);
    return value;
  }

  // --- drafts and vocabularies -------------------------------------------------------------------------------------

  // What `$schema` of a resource's root says; a metaschema of the user's own is of the draft of its own metaschema.
  Status apply_metaschema(const Value& value, Resource& resource) {
    std::string_view uri = string_member(value, "$schema");
    const Value* own = nullptr;
    for (int hops = 0; hops < 8 && !uri.empty(); ++hops) {
      if (const auto draft = draft_of_metaschema(uri)) {
        resource.draft = *draft;
        return own == nullptr ? Status() : apply_vocabularies(*own, resource);
      }
      if (uri.find("//json-schema.org/draft-03/") != uri.npos) {
        return error(Code::kUnsupported, "MR-JSCH-0004",
                     fmt::format("`$schema` names {}, which is not supported", uri),
                     "use draft 4, 6, 7, 2019-09 or 2020-12");
      }
      const auto found = unread_.find(without_fragment(uri));
      if (found == unread_.end()) break;
      if (own == nullptr) own = found->second;
      uri = string_member(*found->second, "$schema");
    }
    return {};
  }

  Status apply_vocabularies(const Value& metaschema, Resource& resource) {
    const Value* chosen = metaschema.find("$vocabulary");
    if (resource.draft < Draft::k2019 || chosen == nullptr || !chosen->is(Type::kObject)) return {};
    resource.vocabularies = kCore;
    for (const Member& one : chosen->members) {
      const auto vocabulary = vocabulary_of(one.name);
      if (vocabulary) {
        resource.vocabularies |= *vocabulary;
        // In 2019-09 the unevaluated keywords are part of the applicators.
        if (*vocabulary == kApplicator && resource.draft == Draft::k2019)
          resource.vocabularies |= kUnevaluated;
      } else if (one.value.boolean) {
        return error(Code::kUnsupported, "MR-JSCH-0004",
                     fmt::format("the metaschema demands the vocabulary {}, which is unknown", one.name),
                     "a vocabulary may be made optional: \"$vocabulary\": {\"…\": false}");
      }
    }
    return {};
  }

  // --- every schema of a text --------------------------------------------------------------------------------------

  Status add_text(const Value& value, std::string_view base) {
    Resource& resource = document_.resources_.emplace_back();
    resource.uri = base;
    resource.text = static_cast<uint32_t>(texts_.size());
    texts_.emplace_back();
    resource.draft = fallback_;
    TRY(apply_metaschema(value, resource));
    const auto number = static_cast<uint32_t>(document_.resources_.size() - 1);
    by_uri_.emplace(base, number);
    TRY(add(value, nullptr, "", number));
    document_.resources_[number].root = document_.by_value_.at(&value);
    return {};
  }

  Status add(const Value& value, const Subschema* parent, std::string steps, uint32_t resource) {
    if (document_.subschemas_.size() == kMostSubschemas) {
      return error(Code::kInvalid, "MR-JSCH-0002",
                   fmt::format("the schema is too large: more than {} schemas in it", kMostSubschemas),
                   "split it into several schemas that refer to each other");
    }
    if (document_.by_value_.count(&value) > 0) return {};
    const auto number = static_cast<uint32_t>(document_.subschemas_.size());
    Subschema& self = document_.subschemas_.emplace_back(Subschema{.value = &value,
                                                                   .parent = parent,
                                                                   .steps = std::move(steps),
                                                                   .resource = resource,
                                                                   .number = number});
    document_.by_value_.emplace(&value, &self);
    Text& text = texts_[document_.resource(self).text];
    (text.is_reached ? open_ : text.waiting).push_back(&self);
    if (value.is(Type::kBoolean)) return {};
    if (!value.is(Type::kObject)) return wrong_value(self, "", "a schema: an object, true or false");
    TRY(name(self));
    for (const Member& member : value.members) {
      const Keyword* keyword = find_keyword(member.name, document_.draft(self));
      if (keyword != nullptr) TRY(add_children(self, *keyword, member.value));
    }
    return {};
  }

  Status wrong_value(const Subschema& self, std::string_view keyword, std::string_view demand) const {
    const std::string place = document_.pointer(self);
    const std::string what = keyword.empty() ? std::string("what stands") : fmt::format("`{}`", keyword);
    return error(Code::kInvalid, "MR-JSCH-0003",
                 fmt::format("{} at {} must be {}", what, place.empty() ? "the root" : place, demand),
                 "correct the schema");
  }

  // Its identifier and its anchors.
  Status name(Subschema& self) {
    const Value& value = *self.value;
    Resource own;
    own.draft = document_.draft(self);
    own.vocabularies = document_.resource(self).vocabularies;
    own.text = document_.resource(self).text;
    if (self.parent != nullptr && !id_of(value).empty()) TRY(apply_metaschema(value, own));
    const bool only_ref = own.draft <= Draft::k7 && value.find("$ref") != nullptr;
    const std::string_view id = string_member(value, own.draft == Draft::k4 ? "id" : "$id");
    const UriParts parts = split_fragment(id);
    if (!only_ref && !parts.uri.empty()) TRY(start_resource(self, std::move(own), parts.uri));
    Resource& resource = document_.resources_[self.resource];
    if (!only_ref && !parts.fragment.empty()) resource.anchors.emplace(parts.fragment, &self);
    if (resource.draft < Draft::k2019) return {};
    if (const auto anchor = string_member(value, "$anchor"); !anchor.empty())
      resource.anchors.emplace(anchor, &self);
    if (resource.draft == Draft::k2019) {
      const Value* recursive = value.find("$recursiveAnchor");
      if (recursive != nullptr && recursive->boolean) resource.dynamic_anchors.emplace("", &self);
    } else if (const auto anchor = string_member(value, "$dynamicAnchor"); !anchor.empty()) {
      resource.anchors.emplace(anchor, &self);
      resource.dynamic_anchors.emplace(anchor, &self);
    }
    return {};
  }

  Status start_resource(Subschema& self, Resource own, std::string_view id) {
    own.uri = resolve_uri(document_.resource(self).uri, id);
    TRY(check_length(own.uri));
    uri_bytes_ += own.uri.size();
    if (uri_bytes_ > kMostUriBytesInAll) {
      return error(
          Code::kInvalid, "MR-JSCH-0002",
          fmt::format("the identifiers of the schema have more than {} bytes, each with what it stands below",
                      kMostUriBytesInAll),
          "give it fewer or shorter ones");
    }
    if (self.parent == nullptr) {
      document_.resources_[self.resource].uri = own.uri;
      by_uri_.emplace(own.uri, self.resource);
      return {};
    }
    own.root = &self;
    self.resource = static_cast<uint32_t>(document_.resources_.size());
    by_uri_.emplace(own.uri, self.resource);
    document_.resources_.push_back(std::move(own));
    return {};
  }

  static Status check_length(std::string_view uri) {
    if (uri.size() <= kMostUriBytes) return {};
    return error(Code::kInvalid, "MR-JSCH-0002",
                 fmt::format("an identifier of the schema has more than {} bytes: {}…", kMostUriBytes,
                             uri.substr(0, 40)),
                 "give it a shorter one");
  }

  Status add_children(const Subschema& self, const Keyword& keyword, const Value& value) {
    if (const std::string_view demand = what_it_must_be(keyword.shape, value); !demand.empty()) {
      return wrong_value(self, keyword.name, demand);
    }
    const bool holds_schemas = keyword.shape >= Shape::kSchema;
    if (!holds_schemas) return {};
    const std::string steps = fmt::format("/{}", keyword.name);
    if (value.is(Type::kArray)) {
      for (size_t i = 0; i < value.items.size(); ++i) {
        TRY(add(value.items[i], &self, fmt::format("{}/{}", steps, i), self.resource));
      }
      return {};
    }
    if (keyword.shape == Shape::kSchema || keyword.shape == Shape::kItems) {
      return add(value, &self, steps, self.resource);
    }
    for (const Member& member : value.members) {
      if (member.value.is(Type::kArray)) continue;  // of `dependencies`
      TRY(add(member.value, &self, fmt::format("{}/{}", steps, schema::pointer_escaped(member.name)),
              self.resource));
    }
    return {};
  }

  // --- references --------------------------------------------------------------------------------------------------

  // Of the schema's own text, and of those that it leads to. What is referred to may be a new schema, of a metaschema or
  // below an unknown keyword: the list grows.
  Status resolve_all() {
    reach(0);
    for (size_t next = 0; next < open_.size(); ++next) TRY(resolve_one(*open_[next]));
    return {};
  }

  void reach(uint32_t text) {
    if (texts_[text].is_reached) return;
    texts_[text].is_reached = true;
    open_.insert(open_.end(), texts_[text].waiting.begin(), texts_[text].waiting.end());
  }

  Status resolve_one(Subschema& self) {
    const Draft draft = document_.draft(self);
    TRY_ASSIGN(self.ref, resolve(self, "$ref"));
    if (draft == Draft::k2019) TRY(resolve_recursive(self));
    if (draft == Draft::k2020) TRY(resolve_dynamic(self));
    return {};
  }

  Status resolve_recursive(Subschema& self) {
    TRY_ASSIGN(self.dynamic_ref, resolve(self, "$recursiveRef"));
    if (self.dynamic_ref == nullptr) return {};
    const auto& anchors = document_.resource(*self.dynamic_ref).dynamic_anchors;
    const auto found = anchors.find("");
    self.is_dynamic = found != anchors.end() && found->second == self.dynamic_ref;
    return {};
  }

  Status resolve_dynamic(Subschema& self) {
    TRY_ASSIGN(self.dynamic_ref, resolve(self, "$dynamicRef"));
    if (self.dynamic_ref == nullptr) return {};
    self.dynamic_anchor = percent_decoded(split_fragment(string_member(*self.value, "$dynamicRef")).fragment);
    const auto& anchors = document_.resource(*self.dynamic_ref).dynamic_anchors;
    const auto found = anchors.find(self.dynamic_anchor);
    self.is_dynamic = found != anchors.end() && found->second == self.dynamic_ref;
    return {};
  }

  Result<const Subschema*> resolve(const Subschema& self, std::string_view keyword) {
    const Value* value = self.value->find(keyword);
    if (value == nullptr) return static_cast<const Subschema*>(nullptr);
    const std::string full = resolve_uri(document_.resource(self).uri, value->text);
    const UriParts parts = split_fragment(full);
    TRY_ASSIGN(const std::optional<uint32_t> resource,
               find_resource(parts.uri, without_fragment(value->text)));
    if (!resource) return unresolved(self, keyword, *value, "which is not among the references");
    const Subschema* found = nullptr;
    TRY_ASSIGN(found, find_fragment(*resource, percent_decoded(parts.fragment)));
    if (found == nullptr) return unresolved(self, keyword, *value, "and there is nothing at that place");
    reach(document_.resource(*found).text);
    return found;
  }

  Error unresolved(const Subschema& self, std::string_view keyword, const Value& value,
                   std::string_view why) const {
    const std::string place = document_.pointer(self);
    return error(Code::kInvalid, "MR-JSCH-0005",
                 fmt::format("`{}` at {} names `{}`, {}", keyword, place.empty() ? "the root" : place,
                             value.text, why),
                 "give the schema that it names as a reference: nothing is fetched from files or hosts");
  }

  Result<std::optional<uint32_t>> find_resource(std::string_view uri, std::string_view as_written) {
    for (const std::string_view name : {uri, as_written}) {
      if (name.empty() && name != uri) continue;
      if (const auto found = by_uri_.find(name); found != by_uri_.end()) return std::optional(found->second);
    }
    const std::string_view text = metaschema_text(uri);
    if (text.empty()) return std::optional<uint32_t>();
    TRY_ASSIGN(Value parsed, parse_json(text));
    TRY(add_text(document_.texts_.emplace_back(std::move(parsed)), uri));
    return std::optional(by_uri_.find(uri)->second);
  }

  Result<const Subschema*> find_fragment(uint32_t resource, const std::string& fragment) {
    const Resource& target = document_.resources_[resource];
    if (fragment.empty()) return target.root;
    if (fragment[0] == '/') return follow_pointer(*target.root, std::string_view(fragment).substr(1));
    const auto found = target.anchors.find(fragment);
    return found == target.anchors.end() ? nullptr : found->second;
  }

  Result<const Subschema*> follow_pointer(const Subschema& from, std::string_view pointer) {
    const Subschema* known = &from;
    const Value* value = from.value;
    std::string steps_from_known;
    for (bool last = false; !last;) {
      const size_t slash = pointer.find('/');
      last = slash == pointer.npos;
      const std::string_view step = pointer.substr(0, slash);
      const auto name = schema::pointer_unescaped(step);
      value = name ? step_into(*value, *name) : nullptr;
      if (value == nullptr) return static_cast<const Subschema*>(nullptr);
      steps_from_known += fmt::format("/{}", step);
      if (const Subschema* subschema = document_.find(*value)) {
        known = subschema;
        steps_from_known.clear();
      }
      if (!last) pointer.remove_prefix(slash + 1);
    }
    if (known->value == value) return known;
    TRY(add(*value, known, std::move(steps_from_known), known->resource));
    return document_.find(*value);
  }

  Document& document_;
  Draft fallback_;
  std::vector<Text> texts_;
  size_t uri_bytes_ = 0;
  std::vector<Subschema*> open_;  // whose references are to be resolved
  std::map<std::string, uint32_t, std::less<>> by_uri_;
  std::map<std::string, const Value*, std::less<>> unread_;  // references, by name and identifier
};

Result<std::shared_ptr<const Document>> Document::parse(std::string_view text,
                                                        std::span<const schema::NamedSchema> references,
                                                        Draft fallback) {
  auto document = std::make_shared<Document>();
  TRY(DocumentReader(*document, fallback).read(text, references));
  return std::shared_ptr<const Document>(std::move(document));
}

const Subschema* Document::find(const Value& value) const {
  const auto found = by_value_.find(&value);
  return found == by_value_.end() ? nullptr : found->second;
}

const Value* Document::keyword(const Subschema& subschema, std::string_view name) const {
  const Resource& own = resource(subschema);
  const Keyword* keyword = find_keyword(name, own.draft);
  if (keyword == nullptr || (own.vocabularies & keyword->vocabulary) == 0) return nullptr;
  if (own.draft <= Draft::k7 && name != "$ref" && subschema.ref != nullptr) return nullptr;
  return subschema.value->find(name);
}

std::string Document::pointer(const Subschema& subschema) const {
  if (subschema.parent == nullptr) return {};
  return pointer(*subschema.parent) + subschema.steps;
}

}  // namespace millrace::json_schema
