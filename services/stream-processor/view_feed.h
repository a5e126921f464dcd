// ViewFeed: what one subscriber of a view still has to get: its rows at a cut, then the changes after it.
//
// Threads: the core loop.
// Durable: a change is handed over only when the cut it reflects is durable.
// Bound:   kMaxBacklog rows of changes; a reader slower than that is cut off with kExhausted and subscribes
//          again. The rows it begins with do not count; the processor bounds what all feeds hold of those.
// End:     what was released is still handed out, then the error.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "engine/serving.h"
#include "stream-processor/view_changes.h"

namespace millrace::processor {

// One step's changes of a view, for all its feeds.
struct ViewChange {
  Cut at;
  AppendTime arrived;                    // of the first frame that the step took
  std::shared_ptr<const JsonRows> rows;  // null: being rendered
};

class ViewFeed {
 public:
  static constexpr size_t kMaxBacklog = 1'000'000;

  explicit ViewFeed(QueryId view) : view_(view) {}
  QueryId view() const { return view_; }
  uint64_t request = 0;  // the read that it begins with
  bool closed() const { return closed_; }

  // The rows at `cut`: changes up to there are in them.
  void begin(Cut cut, std::shared_ptr<const JsonRows> rows) {
    start_ = cut;
    started_ = true;
    if (!error_) released_.push_back({std::move(rows), std::nullopt});
  }
  // Held until the last of the first rows is read.
  size_t beginning_bytes() const {
    return released_.empty() || released_.front().arrived ? 0 : released_.front().rows->text.size();
  }
  void add(std::shared_ptr<const ViewChange> change) {
    if (error_ || closed_) return;
    const bool known = change->rows != nullptr;
    if (known) backlog_ += change->rows->size();
    waiting_.push_back({std::move(change), known});
    check_backlog();
  }
  // Moves what is durable to the reader, and tells it.
  void release(Cut durable) {
    bool any = false;
    while (started_ && !waiting_.empty() && waiting_.front().change->rows &&
           waiting_.front().change->at <= durable) {
      const auto [change, counted] = std::move(waiting_.front());
      waiting_.pop_front();
      const bool wanted = change->at > start_ && !change->rows->empty();
      if (counted && !wanted) backlog_ -= change->rows->size();
      if (!wanted) continue;
      if (!counted) backlog_ += change->rows->size();
      released_.push_back({change->rows, change->arrived});
      any = true;
    }
    check_backlog();
    if (any) tell();
  }
  void end(Error why) {
    if (error_) return;
    error_ = std::move(why);
    waiting_.clear();
    tell();
  }
  void tell() {
    if (ready_) ready_();
  }

  // The reader's side.
  void on_ready(std::function<void()> ready) { ready_ = std::move(ready); }
  // Called with the last row of a step's changes that the reader takes.
  void on_delivered(std::function<void(AppendTime arrived)> delivered) { delivered_ = std::move(delivered); }
  void close() {
    ready_ = nullptr;
    closed_ = true;
    released_.clear();
    waiting_.clear();
  }
  Result<size_t> pull(size_t max_rows, const engine::RowVisit& visit) {
    static const std::string kNoCursor;
    size_t n = 0;
    while (n < max_rows && !released_.empty()) {
      const Released& block = released_.front();
      for (; n < max_rows && next_ < block.rows->size(); ++n) {
        visit(block.rows->row(next_++), kNoCursor);
        if (block.arrived) --backlog_;
      }
      if (next_ < block.rows->size()) break;
      if (block.arrived && delivered_) delivered_(*block.arrived);
      released_.pop_front();
      next_ = 0;
    }
    if (n == 0 && error_) return *error_;
    return n;
  }

 private:
  void check_backlog() {
    if (backlog_ <= kMaxBacklog || error_) return;
    released_.clear();
    end(error(Code::kExhausted, "MR-STEP-0022", "the subscriber reads more slowly than the view changes",
              "subscribe again: it starts with the view's rows"));
  }

  struct Waiting {
    std::shared_ptr<const ViewChange> change;
    bool counted;  // in backlog_
  };
  struct Released {
    std::shared_ptr<const JsonRows> rows;
    std::optional<AppendTime> arrived;  // of a change, which counts as backlog
  };
  const QueryId view_;
  Cut start_;
  bool started_ = false;
  bool closed_ = false;
  std::optional<Error> error_;
  std::deque<Waiting> waiting_;  // not durable, not rendered, or not begun
  std::deque<Released> released_;
  size_t next_ = 0;     // in the front of released_
  size_t backlog_ = 0;  // rows of changes that were not handed out
  std::function<void()> ready_;
  std::function<void(AppendTime)> delivered_;
};

class ViewSubscription final : public engine::Subscription {
 public:
  explicit ViewSubscription(std::shared_ptr<ViewFeed> feed) : feed_(std::move(feed)) {
    feed_->on_ready([this] { notify(); });
  }
  ~ViewSubscription() override { feed_->close(); }
  Result<size_t> pull(size_t max_rows, const engine::RowVisit& visit) override {
    return feed_->pull(max_rows, visit);
  }

 private:
  std::shared_ptr<ViewFeed> feed_;
};

}  // namespace millrace::processor
