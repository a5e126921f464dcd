// Flink's functions of a path into JSON: $.a.b[0]['c d']. What is not JSON, or has nothing there, is NULL; a path that is
// not one fails the row.
#include "engine/call_kernel.h"
#include "event/text.h"
#include "formats/jsonb.h"

namespace millrace::engine {
namespace {

using formats::JsonbKind;
using View = std::string_view;

struct Step {
  std::string name;
  int64_t index = -1;  // of an array, unless it is negative
};

bool is_name_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '_' || c == '-' || byte > 0x7F || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

class PathReader {
 public:
  explicit PathReader(View text) : rest_(text) {}

  // False: it is none that is known here.
  bool read(std::vector<Step>& steps) {
    if (!take("lax ")) take("strict ");
    if (!take("$")) return false;
    while (!rest_.empty()) {
      Step step;
      const bool read = take(".[") || take("[") ? bracket(step) : take(".") && bare(step);
      if (!read) return false;
      steps.push_back(std::move(step));
    }
    return true;
  }

 private:
  bool take(View prefix) {
    if (!rest_.starts_with(prefix)) return false;
    rest_.remove_prefix(prefix.size());
    return true;
  }
  bool bare(Step& step) {
    size_t size = 0;
    while (size < rest_.size() && is_name_character(rest_[size])) ++size;
    step.name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return size > 0;
  }
  bool bracket(Step& step) {
    if (!rest_.empty() && (rest_.front() == '"' || rest_.front() == '\'')) return quoted(step) && take("]");
    const size_t end = rest_.find(']');
    const auto index = parse_bigint(rest_.substr(0, end));
    if (end == View::npos || !index.ok() || *index < 0) return false;
    step.index = *index;
    rest_.remove_prefix(end + 1);
    return true;
  }
  bool quoted(Step& step) {
    const char quote = rest_.front();
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == quote) {
        rest_.remove_prefix(i + 1);
        return true;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      step.name += rest_[i];
    }
    return false;
  }

  View rest_;
};

std::optional<View> value_at(View value, const std::vector<Step>& steps) {
  std::optional<View> at = value;
  for (const Step& step : steps) {
    const JsonbKind wanted = step.index < 0 ? JsonbKind::kObject : JsonbKind::kArray;
    if (!at || formats::jsonb_kind(*at) != wanted) return std::nullopt;
    at = step.index < 0 ? formats::jsonb_member(*at, step.name) : formats::jsonb_element(*at, step.index);
  }
  return at;
}

bool is_container(View value) {
  return formats::jsonb_kind(value) >= JsonbKind::kArray;
}

View scalar_of(Row& row, std::optional<View> found) {
  if (!found || is_container(*found) || formats::jsonb_kind(*found) == JsonbKind::kNull)
    return row.null(), View();
  std::string text;
  formats::append_jsonb_text(text, *found);
  return row.keep(text);
}
View container_of(Row& row, std::optional<View> found) {
  if (found && is_container(*found)) return row.keep(*found);
  row.null();
  return {};
}
uint8_t is_there(Row&, std::optional<View> found) {
  return found.has_value();
}

// A path is read once where the rows of a batch have the same.
template <typename T, auto kAnswer, bool kText>
void follow(const Expr& call, std::span<const Operand> args, const Selection& selection, Column& out,
            Context& context) {
  const size_t rows = context.batch.rows;
  const bool nulls = strict_nulls(args, selection, rows, out);
  set_type(out, call.type, rows);
  T* result = values<T>(out).data();
  Row row(call, out, context);
  std::optional<View> last;
  std::vector<Step> steps;
  bool known = false;
  for_rows(selection, rows, [&](size_t i) {
    result[i] = {};
    if (nulls && out.valid[i] == 0) return;
    row.index = i;
    const View path = args[1].column->texts[args[1].at(i)];
    if (last != path) {
      steps.clear();
      known = PathReader(path).read(steps);
      last = path;
    }
    if (!known)
      return row.fail(kBadArgument,
                      "not a path of names and numbers: \"" + std::string(start_of(path, 40)) + "\"");
    const View text = args[0].column->texts[args[0].at(i)];
    if constexpr (kText) {
      const auto parsed = formats::parse_jsonb(text);
      result[i] = kAnswer(row, parsed.ok() ? value_at(*parsed, steps) : std::nullopt);
    } else {
      result[i] = kAnswer(row, value_at(text, steps));
    }
  });
}
template <typename T, auto kAnswer>
std::vector<Signature> following(Type result) {
  return {{.args = {Type::kJsonb, Type::kText}, .result = result, .kernel = follow<T, kAnswer, false>},
          {.args = {Type::kText, Type::kText}, .result = result, .kernel = follow<T, kAnswer, true>}};
}

}  // namespace

FunctionFamily json_path_functions() {
  return {
      "JSON by paths",
      {
          {"json_value",
           "The string, number or boolean at the end of a path like `$.a.b[0]['c d']`, as a text; NULL where "
           "there "
           "is none, or the text is not JSON",
           following<View, scalar_of>(Type::kText),
           {{"json_value('{\"a\": {\"b\": [7]}}', '$.a.b[0]')", "7"},
            {"json_value('{\"a\": {}}', '$.a')", "NULL"},
            {"json_value('not JSON', '$.a')", "NULL"},
            {"json_value('{}', '$.*')", "MR-SQL-0120"}}},
          {"json_query",
           "The object or array there; else NULL",
           following<View, container_of>(Type::kJsonb),
           {{"json_query('{\"a\": [1,2]}', '$.a')", "[1, 2]"}, {"json_query('{\"a\": 1}', '$.a')", "NULL"}}},
          {"json_exists",
           "Whether there is anything, be it null",
           following<uint8_t, is_there>(Type::kBoolean),
           {{"json_exists('{\"a\": null}', '$.a')", "true"}, {"json_exists('[1]', '$[1]')", "false"}}},
      }};
}

}  // namespace millrace::engine
