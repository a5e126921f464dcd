#include "formats/internal/array_elements.h"

#include "event/array.h"
#include "formats/json.h"

namespace millrace::formats {
namespace {

Schema schema_of(ColumnDef array) {
  array.type = element_of(array.type);
  return {std::move(array)};
}

}  // namespace

ArrayElements::ArrayElements(const ColumnDef& array) : slots_(schema_of(array), {0}), element_(1) {
  element_[0].type = element_of(array.type);
  element_[0].resize(1);
  element_[0].valid.assign(1, 0);
  slots_.attach(element_, arena_);
}

ValueFault ArrayElements::read(std::string_view json, std::string& out) {
  if (!json.starts_with('[')) return ValueFault::kType;
  arena_.clear();
  scan_ = json::Scan{json.data() + json.size()};
  const char* p = json::skip_space(json.data() + 1, scan_.end);
  ValueFault fault = ValueFault::kNone;
  for (size_t count = 0; *p != ']'; ++count) {
    if (count == kMaxArrayElements) return ValueFault::kElements;
    slots_.put_null(0, 0);
    p = read_element(p, fault);
    if (fault != ValueFault::kNone) return fault;
    append_ordered(out, element_[0], 0);
    p = json::skip_space(p, scan_.end);
    if (*p == ',') p = json::skip_space(p + 1, scan_.end);
  }
  return fault;
}

// What was scanned before reads again.
const char* ArrayElements::read_element(const char* p, ValueFault& fault) {
  const char* end = nullptr;
  if (*p == '"') {
    std::string_view text;
    end = json::take_string(scan_, p, arena_, text);
    fault = slots_.put_string(0, 0, text);
  } else if (json::is_digit(*p) || *p == '-') {
    json::Number number;
    end = json::take_number(scan_, p, number);
    fault = slots_.put_number(0, 0, number);
  } else if (*p == 't' || *p == 'f') {
    end = p + (*p == 't' ? 4 : 5);
    fault = slots_.put_boolean(0, 0, *p == 't');
  } else if (*p == 'n') {
    end = p + 4;
  } else {
    end = json::skip_value(scan_, p, 0);
    fault = slots_.put_json(0, 0, {p, static_cast<size_t>(end - p)});
  }
  return end;
}

}  // namespace millrace::formats
