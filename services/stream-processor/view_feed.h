// ViewFeed: what one subscriber of a view still has to get: its rows at a cut, then the changes after it.
//
// Threads: the core loop. Bound: max_rows waiting; a reader slower than that is cut with kExhausted and
// subscribes again. Durable: the processor hands rows over only when the cut they reflect is durable.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "engine/serving.h"

namespace millrace::processor {

struct ViewFeed {
  static constexpr size_t kMaxRows = 1'000'000;

  QueryId view;
  Cut start;             // of the rows it began with
  bool started = false;  // the first rows are in
  bool closed = false;   // the subscriber went away
  std::optional<Error> error;
  std::deque<std::string> rows;
  std::deque<std::pair<Cut, std::shared_ptr<const std::vector<std::string>>>>
      waiting;  // not yet durable, or not yet started
  std::function<void()> ready;

  // Moves what is durable into rows; true if there is something new to pull.
  bool release(Cut durable) {
    bool any = false;
    while (started && !waiting.empty() && waiting.front().first <= durable) {
      if (waiting.front().first > start) {
        rows.insert(rows.end(), waiting.front().second->begin(), waiting.front().second->end());
        any = true;
      }
      waiting.pop_front();
    }
    if (rows.size() > kMaxRows && !error) {
      error = millrace::error(Code::kExhausted, "MR-STEP-0022",
                              "the subscriber reads more slowly than the view changes",
                              "subscribe again: it starts with the view's rows");
      rows.clear();
    }
    return any || error.has_value();
  }
};

class ViewSubscription final : public engine::Subscription {
 public:
  explicit ViewSubscription(std::shared_ptr<ViewFeed> feed) : feed_(std::move(feed)) {
    feed_->ready = [this] { notify(); };
  }
  ~ViewSubscription() override {
    feed_->ready = nullptr;
    feed_->closed = true;
  }
  Result<size_t> pull(size_t max_rows,
                      const std::function<void(std::string_view, const std::string&)>& visit) override {
    if (feed_->error) return *feed_->error;
    static const std::string kNoCursor;
    size_t n = 0;
    for (; n < max_rows && !feed_->rows.empty(); ++n) {
      visit(feed_->rows.front(), kNoCursor);
      feed_->rows.pop_front();
    }
    return n;
  }

 private:
  std::shared_ptr<ViewFeed> feed_;
};

}  // namespace millrace::processor
