#include "event/array.h"

namespace millrace {

size_t array_size(std::string_view bytes, Type element) {
  size_t count = 0;
  ArrayReader reader(bytes, element);
  for (std::string_view at; reader.next(at);) ++count;
  return count;
}

void append_elements(std::string_view bytes, Column& out, Arena& arena) {
  ArrayReader reader(bytes, out.type);
  for (std::string_view at; reader.next(at);) append_loaded(at, out, arena);
}

}  // namespace millrace
