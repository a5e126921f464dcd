#include "json-schema/internal/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "json-schema/internal/equality.h"
#include "schema/json_pointer.h"

namespace millrace::json_schema {

namespace {

using simdjson::dom::element;

constexpr uint32_t kAllEvaluated = UINT32_MAX;
constexpr size_t kPartsAStep = 8;

// All bytes but those that continue a character, eight at a time.
size_t characters_in(std::string_view text) {
  constexpr uint64_t kLowBits = 0x0101010101010101;
  size_t continuing = 0;
  size_t i = 0;
  for (uint64_t eight = 0; i + sizeof eight <= text.size(); i += sizeof eight) {
    std::memcpy(&eight, text.data() + i, sizeof eight);
    continuing += static_cast<size_t>(std::popcount(eight >> 7 & ~(eight >> 6) & kLowBits));
  }
  for (; i < text.size(); ++i) continuing += (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80 ? 1 : 0;
  return text.size() - continuing;
}

std::string_view name_of(uint8_t type) {
  switch (type) {
    case kNull:
      return "null";
    case kBool:
      return "a boolean";
    case kInteger:
      return "an integer";
    case kFraction:
      return "a number";
    case kText:
      return "a string";
    case kArray:
      return "an array";
    default:
      return "an object";
  }
}

std::string names_of(uint8_t mask) {
  std::string out;
  for (const uint8_t type : {kNull, kBool, kInteger, kFraction, kText, kArray, kObject}) {
    const bool said_by_number = type == kInteger && (mask & kFraction) != 0;
    if ((mask & type) == 0 || said_by_number) continue;
    out += fmt::format("{}{}", out.empty() ? "" : " or ", name_of(type));
  }
  return out.empty() ? "nothing" : out;
}

std::string written(Number number) {
  return is_whole(number) && number > -1e19L && number < 2e19L
             ? fmt::format("{:.0f}", number)
             : fmt::format("{}", static_cast<double>(number));
}

// Where in the event a run is.
struct Step {
  const Step* parent = nullptr;
  std::string_view name;
  size_t place = 0;
  bool is_place = false;

  std::string pointer() const {
    if (parent == nullptr) return {};
    return parent->pointer() +
           (is_place ? fmt::format("/{}", place) : fmt::format("/{}", schema::pointer_escaped(name)));
  }
};

// The resources that have been entered, innermost first.
struct Scope {
  const Scope* outer;
  uint32_t resource;
};

// kExplain: failures are told, and validation goes on behind them. Else the first one ends it.
template <bool kExplain>
class Machine {
 public:
  Machine(const Program& program, size_t most_failures) : program_(program), most_failures_(most_failures) {}

  bool run_all(const element& value) {
    const Step root;
    return run(0, Instance(value), root, false);
  }
  bool out_of_bounds() const { return work_ <= 0; }
  std::vector<Failure> take_failures() { return std::move(failures_); }

 private:
  // Schemas in each other take stack, so what each of them passes through is small: the instructions are out of line.
  // `tracked`: which members and items are evaluated is of interest to the caller.
  bool run(BlockId id, const Instance& value, const Step& at, bool tracked) {
    const Block& block = program_.blocks[id];
    if (--work_ <= 0) return false;
    if (++calls_ > kMostCalls) work_ = 0;
    const bool ok = program_.has_dynamic_calls ? run_scoped(block, value, at, tracked)
                    : block.tracks || tracked  ? run_tracked(block, value, at, tracked)
                                               : run_ops(block, value, at, false, 0);
    --calls_;
    return ok;
  }

  bool run_scoped(const Block& block, const Instance& value, const Step& at, bool tracked) {
    const Scope* outer = scope_;
    const Scope inner{outer, block.resource};
    if (outer == nullptr || outer->resource != block.resource) scope_ = &inner;
    const bool ok = run_tracked(block, value, at, tracked);
    scope_ = outer;
    return ok;
  }

  bool run_tracked(const Block& block, const Instance& value, const Step& at, bool tracked) {
    const size_t from = evaluated_.size();
    const bool ok = run_ops(block, value, at, tracked || block.tracks, from);
    if (!ok || !tracked) evaluated_.resize(from);
    return ok;
  }

  bool run_ops(const Block& block, const Instance& value, const Step& at, bool tracked, size_t from) {
    bool ok = (block.allowed & value.type) != 0 || type(block, value, at);
    for (uint32_t i = block.begin; i < block.end && (ok || goes_on()); ++i) {
      const Op& op = program_.ops[i];
      if ((op.types & value.type) != 0) ok &= run_op(op, block, value, at, tracked, from);
    }
    return ok;
  }

  // What takes a while by its bytes, members, items or names.
  void spend_on_bytes(size_t bytes) { work_ -= static_cast<int64_t>(bytes / kBytesAStep); }
  void spend_on_parts(size_t parts) { work_ -= static_cast<int64_t>(parts / kPartsAStep); }

  bool goes_on() const { return kExplain && muted_ == 0 && work_ > 0 && failures_.size() < most_failures_; }

  [[gnu::always_inline]] bool run_op(const Op& op, const Block& block, const Instance& value, const Step& at,
                                     bool tracked, size_t from) {
    switch (op.kind) {
      case OpKind::kNever:
        return fail(block, "", at, [] { return std::string("nothing is allowed here"); });
      case OpKind::kLength:
        return length(program_.lengths[op.rule], block, value, at);
      case OpKind::kPattern:
        return pattern(program_.patterns[op.rule], block, value, at);
      case OpKind::kFormat:
        return format(*program_.formats[op.rule], block, value, at);
      case OpKind::kBounds:
        return bounds(program_.bounds[op.rule], block, value, at);
      case OpKind::kMultipleOf:
        return multiple(program_.divisors[op.rule], block, value, at);
      case OpKind::kEnum:
        return constants(op, block, value, at);
      case OpKind::kObject:
        return object(program_.objects[op.rule], block, value, at, tracked);
      case OpKind::kPropertyNames:
        return property_names(op.rule, block, value, at);
      case OpKind::kDependencies:
        return dependencies(program_.dependencies[op.rule], block, value, at, tracked);
      case OpKind::kArray:
        return array(program_.arrays[op.rule], block, value, at, tracked);
      case OpKind::kContains:
        return contains(program_.contains[op.rule], block, value, at, tracked);
      case OpKind::kCall:
        return run(op.rule, value, at, tracked);
      case OpKind::kDynamicCall:
        return run(dynamic_target(program_.dynamic_calls[op.rule]), value, at, tracked);
      case OpKind::kAnyOf:
        return any_of(program_.choices[op.rule], block, value, at, tracked);
      case OpKind::kOneOf:
        return one_of(program_.choices[op.rule], block, value, at, tracked);
      case OpKind::kNot:
        return not_of(op.rule, block, value, at);
      case OpKind::kIf:
        return condition(program_.conditions[op.rule], value, at, tracked);
      case OpKind::kUnevaluatedProperties:
        return unevaluated_properties(op.rule, block, value, at, from);
      case OpKind::kUnevaluatedItems:
        return unevaluated_items(op.rule, block, value, at, from);
    }
    return true;
  }

  // --- failures ----------------------------------------------------------------------------------------------------

  template <typename Message>
  bool fail(const Block& block, std::string_view keyword, const Step& at, Message message) {
    if constexpr (kExplain) tell(block, keyword, at, message);
    return false;
  }

  // Out of line, for what makes messages takes room on the stack that schemas in each other would pay for.
  template <typename Message>
  [[gnu::noinline]] void tell(const Block& block, std::string_view keyword, const Step& at,
                              const Message& message) {
    if (muted_ > 0 || work_ <= 0 || failures_.size() == most_failures_) return;
    failures_.push_back({at.pointer(), schema_path(*block.source, keyword), std::string(keyword), message()});
  }

  // In another text than the schema's own: with that one's URI.
  std::string schema_path(const Subschema& source, std::string_view keyword) const {
    const Subschema* root = &source;
    while (root->parent != nullptr) root = root->parent;
    const bool own = root == &program_.document->root();
    return fmt::format("{}{}{}{}", own ? "" : program_.document->resource(*root).uri + "#",
                       program_.document->pointer(source), keyword.empty() ? "" : "/", keyword);
  }

  bool quietly(BlockId block, const Instance& value, const Step& at, bool tracked) {
    ++muted_;
    const bool ok = run(block, value, at, tracked);
    --muted_;
    return ok;
  }

  // --- values of any type ------------------------------------------------------------------------------------------

  [[gnu::noinline]] bool type(const Block& block, const Instance& value, const Step& at) {
    const bool is_whole_number =
        value.type == kFraction && (block.allowed & kInteger) != 0 && is_integer(block, value.number());
    return is_whole_number || fail(block, "type", at, [&] {
             return fmt::format("this is {}, not {}", name_of(value.type), names_of(block.allowed));
           });
  }

  // A double as large as this was written as a whole number, or might have been.
  static bool is_integer(const Block& block, Number number) {
    constexpr Number kBeyondInt64 = 0x1p63L;
    return is_whole(number) && (block.whole_is_integer || number >= kBeyondInt64 || number <= -kBeyondInt64);
  }

  [[gnu::noinline]] bool constants(const Op& op, const Block& block, const Instance& value, const Step& at) {
    const Constants& rule = program_.constants[op.rule];
    spend_on_bytes(value.text.size());
    if (value.type == kText ? rule.strings.find(value.text) != NameTable::kNone : is_other(rule, value))
      return true;
    return fail(block, op.keyword, at, [&] {
      return fmt::format("this is not {}{}", op.keyword == "enum" ? "one of " : "", rule.listed);
    });
  }
  bool is_other(const Constants& rule, const Instance& value) {
    if ((value.type & kAnyNumber) != 0) {
      work_ -= static_cast<int64_t>(rule.numbers.size() / 4);
      return std::find(rule.numbers.begin(), rule.numbers.end(), value.number()) != rule.numbers.end();
    }
    return std::any_of(rule.others.begin(), rule.others.end(),
                       [&](const Value* one) { return equal(*one, value, work_); });
  }

  // --- strings and numbers -----------------------------------------------------------------------------------------

  bool length(const Range& range, const Block& block, const Instance& value, const Step& at) {
    const size_t bytes = value.text.size();
    if (bytes <= range.most && (range.least == 0 || bytes / 4 >= range.least)) return true;
    spend_on_bytes(bytes);
    if (work_ <= 0) return false;
    const size_t length = characters_in(value.text);
    if (length < range.least) {
      return fail(block, "minLength", at,
                  [&] { return fmt::format("this has {} characters, fewer than {}", length, range.least); });
    }
    return length <= range.most || fail(block, "maxLength", at, [&] {
             return fmt::format("this has {} characters, more than {}", length, range.most);
           });
  }

  bool pattern(const Pattern& pattern, const Block& block, const Instance& value, const Step& at) {
    return matches(pattern, value.text) || fail(block, "pattern", at, [&] {
             return fmt::format("this does not match `{}`", pattern.text());
           });
  }

  bool matches(const Pattern& pattern, std::string_view text) {
    --work_;
    spend_on_bytes(text.size());
    return work_ > 0 && pattern.is_in(text);
  }

  [[gnu::noinline]] bool format(const FormatRule& rule, const Block& block, const Instance& value,
                                const Step& at) {
    work_ -= rule.steps;
    spend_on_bytes(value.text.size());
    return (work_ > 0 && rule.holds(value.text)) ||
           fail(block, "format", at, [&] { return fmt::format("this is not of the format {}", rule.name); });
  }

  bool bounds(const Bounds& rule, const Block& block, const Instance& value, const Step& at) {
    const Number number = value.number();
    if (rule.has_low && (rule.excludes_low ? number <= rule.low : number < rule.low)) {
      return fail(block, rule.excludes_low ? "exclusiveMinimum" : "minimum", at, [&] {
        return fmt::format("{} is not {} {}", written(number), rule.excludes_low ? "above" : "at least",
                           written(rule.low));
      });
    }
    if (rule.has_high && (rule.excludes_high ? number >= rule.high : number > rule.high)) {
      return fail(block, rule.excludes_high ? "exclusiveMaximum" : "maximum", at, [&] {
        return fmt::format("{} is not {} {}", written(number), rule.excludes_high ? "below" : "at most",
                           written(rule.high));
      });
    }
    return true;
  }

  [[gnu::noinline]] bool multiple(const Decimal& divisor, const Block& block, const Instance& value,
                                  const Step& at) {
    const Number number = value.number();
    const bool ok = value.type == kInteger
                        ? is_multiple({static_cast<uint64_t>(number < 0 ? -number : number), 0}, divisor)
                        : is_multiple(decimal_of(static_cast<double>(number)), divisor);
    return ok || fail(block, "multipleOf", at, [&] {
             return fmt::format("{} is not a multiple of {}e{}", written(number), divisor.digits,
                                divisor.exponent);
           });
  }

  // --- objects -----------------------------------------------------------------------------------------------------

  // Which of the required members have been seen.
  class Seen {
   public:
    explicit Seen(size_t required) {
      if (required > 64) more_.resize(required);
    }
    void add(uint32_t number) {
      if (more_.empty()) {
        few_ |= uint64_t{1} << number;
      } else {
        more_[number] = true;
      }
    }
    bool has(uint32_t number) const { return more_.empty() ? (few_ >> number & 1) != 0 : more_[number]; }

   private:
    uint64_t few_ = 0;
    std::vector<bool> more_;
  };

  [[gnu::noinline]] bool object(const ObjectRules& rule, const Block& block, const Instance& value,
                                const Step& at, bool tracked) {
    spend_on_parts(rule.required.size());
    Seen seen(rule.required.size());
    uint32_t size = 0;
    bool ok = true;
    for (const auto& [name, child] : value.object()) {
      if (size % kPartsAStep == 0) --work_;
      if (!member(rule, block, name, child, at, tracked, seen, size)) {
        ok = false;
        if (!goes_on()) return false;
      }
      ++size;
    }
    return required(rule, block, seen, at) && object_size(rule.size, block, size, at) && ok;
  }

  bool member(const ObjectRules& rule, const Block& block, std::string_view name, const element& child,
              const Step& at, bool tracked, Seen& seen, uint32_t number) {
    const Step step{&at, name};
    bool evaluated = false;
    bool ok = true;
    spend_on_bytes(name.size());
    if (const uint32_t known = rule.names.find(name); known != NameTable::kNone) {
      const ObjectRules::Named& named = rule.named[known];
      if (named.required != NameTable::kNone) seen.add(named.required);
      if (named.is_property) {
        evaluated = true;
        ok = run(named.block, Instance(child), step, false);
      }
    }
    for (const ObjectRules::Patterned& one : rule.patterned) {
      if (!ok && !goes_on()) return false;
      if (!matches(program_.patterns[one.pattern], name)) continue;
      evaluated = true;
      ok &= run(one.block, Instance(child), step, false);
    }
    if (!evaluated && rule.additional != kNoBlock) {
      evaluated = true;
      ok = allowed(rule.additional, "additionalProperties", block, child, at, step);
    }
    if (tracked && evaluated) evaluated_.push_back(number);
    return ok;
  }

  // A schema for what is left over; `false` is worth a message of its own.
  bool allowed(BlockId rest, std::string_view keyword, const Block& block, const element& child,
               const Step& at, const Step& step) {
    const Value& schema = *program_.blocks[rest].source->value;
    if (schema.is(Value::Type::kBoolean) && !schema.boolean) {
      return fail(block, keyword, at, [&] {
        return step.is_place ? fmt::format("item {} is not allowed", step.place)
                             : fmt::format("the member `{}` is not allowed", step.name);
      });
    }
    return run(rest, Instance(child), step, false);
  }

  bool required(const ObjectRules& rule, const Block& block, const Seen& seen, const Step& at) {
    bool ok = true;
    for (uint32_t i = 0; i < rule.required.size() && (ok || goes_on()); ++i) {
      if (seen.has(i)) continue;
      ok = fail(block, "required", at,
                [&] { return fmt::format("the member `{}` is missing", rule.required[i]); });
    }
    return ok;
  }

  bool object_size(const Range& range, const Block& block, uint64_t size, const Step& at) {
    return range.holds(size) || fail(block, size < range.least ? "minProperties" : "maxProperties", at, [&] {
             return fmt::format("this has {} members, {}", size, beyond(range, size));
           });
  }
  static std::string beyond(const Range& range, uint64_t size) {
    return size < range.least ? fmt::format("fewer than {}", range.least)
                              : fmt::format("more than {}", range.most);
  }

  [[gnu::noinline]] bool property_names(BlockId rule, const Block& block, const Instance& value,
                                        const Step& at) {
    for (const auto& [name, child] : value.object()) {
      if (quietly(rule, Instance(name), at, false)) continue;
      return fail(block, "propertyNames", at,
                  [&, name = name] { return fmt::format("`{}` is not allowed as a name", name); });
    }
    return true;
  }

  bool has(const Instance& value, std::string_view name) {
    --work_;
    spend_on_parts(value.object().size());
    return value.object().at_key(name).error() == simdjson::SUCCESS;
  }

  [[gnu::noinline]] bool dependencies(const std::vector<Dependency>& rules, const Block& block,
                                      const Instance& value, const Step& at, bool tracked) {
    bool ok = true;
    for (const Dependency& rule : rules) {
      if (!ok && !goes_on()) return false;
      if (work_ <= 0 || !has(value, rule.name)) continue;
      for (const std::string_view name : rule.required) {
        if (has(value, name)) continue;
        ok = fail(block, rule.keyword, at,
                  [&] { return fmt::format("with `{}`, the member `{}` is missing", rule.name, name); });
        if (!goes_on()) return false;
      }
      if (rule.block != kNoBlock) ok &= run(rule.block, value, at, tracked);
    }
    return ok;
  }

  // --- arrays ------------------------------------------------------------------------------------------------------

  [[gnu::noinline]] bool array(const ArrayRules& rule, const Block& block, const Instance& value,
                               const Step& at, bool tracked) {
    size_t size = 0;
    bool ok = true;
    for (const element item : value.array()) {
      const Step step{&at, {}, size, true};
      if (size % kPartsAStep == 0) --work_;
      if (size < rule.prefix.size()) {
        ok &= run(rule.prefix[size], Instance(item), step, false);
      } else if (rule.rest != kNoBlock) {
        ok &= allowed(rule.rest, rule.rest_keyword, block, item, at, step);
      }
      if (!ok && !goes_on()) return false;
      ++size;
    }
    if (tracked) mark_items(rule.rest != kNoBlock ? size : std::min(size, rule.prefix.size()), size);
    return array_size(rule.size, block, size, at) && unique(rule, block, value, at) && ok;
  }

  void mark_items(size_t evaluated, size_t of) {
    if (evaluated == of) {
      evaluated_.push_back(kAllEvaluated);
      return;
    }
    for (size_t i = 0; i < evaluated; ++i) evaluated_.push_back(static_cast<uint32_t>(i));
  }

  bool array_size(const Range& range, const Block& block, uint64_t size, const Step& at) {
    return range.holds(size) || fail(block, size < range.least ? "minItems" : "maxItems", at, [&] {
             return fmt::format("this has {} items, {}", size, beyond(range, size));
           });
  }

  bool unique(const ArrayRules& rule, const Block& block, const Instance& value, const Step& at) {
    if (!rule.unique || !has_equal_items(value.array(), work_)) return true;
    return fail(block, "uniqueItems", at, [] { return std::string("two items are equal"); });
  }

  [[gnu::noinline]] bool contains(const ContainsRule& rule, const Block& block, const Instance& value,
                                  const Step& at, bool tracked) {
    uint64_t found = 0;
    uint32_t place = 0;
    for (const element item : value.array()) {
      if (quietly(rule.block, Instance(item), Step{&at, {}, place, true}, false)) {
        ++found;
        if (tracked && rule.evaluates) evaluated_.push_back(place);
      }
      ++place;
    }
    if (rule.count.holds(found)) return true;
    const bool few = found < rule.count.least;
    return fail(block,
                !few                    ? "maxContains"
                : rule.count.least == 1 ? "contains"
                                        : "minContains",
                at, [&] {
                  return fmt::format("{} items are as `contains` says, {}", found, beyond(rule.count, found));
                });
  }

  // --- schemas of schemas ------------------------------------------------------------------------------------------

  BlockId dynamic_target(const DynamicCall& rule) {
    const auto& anchors = program_.dynamic_anchors[rule.anchor].by_resource;
    BlockId target = rule.fallback;
    size_t scopes = 0;
    for (const Scope* scope = scope_; scope != nullptr; scope = scope->outer, ++scopes) {
      const auto found =
          std::lower_bound(anchors.begin(), anchors.end(), std::pair(scope->resource, BlockId{0}));
      if (found != anchors.end() && found->first == scope->resource) target = found->second;
    }
    spend_on_parts(scopes);
    return target;
  }

  [[gnu::noinline]] bool any_of(const std::vector<BlockId>& choices, const Block& block,
                                const Instance& value, const Step& at, bool tracked) {
    bool any = false;
    for (const BlockId choice : choices) {
      any |= quietly(choice, value, at, tracked);
      if (any && !tracked) return true;
    }
    return any || fail(block, "anyOf", at,
                       [&] { return fmt::format("this fits none of {} schemas", choices.size()); });
  }

  [[gnu::noinline]] bool one_of(const std::vector<BlockId>& choices, const Block& block,
                                const Instance& value, const Step& at, bool tracked) {
    size_t fitting = 0;
    for (const BlockId choice : choices) {
      if (quietly(choice, value, at, tracked) && ++fitting > 1) break;
    }
    return fitting == 1 || fail(block, "oneOf", at, [&] {
             return fitting == 0 ? fmt::format("this fits none of {} schemas", choices.size())
                                 : std::string("this fits more than one of the schemas");
           });
  }

  [[gnu::noinline]] bool not_of(BlockId rule, const Block& block, const Instance& value, const Step& at) {
    return !quietly(rule, value, at, false) ||
           fail(block, "not", at, [] { return std::string("this fits the schema that it must not fit"); });
  }

  [[gnu::noinline]] bool condition(const Condition& rule, const Instance& value, const Step& at,
                                   bool tracked) {
    const BlockId next = quietly(rule.condition, value, at, tracked) ? rule.then : rule.otherwise;
    return next == kNoBlock || run(next, value, at, tracked);
  }

  // --- what nothing else has evaluated -----------------------------------------------------------------------------

  // `visit` gets what is not marked behind `from`, and its number. `false` of it ends the walk, unless it goes on.
  template <typename Children, typename Visit>
  bool each_unevaluated(const Children& children, size_t from, Visit visit) {
    const auto begin = evaluated_.begin() + static_cast<std::ptrdiff_t>(from);
    spend_on_parts(evaluated_.size() - from);
    if (std::find(begin, evaluated_.end(), kAllEvaluated) != evaluated_.end()) return true;
    std::vector<uint32_t> marks(begin, evaluated_.end());
    std::sort(marks.begin(), marks.end());
    uint32_t number = 0;
    bool ok = true;
    for (const auto& child : children) {
      if (number % kPartsAStep == 0) --work_;
      if (!std::binary_search(marks.begin(), marks.end(), number)) ok &= visit(child, number);
      if (!ok && !goes_on()) return false;
      ++number;
    }
    evaluated_.push_back(kAllEvaluated);
    return ok;
  }

  [[gnu::noinline]] bool unevaluated_properties(BlockId rest, const Block& block, const Instance& value,
                                                const Step& at, size_t from) {
    return each_unevaluated(value.object(), from, [&](const simdjson::dom::key_value_pair& member, uint32_t) {
      return allowed(rest, "unevaluatedProperties", block, member.value, at, Step{&at, member.key});
    });
  }

  [[gnu::noinline]] bool unevaluated_items(BlockId rest, const Block& block, const Instance& value,
                                           const Step& at, size_t from) {
    return each_unevaluated(value.array(), from, [&](const element& item, uint32_t place) {
      return allowed(rest, "unevaluatedItems", block, item, at, Step{&at, {}, place, true});
    });
  }

  const Program& program_;
  size_t most_failures_;
  std::vector<Failure> failures_;
  std::vector<uint32_t> evaluated_;  // numbers of members and items, of the instances that are being tracked
  const Scope* scope_ = nullptr;
  int64_t work_ = kMostSteps;
  int calls_ = 0;
  int muted_ = 0;  // within a schema whose failure is none
};

}  // namespace

std::optional<bool> accepts(const Program& program, const element& value) {
  Machine<false> machine(program, 0);
  const bool ok = machine.run_all(value);
  if (machine.out_of_bounds()) return std::nullopt;
  return ok;
}

std::optional<std::vector<Failure>> failures(const Program& program, const element& value, size_t most) {
  Machine<true> machine(program, most);
  machine.run_all(value);
  if (machine.out_of_bounds()) return std::nullopt;
  return machine.take_failures();
}

}  // namespace millrace::json_schema
