#include "engine/kit/kit.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/json.h"

namespace millrace::engine::kit {

std::string to_string(const Schedule& s) {
  return fmt::format("batches of {}, reload {}, repartition {}, {} stores", s.batch, s.reload, s.repartition,
                     s.stores);
}

std::vector<Schedule> schedules() {
  std::vector<Schedule> all;
  for (const size_t batch : {1, 7, 1024}) {
    for (const bool reload : {false, true}) {
      for (const bool repartition : {false, true}) {
        for (const uint32_t stores : {1, 3}) all.push_back({batch, reload, repartition, stores});
      }
    }
  }
  return all;
}

Batch slice(const Batch& rows, size_t from, size_t count) {
  Batch out;
  out.columns.resize(rows.columns.size());
  for (size_t c = 0; c < rows.columns.size(); ++c) {
    out.columns[c].type = rows.columns[c].type;
    for (size_t i = from; i < from + count; ++i) out.columns[c].append_from(rows.columns[c], i);
  }
  for (size_t i = from; i < from + count && i < rows.origins.size(); ++i)
    out.origins.push_back(rows.origins[i]);
  out.rows = count;
  return out;
}

Selection all_rows(const Batch& batch) {
  Selection all(batch.rows);
  for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

std::string printed(const Batch& batch) {
  std::vector<std::string> names;
  std::vector<const Column*> columns;
  for (const Column& c : batch.columns) {
    names.push_back(std::to_string(names.size()));
    columns.push_back(&c);
  }
  formats::JsonRowWriter writer(names);
  std::string out;
  for (size_t i = 0; i < batch.rows; ++i) {
    writer.append(out, columns, i);
    out += '\n';
  }
  return out;
}

namespace {

using Store = std::unique_ptr<state::StateStore>;

std::vector<Store> make_stores(uint32_t count) {
  std::vector<Store> stores;
  for (uint32_t i = 0; i < count; ++i) stores.push_back(state::StateStore::make({}));
  return stores;
}

// Saved and loaded: every row copied into new stores by its key group.
std::vector<Store> reloaded(const QueryPlan& plan, const std::vector<Store>& stores) {
  auto fresh = make_stores(static_cast<uint32_t>(stores.size()));
  for (const Store& store : stores) {
    const auto status = split_state(plan, *store->freeze(), [&](uint32_t key_group) -> state::StateStore& {
      return *fresh[worker_of_key_group(key_group, static_cast<uint32_t>(fresh.size()))];
    });
    CHECK(status.ok(), "the copy fits");
  }
  return fresh;
}

class Run {
 public:
  Run(const QueryPlan& plan, const Schedule& schedule)
      : schedule_(schedule), stores_(make_stores(schedule.stores)) {
    auto changed = std::make_shared<QueryPlan>(plan);
    changed->repartition = schedule.repartition;
    if (schedule.repartition) {
      auto topic = std::make_shared<StreamDef>();
      topic->partitions = 5;
      changed->repartition_topic = topic;
    }
    plan_ = changed;
    aggregation_ = std::make_unique<Aggregation>(plan_);
  }

  std::string operator()(const Batch& rows) {
    for (size_t from = 0; from < rows.rows; from += schedule_.batch) {
      const Batch batch = slice(rows, from, std::min(schedule_.batch, rows.rows - from));
      schedule_.repartition ? send(batch, from) : keep(batch, from);
      if (schedule_.reload) stores_ = reloaded(*plan_, stores_);
    }
    Batch out;
    std::vector<std::shared_ptr<const state::Epoch>> epochs;
    for (const Store& store : stores_) epochs.push_back(store->freeze());
    const Status status = Aggregation::read_groups(*plan_, epochs, nullptr, out);
    return status.ok() ? printed(out) + failures_ : status.error().to_string();
  }

 private:
  // A partition's rows go to the store of the worker that reads it.
  void keep(const Batch& batch, size_t from) {
    for (uint32_t s = 0; s < schedule_.stores; ++s) {
      Selection mine;
      for (uint32_t i = 0; i < batch.rows; ++i) {
        const uint32_t partition = batch.origins[i].partition.value;
        if (worker_of_partition(partition, plan_->source->partitions, schedule_.stores) == s)
          mine.push_back(i);
      }
      std::vector<RowError> errors;
      const Status status = aggregation_->add(batch, mine, *stores_[s], errors, nullptr);
      CHECK(status.ok(), "the groups fit");
      note(errors, from);
    }
  }
  // Each topic partition's record goes to the worker that reads it.
  void send(const Batch& batch, size_t from) {
    const uint16_t partitions = plan_->repartition_topic->partitions;
    std::vector<std::pair<uint32_t, std::string>> records;
    const auto write = [&](size_t p, std::string_view value) {
      records.emplace_back(worker_of_partition(static_cast<uint32_t>(p), partitions, schedule_.stores),
                           value);
    };
    std::vector<RowError> errors;
    Selection all = all_rows(batch);
    const size_t full_bytes = from % 2 == 0 ? SIZE_MAX : 1;  // one record a partition, or one an entry
    Status status = aggregation_->partial(batch, all, {partitions, full_bytes, write}, errors);
    CHECK(status.ok(), "rows become partial groups");
    note(errors, from);
    for (const auto& [store, record] : records) {
      status = aggregation_->merge(record, *stores_[store], nullptr);
      CHECK(status.ok(), "what partial() made, merge() takes");
    }
  }
  void note(const std::vector<RowError>& errors, size_t from) {
    for (const RowError& e : errors) failed_.push_back({from + e.row, std::string(e.id)});
    failures_.clear();
    std::sort(failed_.begin(), failed_.end());
    for (const auto& [row, id] : failed_) failures_ += fmt::format("{} {}\n", row, id);
  }

  Schedule schedule_;
  std::shared_ptr<const QueryPlan> plan_;
  std::unique_ptr<Aggregation> aggregation_;
  std::vector<Store> stores_;
  std::vector<std::pair<size_t, std::string>> failed_;
  std::string failures_;
};

}  // namespace

std::string run_aggregation(const QueryPlan& plan, const Batch& rows, const Schedule& schedule) {
  return Run(plan, schedule)(rows);
}

std::string run_expression(const ExprPtr& expr, const Batch& rows, const Schedule& schedule) {
  Evaluator evaluator(expr);
  std::vector<std::string> lines(rows.rows);
  for (size_t from = 0; from < rows.rows; from += schedule.batch) {
    const Batch batch = slice(rows, from, std::min(schedule.batch, rows.rows - from));
    Selection selection = all_rows(batch);
    std::vector<RowError> errors;
    Batch result;
    result.columns.push_back(evaluator.evaluate(batch, selection, errors));
    for (const uint32_t row : selection) {
      std::string& line = lines[from + row];
      formats::JsonRowWriter({"v"}).append(line, {&result.columns[0]}, row);
    }
    for (const RowError& e : errors) lines[from + e.row] += e.id;
  }
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

ExprPtr column(int index, Type type) {
  auto e = std::make_shared<Expr>();
  e->op = Op::kColumn;
  e->type = type;
  e->column = index;
  return e;
}

ExprPtr literal(Scalar value) {
  constexpr Type kTypes[] = {Type::kNull, Type::kBoolean,     Type::kBigint,  Type::kDouble,
                             Type::kText, Type::kTimestamptz, Type::kInterval};
  auto e = std::make_shared<Expr>();
  e->type = kTypes[value.index()];
  e->literal = std::move(value);
  return e;
}

ExprPtr null_of(Type type) {
  auto e = std::make_shared<Expr>();
  e->type = type;
  return e;
}

ExprPtr call(Op op, Type type, std::vector<ExprPtr> args) {
  auto e = std::make_shared<Expr>();
  e->op = op;
  e->type = type;
  e->args = std::move(args);
  return e;
}

}  // namespace millrace::engine::kit
