#include "event-gateway/schema_impact.h"

#include <algorithm>
#include <set>

namespace millrace::gateway {
namespace {

constexpr std::string_view kOpen = "JSONB";

using Entry = sql::Catalog::Entry;
using BrokenColumns = std::map<int, BrokenColumn>;  // by the column's number in its stream

const SchemaColumn* find(const SchemaColumns& columns, const std::string& name) {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const auto& one) { return one.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

// What the members lead to; null: it is not there, or inside what is open.
const SchemaColumn* follow(const SchemaColumns& columns, std::span<const std::string> members) {
  const SchemaColumn* at = nullptr;
  const SchemaColumns* in = &columns;
  for (const auto& member : members) {
    at = find(*in, member);
    if (at == nullptr) return nullptr;
    in = &at->fields;
  }
  return at;
}

bool is_array(const SchemaColumn& column) {
  return column.type.ends_with("[]");
}

bool still_reads(const SchemaColumn& before, const SchemaColumn& after) {
  if (before.type == kOpen || before.type == after.type) return true;
  if (before.fields.empty() || after.fields.empty() || is_array(before) != is_array(after)) return false;
  return std::all_of(before.fields.begin(), before.fields.end(), [&](const auto& field) {
    const SchemaColumn* now = find(after.fields, field.name);
    return now != nullptr && still_reads(field, *now);
  });
}

BrokenColumns broken_columns(const engine::StreamDef& stream, const SchemaColumns& before,
                             const SchemaColumns& after) {
  BrokenColumns out;
  for (size_t i = 0; i < stream.columns.size(); ++i) {
    const auto members = stream.columns[i].members();
    const SchemaColumn* was = follow(before, members);
    if (was == nullptr) continue;
    const SchemaColumn* becomes = follow(after, members);
    if (becomes != nullptr && still_reads(*was, *becomes)) continue;
    out[static_cast<int>(i)] = {stream.columns[i].name, was->type, becomes == nullptr ? "" : becomes->type};
  }
  return out;
}

// By name: what was made before the stream was given columns counts them without those.
std::set<std::string> columns_read(const engine::QueryPlan& plan, StreamId stream) {
  std::set<std::string> out;
  const auto add = [&](const engine::StreamDef& source, const std::vector<int>& columns) {
    for (const int column : columns) out.insert(source.columns[static_cast<size_t>(column)].name);
  };
  if (plan.arms.empty()) add(*plan.source, plan.read_columns);
  for (const auto& arm : plan.arms) {
    if (arm.source->id == stream) add(*arm.source, engine::read_columns(arm, plan.read_columns));
  }
  return out;
}

class Impact {
 public:
  explicit Impact(const sql::Catalog& catalog) : catalog_(catalog) {}

  void add(const Entry& stream, const BrokenColumns& broken) {
    if (broken.empty()) return;
    out_.push_back({stream.stream->name, "stream", "", {}});
    for (const auto& [number, column] : broken) out_.back().columns.push_back(column);
    for (const Entry* query : readers_of(*stream.stream)) {
      std::vector<BrokenColumn> read;
      const auto names = columns_read(*query->query, stream.stream->id);
      for (const auto& [number, column] : broken) {
        if (names.contains(column.name)) read.push_back(column);
      }
      if (!read.empty()) add_query(*query, stream.stream->name, std::move(read));
    }
  }
  std::vector<BrokenObject> take() { return std::move(out_); }

 private:
  // What only gives its late events to the stream does not read its columns.
  std::vector<const Entry*> readers_of(const engine::StreamDef& stream) const {
    auto out = catalog_.readers(sql::definition_of(stream.id));
    std::erase_if(out, [&](const Entry* entry) { return !entry->query->reads(stream.id); });
    return out;
  }

  // And what reads what it writes.
  void add_query(const Entry& query, const std::string& reads, std::vector<BrokenColumn> columns) {
    const bool known = !seen_.insert(query.definition.id.value).second;
    if (known && columns.empty()) return;
    out_.push_back({query.definition.name, query.stream == nullptr ? "view" : "derived stream", reads,
                    std::move(columns)});
    if (known || query.stream == nullptr) return;
    for (const Entry* reader : readers_of(*query.stream)) add_query(*reader, query.definition.name, {});
  }

  const sql::Catalog& catalog_;
  std::set<uint32_t> seen_;
  std::vector<BrokenObject> out_;
};

}  // namespace

std::vector<BrokenObject> broken_by(const sql::Catalog& catalog, const std::vector<const Entry*>& streams,
                                    const std::map<int32_t, SchemaColumns>& before,
                                    const SchemaColumns& after) {
  Impact impact(catalog);
  for (const Entry* entry : streams) {
    const auto was = before.find(entry->stream->schema.id);
    if (was != before.end()) impact.add(*entry, broken_columns(*entry->stream, was->second, after));
  }
  return impact.take();
}

}  // namespace millrace::gateway
