// NodeWatch: what an operator wants to be told of a running node, told when it happens or, of what happens often, as
// how often it did in the last while.
//
// Threads: the core loop.
#pragma once

#include <array>

#include "event-gateway/gateway.h"
#include "log/journal.h"
#include "node/node_log.h"
#include "sql/catalog.h"

namespace millrace::node {

class NodeWatch {
 public:
  static constexpr int64_t kSummaryUs = 10'000'000;
  static constexpr int64_t kTickUs = 1'000'000;

  NodeWatch(NodeLog& log, log::Journal& journal, const gateway::Ingest& ingest);

  void look(AppendTime at);  // once a turn of the loop
  void query_failed(const sql::Catalog& catalog, const engine::QueryPlan& query, const Error& why);
  void snapshot_failed(const Error& why);

 private:
  void look_at_journal();
  void look_at_ingest();

  NodeLog& log_;
  log::Journal& journal_;
  const gateway::Ingest& ingest_;
  int64_t summary_at_us_;
  int64_t ticked_at_us_ = 0;
  bool disk_low_ = false;
  uint64_t clock_jumps_;
  decltype(gateway::IngestAccounts::rejected_events) rejected_{};
  decltype(gateway::IngestAccounts::refused_requests) refused_{};
  uint64_t dead_letters_ = 0;
};

}  // namespace millrace::node
