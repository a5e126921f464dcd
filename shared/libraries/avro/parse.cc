#include "avro/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "avro/defaults.h"
#include "avro/logical.h"
#include "avro/names.h"
#include "avro/pointer.h"
#include "event/text.h"

namespace millrace::avro {

namespace {

using Json = JsonValue::Kind;

// What a type's own members are called; all others are properties.
constexpr std::string_view kTypeMembers[] = {"type",  "name",   "namespace", "doc",  "fields",
                                             "items", "values", "symbols",   "size", "aliases"};
constexpr std::string_view kFieldMembers[] = {"type", "name", "doc", "default", "order", "aliases"};

bool contains(std::span<const std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string shown(const JsonValue& value) {
  std::string text;
  append_json(text, value);
  constexpr size_t kMost = 60;
  return text.size() <= kMost ? text : std::string(start_of(text, kMost)) + "…";
}

class Parser {
 public:
  Status parse(std::string_view text, const Node*& root) {
    bytes_ += text.size();
    if (bytes_ > kMaxTextBytes)
      return error(Code::kInvalid, "MR-AVRO-0002",
                   fmt::format("the schema and its references have more than {} bytes", kMaxTextBytes),
                   "refer to fewer schemas");
    text_ = text;
    TRY_ASSIGN(const JsonValue json, parse_json(text));
    TRY_ASSIGN(root, type(json, Pointer(), ""));
    return check_defaults();
  }
  SchemaTree take() { return std::move(tree_); }
  void end_of_references() { tree_.own = static_cast<uint32_t>(tree_.nodes.size()); }

 private:
  Error fail(std::string_view id, const JsonValue& at, const Pointer& where, const std::string& message,
             std::string_view hint) const {
    Error failure =
        error(Code::kInvalid, id, fmt::format("{} (at {})", message, where.text()), std::string(hint));
    failure.span = span_at(text_, at.offset);
    return failure;
  }
  Error malformed(const JsonValue& at, const Pointer& where, const std::string& message,
                  std::string_view hint) const {
    return fail("MR-AVRO-0003", at, where, message, hint);
  }

  Status count(const JsonValue& at, const Pointer& where, size_t parts) {
    parts_ += parts;
    if (parts_ > kMaxParts)
      return fail("MR-AVRO-0002", at, where,
                  fmt::format("the schema has more than {} types, fields and symbols", kMaxParts),
                  "split it");
    return {};
  }
  Result<Node*> new_node(Kind kind, const JsonValue& at, const Pointer& where) {
    TRY(count(at, where, 1));
    Node& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.number = static_cast<uint32_t>(tree_.nodes.size() - 1);
    return &node;
  }

  Result<const Node*> type(const JsonValue& json, const Pointer& where, std::string_view space) {
    if (depth_ == kMaxTypeDepth)
      return fail("MR-AVRO-0002", json, where,
                  fmt::format("types stand in each other more than {} deep", kMaxTypeDepth),
                  "define the inner ones before, by name");
    ++depth_;
    auto made = type_here(json, where, space);
    --depth_;
    return made;
  }

  Result<const Node*> type_here(const JsonValue& json, const Pointer& where, std::string_view space) {
    if (json.is(Json::kString)) return mentioned(json, json.text, where, space);
    if (json.is(Json::kArray)) return union_type(json, where, space);
    if (!json.is(Json::kObject))
      return malformed(json, where, fmt::format("{} is no type", to_string(json.kind)),
                       "a type is a name, an object with a \"type\", or an array of types");
    const JsonValue* word = json.find("type");
    if (word == nullptr || !word->is(Json::kString))
      return malformed(word == nullptr ? json : *word, where, "the type's \"type\" is not a name",
                       "write {\"type\": \"record\", …}; nested types need no object of their own");
    return declared(json, word->text, where, space);
  }

  Result<const Node*> mentioned(const JsonValue& at, const std::string& name, const Pointer& where,
                                std::string_view space) {
    if (const auto kind = primitive_of(name)) {
      TRY_ASSIGN(const Node* node, new_node(*kind, at, where));
      return node;
    }
    auto found = names_.find(full_name(name, space));
    if (found == names_.end()) found = names_.find(name);
    if (found == names_.end())
      return fail("MR-AVRO-0006", at, where, fmt::format("there is no type \"{}\"", full_name(name, space)),
                  "define a type before it is used, or give the schema that defines it as a reference");
    return found->second;
  }

  Result<const Node*> declared(const JsonValue& json, const std::string& word, const Pointer& where,
                               std::string_view space) {
    Result<Node*> made = error(Code::kInternal, "", "");
    if (const auto kind = primitive_of(word))
      made = new_node(*kind, json, where);
    else if (word == "record" || word == "error")
      made = record(json, word == "error", where, space);
    else if (word == "enum")
      made = enumeration(json, where, space);
    else if (word == "fixed")
      made = fixed(json, where, space);
    else if (word == "array")
      made = collection(Kind::kArray, "items", json, where, space);
    else if (word == "map")
      made = collection(Kind::kMap, "values", json, where, space);
    else
      return mentioned(json, word, where, space);
    TRY_ASSIGN(Node * node, std::move(made));
    for (const JsonMember& m : json.members)
      if (!contains(kTypeMembers, m.name) && !(node->kind == Kind::kEnum && m.name == "default"))
        node->properties.push_back(m);
    read_logical_type(*node);
    return static_cast<const Node*>(node);
  }

  Result<const Node*> union_type(const JsonValue& json, const Pointer& where, std::string_view space) {
    TRY_ASSIGN(Node * node, new_node(Kind::kUnion, json, where));
    std::unordered_set<std::string_view> seen;
    for (size_t i = 0; i < json.items.size(); ++i) {
      const Pointer here(where, i);
      TRY_ASSIGN(const Node* branch, type(json.items[i], here, space));
      if (branch->kind == Kind::kUnion)
        return fail("MR-AVRO-0007", json.items[i], here, "a union stands in a union",
                    "list its branches in the outer one");
      if (!seen.insert(branch->branch_name()).second)
        return fail("MR-AVRO-0007", json.items[i], here,
                    fmt::format("the union has \"{}\" twice", branch->branch_name()),
                    "only named types may be there more than once, under different names");
      node->branches.push_back(branch);
    }
    return static_cast<const Node*>(node);
  }

  Result<Node*> collection(Kind kind, std::string_view member, const JsonValue& json, const Pointer& where,
                           std::string_view space) {
    const JsonValue* of = json.find(member);
    if (of == nullptr)
      return malformed(json, where, fmt::format("the {} has no \"{}\"", to_string(kind), member),
                       fmt::format("give the type of its {}", member));
    TRY_ASSIGN(Node * node, new_node(kind, json, where));
    TRY_ASSIGN(node->element, type(*of, Pointer(where, member), space));
    return node;
  }

  static std::optional<std::string> optional_text(const JsonValue& json, std::string_view member) {
    const JsonValue* value = json.find(member);
    if (value == nullptr || !value->is(Json::kString)) return std::nullopt;
    return value->text;
  }

  Result<Node*> named(Kind kind, const JsonValue& json, const Pointer& where, std::string_view space) {
    const JsonValue* name = json.find("name");
    if (name == nullptr || !name->is(Json::kString))
      return malformed(json, where, fmt::format("the {} has no name", to_string(kind)), "add a \"name\"");
    const auto own_space = optional_text(json, "namespace");
    TRY_ASSIGN(Node * node, new_node(kind, json, where));
    node->name = full_name(name->text, own_space ? std::string_view(*own_space) : space);
    if (!is_full_name(node->name))
      return fail("MR-AVRO-0004", *name, Pointer(where, "name"), fmt::format("\"{}\" is no name", node->name),
                  "letters, digits and '_', not a digit first; a namespace is such names, joined by dots");
    if (primitive_of(node->name))
      return fail("MR-AVRO-0004", *name, Pointer(where, "name"),
                  fmt::format("\"{}\" is the name of a primitive type", node->name),
                  "another name, or a namespace");
    if (!names_.emplace(node->name, node).second)
      return fail("MR-AVRO-0005", *name, Pointer(where, "name"),
                  fmt::format("\"{}\" is defined twice", node->name),
                  "define it once and mention its name elsewhere");
    node->doc = optional_text(json, "doc");
    TRY_ASSIGN(node->aliases, aliases(json, where));
    for (std::string& alias : node->aliases) alias = full_name(alias, node->space());
    return node;
  }

  Result<std::vector<std::string>> aliases(const JsonValue& json, const Pointer& where) const {
    std::vector<std::string> names;
    std::unordered_set<std::string_view> seen;
    const JsonValue* list = json.find("aliases");
    if (list == nullptr) return names;
    if (!list->is(Json::kArray))
      return malformed(*list, Pointer(where, "aliases"), "\"aliases\" is not an array", "an array of names");
    for (const JsonValue& alias : list->items) {
      if (!alias.is(Json::kString))
        return malformed(alias, Pointer(where, "aliases"), "an alias is not a string", "an array of names");
      if (!is_full_name(alias.text))
        return fail("MR-AVRO-0004", alias, Pointer(where, "aliases"),
                    fmt::format("\"{}\" is no name", alias.text),
                    "letters, digits and '_', not a digit first");
      if (seen.insert(alias.text).second) names.push_back(alias.text);
    }
    return names;
  }

  Result<Node*> record(const JsonValue& json, bool is_error, const Pointer& where, std::string_view space) {
    TRY_ASSIGN(Node * node, named(Kind::kRecord, json, where, space));
    node->is_error = is_error;
    const JsonValue* fields = json.find("fields");
    if (fields == nullptr || !fields->is(Json::kArray))
      return malformed(json, where, "the record has no array of \"fields\"",
                       "add \"fields\": [], empty if it has none");
    const Pointer inside(where, "fields");
    std::unordered_set<std::string_view> seen;
    node->fields.reserve(fields->items.size());
    for (size_t i = 0; i < fields->items.size(); ++i) {
      const Pointer here(inside, i);
      TRY_ASSIGN(Field made, field(fields->items[i], here, node->space()));
      node->fields.push_back(std::move(made));
      if (!seen.insert(node->fields.back().name).second)
        return fail("MR-AVRO-0005", fields->items[i], here,
                    fmt::format("the record has the field \"{}\" twice", node->fields.back().name),
                    "rename one of them");
    }
    return node;
  }

  Result<Field> field(const JsonValue& json, const Pointer& where, std::string_view space) {
    TRY(count(json, where, 1));
    const JsonValue* name = json.find("name");
    if (name == nullptr || !name->is(Json::kString))
      return malformed(json, where, "the field has no name",
                       "a field is an object with a \"name\" and a \"type\"");
    if (!is_simple_name(name->text))
      return fail("MR-AVRO-0004", *name, Pointer(where, "name"), fmt::format("\"{}\" is no name", name->text),
                  "letters, digits and '_', not a digit first");
    const JsonValue* of = json.find("type");
    if (of == nullptr)
      return malformed(json, where, fmt::format("the field \"{}\" has no type", name->text),
                       "add a \"type\"");
    Field field;
    field.name = name->text;
    TRY_ASSIGN(field.type, type(*of, Pointer(where, "type"), space));
    field.doc = optional_text(json, "doc");
    TRY_ASSIGN(field.order, order(json, where));
    TRY_ASSIGN(field.aliases, aliases(json, where));
    if (const JsonValue* value = json.find("default")) {
      field.default_value = *value;
      spell_number(*field.type, *field.default_value);
      defaults_.push_back({field.name, field.type, *field.default_value, Pointer(where, "default").text()});
    }
    for (const JsonMember& m : json.members)
      if (!contains(kFieldMembers, m.name)) field.properties.push_back(m);
    return field;
  }

  Result<std::string> order(const JsonValue& json, const Pointer& where) const {
    const JsonValue* value = json.find("order");
    if (value == nullptr) return std::string();
    std::string word = value->text;
    for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (!value->is(Json::kString) || (word != "ascending" && word != "descending" && word != "ignore"))
      return malformed(*value, Pointer(where, "order"), fmt::format("{} is no order", shown(*value)),
                       "\"ascending\", \"descending\" or \"ignore\"");
    return word == "ascending" ? std::string() : word;
  }

  Result<Node*> enumeration(const JsonValue& json, const Pointer& where, std::string_view space) {
    TRY_ASSIGN(Node * node, named(Kind::kEnum, json, where, space));
    const JsonValue* symbols = json.find("symbols");
    if (symbols == nullptr || !symbols->is(Json::kArray))
      return malformed(json, where, "the enum has no array of \"symbols\"", "add \"symbols\": [\"A\", …]");
    TRY(count(json, where, symbols->items.size()));
    std::unordered_set<std::string_view> seen;
    const Pointer inside(where, "symbols");
    for (size_t i = 0; i < symbols->items.size(); ++i) {
      const JsonValue& symbol = symbols->items[i];
      if (!symbol.is(Json::kString) || !is_simple_name(symbol.text))
        return fail("MR-AVRO-0004", symbol, Pointer(inside, i), fmt::format("{} is no symbol", shown(symbol)),
                    "a string of letters, digits and '_', not a digit first");
      if (!seen.insert(symbol.text).second)
        return fail("MR-AVRO-0005", symbol, Pointer(inside, i),
                    fmt::format("the enum has \"{}\" twice", symbol.text), "leave one of them out");
      node->symbols.push_back(symbol.text);
    }
    node->fallback = optional_text(json, "default");
    if (node->fallback && !seen.contains(*node->fallback))
      return fail("MR-AVRO-0008", *json.find("default"), Pointer(where, "default"),
                  fmt::format("the enum's default \"{}\" is none of its symbols", *node->fallback),
                  "name one of them");
    return node;
  }

  Result<Node*> fixed(const JsonValue& json, const Pointer& where, std::string_view space) {
    TRY_ASSIGN(Node * node, named(Kind::kFixed, json, where, space));
    const JsonValue* size = json.find("size");
    const auto bytes = size == nullptr ? std::nullopt : integer_of(*size);
    if (!bytes || *bytes < 0 || *bytes > INT32_MAX)
      return malformed(size == nullptr ? json : *size, where, "the fixed has no \"size\" in bytes",
                       "an integer from 0 to 2147483647");
    node->size = static_cast<int32_t>(*bytes);
    return node;
  }

  // At the end, when every type is whole.
  Status check_defaults() {
    DefaultCheck check;  // one for all: its bound is of the text
    for (const Default& d : defaults_) {
      if (check.fits(*d.type, d.value)) continue;
      const bool endless = check.exhausted();
      Error failure = error(
          Code::kInvalid, endless ? "MR-AVRO-0002" : "MR-AVRO-0008",
          fmt::format("the default {} of the field \"{}\" {} (at {})", shown(d.value), d.field,
                      endless ? "takes itself or too much work to check" : "does not fit its type", d.where),
          endless ? "a shorter default"
                  : "the default of a union fits one of its branches, of bytes is a string, of a "
                    "record an object");
      failure.span = span_at(text_, d.value.offset);
      return failure;
    }
    defaults_.clear();
    return {};
  }

  struct Default {
    std::string field;
    const Node* type;
    JsonValue value;
    std::string where;
  };

  SchemaTree tree_;
  std::unordered_map<std::string, Node*> names_;
  std::vector<Default> defaults_;
  std::string_view text_;
  size_t parts_ = 0;
  int depth_ = 0;  // of types in each other
  size_t bytes_ = 0;
};

// How deep types stand in each other when each that has a name is written out where it is met first, in the references,
// too. Of a text alone that is how it stands; types of references lead to each other by their names, in any number.
class Depth {
 public:
  bool is_bounded(const Node& node) {
    if (depth_ == kMaxTypeDepth) return false;
    if (is_named(node.kind) && !seen_.insert(&node).second) return true;
    ++depth_;
    const bool bounded = parts_are_bounded(node);
    --depth_;
    return bounded;
  }

 private:
  bool parts_are_bounded(const Node& node) {
    if (node.element != nullptr && !is_bounded(*node.element)) return false;
    return std::all_of(node.branches.begin(), node.branches.end(),
                       [&](const Node* branch) { return is_bounded(*branch); }) &&
           std::all_of(node.fields.begin(), node.fields.end(),
                       [&](const Field& field) { return is_bounded(*field.type); });
  }

  std::unordered_set<const Node*> seen_;
  int depth_ = 0;
};

}  // namespace

Result<SchemaTree> parse_tree(std::string_view text, std::span<const schema::NamedSchema> references) {
  Parser parser;
  for (const schema::NamedSchema& reference : references) {
    const Node* root = nullptr;
    if (Status parsed = parser.parse(reference.text, root); !parsed.ok()) {
      Error failure = std::move(parsed).error();
      failure.message = fmt::format("in the reference \"{}\": {}", reference.name, failure.message);
      return failure;
    }
  }
  parser.end_of_references();
  const Node* root = nullptr;
  TRY(parser.parse(text, root));
  if (!Depth().is_bounded(*root))
    return error(Code::kInvalid, "MR-AVRO-0002",
                 fmt::format("with its references written out, types stand in each other more than {} deep",
                             kMaxTypeDepth),
                 "refer to types that lead to fewer others");
  SchemaTree tree = parser.take();
  tree.root = root;
  return tree;
}

}  // namespace millrace::avro
