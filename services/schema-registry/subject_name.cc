#include "schema-registry/subject_name.h"

#include <algorithm>

namespace millrace::registry {

SubjectName SubjectName::parse(std::string_view text) {
  if (!text.starts_with(":.")) return {std::string(kDefaultContext), std::string(text)};
  const size_t end = text.find(':', 1);
  if (end == std::string_view::npos) return {std::string(text.substr(1)), {}};
  return {std::string(text.substr(1, end - 1)), std::string(text.substr(end + 1))};
}

std::string SubjectName::text() const {
  return context_scope(context) + subject;
}

std::string context_name(std::string_view text) {
  if (text.starts_with(':')) text.remove_prefix(1);
  if (text.ends_with(':')) text.remove_suffix(1);
  return text.starts_with('.') ? std::string(text) : "." + std::string(text);
}

std::string context_scope(std::string_view context) {
  return context == kDefaultContext ? std::string() : ":" + std::string(context) + ":";
}

std::string context_of(std::string_view subject) {
  return SubjectName::parse(subject).context;
}

std::string normalized(std::string_view subject) {
  return SubjectName::parse(subject).text();
}

std::string in_context_of(std::string_view parent, std::string_view subject) {
  SubjectName name = SubjectName::parse(subject);
  if (!subject.starts_with(":.")) name.context = context_of(parent);
  return name.text();
}

bool is_subject_name(std::string_view subject) {
  const SubjectName name = SubjectName::parse(subject);
  const bool controls = std::any_of(subject.begin(), subject.end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return !controls && !name.subject.empty() && name.subject != "__EMPTY" && name.subject != "__GLOBAL" &&
         !subject.starts_with(kEveryContext) && name.context.find(':') == std::string::npos;
}

}  // namespace millrace::registry
