// What two forms differ in. Each rule adds to the pair that `pairs` is about.
#pragma once

#include "json-schema/internal/diff_pairs.h"

namespace millrace::json_schema {

void compare_forms(Pairs& pairs, const Form& writer, const Form& reader);

// Of one kind, each.
void compare_combined(Pairs& pairs, const Form& writer, const Form& reader);
void compare_objects(Pairs& pairs, const Form& writer, const Form& reader);
void compare_arrays(Pairs& pairs, const Form& writer, const Form& reader);

// A keyword whose number is a limit.
struct LimitTypes {
  const DifferenceType *added, *removed, *increased, *decreased;
};
void compare_limits(Pairs& pairs, const std::string& keyword, std::optional<double> writer,
                    std::optional<double> reader, const LimitTypes& types);
std::optional<double> number_of(const Form& form, std::string_view keyword);

// What may stand beside what is declared. With neither a schema nor openness: nothing.
struct ContentModel {
  bool is_open = false;
  const Subschema* rest = nullptr;  // what it must be like
};
// `additional` and `unevaluated` are the keywords' names. Without the first, the second counts.
ContentModel content_model(const Form& form, std::string_view additional, std::string_view unevaluated);

struct RestTypes {
  const DifferenceType *added, *removed, *extended, *narrowed;
};
void compare_models(Pairs& pairs, const Form& writer, const ContentModel& before, const Form& reader,
                    const ContentModel& after, const std::string& keyword, const RestTypes& types);
void compare_unevaluated(Pairs& pairs, const Form& writer, const Form& reader, const std::string& keyword,
                         const RestTypes& types);

const Subschema* subschema_of(const Form& form, std::string_view keyword);

}  // namespace millrace::json_schema
