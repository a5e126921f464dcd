// LATE DATA TO: where the events go that come too late for a view's windows.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sql/binder.h"
#include "sql/errors.h"

namespace millrace::sql {
namespace {

bool same_column(const ColumnDef& a, const ColumnDef& b) {
  return a.name == b.name && a.type == b.type && a.unit == b.unit && a.path == b.path &&
         a.length == b.length && a.scale == b.scale && a.added == b.added;
}

// Events are passed on as they came, so they must read the same there, and in the same partition.
std::string_view difference(const engine::StreamDef& a, const engine::StreamDef& b) {
  if (!std::ranges::equal(a.columns, b.columns, same_column)) return "columns";
  if (a.primary_key != b.primary_key) return "primary key";
  if (a.key_column != b.key_column) return "key";
  return a.partitions != b.partitions ? "number of partitions" : "";
}

// Whether events of `from` come to `to` by derived streams and late events: round and round, then.
bool leads_to(const Catalog& catalog, StreamId from, StreamId to, std::set<uint32_t>& seen) {
  if (from == to) return true;
  if (!seen.insert(from.value).second) return false;
  for (const auto* reader : catalog.readers(definition_of(from))) {
    const engine::QueryPlan& plan = *reader->query;
    if (!plan.reads(from)) continue;  // it gives its own late events to it
    if (plan.output_stream && leads_to(catalog, plan.output_stream->id, to, seen)) return true;
    if (plan.late_stream && leads_to(catalog, plan.late_stream->id, to, seen)) return true;
  }
  return false;
}

}  // namespace

Result<engine::StreamPtr> bind_late_stream(const BindContext& context, const ast::Name& name,
                                           const engine::StreamDef& source) {
  TRY_ASSIGN(const Relation relation, resolve_relation(context, name));
  if (!relation.stream || relation.stream->kind != engine::StreamKind::kDeclared) {
    return invalid_at(kBadLateStream, name.span, fmt::format("\"{}\" is not a declared stream", name.text),
                      "late events go to one made by CREATE STREAM name (columns …)");
  }
  const std::string_view differs = difference(*relation.stream, source);
  if (!differs.empty()) {
    return invalid_at(kBadLateStream, name.span,
                      fmt::format("stream \"{}\" has not the {} of \"{}\"", name.text, differs, source.name),
                      "it takes the events as they are: declare the same columns, key and partitions; what "
                      "ALTER STREAM has added to the one, add to the other");
  }
  std::set<uint32_t> seen;
  if (context.check_names && leads_to(context.catalog, relation.stream->id, source.id, seen)) {
    return invalid_at(
        kBadLateStream, name.span,
        fmt::format("late events of \"{}\" would come back to it by \"{}\"", source.name, name.text),
        "send them to a stream that it does not follow from");
  }
  return relation.stream;
}

}  // namespace millrace::sql
