#include "engine/array_kernel.h"

namespace millrace::engine {

std::string_view ArrayRow::element(size_t arg) {
  std::string& bytes = elements_[arg];
  bytes.clear();
  append_ordered(bytes, column(arg), at(arg));
  return bytes;
}

std::string_view made_array(Row& row, std::string_view bytes, Type element) {
  // An element has at least one byte.
  if (bytes.size() <= kMaxArrayElements || array_size(bytes, element) <= kMaxArrayElements)
    return row.keep(bytes);
  row.fail(kLongText, "the array would have more than " + std::to_string(kMaxArrayElements) + " elements");
  return {};
}

std::vector<Signature> of_every_element(Signature (*make)(Type element, Type array)) {
  using enum Type;
  std::vector<Signature> out;
  for (const Type type : {kBoolean, kSmallint, kInteger, kBigint, kReal, kDouble, kText, kDate, kTime,
                          kTimestamp, kTimestamptz, kInterval, kBytea, kUuid, kJsonb, kNumeric, kRecord}) {
    out.push_back(make(type, array_of(type)));
  }
  return out;
}

}  // namespace millrace::engine
