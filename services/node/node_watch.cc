#include "node/node_watch.h"

#include <fmt/format.h>

namespace millrace::node {
namespace {

// What there is more of than the last time, by name.
template <typename Reason, typename Counts>
void say_growth(NodeLog& log, const Counts& now, Counts& before, std::string_view what) {
  for (size_t i = 0; i < now.size(); ++i) {
    if (now[i] > before[i]) {
      log.say(LogLevel::kWarning, "ingest",
              fmt::format("{} {}: {}", now[i] - before[i], what, name_of(static_cast<Reason>(i))));
    }
  }
  before = now;
}

}  // namespace

NodeWatch::NodeWatch(NodeLog& log, log::Journal& journal, const gateway::Ingest& ingest)
    : log_(log),
      journal_(journal),
      ingest_(ingest),
      summary_at_us_(journal.now().value),
      clock_jumps_(journal.clock_jumps()) {}

void NodeWatch::look(AppendTime at) {
  look_at_journal();
  const int64_t now = at.value;
  if (now - ticked_at_us_ >= kTickUs) {
    ticked_at_us_ = now;
    log_.tick();
  }
  if (now - summary_at_us_ < kSummaryUs) return;
  summary_at_us_ = now;
  look_at_ingest();
}

void NodeWatch::look_at_journal() {
  if (journal_.disk_low() != disk_low_) {
    disk_low_ = journal_.disk_low();
    if (disk_low_)
      log_.say(LogLevel::kError, "journal", "the disk is nearly full: ingest is refused",
               {"MR-LOG-0004", ""});
    else
      log_.say(LogLevel::kInfo, "journal", "there is room on the disk again: ingest goes on");
  }
  if (journal_.clock_jumps() != clock_jumps_) {
    clock_jumps_ = journal_.clock_jumps();
    log_.say(LogLevel::kWarning, "journal", "the wall clock has jumped: the log's clock follows it slowly");
  }
}

void NodeWatch::look_at_ingest() {
  const auto& now = ingest_.accounts();
  say_growth<gateway::Rejection>(log_, now.rejected_events, rejected_, "events were rejected");
  say_growth<gateway::Refusal>(log_, now.refused_requests, refused_, "ingest requests were refused");
  if (now.dead_letters > dead_letters_)
    log_.say(LogLevel::kWarning, "ingest",
             fmt::format("{} events did not fit and are dead letters", now.dead_letters - dead_letters_));
  dead_letters_ = now.dead_letters;
}

void NodeWatch::query_failed(const sql::Catalog& catalog, const engine::QueryPlan& query, const Error& why) {
  const std::string* tenant = catalog.tenant_name(query.tenant);
  log_.say(LogLevel::kError, "query", fmt::format("\"{}\" has stopped: {}", query.name, why.message),
           {why.id, tenant == nullptr ? std::string_view() : *tenant});
}

void NodeWatch::snapshot_failed(const Error& why) {
  log_.say(LogLevel::kWarning, "snapshot",
           fmt::format("a snapshot could not be written, the next start takes longer: {}", why.message),
           {why.id, ""});
}

}  // namespace millrace::node
