#include "tests/sim/changed_rows.h"

namespace millrace::sim {
namespace {

Error does_not_fit(const LogEvent& event, const std::string& why) {
  return error(Code::kInvalid, "MR-NAIVE-0003", why + ": " + event.value);
}

}  // namespace

Status ChangedRows::apply(const LogEvent& event) {
  auto row = naive_decode(shape_.columns, event.value);
  if (!row.ok()) return does_not_fit(event, "a row does not decode");
  const auto* op = std::get_if<std::string>(&row->back());
  if (op == nullptr) return does_not_fit(event, "a row does not say what it is");
  const std::string what = *op;
  row->pop_back();
  if (!changelog_) return upsert(event, *row, to_line(*row), what);
  const Status fits = log(to_line(*row), what);
  return fits.ok() ? fits : Status(does_not_fit(event, fits.error().message));
}

Status ChangedRows::upsert(const LogEvent& event, const Row& row, const std::string& line,
                           const std::string& op) {
  Row key;
  for (const int column : shape_.primary_key) key.push_back(row[static_cast<size_t>(column)]);
  const std::string name = to_line(key);
  if (partitions_.try_emplace(name, event.partition).first->second != event.partition)
    return does_not_fit(event, "a key is in two partitions");
  if (op == "upsert") {
    by_key_[name] = line;
  } else if (op == "delete") {
    by_key_.erase(name);
  } else {
    return does_not_fit(event, "an unknown op");
  }
  return {};
}

Status ChangedRows::log(const std::string& line, const std::string& op) {
  if (op == "insert" || op == "update_after") {
    rows_.insert(line);
    return {};
  }
  const auto told = rows_.find(line);
  if (told == rows_.end() || (op != "update_before" && op != "delete"))
    return error(Code::kInvalid, "MR-NAIVE-0003", "a change takes back what was not told");
  rows_.erase(told);
  return {};
}

std::multiset<std::string> ChangedRows::now() const {
  std::multiset<std::string> rows = rows_;
  for (const auto& [key, line] : by_key_) rows.insert(line);
  return rows;
}

}  // namespace millrace::sim
