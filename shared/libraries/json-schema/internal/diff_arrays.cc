#include <algorithm>

#include "json-schema/internal/diff_rules.h"

namespace millrace::json_schema {

namespace {

// The items of an array by what the drafts call them: each, the first ones, those behind them.
struct Items {
  const Subschema* all = nullptr;
  std::vector<const Subschema*> first;
  std::string rest_keyword;  // of those behind the first ones; empty: there is no list of first ones
};

Items items_of(const Form& form) {
  Items out;
  const Value *prefix = form.keyword("prefixItems"), *items = form.keyword("items");
  const Value* first = prefix != nullptr ? prefix : items;
  if (first != nullptr && first->is(Value::Type::kArray)) {
    out.rest_keyword = prefix != nullptr ? "items" : "additionalItems";
    for (const Value& item : first->items) out.first.push_back(form.document->find(item));
  } else if (items != nullptr) {
    out.all = form.document->find(*items);
  }
  return out;
}

class ItemsComparison {
 public:
  ItemsComparison(Pairs& pairs, const Form& writer, const Form& reader)
      : pairs_(pairs),
        writer_(writer),
        reader_(reader),
        before_(items_of(writer)),
        after_(items_of(reader)) {}

  void compare() {
    compare_all();
    const size_t both = std::min(before_.first.size(), after_.first.size());
    for (size_t i = 0; i < both; ++i) pairs_.descend(old_form(i), new_form(i), path(i));
    for (size_t i = both; i < before_.first.size(); ++i) removed(i);
    for (size_t i = both; i < after_.first.size(); ++i) added(i);
    if (!before_.first.empty() || !after_.first.empty()) compare_rest();
  }

 private:
  static std::string path(size_t i) { return "items/" + std::to_string(i); }
  const Form& old_form(size_t i) { return pairs_.form_of(writer_, *before_.first[i]); }
  const Form& new_form(size_t i) { return pairs_.form_of(reader_, *after_.first[i]); }

  void compare_all() {
    const Form* before = before_.all == nullptr ? nullptr : &pairs_.form_of(writer_, *before_.all);
    const Form* after = after_.all == nullptr ? nullptr : &pairs_.form_of(reader_, *after_.all);
    if (before != nullptr && after != nullptr) return pairs_.descend(*before, *after, "items");
    if (before != nullptr && after_.first.empty()) pairs_.add(type_of("SCHEMA_REMOVED"), "items");
    if (after != nullptr && before_.first.empty()) pairs_.add(type_of("SCHEMA_ADDED"), "items");
  }

  // The content model behind the first items; a schema for each of them is one, too.
  static const std::string& rest_keyword(const Items& items) {
    static const std::string kAll = "items";
    return items.all != nullptr ? kAll : items.rest_keyword;
  }
  ContentModel model(const Form& form, const Items& items) const {
    return content_model(form, rest_keyword(items), items.all != nullptr ? "" : "unevaluatedItems");
  }

  void removed(size_t i) {
    const ContentModel model = this->model(reader_, after_);
    if (model.is_open) return pairs_.add(type_of("ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL"), path(i));
    if (model.rest == nullptr) {
      return pairs_.add(old_form(i).kind == Kind::kNothing
                            ? type_of("ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL")
                            : type_of("ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL"),
                        path(i));
    }
    const Form &before = old_form(i), &after = pairs_.form_of(reader_, *model.rest);
    pairs_.descend(before, after, path(i));
    pairs_.add(pairs_.holds(before, after)
                   ? type_of("ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL")
                   : type_of("ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"),
               path(i));
  }

  void added(size_t i) {
    const ContentModel model = this->model(writer_, before_);
    const Form& after = new_form(i);
    if (model.is_open) {
      return pairs_.add(after.kind == Kind::kAnything
                            ? type_of("ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL")
                            : type_of("ITEM_ADDED_TO_OPEN_CONTENT_MODEL"),
                        path(i));
    }
    if (model.rest == nullptr) return pairs_.add(type_of("ITEM_ADDED_TO_CLOSED_CONTENT_MODEL"), path(i));
    const Form& before = pairs_.form_of(writer_, *model.rest);
    pairs_.descend(before, after, path(i));
    pairs_.add(pairs_.holds(before, after)
                   ? type_of("ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL")
                   : type_of("ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"),
               path(i));
  }

  void compare_rest() {
    const ContentModel before = content_model(writer_, rest_keyword(before_), ""),
                       after = content_model(reader_, rest_keyword(after_), "");
    const std::string& keyword = rest_keyword(rest_keyword(after_).empty() ? before_ : after_);
    compare_models(pairs_, writer_, before, reader_, after, keyword,
                   {type_of("ADDITIONAL_ITEMS_ADDED"), type_of("ADDITIONAL_ITEMS_REMOVED"),
                    type_of("ADDITIONAL_ITEMS_EXTENDED"), type_of("ADDITIONAL_ITEMS_NARROWED")});
  }

  Pairs& pairs_;
  const Form &writer_, &reader_;
  Items before_, after_;
};

bool is_true(const Value* value) {
  return value != nullptr && value->boolean;
}

void compare_item_limits(Pairs& pairs, const Form& writer, const Form& reader) {
  compare_limits(pairs, "maxItems", number_of(writer, "maxItems"), number_of(reader, "maxItems"),
                 {type_of("MAX_ITEMS_ADDED"), type_of("MAX_ITEMS_REMOVED"), type_of("MAX_ITEMS_INCREASED"),
                  type_of("MAX_ITEMS_DECREASED")});
  compare_limits(pairs, "minItems", number_of(writer, "minItems"), number_of(reader, "minItems"),
                 {type_of("MIN_ITEMS_ADDED"), type_of("MIN_ITEMS_REMOVED"), type_of("MIN_ITEMS_INCREASED"),
                  type_of("MIN_ITEMS_DECREASED")});
  const bool was = is_true(writer.keyword("uniqueItems")), is = is_true(reader.keyword("uniqueItems"));
  if (was != is)
    pairs.add(is ? type_of("UNIQUE_ITEMS_ADDED") : type_of("UNIQUE_ITEMS_REMOVED"), "uniqueItems");
  compare_limits(pairs, "maxContains", number_of(writer, "maxContains"), number_of(reader, "maxContains"),
                 {type_of("MAX_CONTAINS_ADDED"), type_of("MAX_CONTAINS_REMOVED"),
                  type_of("MAX_CONTAINS_INCREASED"), type_of("MAX_CONTAINS_DECREASED")});
  compare_limits(pairs, "minContains", number_of(writer, "minContains"), number_of(reader, "minContains"),
                 {type_of("MIN_CONTAINS_ADDED"), type_of("MIN_CONTAINS_REMOVED"),
                  type_of("MIN_CONTAINS_INCREASED"), type_of("MIN_CONTAINS_DECREASED")});
}

}  // namespace

void compare_arrays(Pairs& pairs, const Form& writer, const Form& reader) {
  ItemsComparison(pairs, writer, reader).compare();
  compare_unevaluated(pairs, writer, reader, "unevaluatedItems",
                      {type_of("UNEVALUATED_ITEMS_ADDED"), type_of("UNEVALUATED_ITEMS_REMOVED"),
                       type_of("UNEVALUATED_ITEMS_EXTENDED"), type_of("UNEVALUATED_ITEMS_NARROWED")});
  compare_item_limits(pairs, writer, reader);
}

}  // namespace millrace::json_schema
