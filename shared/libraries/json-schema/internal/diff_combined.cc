#include <algorithm>

#include "json-schema/internal/diff_rules.h"

namespace millrace::json_schema {

namespace {

// The branches of a form, each once.
std::vector<const Form*> branches_of(Pairs& pairs, const Form& form) {
  std::vector<const Form*> out;
  std::set<std::string> texts;
  for (const Branch& branch : form.branches) {
    const Form& one = pairs.form_of(form, branch);
    // The parts of one schema have its text in common, and no two of them are alike.
    const bool is_part = branch.schema == nullptr;
    const std::string text =
        is_part ? std::string() : write_json(*branch.schema->value, MemberOrder::kByName);
    pairs.spend(1);
    pairs.spend_on_bytes(text.size());
    if (is_part || texts.insert(text).second) out.push_back(&one);
  }
  return out;
}

const char* name_of(Criterion criterion) {
  return criterion == Criterion::kAllOf ? "allOf" : criterion == Criterion::kAnyOf ? "anyOf" : "oneOf";
}

// Anything may become an anyOf; for the rest, one branch is one branch, whatever stands before it.
const DifferenceType* change_of(const Form& writer, const Form& reader) {
  if (writer.criterion == reader.criterion) return nullptr;
  const bool from_one = writer.branches.size() == 1, to_one = reader.branches.size() == 1;
  const bool extends = reader.criterion == Criterion::kAnyOf ||
                       (reader.criterion == Criterion::kOneOf && from_one) ||
                       (reader.criterion == Criterion::kAllOf && from_one && to_one);
  return extends ? type_of("COMBINED_TYPE_EXTENDED") : type_of("COMBINED_TYPE_CHANGED");
}

const DifferenceType* growth_of(Criterion criterion, size_t before, size_t after) {
  if (before == after) return nullptr;
  if (criterion == Criterion::kAllOf) {
    return before < after ? type_of("PRODUCT_TYPE_EXTENDED") : type_of("PRODUCT_TYPE_NARROWED");
  }
  return before < after ? type_of("SUM_TYPE_EXTENDED") : type_of("SUM_TYPE_NARROWED");
}

constexpr size_t kNobody = SIZE_MAX;

// A maximum matching by augmenting paths (Kuhn), found breadth first: paths may be as long as there are branches.
class Matching {
 public:
  Matching(Pairs& pairs, const std::vector<const Form*>& before, const std::vector<const Form*>& after)
      : pairs_(pairs), before_(before), after_(after), old_of_(after.size(), kNobody) {
    for (size_t i = 0; i < before.size() && !pairs.exhausted(); ++i) size_ += augment(i) ? 1 : 0;
  }

  size_t size() const { return size_; }
  size_t old_of(size_t after) const { return old_of_[after]; }

 private:
  bool augment(size_t start) {
    std::vector<size_t> came_from(after_.size(), kNobody);  // the old branch by which a new one was reached
    std::vector<size_t> open = {start};
    for (size_t at = 0; at < open.size(); ++at) {
      for (size_t k = 0; k < after_.size(); ++k) {
        pairs_.spend(1);
        if (came_from[k] != kNobody || !pairs_.holds(*before_[open[at]], *after_[k])) continue;
        came_from[k] = open[at];
        if (old_of_[k] == kNobody) return take(k, came_from, start);
        open.push_back(old_of_[k]);
      }
      if (pairs_.exhausted()) return false;
    }
    return false;
  }

  bool take(size_t after, const std::vector<size_t>& came_from, size_t start) {
    while (true) {
      const size_t old = came_from[after];
      const auto held = std::find(old_of_.begin(), old_of_.end(), old);
      old_of_[after] = old;
      if (old == start) return true;
      after = static_cast<size_t>(held - old_of_.begin());
    }
  }

  Pairs& pairs_;
  const std::vector<const Form*>&before_, &after_;
  std::vector<size_t> old_of_;
  size_t size_ = 0;
};

}  // namespace

void compare_combined(Pairs& pairs, const Form& writer, const Form& reader) {
  if (const DifferenceType* change = change_of(writer, reader)) {
    pairs.add(change);
    if (change == type_of("COMBINED_TYPE_CHANGED")) return;
  }
  const auto before = branches_of(pairs, writer), after = branches_of(pairs, reader);
  if (const DifferenceType* growth = growth_of(reader.criterion, before.size(), after.size()))
    pairs.add(growth);
  const Matching matching(pairs, before, after);
  for (size_t k = 0; k < after.size(); ++k) {
    const size_t old = matching.old_of(k);
    if (old != kNobody) {
      pairs.descend(*before[old], *after[k],
                    std::string(name_of(writer.criterion)) + "/" + std::to_string(old));
    }
  }
  if (matching.size() < std::min(before.size(), after.size()))
    pairs.add(type_of("COMBINED_TYPE_SUBSCHEMAS_CHANGED"));
}

}  // namespace millrace::json_schema
