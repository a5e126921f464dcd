#include "engine/functions.h"

#include <algorithm>
#include <unordered_map>

namespace millrace::engine {
namespace {

std::vector<FunctionFamily> make_table() {
  std::vector<FunctionFamily> table;
  for (const auto family :
       {text_functions,   text_part_functions,    pattern_functions,      quote_functions,
        digest_functions, number_functions,       whole_functions,        bit_functions,
        angle_functions,  time_functions,         time_making_functions,  time_unit_functions,
        zone_functions,   format_functions,       bytes_functions,        url_functions,
        jsonb_functions,  jsonb_array_functions,  jsonb_change_functions, json_path_functions,
        array_functions,  array_making_functions, choice_functions}) {
    table.push_back(family());
  }
  for (FunctionFamily& family : table) {
    for (Function& function : family.functions) {
      for (Signature& signature : function.signatures) signature.name = function.name;
    }
  }
  return table;
}

}  // namespace

const std::vector<FunctionFamily>& function_table() {
  static const std::vector<FunctionFamily> table = make_table();
  return table;
}

const Function* find_function(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, const Function*> index;
    for (const FunctionFamily& family : function_table()) {
      for (const Function& function : family.functions) {
        CHECK(index.emplace(function.name, &function).second, "two functions of one name");
      }
    }
    return index;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

std::string to_string(const Signature& signature) {
  std::string out(signature.name);
  out += '(';
  for (size_t i = 0; i < signature.args.size(); ++i) {
    if (i > 0) out += ", ";
    out += to_string(signature.args[i]);
  }
  if (signature.variadic) out += ", …";
  return out.append(") → ").append(to_string(signature.result));
}

}  // namespace millrace::engine
