#include "json-schema/internal/compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "json-schema/internal/instance.h"

namespace millrace::json_schema {

namespace {

using Type = Value::Type;

constexpr size_t kMostListed = 120;  // bytes of an `enum` in a message
constexpr int kMostHops = 64;        // from `$ref` to `$ref`, before it is left to the machine

template <typename T>
uint32_t add_to(std::vector<T>& list, T item) {
  list.push_back(std::move(item));
  return static_cast<uint32_t>(list.size() - 1);
}

uint64_t count_of(const Value& value) {
  const Number number = number_of(value.text);
  return number < 1e18L ? static_cast<uint64_t>(number) : UINT64_MAX;
}

uint8_t type_bits(std::string_view name) {
  static constexpr std::pair<std::string_view, uint8_t> kBits[] = {
      {"null", kNull},   {"boolean", kBool}, {"integer", kInteger}, {"number", kAnyNumber},
      {"string", kText}, {"array", kArray},  {"object", kObject}};
  for (const auto& [known, bits] : kBits) {
    if (known == name) return bits;
  }
  return 0;
}

class Compiler {
 public:
  Compiler(DocumentPtr document, bool assert_formats) : assert_formats_(assert_formats) {
    program_.document = std::move(document);
  }

  Result<Program> compile() {
    const Document& document = *program_.document;
    block_of_.assign(document.subschemas().size(), kNoBlock);
    for (const Subschema& subschema : document.subschemas())
      program_.has_dynamic_calls |= subschema.is_dynamic;
    start_block(document.root());
    if (program_.has_dynamic_calls) list_dynamic_anchors();
    for (size_t i = 0; i < program_.blocks.size(); ++i) TRY(fill_block(static_cast<BlockId>(i)));
    return std::move(program_);
  }

 private:
  // --- blocks ------------------------------------------------------------------------------------------------------

  BlockId start_block(const Subschema& subschema) {
    const Draft draft = program_.document->draft(subschema);
    block_of_[subschema.number] = add_to(
        program_.blocks,
        Block{.resource = subschema.resource, .whole_is_integer = draft >= Draft::k6, .source = &subschema});
    return block_of_[subschema.number];
  }

  // A schema that is a reference and no more is what it refers to, unless it matters where it was passed through.
  const Subschema& behind_references(const Subschema& from) const {
    const Subschema* at = &from;
    for (int hop = 0; hop < kMostHops && at->ref != nullptr && !program_.has_dynamic_calls; ++hop) {
      if (program_.document->draft(*at) > Draft::k7 && at->value->members.size() > 1) break;
      at = at->ref;
    }
    return *at;
  }

  BlockId block_of(const Subschema& from) {
    const Subschema& subschema = behind_references(from);
    const BlockId block = block_of_[subschema.number];
    return block == kNoBlock ? start_block(subschema) : block;
  }
  BlockId block_of(const Value& value) { return block_of(*program_.document->find(value)); }
  BlockId block_of_keyword(std::string_view name) {
    const Value* value = keyword(name);
    return value == nullptr ? kNoBlock : block_of(*value);
  }

  Status fill_block(BlockId id) {
    self_ = program_.blocks[id].source;
    const auto begin = static_cast<uint32_t>(program_.ops.size());
    if (self_->value->is(Type::kBoolean)) {
      if (!self_->value->boolean) emit(OpKind::kNever, kAnyType, "false");
    } else {
      TRY(fill_with_keywords());
    }
    Block& block = program_.blocks[id];
    block.begin = begin;
    block.end = static_cast<uint32_t>(program_.ops.size());
    block.tracks = std::any_of(program_.ops.begin() + begin, program_.ops.end(), [](const Op& op) {
      return op.kind == OpKind::kUnevaluatedProperties || op.kind == OpKind::kUnevaluatedItems;
    });
    return {};
  }

  // Cheap ones first; those that look at what others have evaluated last.
  Status fill_with_keywords() {
    type();
    constants("const");
    constants("enum");
    length();
    bounds();
    TRY(strings());
    TRY(object());
    array();
    contains();
    calls();
    choice("anyOf", OpKind::kAnyOf);
    choice("oneOf", OpKind::kOneOf);
    if (const BlockId block = block_of_keyword("not"); block != kNoBlock)
      emit(OpKind::kNot, kAnyType, "not", block);
    condition();
    dependencies();
    unevaluated();
    return {};
  }

  const Value* keyword(std::string_view name) const { return program_.document->keyword(*self_, name); }
  Draft draft() const { return program_.document->draft(*self_); }

  void emit(OpKind kind, uint8_t types, std::string_view name, uint32_t rule = 0) {
    program_.ops.emplace_back(Op{.kind = kind, .types = types, .rule = rule, .keyword = name});
  }

  // --- values ------------------------------------------------------------------------------------------------------

  void type() {
    const Value* value = keyword("type");
    if (value == nullptr) return;
    uint8_t mask = type_bits(value->text);
    for (const Value& one : value->items) mask |= type_bits(one.text);
    program_.blocks[block_of_[self_->number]].allowed = mask;
  }

  void constants(std::string_view name) {
    const Value* value = keyword(name);
    if (value == nullptr) return;
    const bool is_list = name == "enum";
    Constants rule;
    std::vector<std::string_view> strings;
    for (size_t i = 0; i < (is_list ? value->items.size() : 1); ++i) {
      const Value& one = is_list ? value->items[i] : *value;
      if (one.is(Type::kString)) {
        strings.push_back(one.text);
      } else if (one.is(Type::kNumber)) {
        rule.numbers.push_back(number_of(one.text));
      } else {
        rule.others.push_back(&one);
      }
      if (rule.listed.size() < kMostListed) rule.listed += (i > 0 ? ", " : "") + write_json(one);
    }
    if (rule.listed.size() > kMostListed) rule.listed = rule.listed.substr(0, cut_before(rule.listed)) + " …";
    std::sort(strings.begin(), strings.end());
    strings.erase(std::unique(strings.begin(), strings.end()), strings.end());
    rule.strings.fill(std::move(strings));
    emit(OpKind::kEnum, kAnyType, name, add_to(program_.constants, std::move(rule)));
  }

  // Where a character begins.
  static size_t cut_before(std::string_view text) {
    size_t end = kMostListed;
    while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return end;
  }

  Range range(std::string_view least, std::string_view most) const {
    Range range;
    if (const Value* value = keyword(least)) range.least = count_of(*value);
    if (const Value* value = keyword(most)) range.most = count_of(*value);
    return range;
  }
  bool has_range(std::string_view least, std::string_view most) const {
    return keyword(least) != nullptr || keyword(most) != nullptr;
  }

  void length() {
    if (!has_range("minLength", "maxLength")) return;
    emit(OpKind::kLength, kText, "", add_to(program_.lengths, range("minLength", "maxLength")));
  }

  void bounds() {
    Bounds rule;
    bound("minimum", "exclusiveMinimum", true, rule.low, rule.has_low, rule.excludes_low);
    bound("maximum", "exclusiveMaximum", false, rule.high, rule.has_high, rule.excludes_high);
    if (rule.has_low || rule.has_high) {
      emit(OpKind::kBounds, kAnyNumber, "", add_to(program_.bounds, rule));
    }
    if (const Value* value = keyword("multipleOf")) {
      emit(OpKind::kMultipleOf, kAnyNumber, "multipleOf",
           add_to(program_.divisors, *decimal_of(value->text)));
    }
  }

  // The stricter of the two that may stand side by side; in draft 4 the second one qualifies the first.
  void bound(std::string_view inclusive, std::string_view exclusive, bool is_low, Number& limit, bool& has,
             bool& excludes) {
    const Value* in = keyword(inclusive);
    const Value* ex = keyword(exclusive);
    has = in != nullptr || (ex != nullptr && draft() > Draft::k4);
    if (in != nullptr) limit = number_of(in->text);
    if (ex == nullptr || !has) return;
    if (draft() == Draft::k4) {
      excludes = ex->boolean;
      return;
    }
    const Number other = number_of(ex->text);
    if (in != nullptr && (is_low ? other < limit : other > limit)) return;
    limit = other;
    excludes = true;
  }

  Status strings() {
    if (const Value* value = keyword("pattern")) {
      TRY_ASSIGN(const uint32_t place, pattern(value->text));
      emit(OpKind::kPattern, kText, "pattern", place);
    }
    const Value* format = keyword("format");
    const bool asserts =
        assert_formats_ || (program_.document->resource(*self_).vocabularies & kFormatAssertion) != 0;
    if (format == nullptr || !asserts) return {};
    if (const FormatRule* rule = find_format(format->text)) {
      emit(OpKind::kFormat, kText, "format", add_to(program_.formats, rule));
    }
    return {};
  }

  Result<uint32_t> pattern(const std::string& text) {
    if (const auto known = patterns_.find(text); known != patterns_.end()) return known->second;
    if (program_.patterns.size() == kMostPatterns) {
      return error(Code::kUnsupported, "MR-JSCH-0006",
                   fmt::format("the schema has more than {} patterns", kMostPatterns),
                   "join those that say the same of a string");
    }
    auto compiled = Pattern::compile(text);
    if (!compiled.ok()) {
      Error failure = std::move(compiled).error();
      failure.message += fmt::format(", in the schema at {}", place());
      return failure;
    }
    return patterns_[text] = add_to(program_.patterns, std::move(compiled).value());
  }
  std::string place() const {
    const std::string pointer = program_.document->pointer(*self_);
    return pointer.empty() ? "its root" : pointer;
  }

  // --- objects -----------------------------------------------------------------------------------------------------

  Status object() {
    ObjectRules rule;
    const Value* properties = keyword("properties");
    const Value* patterned = keyword("patternProperties");
    const Value* required = keyword("required");
    rule.size = range("minProperties", "maxProperties");
    rule.additional = block_of_keyword("additionalProperties");
    if (patterned != nullptr) TRY(add_patterned(rule, *patterned));
    add_names(rule, properties, required);
    const bool any = properties != nullptr || patterned != nullptr || required != nullptr ||
                     rule.additional != kNoBlock || has_range("minProperties", "maxProperties");
    if (any) emit(OpKind::kObject, kObject, "", add_to(program_.objects, std::move(rule)));
    if (const BlockId block = block_of_keyword("propertyNames"); block != kNoBlock) {
      emit(OpKind::kPropertyNames, kObject, "propertyNames", block);
    }
    return {};
  }

  Status add_patterned(ObjectRules& rule, const Value& patterned) {
    for (const Member& member : patterned.members) {
      TRY_ASSIGN(const uint32_t place, pattern(member.name));
      rule.patterned.push_back({place, block_of(member.value)});
    }
    return {};
  }

  void add_names(ObjectRules& rule, const Value* properties, const Value* required) {
    std::map<std::string_view, ObjectRules::Named> named;
    if (properties != nullptr) {
      for (const Member& member : properties->members)
        named[member.name] = {block_of(member.value), NameTable::kNone, true};
    }
    if (required != nullptr) {
      for (const Value& name : required->items) {
        ObjectRules::Named& one = named[name.text];
        if (one.required == NameTable::kNone)
          one.required = add_to(rule.required, std::string_view(name.text));
      }
    }
    std::vector<std::string_view> names;
    for (const auto& [name, one] : named) {
      names.push_back(name);
      rule.named.push_back(one);
    }
    rule.names.fill(std::move(names));
  }

  void dependencies() {
    std::vector<Dependency> rules;
    for (const std::string_view name : {"dependencies", "dependentRequired", "dependentSchemas"}) {
      const Value* value = keyword(name);
      if (value == nullptr) continue;
      for (const Member& member : value->members) rules.push_back(dependency(name, member));
    }
    if (!rules.empty())
      emit(OpKind::kDependencies, kObject, "", add_to(program_.dependencies, std::move(rules)));
  }
  Dependency dependency(std::string_view keyword, const Member& member) {
    Dependency rule{.keyword = keyword, .name = member.name};
    if (member.value.is(Type::kArray)) {
      for (const Value& name : member.value.items) rule.required.push_back(name.text);
    } else {
      rule.block = block_of(member.value);
    }
    return rule;
  }

  // --- arrays ------------------------------------------------------------------------------------------------------

  void array() {
    ArrayRules rule;
    const Value* items = keyword("items");
    const Value* prefix = keyword("prefixItems");
    rule.rest_keyword = "items";
    if (items != nullptr && items->is(Type::kArray)) {
      prefix = std::exchange(items, keyword("additionalItems"));
      rule.rest_keyword = "additionalItems";
    }
    if (prefix != nullptr) {
      for (const Value& item : prefix->items) rule.prefix.push_back(block_of(item));
    }
    if (items != nullptr) rule.rest = block_of(*items);
    rule.size = range("minItems", "maxItems");
    const Value* unique = keyword("uniqueItems");
    rule.unique = unique != nullptr && unique->boolean;
    const bool any =
        prefix != nullptr || items != nullptr || rule.unique || has_range("minItems", "maxItems");
    if (any) emit(OpKind::kArray, kArray, "", add_to(program_.arrays, std::move(rule)));
  }

  void contains() {
    ContainsRule rule;
    rule.block = block_of_keyword("contains");
    if (rule.block == kNoBlock) return;
    rule.count = range("minContains", "maxContains");
    if (keyword("minContains") == nullptr) rule.count.least = 1;
    rule.evaluates = draft() >= Draft::k2020;
    emit(OpKind::kContains, kArray, "contains", add_to(program_.contains, rule));
  }

  // --- other schemas -----------------------------------------------------------------------------------------------

  // Twice the same one says nothing more: without this, n schemas that name the next one twice take 2^n steps.
  void calls() {
    std::set<BlockId> called;
    const auto call = [&](BlockId block, std::string_view name) {
      if (called.insert(block).second) emit(OpKind::kCall, kAnyType, name, block);
    };
    if (self_->ref != nullptr) call(block_of(*self_->ref), "$ref");
    if (self_->dynamic_ref != nullptr && !self_->is_dynamic)
      call(block_of(*self_->dynamic_ref), "$dynamicRef");
    if (self_->is_dynamic) dynamic_call();
    if (const Value* all = keyword("allOf")) {
      for (const Value& one : all->items) call(block_of(one), "allOf");
    }
  }

  void list_dynamic_anchors() {
    const auto resources = program_.document->resources();
    for (uint32_t i = 0; i < resources.size(); ++i) {
      for (const auto& [name, subschema] : resources[i].dynamic_anchors) {
        const auto [place, is_new] = anchors_.emplace(name, program_.dynamic_anchors.size());
        if (is_new) program_.dynamic_anchors.emplace_back();
        program_.dynamic_anchors[place->second].by_resource.emplace_back(i, block_of(*subschema));
      }
    }
  }

  void dynamic_call() {
    const DynamicCall rule{anchors_.find(self_->dynamic_anchor)->second, block_of(*self_->dynamic_ref)};
    emit(OpKind::kDynamicCall, kAnyType, draft() == Draft::k2019 ? "$recursiveRef" : "$dynamicRef",
         add_to(program_.dynamic_calls, rule));
  }

  void choice(std::string_view name, OpKind kind) {
    const Value* value = keyword(name);
    if (value == nullptr) return;
    std::vector<BlockId> blocks;
    for (const Value& one : value->items) blocks.push_back(block_of(one));
    emit(kind, kAnyType, name, add_to(program_.choices, std::move(blocks)));
  }

  void condition() {
    const Condition rule{block_of_keyword("if"), block_of_keyword("then"), block_of_keyword("else")};
    if (rule.condition != kNoBlock) emit(OpKind::kIf, kAnyType, "if", add_to(program_.conditions, rule));
  }

  void unevaluated() {
    const BlockId properties = block_of_keyword("unevaluatedProperties");
    const BlockId items = block_of_keyword("unevaluatedItems");
    if (properties != kNoBlock)
      emit(OpKind::kUnevaluatedProperties, kObject, "unevaluatedProperties", properties);
    if (items != kNoBlock) emit(OpKind::kUnevaluatedItems, kArray, "unevaluatedItems", items);
  }

  Program program_;
  bool assert_formats_;
  std::vector<BlockId> block_of_;  // by a subschema's number
  std::map<std::string, uint32_t, std::less<>> patterns_;
  std::map<std::string, uint32_t, std::less<>> anchors_;  // dynamic ones
  const Subschema* self_ = nullptr;                       // being compiled
};

}  // namespace

Result<Program> compile(DocumentPtr document, bool assert_formats) {
  return Compiler(std::move(document), assert_formats).compile();
}

}  // namespace millrace::json_schema
