// jsonb with another value at a path, without one, laid out in lines; objects of texts. The operators - and #- with a
// text[] are calls of these (sql/bind_jsonb.cc).
#include <algorithm>

#include "engine/array_kernel.h"
#include "event/text.h"
#include "formats/jsonb.h"

namespace millrace::engine {
namespace {

using formats::JsonbKind;
using View = std::string_view;

constexpr int64_t kBeforeAll = INT64_MIN;

Column texts_of(ArrayRow& row, size_t arg) {
  Column out;
  out.type = Type::kText;
  append_elements(row.text(arg), out, *row.context.batch.arena);
  return out;
}

void separate(std::string& out) {
  if (out.back() != '{' && out.back() != '[') out += ", ";
}

enum class Change : uint8_t { kReplace, kSet, kInsertBefore, kInsertAfter, kDelete };

// Writes a value again with one change at the end of a path. Containers on the way stay, a path that leads nowhere
// changes nothing; an object's new member is put in order by whoever reads the text.
class Changer {
 public:
  Changer(ArrayRow& row, Change change, const Column& path, View value)
      : row_(row), change_(change), path_(path), value_(value) {}

  void write(View at, size_t level, std::string& out) {
    if (path_.is_null(level)) return fail(level, "is null");
    switch (formats::jsonb_kind(at)) {
      case JsonbKind::kObject:
        return write_object(at, level, out);
      case JsonbKind::kArray:
        return write_array(at, level, out);
      default:
        out += at;
    }
  }

 private:
  bool is_last(size_t level) const { return level + 1 == path_.size(); }
  bool inserts() const { return change_ == Change::kInsertBefore || change_ == Change::kInsertAfter; }
  bool adds() const { return inserts() || change_ == Change::kSet; }

  void fail(size_t level, View why) {
    row_.fail(kBadArgument, "path element at position " + std::to_string(level + 1) + " " + std::string(why));
  }

  void write_object(View object, size_t level, std::string& out) {
    std::string wanted;
    formats::append_jsonb_string(wanted, path_.texts[level]);
    bool found = false;
    out += '{';
    formats::visit_jsonb(object, [&](View name, View value) {
      const bool here = name == wanted;
      found = found || here;
      if (here && is_last(level) && change_ == Change::kDelete) return true;
      separate(out);
      out.append(name).append(": ");
      if (!here)
        out += value;
      else if (is_last(level))
        replace_member(out);
      else
        write(value, level + 1, out);
      return true;
    });
    if (!found && is_last(level) && adds()) {
      separate(out);
      out.append(wanted).append(": ").append(value_);
    }
    out += '}';
  }
  void replace_member(std::string& out) {
    out += value_;
    if (inserts()) row_.fail(kBadArgument, "cannot replace existing key");
  }

  void write_array(View array, size_t level, std::string& out) {
    int64_t size = 0;
    formats::visit_jsonb(array, [&](View, View) { return ++size, true; });
    const std::optional<int64_t> wanted = index_of(level, size);
    if (!wanted) return;
    const bool adds_here = is_last(level) && adds();
    bool found = adds_here && (*wanted == kBeforeAll || size == 0);
    out += '[';
    if (found) out += value_;
    int64_t index = 0;
    formats::visit_jsonb(array, [&](View, View value) {
      if (index++ != *wanted) {
        separate(out);
        out += value;
        return true;
      }
      found = true;
      if (is_last(level)) {
        change_element(value, out);
      } else {
        separate(out);
        write(value, level + 1, out);
      }
      return true;
    });
    if (!found && adds_here) {
      separate(out);
      out += value_;
    }
    out += ']';
  }
  void change_element(View old, std::string& out) {
    const View first = change_ == Change::kInsertAfter ? old : value_;
    if (change_ == Change::kDelete) return;
    separate(out);
    out += first;
    if (inserts()) out.append(", ").append(change_ == Change::kInsertAfter ? value_ : old);
  }
  // What is beyond either end is kBeforeAll or the size.
  std::optional<int64_t> index_of(size_t level, int64_t size) {
    const View text = path_.texts[level];
    const bool ends_well =
        !text.empty() && text.back() >= '0' && text.back() <= '9';  // spaces stand before alone
    const auto index = parse_bigint(text);
    if (!ends_well || !index.ok() || *index < INT32_MIN || *index > INT32_MAX)
      return fail(level, "is not an integer: \"" + std::string(start_of(text, 40)) + "\""), std::nullopt;
    if (*index >= 0) return std::min(*index, size);
    return -*index > size ? kBeforeAll : size + *index;
  }

  ArrayRow& row_;
  Change change_;
  const Column& path_;
  View value_;
};

bool is_empty(View container) {
  return container.size() == 2;
}

// A text that was put together of canonical parts, in canonical form.
View made(Row& row, View text) {
  const auto parsed = formats::parse_jsonb(text);
  if (parsed.ok()) return row.keep(*parsed);
  row.fail(kBadArgument, parsed.error().message);
  return {};
}

View changed(ArrayRow& row, Change change, View value) {
  const View target = row.text(0);
  if (formats::jsonb_kind(target) < JsonbKind::kArray) {
    row.fail(kBadArgument,
             change == Change::kDelete ? "cannot delete path in scalar" : "cannot set path in scalar");
    return {};
  }
  const Column path = texts_of(row, 1);
  const bool adds = change != Change::kDelete && change != Change::kReplace;
  if (path.size() == 0 || (is_empty(target) && !adds)) return target;
  std::string out;
  Changer(row, change, path, value).write(target, 0, out);
  return made(row, out);
}

bool flag(ArrayRow& row, size_t arg, bool otherwise) {
  return row.size() > arg ? row.boolean(arg) : otherwise;
}
View set(ArrayRow& row) {
  return changed(row, flag(row, 3, true) ? Change::kSet : Change::kReplace, row.text(2));
}
View insert(ArrayRow& row) {
  return changed(row, flag(row, 3, false) ? Change::kInsertAfter : Change::kInsertBefore, row.text(2));
}
View delete_path(ArrayRow& row) {
  return changed(row, Change::kDelete, {});
}

// Without the members, or strings, of these names.
View delete_names(ArrayRow& row) {
  const View target = row.text(0);
  const JsonbKind kind = formats::jsonb_kind(target);
  if (kind < JsonbKind::kArray) return row.fail(kBadArgument, "cannot delete from scalar"), View();
  const Column names = texts_of(row, 1);
  std::vector<std::string> unwanted;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!names.is_null(i)) formats::append_jsonb_string(unwanted.emplace_back(), names.texts[i]);
  }
  std::ranges::sort(unwanted);
  std::string out(1, target.front());
  formats::visit_jsonb(target, [&](View name, View value) {
    if (std::ranges::binary_search(unwanted, kind == JsonbKind::kObject ? name : value)) return true;
    separate(out);
    if (kind == JsonbKind::kObject) out.append(name).append(": ");
    out += value;
    return true;
  });
  return row.keep(out += target.back());
}

void new_line(std::string& out, size_t depth) {
  constexpr size_t kIndent = 4;
  out.append(1, '\n').append(depth * kIndent, ' ');
}
// Stops where the text is beyond its bound.
void lay_out(View value, size_t depth, std::string& out) {
  const JsonbKind kind = formats::jsonb_kind(value);
  if (kind < JsonbKind::kArray) return void(out += value);
  out += value.front();
  bool first = true;
  formats::visit_jsonb(value, [&](View name, View inner) {
    if (!first) out += ',';
    first = false;
    new_line(out, depth + 1);
    if (kind == JsonbKind::kObject) out.append(name).append(": ");
    lay_out(inner, depth + 1, out);
    return out.size() <= kMaxTextBytes;
  });
  new_line(out, depth);
  out += value.back();
}
View pretty(Row& row, Jsonb j) {
  std::string out;
  lay_out(j.value, 0, out);
  return row.keep(out);
}

// A step of 2: values stand among the names.
View object_of(ArrayRow& row, const Column& names, const Column& values, size_t step) {
  std::vector<formats::JsonbMember> members;
  const size_t value_at = step - 1;
  for (size_t i = 0; i < names.size(); i += step) {
    if (names.is_null(i)) return row.fail(kBadArgument, "null value not allowed for object key"), View();
    auto& member = members.emplace_back(formats::JsonbMember{std::string(names.texts[i]), ""});
    if (values.is_null(i + value_at))
      member.value = "null";
    else
      formats::append_jsonb_string(member.value, values.texts[i + value_at]);
  }
  std::string out;
  formats::append_jsonb_object(out, std::move(members));
  return row.keep(out);
}
View object_of_pairs(ArrayRow& row) {
  const Column texts = texts_of(row, 0);
  if (texts.size() % 2 == 0) return object_of(row, texts, texts, 2);
  row.fail(kBadArgument, "array must have even number of elements");
  return {};
}
View object_of_two(ArrayRow& row) {
  const Column names = texts_of(row, 0);
  const Column values = texts_of(row, 1);
  if (names.size() == values.size()) return object_of(row, names, values, 1);
  row.fail(kBadArgument, "mismatched array dimensions");
  return {};
}

constexpr Type kTexts = array_of(Type::kText);

template <auto F>
std::vector<Signature> at_path() {
  return {array_call<F>({Type::kJsonb, kTexts, Type::kJsonb}, Type::kJsonb),
          array_call<F>({Type::kJsonb, kTexts, Type::kJsonb, Type::kBoolean}, Type::kJsonb)};
}

}  // namespace

FunctionFamily jsonb_change_functions() {
  return {
      "JSON changed",
      {
          {"jsonb_set",
           "With another value at the end of a path; one that is not there is added, unless the fourth "
           "argument "
           "is false",
           at_path<set>(),
           {{"jsonb_set('{\"a\": [1, 2]}', '{a,0}', '7')", "{\"a\": [7, 2]}"},
            {"jsonb_set('{}', '{a}', '1', false)", "{}"}}},
          {"jsonb_insert",
           "With a value more at the end of a path: before the element there, or behind it where the fourth "
           "argument is true; a member must be a new one",
           at_path<insert>(),
           {{"jsonb_insert('[0, 1]', '{1}', '\"new\"')", "[0, \"new\", 1]"},
            {"jsonb_insert('[0, 1]', '{1}', '\"new\"', true)", "[0, 1, \"new\"]"},
            {"jsonb_insert('{\"a\": 1}', '{a}', '2')", "MR-SQL-0120"}}},
          {"jsonb_delete_path",
           "Without what is at the end of a path; also `jsonb #- path`",
           {array_call<delete_path>({Type::kJsonb, kTexts}, Type::kJsonb)},
           {{"JSONB '{\"a\": [1, 2]}' #- '{a,0}'", "{\"a\": [2]}"}}},
          {"jsonb_delete_names",
           "Without the members of these names, or the strings that are one; written `jsonb - text[]`",
           {array_call<delete_names>({Type::kJsonb, kTexts}, Type::kJsonb)},
           {{"JSONB '{\"a\": 1, \"b\": 2, \"c\": 3}' - ARRAY['a', 'b']", "{\"c\": 3}"}}},
          {"jsonb_pretty",
           "The value in lines, indented by four spaces",
           {call<pretty>()},
           {{"replace(jsonb_pretty('{\"a\": [1]}'), chr(10), '|')", "{|    \"a\": [|        1|    ]|}"}}},
          {"jsonb_object",
           "The object of names and values in turn, or of an array of each; the values are strings",
           {array_call<object_of_pairs>({kTexts}, Type::kJsonb),
            array_call<object_of_two>({kTexts, kTexts}, Type::kJsonb)},
           {{"jsonb_object('{a,1,b,NULL}'::text[])", "{\"a\": \"1\", \"b\": null}"},
            {"jsonb_object('{a,b}', '{1,2}')", "{\"a\": \"1\", \"b\": \"2\"}"},
            {"jsonb_object('{a}'::text[])", "MR-SQL-0120"}}},
      }};
}

}  // namespace millrace::engine
