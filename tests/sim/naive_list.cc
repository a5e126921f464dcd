#include "tests/sim/naive_list.h"

#include "tests/sim/naive_numeric.h"

namespace millrace::sim {
namespace {

constexpr char kMark = '\x03';  // naive_numeric.cc has another one

}  // namespace

bool is_list(const Scalar& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && text->starts_with(kMark);
}

Scalar list_scalar(const nlohmann::json& elements) {
  return Scalar(kMark + elements.dump());
}

nlohmann::json list_of(const Scalar& list) {
  return nlohmann::json::parse(std::get<std::string>(list).substr(1));
}

nlohmann::json json_of(const Scalar& value) {
  if (std::holds_alternative<std::monostate>(value)) return nullptr;
  if (const auto* i = std::get_if<int64_t>(&value)) return *i;
  if (const auto* b = std::get_if<bool>(&value)) return *b;
  if (is_list(value)) return list_of(value);
  if (is_numeric(value)) return nlohmann::json::parse(numeric_text(numeric_of(value)));
  return std::get<std::string>(value);
}

Scalar scalar_of(const nlohmann::json& element) {
  if (element.is_null()) return Scalar();
  if (element.is_boolean()) return Scalar(element.get<bool>());
  if (element.is_number_integer()) return Scalar(element.get<int64_t>());
  return Scalar(element.get<std::string>());
}

}  // namespace millrace::sim
