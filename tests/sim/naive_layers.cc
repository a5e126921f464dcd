// SELECTs one over the other: subqueries, WITH, views and UNION ALL, down to the streams.
#include <algorithm>
#include <utility>

#include "tests/sim/naive.h"

namespace millrace::sim {
namespace {

using sql::ast::Expr;
using sql::ast::ExprKind;
using sql::ast::Query;

// The queries that WITH names, as far as one may read them.
struct Names {
  const Query* with = nullptr;
  size_t count = 0;
  const Names* around = nullptr;

  const sql::ast::Cte* find(const std::string& name) const {
    for (size_t i = count; i-- > 0;) {
      if (with->with[i].name.text == name) return &with->with[i];
    }
    return around == nullptr ? nullptr : around->find(name);
  }
};

std::vector<std::string> texts(const std::vector<sql::ast::Name>& names) {
  std::vector<std::string> out;
  for (const auto& name : names) out.push_back(name.text);
  return out;
}

class Descent {
 public:
  Descent(const NaiveViews& views, NaiveQuery& out) : views_(views), out_(out) {}

  // `above`: the layers over it.
  void into(const Query& query, std::vector<NaiveLayer> above, std::vector<std::string> names,
            const Names* around) {
    const Names here{&query, query.with.size(), around};
    if (query.set != sql::ast::SetOperation::kNone) {
      if (names.empty()) names = first_names(*query.left);
      if (!query.set_all) out_.set = query.set;
      into(*query.left, above, names, &here);
      into(*query.right, std::move(above), std::move(names), &here);
      return;
    }
    above.push_back({&query, std::move(names)});
    const auto& from = *query.from;
    if (from.subquery) return into(*from.subquery, std::move(above), texts(from.columns), &here);
    if (const auto* cte = here.find(from.name.text))
      return into(*cte->query, std::move(above), texts(cte->columns), &here);
    const auto view = views_.find(from.name.text);
    if (view == views_.end()) {
      out_.arms.push_back({from.name.text, std::move(above)});
      return;
    }
    const NaiveQuery& below = *view->second;
    for (const NaiveArm& arm : below.arms) {
      out_.arms.push_back({arm.source, above});
      auto& layers = out_.arms.back().layers;
      layers.insert(layers.end(), arm.layers.begin(), arm.layers.end());
    }
    out_.statements.insert(out_.statements.end(), below.statements.begin(), below.statements.end());
    if (below.set != sql::ast::SetOperation::kNone) out_.set = below.set;
    out_.emit_on_close |= below.emit_on_close;
    out_.lateness_us = below.lateness_us;
    out_.retention_us = below.retention_us;
  }

 private:
  // A union's columns are called as those of its first query.
  static std::vector<std::string> first_names(const Query& query) {
    if (query.set != sql::ast::SetOperation::kNone) return first_names(*query.left);
    std::vector<std::string> out;
    for (const auto& item : query.items) out.push_back(item_name(item));
    return out;
  }

  const NaiveViews& views_;
  NaiveQuery& out_;
};

// The columns of a SELECT over what it reads.
NaiveReads columns_of(const NaiveLayer& layer, const NaiveReads& below) {
  NaiveReads out{{}, {}, &below, {}};
  for (const auto& item : layer.select->items) {
    if (item.expr->kind != ExprKind::kStar) {
      out.columns.push_back({item_name(item), naive_type(*item.expr, below.columns)});
      out.values.push_back(item.expr.get());
      continue;
    }
    for (const auto& column : below.columns) {
      auto name = std::make_unique<Expr>();
      name->kind = ExprKind::kColumn;
      name->text = column.name;
      out.columns.push_back(column);
      out.values.push_back(name.get());
      out.made.push_back(std::move(name));
    }
  }
  for (size_t i = 0; i < layer.names.size(); ++i) out.columns[i].name = layer.names[i];
  return out;
}

}  // namespace

void naive_descend(const sql::ast::Query& query, const NaiveViews& views, NaiveQuery& out) {
  Descent(views, out).into(query, {}, {}, nullptr);
  const auto& layers = out.arms[0].layers;
  out.query = layers[0].select;
  out.groups = out.query;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!groups_rows(*layers[i].select)) continue;
    out.grouping = i;
    out.groups = layers[i].select;
  }
}

std::deque<NaiveReads> naive_reads(const NaiveArm& arm, const Schema& columns) {
  std::deque<NaiveReads> reads;
  reads.push_front({columns, {}, nullptr, {}});
  for (size_t layer = arm.layers.size(); layer-- > 1;)
    reads.push_front(columns_of(arm.layers[layer], reads.front()));
  return reads;
}

NaiveStream naive_union(const std::vector<NaiveSource>& sources) {
  NaiveStream out = *sources.front().stream;
  for (size_t i = 1; i < sources.size(); ++i) {
    const NaiveStream& more = *sources[i].stream;
    out.partitions = static_cast<uint16_t>(out.partitions + more.partitions);
    if (more.watermark_column < 0) out.watermark_column = -1;
    out.disorder_us = std::max(out.disorder_us, more.disorder_us);
    const bool never = out.idle_timeout_us == 0 || more.idle_timeout_us == 0;
    out.idle_timeout_us = never ? 0 : std::max(out.idle_timeout_us, more.idle_timeout_us);
    out.key.clear();
  }
  return out;
}

}  // namespace millrace::sim
