#include "json-schema/internal/equality.h"

#include <algorithm>
#include <vector>

#include "base/hash.h"

namespace millrace::json_schema {

namespace {

using simdjson::dom::element;

constexpr size_t kFewItems = 8;  // compared each with each, without a table

void spend_on(std::string_view text, int64_t& work) {
  work -= static_cast<int64_t>(text.size() / kBytesAStep);
}

bool equal_texts(std::string_view a, std::string_view b, int64_t& work) {
  if (a.size() != b.size()) return false;
  spend_on(a, work);
  return a == b;
}

uint64_t mixed(uint64_t seed, uint64_t with) {
  return (seed ^ (with + 0x9e3779b97f4a7c15 + (seed << 6) + (seed >> 2))) * 0xff51afd7ed558ccd;
}

uint64_t hash_of(const Instance& value, int64_t& work) {
  if (--work <= 0) return 0;
  uint64_t hash = value.type;
  switch (value.type) {
    case kBool:
      return mixed(hash, value.boolean() ? 1 : 0);
    case kText:
      spend_on(value.text, work);
      return mixed(hash, seeded_hash(value.text, process_hash_seed()));
    case kInteger:
    case kFraction:
      return mixed(kAnyNumber, std::hash<double>()(static_cast<double>(value.number())));
    case kArray:
      for (const element item : value.array()) hash = mixed(hash, hash_of(Instance(item), work));
      return hash;
    case kObject:  // a sum: the order does not count
      for (const auto& [name, member] : value.object()) {
        spend_on(name, work);
        hash += mixed(seeded_hash(name, process_hash_seed()), hash_of(Instance(member), work));
      }
      return hash;
    default:
      return hash;
  }
}

bool equal(const Instance& a, const Instance& b, int64_t& work);

bool equal_arrays(const simdjson::dom::array& a, const simdjson::dom::array& b, int64_t& work) {
  auto other = b.begin();
  for (const element item : a) {
    if (!(other != b.end()) || !equal(Instance(item), Instance(*other), work)) return false;
    ++other;
  }
  return !(other != b.end());
}

bool equal_objects(const simdjson::dom::object& a, const simdjson::dom::object& b, int64_t& work) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, member] : a) {
    work -= static_cast<int64_t>(a.size());
    element other;
    if (work <= 0 || b.at_key(name).get(other) != simdjson::SUCCESS) return false;
    if (!equal(Instance(member), Instance(other), work)) return false;
  }
  return true;
}

bool equal(const Instance& a, const Instance& b, int64_t& work) {
  if (--work <= 0) return false;
  if ((a.type & kAnyNumber) != 0 && (b.type & kAnyNumber) != 0) return a.number() == b.number();
  if (a.type != b.type) return false;
  switch (a.type) {
    case kBool:
      return a.boolean() == b.boolean();
    case kText:
      return equal_texts(a.text, b.text, work);
    case kArray:
      return equal_arrays(a.array(), b.array(), work);
    case kObject:
      return equal_objects(a.object(), b.object(), work);
    default:
      return true;
  }
}

bool few_have_equals(const std::vector<element>& items, int64_t& work) {
  for (size_t i = 0; i < items.size(); ++i) {
    for (size_t j = i + 1; j < items.size(); ++j) {
      if (equal(Instance(items[i]), Instance(items[j]), work)) return true;
    }
  }
  return false;
}

bool equal_array(const Value& a, const simdjson::dom::array& b, int64_t& work) {
  size_t i = 0;
  for (const element item : b) {
    if (i == a.items.size() || !equal(a.items[i], Instance(item), work)) return false;
    ++i;
  }
  return i == a.items.size();
}

bool equal_object(const Value& a, const simdjson::dom::object& b, int64_t& work) {
  if (a.members.size() != b.size()) return false;
  for (const auto& [name, member] : b) {
    const Value* own = a.find(name);
    if (own == nullptr || !equal(*own, Instance(member), work)) return false;
  }
  return true;
}

}  // namespace

bool equal(const Value& a, const Instance& b, int64_t& work) {
  if (--work <= 0) return false;
  switch (a.type) {
    case Value::Type::kNull:
      return b.type == kNull;
    case Value::Type::kBoolean:
      return b.type == kBool && a.boolean == b.boolean();
    case Value::Type::kNumber:
      spend_on(a.text, work);
      return (b.type & kAnyNumber) != 0 && number_of(a.text) == b.number();
    case Value::Type::kString:
      return b.type == kText && equal_texts(a.text, b.text, work);
    case Value::Type::kArray:
      return b.type == kArray && equal_array(a, b.array(), work);
    case Value::Type::kObject:
      return b.type == kObject && equal_object(a, b.object(), work);
  }
  return false;
}

bool has_equal_items(const simdjson::dom::array& array, int64_t& work) {
  std::vector<element> items(array.begin(), array.end());
  if (items.size() <= kFewItems) return few_have_equals(items, work);
  std::vector<std::pair<uint64_t, size_t>> by_hash;
  for (size_t i = 0; i < items.size(); ++i) by_hash.emplace_back(hash_of(Instance(items[i]), work), i);
  std::sort(by_hash.begin(), by_hash.end());
  for (size_t i = 0; i < by_hash.size(); ++i) {
    for (size_t j = i + 1; j < by_hash.size() && by_hash[j].first == by_hash[i].first; ++j) {
      if (work <= 0) return false;
      if (equal(Instance(items[by_hash[i].second]), Instance(items[by_hash[j].second]), work)) return true;
    }
  }
  return false;
}

}  // namespace millrace::json_schema
