#include "event-gateway/select_inputs.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace millrace::gateway {

using engine::SelectPlan;

void SelectInputs::add(const SelectPlan* plan, std::function<Result<Batch>()> rows,
                       std::shared_ptr<void> keep) {
  inputs_.push_back({plan, std::move(rows), std::move(keep)});
}

Result<engine::SelectRows> SelectInputs::rows() {
  engine::SelectRows out;
  for (Input& input : inputs_) {
    TRY_ASSIGN(Batch rows, input.rows());
    out.emplace(input.plan, std::move(rows));
  }
  return out;
}

void SelectInputs::add_reads(const std::string& stream, const std::vector<PartitionRead>& reads) {
  for (size_t p = 0; p < reads.size(); ++p) {
    const PartitionRead& read = reads[p];
    if (read.events == 0 && !read.oldest) continue;
    reads_ += fmt::format("\n    -> {}, partition {}: ", stream, p);
    reads_ += read.events == 0 ? "no event"
                               : fmt::format("{} events, offsets {} to {}", read.events, read.first.value,
                                             read.last.value);
    if (read.oldest > Offset(0)) reads_ += fmt::format("; kept from {}", read.oldest->value);
  }
}

namespace {

class InputReader : public std::enable_shared_from_this<InputReader> {
 public:
  using Done = std::function<void(Result<std::shared_ptr<SelectInputs>>)>;
  InputReader(const SelectReaders& readers, const SelectPlan& plan,
              std::shared_ptr<StatementLimits::Work> work, Done done)
      : readers_(readers), plans_(engine::reads_of(plan)), work_(std::move(work)), done_(std::move(done)) {}

  void next() {
    if (work_->stop.requested()) return done_(engine::stopped());
    if (next_ == plans_.size()) return done_(std::move(inputs_));
    const SelectPlan& plan = *plans_[next_++];
    if (plan.view) return read_view(plan);
    read_stream(plan, plan.stream ? plan.stream : plan.dead_letters);
  }

 private:
  void read_view(const SelectPlan& plan) {
    if (readers_.views == nullptr) return done_(no_processor());
    readers_.views->read(plan.view->id, [self = shared_from_this(), &plan](Result<engine::ViewAtCut> view) {
      if (!view.ok()) return self->done_(std::move(view).error());
      auto at = std::make_shared<engine::ViewAtCut>(std::move(*view));
      self->inputs_->add(
          &plan, [at] { return engine::view_rows(*at); }, at);
      self->next();
    });
  }

  void read_stream(const SelectPlan& plan, const engine::StreamPtr& stream) {
    ScanRequest request = scan_for(plan, stream);
    if (!end_) end_ = readers_.streams.end_of();  // one for all reads of the statement
    request.end = end_;
    request.work = work_;
    const auto share = request.share = readers_.budget.share();
    scan_stream(readers_.streams, readers_.background, std::move(request),
                [self = shared_from_this(), &plan, share,
                 name = stream->name](Result<std::shared_ptr<ScannedRows>> scanned) {
                  if (!scanned.ok()) return self->done_(std::move(scanned).error());
                  self->inputs_->add_reads(name, (*scanned)->reads);
                  struct Kept {
                    std::shared_ptr<ScannedRows> rows;
                    std::shared_ptr<ReadBudget::Share> share;
                  };
                  auto kept = std::make_shared<Kept>(Kept{std::move(*scanned), share});
                  self->inputs_->add(
                      &plan, [rows = kept->rows.get()] { return Result<Batch>(std::move(rows->rows)); },
                      kept);
                  self->next();
                });
  }

  const SelectReaders readers_;
  const std::vector<const SelectPlan*> plans_;
  const std::shared_ptr<StatementLimits::Work> work_;
  Done done_;
  size_t next_ = 0;
  std::optional<engine::StreamPlace> end_;
  std::shared_ptr<SelectInputs> inputs_ = std::make_shared<SelectInputs>();
};

}  // namespace

void read_inputs(const SelectReaders& readers, const SelectPlan& plan,
                 std::shared_ptr<StatementLimits::Work> work,
                 std::function<void(Result<std::shared_ptr<SelectInputs>>)> done) {
  std::make_shared<InputReader>(readers, plan, std::move(work), std::move(done))->next();
}

Error no_processor() {
  return error(Code::kUnavailable, "MR-QRY-0001",
               "this node runs no queries: it takes in events and serves reads",
               "ask a node that was started by `millrace serve` with the stream-processor");
}

}  // namespace millrace::gateway
