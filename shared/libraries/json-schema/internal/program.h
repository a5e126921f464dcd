// Program: a schema as a flat list of instructions, in blocks. A block is one schema; every schema is compiled once,
// however many refer to it.
//
// Owns: rules and tables; the names and constants in them are the document's, which it holds.
#pragma once

#include <climits>
#include <vector>

#include "json-schema/document.h"
#include "json-schema/internal/format_rules.h"
#include "json-schema/internal/name_table.h"
#include "json-schema/internal/number.h"
#include "json-schema/internal/pattern.h"

namespace millrace::json_schema {

using BlockId = uint32_t;
constexpr BlockId kNoBlock = UINT32_MAX;

enum class OpKind : uint8_t {
  kNever,  // the schema `false`
  kLength,
  kPattern,
  kFormat,
  kBounds,
  kMultipleOf,
  kEnum,
  kObject,
  kPropertyNames,
  kDependencies,
  kArray,
  kContains,
  kCall,         // `$ref`, `allOf`
  kDynamicCall,  // `$dynamicRef`, `$recursiveRef`
  kAnyOf,
  kOneOf,
  kNot,
  kIf,
  kUnevaluatedProperties,
  kUnevaluatedItems,
};

struct Op {
  OpKind kind;
  uint8_t types;                  // of TypeBit: the instances that it concerns
  uint32_t rule = 0;              // the place in the Program's list of its kind, or a block
  std::string_view keyword = {};  // that it was compiled from
};

struct Range {
  uint64_t least = 0;
  uint64_t most = UINT64_MAX;
  bool holds(uint64_t n) const { return least <= n && n <= most; }
};

struct Bounds {
  Number low = 0;
  Number high = 0;
  bool has_low = false;
  bool has_high = false;
  bool excludes_low = false;
  bool excludes_high = false;
};

// `enum` and `const`.
struct Constants {
  NameTable strings;
  std::vector<Number> numbers;
  std::vector<const Value*> others;
  std::string listed;  // for messages
};

// `properties`, `patternProperties`, `additionalProperties`, `required`, `minProperties`, `maxProperties`: one walk over
// the members decides all of them.
struct ObjectRules {
  struct Named {
    BlockId block = kNoBlock;
    uint32_t required = NameTable::kNone;  // its number among the required
    bool is_property = false;
  };
  struct Patterned {
    uint32_t pattern;
    BlockId block;
  };
  NameTable names;
  std::vector<Named> named;  // by the table's numbers
  std::vector<std::string_view> required;
  std::vector<Patterned> patterned;
  BlockId additional = kNoBlock;
  Range size;
};

struct Dependency {
  std::string_view keyword;  // `dependencies`, `dependentRequired`, `dependentSchemas`
  std::string_view name;
  std::vector<std::string_view> required;
  BlockId block = kNoBlock;
};

// `prefixItems` and `items`, `minItems`, `maxItems`, `uniqueItems`.
struct ArrayRules {
  std::vector<BlockId> prefix;
  BlockId rest = kNoBlock;
  std::string_view rest_keyword;
  Range size;
  bool unique = false;
};

struct ContainsRule {
  BlockId block = kNoBlock;
  Range count;
  bool evaluates = false;  // from 2020-12 on, what it found counts as evaluated
};

struct Condition {
  BlockId condition = kNoBlock;
  BlockId then = kNoBlock;
  BlockId otherwise = kNoBlock;
};

// Which resources have a dynamic anchor of one name: sorted.
struct DynamicAnchor {
  std::vector<std::pair<uint32_t, BlockId>> by_resource;
};

struct DynamicCall {
  uint32_t anchor = 0;
  BlockId fallback = kNoBlock;
};

struct Block {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t resource = 0;
  uint8_t allowed = 127;         // what `type` says, of TypeBit
  bool tracks = false;           // it has an unevaluated… keyword
  bool whole_is_integer = true;  // 1.0 is an integer: from draft 6 on
  const Subschema* source = nullptr;
};

struct Program {
  DocumentPtr document;
  std::vector<Op> ops;
  std::vector<Block> blocks;  // the first one is the root
  bool has_dynamic_calls = false;

  std::vector<Range> lengths;
  std::vector<Bounds> bounds;
  std::vector<Decimal> divisors;
  std::vector<Pattern> patterns;
  std::vector<const FormatRule*> formats;
  std::vector<Constants> constants;
  std::vector<ObjectRules> objects;
  std::vector<std::vector<Dependency>> dependencies;
  std::vector<ArrayRules> arrays;
  std::vector<ContainsRule> contains;
  std::vector<std::vector<BlockId>> choices;  // of `anyOf`, `oneOf`
  std::vector<Condition> conditions;
  std::vector<DynamicAnchor> dynamic_anchors;
  std::vector<DynamicCall> dynamic_calls;
};

}  // namespace millrace::json_schema
