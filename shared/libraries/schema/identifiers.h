// Identifiers: names that every schema language takes, for things whose own names may be any text.
//
// Names: letters and digits of ASCII and '_', no digit first. What is one already keeps its name; of any other a '_' stands
//        for each character that may not be there. One that is taken gets a number: total_2.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace millrace::schema {

std::string identifier_of(std::string_view name);
std::string camel_case(std::string_view identifier);  // unit_price, unitPrice: UnitPrice

class Identifiers {
 public:
  // What two names may not have in common; none: the name itself.
  using Compared = std::function<std::string(std::string_view)>;
  explicit Identifiers(Compared compared = nullptr) : compared_(std::move(compared)) {}

  std::string take(std::string_view name);
  // All of them, in their order.
  std::vector<std::string> take_all(const std::vector<std::string_view>& names);

 private:
  bool take_as_it_is(const std::string& identifier);

  const Compared compared_;
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, size_t> next_;  // by identifier, the number to try
};

}  // namespace millrace::schema
