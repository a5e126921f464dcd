// The kinds of difference: their names, which of them a reader can live with, and what people are told.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "json-schema/diff.h"

namespace millrace::json_schema {

enum class Compatible : uint8_t { kAlways, kIfLenient, kNever };

enum class Words : uint8_t {
  kNone,
  kKeyword,
  kMore,
  kLess,
  kChanged,
  kFewer,
  kMoreElements,
  kType,
  kAddedToOpen,
  kRequiredAddedToUnopen,
  kRemovedFromClosed,
  kRemovedNotCovered,
  kAddedNotCovered,
};

struct DifferenceType {
  std::string_view name;
  Compatible compatible;
  Words words = Words::kNone;
};

inline constexpr DifferenceType kDifferenceTypes[] = {
    {"ID_CHANGED", Compatible::kAlways},
    {"DESCRIPTION_CHANGED", Compatible::kAlways},
    {"TITLE_CHANGED", Compatible::kAlways},
    {"DEFAULT_CHANGED", Compatible::kAlways},
    {"SCHEMA_ADDED", Compatible::kNever, Words::kType},
    {"SCHEMA_REMOVED", Compatible::kAlways},
    {"TYPE_EXTENDED", Compatible::kAlways},
    {"TYPE_NARROWED", Compatible::kNever, Words::kType},
    {"TYPE_CHANGED", Compatible::kNever, Words::kType},
    {"MAX_LENGTH_ADDED", Compatible::kNever, Words::kKeyword},
    {"MAX_LENGTH_REMOVED", Compatible::kAlways},
    {"MAX_LENGTH_INCREASED", Compatible::kAlways},
    {"MAX_LENGTH_DECREASED", Compatible::kNever, Words::kLess},
    {"MIN_LENGTH_ADDED", Compatible::kNever, Words::kKeyword},
    {"MIN_LENGTH_REMOVED", Compatible::kAlways},
    {"MIN_LENGTH_INCREASED", Compatible::kNever, Words::kMore},
    {"MIN_LENGTH_DECREASED", Compatible::kAlways},
    {"PATTERN_ADDED", Compatible::kNever, Words::kKeyword},
    {"PATTERN_REMOVED", Compatible::kAlways},
    {"PATTERN_CHANGED", Compatible::kNever, Words::kChanged},
    {"MAXIMUM_ADDED", Compatible::kNever, Words::kKeyword},
    {"MAXIMUM_REMOVED", Compatible::kAlways},
    {"MAXIMUM_INCREASED", Compatible::kAlways},
    {"MAXIMUM_DECREASED", Compatible::kNever, Words::kLess},
    {"MINIMUM_ADDED", Compatible::kNever, Words::kKeyword},
    {"MINIMUM_REMOVED", Compatible::kAlways},
    {"MINIMUM_INCREASED", Compatible::kNever, Words::kMore},
    {"MINIMUM_DECREASED", Compatible::kAlways},
    {"EXCLUSIVE_MAXIMUM_ADDED", Compatible::kNever, Words::kKeyword},
    {"EXCLUSIVE_MAXIMUM_REMOVED", Compatible::kAlways},
    {"EXCLUSIVE_MAXIMUM_INCREASED", Compatible::kAlways},
    {"EXCLUSIVE_MAXIMUM_DECREASED", Compatible::kNever, Words::kLess},
    {"EXCLUSIVE_MINIMUM_ADDED", Compatible::kNever, Words::kKeyword},
    {"EXCLUSIVE_MINIMUM_REMOVED", Compatible::kAlways},
    {"EXCLUSIVE_MINIMUM_INCREASED", Compatible::kNever, Words::kMore},
    {"EXCLUSIVE_MINIMUM_DECREASED", Compatible::kAlways},
    {"MULTIPLE_OF_ADDED", Compatible::kNever, Words::kKeyword},
    {"MULTIPLE_OF_REMOVED", Compatible::kAlways},
    {"MULTIPLE_OF_EXPANDED", Compatible::kNever, Words::kMore},
    {"MULTIPLE_OF_REDUCED", Compatible::kAlways},
    {"MULTIPLE_OF_CHANGED", Compatible::kNever, Words::kChanged},
    {"REQUIRED_ATTRIBUTE_ADDED", Compatible::kNever, Words::kKeyword},
    {"REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED", Compatible::kAlways},
    {"REQUIRED_ATTRIBUTE_REMOVED", Compatible::kAlways},
    {"MAX_PROPERTIES_ADDED", Compatible::kNever, Words::kKeyword},
    {"MAX_PROPERTIES_REMOVED", Compatible::kAlways},
    {"MAX_PROPERTIES_INCREASED", Compatible::kAlways},
    {"MAX_PROPERTIES_DECREASED", Compatible::kNever, Words::kLess},
    {"MIN_PROPERTIES_ADDED", Compatible::kNever, Words::kKeyword},
    {"MIN_PROPERTIES_REMOVED", Compatible::kAlways},
    {"MIN_PROPERTIES_INCREASED", Compatible::kNever, Words::kMore},
    {"MIN_PROPERTIES_DECREASED", Compatible::kAlways},
    {"ADDITIONAL_PROPERTIES_ADDED", Compatible::kAlways},
    {"ADDITIONAL_PROPERTIES_REMOVED", Compatible::kIfLenient, Words::kKeyword},
    {"ADDITIONAL_PROPERTIES_EXTENDED", Compatible::kAlways},
    {"ADDITIONAL_PROPERTIES_NARROWED", Compatible::kIfLenient, Words::kFewer},
    {"DEPENDENCY_ARRAY_ADDED", Compatible::kNever, Words::kKeyword},
    {"DEPENDENCY_ARRAY_REMOVED", Compatible::kAlways},
    {"DEPENDENCY_ARRAY_EXTENDED", Compatible::kNever, Words::kMoreElements},
    {"DEPENDENCY_ARRAY_NARROWED", Compatible::kAlways},
    {"DEPENDENCY_ARRAY_CHANGED", Compatible::kNever, Words::kChanged},
    {"DEPENDENCY_SCHEMA_ADDED", Compatible::kNever, Words::kKeyword},
    {"DEPENDENCY_SCHEMA_REMOVED", Compatible::kAlways},
    {"REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", Compatible::kNever, Words::kAddedToOpen},
    {"REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL", Compatible::kIfLenient,
     Words::kAddedToOpen},
    {"OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", Compatible::kIfLenient, Words::kAddedToOpen},
    {"PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL", Compatible::kAlways},
    {"REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", Compatible::kNever, Words::kRequiredAddedToUnopen},
    {"REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL", Compatible::kAlways},
    {"OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", Compatible::kAlways},
    {"PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL", Compatible::kAlways},
    {"PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL", Compatible::kAlways},
    {"PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL", Compatible::kIfLenient, Words::kRemovedFromClosed},
    {"PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Compatible::kAlways},
    {"PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Compatible::kIfLenient,
     Words::kRemovedNotCovered},
    {"PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Compatible::kAlways},
    {"PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Compatible::kIfLenient,
     Words::kAddedNotCovered},
    {"UNEVALUATED_PROPERTIES_ADDED", Compatible::kAlways},
    {"UNEVALUATED_PROPERTIES_REMOVED", Compatible::kIfLenient, Words::kKeyword},
    {"UNEVALUATED_PROPERTIES_EXTENDED", Compatible::kAlways},
    {"UNEVALUATED_PROPERTIES_NARROWED", Compatible::kIfLenient, Words::kFewer},
    {"MAX_ITEMS_ADDED", Compatible::kNever, Words::kKeyword},
    {"MAX_ITEMS_REMOVED", Compatible::kAlways},
    {"MAX_ITEMS_INCREASED", Compatible::kAlways},
    {"MAX_ITEMS_DECREASED", Compatible::kNever, Words::kLess},
    {"MIN_ITEMS_ADDED", Compatible::kNever, Words::kKeyword},
    {"MIN_ITEMS_REMOVED", Compatible::kAlways},
    {"MIN_ITEMS_INCREASED", Compatible::kNever, Words::kMore},
    {"MIN_ITEMS_DECREASED", Compatible::kAlways},
    {"MAX_CONTAINS_ADDED", Compatible::kNever, Words::kKeyword},
    {"MAX_CONTAINS_REMOVED", Compatible::kAlways},
    {"MAX_CONTAINS_INCREASED", Compatible::kAlways},
    {"MAX_CONTAINS_DECREASED", Compatible::kNever, Words::kLess},
    {"MIN_CONTAINS_ADDED", Compatible::kNever, Words::kKeyword},
    {"MIN_CONTAINS_REMOVED", Compatible::kAlways},
    {"MIN_CONTAINS_INCREASED", Compatible::kNever, Words::kMore},
    {"MIN_CONTAINS_DECREASED", Compatible::kAlways},
    {"UNIQUE_ITEMS_ADDED", Compatible::kNever, Words::kKeyword},
    {"UNIQUE_ITEMS_REMOVED", Compatible::kAlways},
    {"ADDITIONAL_ITEMS_ADDED", Compatible::kAlways},
    {"ADDITIONAL_ITEMS_REMOVED", Compatible::kNever, Words::kKeyword},
    {"ADDITIONAL_ITEMS_EXTENDED", Compatible::kAlways},
    {"ADDITIONAL_ITEMS_NARROWED", Compatible::kNever, Words::kFewer},
    {"UNEVALUATED_ITEMS_ADDED", Compatible::kAlways},
    {"UNEVALUATED_ITEMS_REMOVED", Compatible::kNever, Words::kKeyword},
    {"UNEVALUATED_ITEMS_EXTENDED", Compatible::kAlways},
    {"UNEVALUATED_ITEMS_NARROWED", Compatible::kNever, Words::kFewer},
    {"ITEM_ADDED_TO_OPEN_CONTENT_MODEL", Compatible::kNever, Words::kAddedToOpen},
    {"ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL", Compatible::kAlways},
    {"ITEM_ADDED_TO_CLOSED_CONTENT_MODEL", Compatible::kAlways},
    {"ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL", Compatible::kAlways},
    {"ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL", Compatible::kAlways},
    {"ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL", Compatible::kNever, Words::kRemovedFromClosed},
    {"ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Compatible::kAlways},
    {"ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Compatible::kNever,
     Words::kRemovedNotCovered},
    {"ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Compatible::kAlways},
    {"ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Compatible::kNever, Words::kAddedNotCovered},
    {"ENUM_ARRAY_EXTENDED", Compatible::kAlways},
    {"ENUM_ARRAY_NARROWED", Compatible::kNever, Words::kFewer},
    {"ENUM_ARRAY_CHANGED", Compatible::kNever, Words::kType},
    {"COMBINED_TYPE_EXTENDED", Compatible::kAlways},
    {"COMBINED_TYPE_CHANGED", Compatible::kNever, Words::kType},
    {"PRODUCT_TYPE_EXTENDED", Compatible::kNever, Words::kMoreElements},
    {"PRODUCT_TYPE_NARROWED", Compatible::kAlways},
    {"SUM_TYPE_EXTENDED", Compatible::kAlways},
    {"SUM_TYPE_NARROWED", Compatible::kNever, Words::kFewer},
    {"COMBINED_TYPE_SUBSCHEMAS_CHANGED", Compatible::kNever, Words::kType},
    {"NOT_TYPE_EXTENDED", Compatible::kNever, Words::kMoreElements},
    {"NOT_TYPE_NARROWED", Compatible::kAlways},
};

// The type of this name, found when the program is compiled; a name that is none does not compile.
consteval const DifferenceType* type_of(std::string_view name) {
  const DifferenceType* out = kDifferenceTypes;
  while (out->name != name) ++out;
  return out;
}

inline bool is_compatible(const DifferenceType& type, Policy policy) {
  return type.compatible == Compatible::kAlways ||
         (type.compatible == Compatible::kIfLenient && policy == Policy::kLenient);
}

std::string message_of(const DifferenceType& type, std::string_view path);

}  // namespace millrace::json_schema
