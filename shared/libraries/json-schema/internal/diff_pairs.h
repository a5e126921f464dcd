// Pairs: every pair of forms that a comparison meets, each compared once for each time that what it hangs on changes.
//
// Whether a pair is compatible may hang on itself, by way of references: the answer wanted is the greatest fixed point.
// All are held to be compatible at first; one that is found not to be is told to those that asked, which are compared
// again. No rule turns from incompatible to compatible when a pair that it asks for turns incompatible, so this ends, each pair
// turning once.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "json-schema/internal/diff_form.h"
#include "json-schema/internal/diff_types.h"
#include "json-schema/internal/pattern.h"

namespace millrace::json_schema {

class Pairs {
  static constexpr size_t kBytesAPart = 64;

 public:
  Pairs(const Document& reader, const Document& writer, Policy policy)
      : reader_(reader), writer_(writer), policy_(policy) {}

  Result<std::vector<Difference>> run();

  // For the rules, about the pair that is being compared. `path` is below the pair's own; "" is the pair itself.
  void add(const DifferenceType* type, std::string path = {});
  void descend(const Form& writer, const Form& reader,
               std::string path = {});                 // what that pair finds counts here
  bool holds(const Form& writer, const Form& reader);  // that it is compatible
  void spend(size_t parts) { parts_ += parts; }
  void spend_on_bytes(size_t bytes) { spend(bytes / kBytesAPart); }
  bool exhausted() const { return parts_ > kMostComparedParts; }

  Forms& forms_of(const Form& form) { return form.document == &reader_.document() ? reader_ : writer_; }
  const Form& form_of(const Form& owner, const Subschema& schema) { return forms_of(owner).of(schema); }
  const Form& form_of(const Form& owner, const Branch& branch) { return forms_of(owner).of(branch); }
  bool is_in(const std::string& pattern, std::string_view text);

 private:
  struct Finding {
    const DifferenceType* type;  // null: what the pair `pair` finds
    size_t pair;
    std::string path;
  };
  struct Pair {
    const Form *writer, *reader;
    bool holds = true;
    bool queued = true;
    std::vector<Finding> found;
    std::set<size_t> asked_by;
  };

  size_t number_of(const Form& writer, const Form& reader);
  void compare(size_t number);
  bool is_hindrance(const Finding& finding);
  Result<std::vector<Difference>> told();

  Forms reader_, writer_;
  Policy policy_;
  size_t parts_ = 0;
  size_t now_ = 0;
  std::deque<Pair> pairs_;
  std::deque<size_t> queue_;
  std::map<std::pair<const Form*, const Form*>, size_t> numbers_;
  std::map<std::string, std::optional<Pattern>> patterns_;
};

}  // namespace millrace::json_schema
