// What definitions and events are to the naive evaluator: read from their texts by the parser alone.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "tests/sim/naive.h"
#include "tests/sim/naive_list.h"

namespace millrace::sim {
namespace {

using nlohmann::json;
using sql::ast::Expr;
using sql::ast::ExprKind;

Error unreadable(std::string what) {
  return error(Code::kInvalid, "MR-NAIVE-0002", std::move(what));
}

Result<sql::StatementPtr> only_statement(const std::string& text) {
  TRY_ASSIGN(auto statements, sql::parse(text));
  if (statements.size() != 1) return unreadable("one statement is expected: " + text);
  return statements.front();
}

Result<Scalar> decode_value(const json& value, Type type);

Result<Scalar> decode_list(const json& value, Type element) {
  auto elements = json::array();
  for (const json& one : value) {
    TRY_ASSIGN(const Scalar decoded, decode_value(one, element));
    elements.push_back(json_of(decoded));
  }
  return list_scalar(elements);
}

Result<Scalar> decode_value(const json& value, Type type) {
  if (value.is_null()) return Scalar();
  switch (type) {
    case Type::kBoolean:
      if (value.is_boolean()) return Scalar(value.get<bool>());
      break;
    case Type::kSmallint:
    case Type::kInteger:
    case Type::kBigint:
      if (value.is_number_integer()) return Scalar(value.get<int64_t>());
      if (value.is_number_float() && value.get<double>() == static_cast<double>(value.get<int64_t>())) {
        return Scalar(value.get<int64_t>());
      }
      break;
    case Type::kReal:
    case Type::kDouble:
      if (value.is_number()) return Scalar(value.get<double>());
      break;
    case Type::kDate:  // of the corpus's dead letters: shown as they came
    case Type::kTime:
    case Type::kBytea:
    case Type::kUuid:
    case Type::kText:
      if (value.is_string()) return Scalar(value.get<std::string>());
      break;
    case Type::kTimestamp:
    case Type::kTimestamptz:
      if (value.is_number_integer()) return Scalar(Timestamp{value.get<int64_t>() * 1000});
      if (value.is_string()) {
        if (const auto us = naive_timestamp_us(value.get<std::string>())) return Scalar(Timestamp{*us});
      }
      break;
    case Type::kNumeric:
      if (value.is_number() || value.is_string()) {
        return naive_cast(Scalar(value.is_string() ? value.get<std::string>() : value.dump()), type);
      }
      break;
    case Type::kJsonb:
      return Scalar(value.dump());
    default:
      if (is_array(type) && value.is_array()) return decode_list(value, element_of(type));
      break;
  }
  return unreadable("wrong type");
}

// Null: it is missing, or something on the way to it is no object.
const json* member_of(const json& event, const ColumnDef& column) {
  const json* at = &event;
  for (const std::string& name : column.members()) {
    if (!at->is_object() || !at->contains(name)) return nullptr;
    at = &at->at(name);
  }
  return at;
}

bool is_window_time(const Expr& e) {
  return e.kind == ExprKind::kColumn && (e.text == "window_start" || e.text == "window_end");
}

int64_t interval_of(const sql::ast::ExprPtr& expr) {
  if (!expr) return 0;
  const auto us = naive_interval_us(*expr);
  CHECK(us.ok(), "the oracle reads the window's intervals");
  return *us;
}

// The least time in the stream's column of a window that ends behind `closed`. Of SESSION: by steps of the gap.
int64_t least_behind(const sql::ast::TableRef& from, bool by_start, int64_t closed) {
  using Window = sql::ast::WindowFunction;
  if (closed == INT64_MIN) return closed;
  const int64_t size = interval_of(from.size);
  const int64_t offset = interval_of(from.offset);
  if (from.window == Window::kSession) return floor_to(closed + 1, size, 0);
  const int64_t distance = from.step ? interval_of(from.step) : size;
  const int64_t end = floor_to(closed, distance, offset + size) + distance;
  if (!by_start) return end;
  return from.window == Window::kCumulate ? floor_to(end - 1, size, offset) : end - size;
}

Result<int64_t> option_interval_us(const sql::ast::Option& option) {
  Expr interval;
  interval.text = option.value;
  return naive_interval_us(interval);
}

}  // namespace

std::string item_name(const sql::ast::SelectItem& item) {
  return item.alias ? item.alias.text : item.expr->text;
}

void find_aggregates(const Expr& e, std::vector<const Expr*>& out) {
  if (is_aggregate(e)) {
    out.push_back(&e);
    return;
  }
  for (const auto& arg : e.args) find_aggregates(*arg, out);
}

int64_t floor_to(int64_t t, int64_t size, int64_t offset) {
  int64_t rest = (t - offset) % size;
  if (rest < 0) rest += size;
  return t - rest;
}

bool groups_rows(const sql::ast::Query& select) {
  std::vector<const Expr*> calls;
  for (const auto& item : select.items) find_aggregates(*item.expr, calls);
  return !select.group_by.empty() || !calls.empty() || select.having || select.distinct_span.length > 0;
}

bool is_grouped(const NaiveQuery& query) {
  return query.set != sql::ast::SetOperation::kNone || groups_rows(*query.groups);
}

bool closes_by_arrival(const NaiveQuery& query) {
  const auto& from = query.groups->from;
  return query.emit_on_close && from->time && is_proctime(*from->time);
}

Result<Row> naive_decode(const Schema& columns, const std::string& value) {
  const json event = json::parse(value, nullptr, false);
  if (!event.is_object()) return unreadable("not an object");
  Row row;
  for (const auto& column : columns) {
    const json* field = member_of(event, column);
    row.emplace_back();
    if (field == nullptr) continue;
    TRY_ASSIGN(row.back(), decode_value(*field, column.type));
  }
  return row;
}

Result<NaiveStream> naive_stream(const std::string& text) {
  TRY_ASSIGN(const auto statement, only_statement(text));
  const auto* create = std::get_if<sql::ast::CreateStream>(&statement->body);
  if (create == nullptr) return unreadable("not CREATE STREAM: " + text);
  NaiveStream out;
  out.name = create->name.text;
  for (const auto& c : create->columns) out.columns.push_back({c.name.text, c.type.type, {}, c.path});
  for (const auto& name : create->primary_key) {
    for (size_t i = 0; i < out.columns.size(); ++i) {
      if (out.columns[i].name == name.text) out.primary_key.push_back(static_cast<int>(i));
    }
  }
  if (!out.primary_key.empty()) out.columns.push_back({"_op", Type::kText});
  if (create->watermark) {
    for (size_t i = 0; i < out.columns.size(); ++i) {
      if (out.columns[i].name == create->watermark->column.text) out.watermark_column = static_cast<int>(i);
    }
    const Expr& value = *create->watermark->value;
    if (value.kind == ExprKind::kBinary) {
      TRY_ASSIGN(out.disorder_us, naive_interval_us(*value.args[1]));
    }
  }
  for (const auto& option : create->options) {
    if (option.name.text == "partitions") out.partitions = static_cast<uint16_t>(std::stoi(option.value));
    if (option.name.text == "idle_timeout" && option.value == "forever") {
      out.idle_timeout_us = 0;
    } else if (option.name.text == "idle_timeout") {
      TRY_ASSIGN(out.idle_timeout_us, option_interval_us(option));
    }
    if (option.name.text == "key") out.key = option.value;
  }
  return out;
}

Result<NaiveQuery> naive_query(const std::string& text, const NaiveViews& views) {
  TRY_ASSIGN(auto statement, only_statement(text));
  const auto* create = std::get_if<sql::ast::CreateQuery>(&statement->body);
  if (create == nullptr) return unreadable("not a continuous query: " + text);
  NaiveQuery out;
  out.name = create->name.text;
  out.is_view = create->kind == sql::ObjectKind::kView;
  out.emit_on_close = create->emit == sql::ast::CreateQuery::Emit::kOnClose;
  naive_descend(create->query, views, out);
  out.late_to = create->late_to.text;
  const auto& from = *out.groups->from;
  if (from.of_rows) {
    out.rows = std::stoll(from.size->text);
    out.slide = from.step ? std::stoll(from.step->text) : out.rows;
    out.full_windows = std::exchange(out.emit_on_close, false);
  }
  for (const auto& option : create->options) {
    out.changelog |= option.name.text == "changelog" && option.value == "retract";
    out.null_on_error |= option.name.text == "on_error" && option.value == "null";
    if (option.name.text == "allowed_lateness") {
      TRY_ASSIGN(out.lateness_us, option_interval_us(option));
    }
    if (option.name.text == "retention_rows") out.retention_rows = std::stoll(option.value);
    if (out.is_view && option.name.text == "retention") {
      TRY_ASSIGN(out.retention_us, option_interval_us(option));
    }
  }
  out.statements.push_back(std::move(statement));
  out.changes = !out.is_view && !out.final_rows() && is_grouped(out);
  return out;
}

namespace {

// What names the groups, and what an event does to them; or the changelog's column.
void add_change_columns(const NaiveQuery& query, NaiveStream& out) {
  const auto is_key = [&](const Expr& e) {
    return is_window_time(e) || std::ranges::any_of(query.groups->group_by, [&](const auto& key) {
             return e.kind == ExprKind::kColumn && key->text == e.text;
           });
  };
  for (size_t i = 0; i < query.query->items.size() && !query.changelog; ++i) {
    if (is_key(*query.query->items[i].expr)) out.primary_key.push_back(static_cast<int>(i));
  }
  out.columns.push_back({query.changelog ? "op" : "_op", Type::kText});
}

}  // namespace

NaiveStream naive_output(const NaiveQuery& query, const NaiveStream& source) {
  NaiveStream out;
  out.name = query.name;
  out.partitions = source.partitions;
  out.idle_timeout_us = source.idle_timeout_us;
  out.watermark_told = query.emit_on_close || (source.watermark_told && query.rows == 0);
  for (const auto& item : query.query->items) {
    if (item.expr->kind == ExprKind::kStar) {
      out.columns.insert(out.columns.end(), source.columns.begin(), source.columns.end());
      out.key = source.key;
      continue;
    }
    out.columns.push_back({item_name(item), naive_type(*item.expr, source.columns)});
    if (item.expr->kind == ExprKind::kColumn && item.expr->text == source.key) out.key = item_name(item);
  }
  if (query.changes) {
    out.watermark_told = false;
    add_change_columns(query, out);
    return out;
  }
  for (const int column : source.primary_key) {
    for (size_t i = 0; i < query.query->items.size(); ++i) {
      if (query.query->items[i].expr->text == source.columns[static_cast<size_t>(column)].name)
        out.primary_key.push_back(static_cast<int>(i));
    }
  }
  if (!out.primary_key.empty()) out.columns.push_back({"_op", Type::kText});
  for (size_t i = 0; query.emit_on_close && i < query.query->items.size(); ++i) {
    if (is_window_time(*query.query->items[i].expr)) out.watermark_column = static_cast<int>(i);
  }
  if (query.emit_on_close || source.watermark_column < 0) return out;
  const std::string& time = source.columns[static_cast<size_t>(source.watermark_column)].name;
  size_t at = 0;
  for (const auto& item : query.query->items) {
    const bool star = item.expr->kind == ExprKind::kStar;
    const size_t found = star ? at + static_cast<size_t>(source.watermark_column) : at;
    if (out.watermark_column < 0 &&
        (star || (item.expr->kind == ExprKind::kColumn && item.expr->text == time))) {
      out.watermark_column = static_cast<int>(found);
      out.disorder_us = source.disorder_us;
    }
    at += star ? source.columns.size() : 1;
  }
  return out;
}

NaiveTold naive_told(const NaiveQuery& query, const NaiveAnswer& answer) {
  const auto& items = query.query->items;
  const auto time =
      std::find_if(items.begin(), items.end(), [](const auto& i) { return is_window_time(*i.expr); });
  CHECK(time != items.end(), "the workload's streams of windows show a time");
  const bool by_start = time->expr->text == "window_start";
  return {least_behind(*query.groups->from, by_start, answer.closed_low),
          least_behind(*query.groups->from, by_start, answer.closed_high)};
}

}  // namespace millrace::sim
