// CREATE OR REPLACE of a query that is there: what the new text would change.
#include <fmt/format.h>

#include <algorithm>

#include "sql/binder.h"
#include "sql/errors.h"

namespace millrace::sql {
namespace {

// A plan's lines, by the word that each begins with; and what a user calls it.
struct Part {
  std::string_view word;
  std::string_view name;
};
constexpr Part kParts[] = {{"Materialized", "options, or when its rows are shown"},
                           {"Stream", "options"},
                           {"Output", "columns"},
                           {"Having", "HAVING"},
                           {"Aggregate", "groups or aggregates"},
                           {"Repartition", "way to its groups"},
                           {"Filter", "WHERE"},
                           {"Late", "window"},
                           {"Assign", "window"},
                           {"Decode", "source, or what it reads of it"}};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    line.remove_prefix(std::min(line.find_first_not_of(" ->"), line.size()));
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view line_with(const std::vector<std::string_view>& lines, std::string_view word) {
  const auto found =
      std::find_if(lines.begin(), lines.end(), [&](auto line) { return line.starts_with(word); });
  return found == lines.end() ? std::string_view() : *found;
}

// What differs: the parts' names, and the first pair of lines.
struct Difference {
  std::vector<std::string> names;
  std::string first;
};

Difference difference(const engine::QueryPlan& before, const engine::QueryPlan& after) {
  const std::string texts[] = {before.explain(), after.explain()};
  const auto old_lines = lines_of(texts[0]);
  const auto new_lines = lines_of(texts[1]);
  Difference out;
  for (const Part& part : kParts) {
    const std::string_view from = line_with(old_lines, part.word);
    const std::string_view to = line_with(new_lines, part.word);
    if (from == to) continue;
    if (out.names.empty() || out.names.back() != part.name) out.names.emplace_back(part.name);
    if (!out.first.empty()) continue;
    out.first = from.empty() ? fmt::format("new is: {}", to)
                : to.empty() ? fmt::format("taken away is: {}", from)
                             : fmt::format("{}; it would become: {}", from, to);
  }
  if (out.names.empty()) out.names.emplace_back("types, or the source's columns");
  return out;
}

// A derived stream's retention decides no answer, so a plan's identity does not know it.
bool keeps_as_long(const engine::StreamPtr& before, const engine::StreamPtr& after) {
  if (!before || !after) return before == after;
  return before->retention_us == after->retention_us && before->retention_bytes == after->retention_bytes;
}

Error cannot_replace(const ast::Name& name, std::string_view kind, const Difference& differs) {
  std::string names = differs.names.front();
  for (size_t i = 1; i < differs.names.size(); ++i) names += "; its " + differs.names[i];
  Error e = error_at(
      Code::kConflict, kCannotReplace, name.span,
      fmt::format("{} \"{}\" cannot be replaced and keep its state: the new text changes its {}", kind,
                  name.text, names),
      "DROP it and CREATE it again, which reads the kept events anew, or make a second one beside it");
  e.detail = differs.first;
  return e;
}

Error still_read(const ast::Name& name, const std::vector<const Catalog::Entry*>& readers) {
  std::vector<std::string> names;
  for (const auto* reader : readers) names.push_back(reader->definition.name);
  return error_at(Code::kConflict, kStillRead, name.span,
                  fmt::format("\"{}\" is still used by {}", name.text, list_names(names)),
                  "drop those first, or keep its columns and HAVING as they are");
}

// The numbers follow from the rest.
bool encoded_alike(const engine::EncodedOutput& a, const engine::EncodedOutput& b) {
  return a.encoding == b.encoding && a.schema.subject == b.schema.subject;
}

bool reads_older_only(const engine::QueryPlan& plan) {
  return std::all_of(plan.views.begin(), plan.views.end(), [&](QueryId view) { return view < plan.id; });
}

}  // namespace

bool may_replace(const Catalog& catalog, const Catalog::Entry& entry, const engine::QueryPlan& plan) {
  return plan.identity() == entry.query->identity() && reads_older_only(plan) &&
         catalog.readers(entry.definition.id).empty();
}

Status find_replaced(const ast::CreateQuery& tree, CreateQuery& bound, const BindContext& context) {
  const Catalog::Entry* entry = context.catalog.find(context.tenant, tree.name.text);
  if (entry == nullptr) return {};
  const bool view = tree.kind == ObjectKind::kView;
  const std::string_view kind = view ? "view" : "stream";
  if (!entry->query || (entry->stream == nullptr) != view) {
    return invalid_at(kWrongKind, tree.name.span,
                      fmt::format("\"{}\" is not a {}", tree.name.text, view ? "view" : "derived stream"),
                      "use another name, or DROP it first");
  }
  const engine::QueryPlan plan = numbered(bound, entry->definition.id);
  if (!keeps_as_long(entry->query->output_stream, plan.output_stream))
    return cannot_replace(tree.name, kind, {{"retention"}, ""});
  if (plan.identity() != entry->query->identity())
    return cannot_replace(tree.name, kind, difference(*entry->query, plan));
  if (plan.shown_identity() == entry->query->shown_identity() &&
      encoded_alike(plan.encoded, entry->query->encoded)) {
    bound.same = entry->definition.id;
    return {};
  }
  if (!reads_older_only(plan))
    return cannot_replace(tree.name, kind, {{"source: what it reads was made later, or is the view"}, ""});
  const auto readers = context.catalog.readers(entry->definition.id);
  if (!readers.empty()) return still_read(tree.name, readers);
  bound.replaced = entry->definition.id;
  return {};
}

}  // namespace millrace::sql
