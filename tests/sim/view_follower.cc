#include "tests/sim/view_follower.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace millrace::sim {

FoldedRows::FoldedRows(const NaiveQuery& query, const NaiveStream& source)
    : grouped_(is_grouped(query)), final_(query.final_rows()) {
  for (const int column : source.primary_key)
    primary_key_.insert(source.columns[static_cast<size_t>(column)].name);
}

bool FoldedRows::names_row(const std::string& column) const {
  return grouped_ ? column[0] != 'a' : primary_key_.contains(column);
}

std::string FoldedRows::hear(std::string_view json) {
  auto row = nlohmann::json::parse(json, nullptr, false);
  if (!row.is_object()) return "not an object";
  const std::string op = row.value("_op", "");
  if (final_ != op.empty()) return final_ ? "a final row has an _op" : "a row has no _op";
  row.erase("_op");
  if (final_ || (!grouped_ && primary_key_.empty())) {
    if (op == "delete") return "a row that nothing takes away was deleted";
    whole_.insert(row.dump());
    return {};
  }
  auto key = row;
  for (auto column = row.begin(); column != row.end(); ++column) {
    if (!names_row(column.key())) key.erase(column.key());
  }
  if (op == "delete") {
    if (key != row) return "a delete names more than the row";
    by_key_.erase(key.dump());
  } else if (op == "upsert") {
    nameless_ = nameless_ || (!grouped_ && key.size() < primary_key_.size());
    by_key_[key.dump()] = row.dump();
  } else {
    return "a row is neither upserted nor deleted";
  }
  return {};
}

std::multiset<std::string> FoldedRows::rows() const {
  std::multiset<std::string> all = whole_;
  for (const auto& [key, row] : by_key_) all.insert(row);
  return all;
}

void ViewFollower::end_life(bool keeps_final_rows) {
  subscription.reset();
  asked = false;
  if (folded && keeps_final_rows) {
    const auto heard = folded->rows();
    std::multiset<std::string> all;
    std::set_union(final_rows.begin(), final_rows.end(), heard.begin(), heard.end(),
                   std::inserter(all, all.end()));
    final_rows = std::move(all);
  }
  folded.reset();
}

}  // namespace millrace::sim
