// SubjectName: a subject's name with its context: `orders-value` of the default context `.`, `:.staging:orders-value` of another.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace::registry {

inline constexpr std::string_view kDefaultContext = ".";
inline constexpr std::string_view kEveryContext = ":*:";         // before a name: in whichever context
inline constexpr std::string_view kGlobalScope = ":.__GLOBAL:";  // config and mode of every context

struct SubjectName {
  std::string context{kDefaultContext};
  std::string subject;  // empty: the context itself is meant

  static SubjectName parse(std::string_view text);
  std::string text() const;  // the default context is not written
};

std::string context_name(std::string_view text);  // with the dot that it begins with, without colons
// What config and mode call a context: `:.staging:`; of the default one: empty, as all that is not of another context.
std::string context_scope(std::string_view context);
std::string context_of(std::string_view subject);
std::string normalized(std::string_view subject);  // one text a name
// A name that stands in a subject of `parent`: without a context of its own it has the parent's.
std::string in_context_of(std::string_view parent, std::string_view subject);
bool is_subject_name(std::string_view subject);

}  // namespace millrace::registry
