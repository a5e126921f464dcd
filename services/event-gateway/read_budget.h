// ReadBudget: what SELECTs hold in memory, all together: rows that were read to be filtered and sorted, answers that
// their clients have not taken.
//
// Why:     a scan bounds one SELECT; nothing else bounds a thousand of them, or a thousand clients that do not read.
// Share:   one statement's part. It grows before the memory is taken; what it has goes back when it goes.
// Bound:   `most` bytes; a share that is alone may have more (a view may be larger than any bound).
// Threads: resize() on the core loop; a share may end on any thread, after the budget's owner too.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "event/batch.h"

namespace millrace::gateway {

class ReadBudget : public std::enable_shared_from_this<ReadBudget> {
 public:
  static constexpr size_t kMost = size_t{1} << 30;

  class Share {
   public:
    explicit Share(std::shared_ptr<ReadBudget> budget) : budget_(std::move(budget)) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { budget_->used_ -= bytes_; }

    // False: it stays as it is. Shrinking always succeeds.
    bool resize(size_t bytes) {
      const size_t others = budget_->used_.load() - bytes_;
      if (bytes > bytes_ && others > 0 && others + bytes > budget_->most_) return false;
      budget_->used_ += bytes - bytes_;  // unsigned: down as well as up
      bytes_ = bytes;
      return true;
    }

   private:
    const std::shared_ptr<ReadBudget> budget_;
    size_t bytes_ = 0;
  };

  explicit ReadBudget(size_t most = kMost) : most_(most) {}
  std::shared_ptr<Share> share() { return std::make_shared<Share>(shared_from_this()); }
  size_t used() const { return used_.load(); }

 private:
  const size_t most_;
  std::atomic<size_t> used_{0};
};

// What rows take as columns, without their texts: the largest kind of value, and whether it is there.
constexpr size_t bytes_of_columns(size_t rows, size_t columns) {
  return rows * columns * (sizeof(std::string_view) + 1);
}
inline size_t bytes_of(const Batch& batch) {
  return bytes_of_columns(batch.rows, batch.columns.size()) + batch.arena->bytes();
}

}  // namespace millrace::gateway
