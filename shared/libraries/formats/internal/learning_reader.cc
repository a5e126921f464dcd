#include "formats/internal/learning_reader.h"

#include <algorithm>

namespace millrace::formats {

LearningReader::LearningReader(const Schema& schema, const std::vector<int>& wanted)
    : slots_(schema, wanted), general_(slots_), shapes_(slots_) {}

bool LearningReader::read(std::string_view event, size_t row) {
  if (left_-- == 0) [[unlikely]]
    review();
  if (resting_) return general_.read(event, row);
  if (shapes_.read(event, row)) [[likely]]
    return true;
  slots_.clear(row);
  return read_general(event, row);
}

bool LearningReader::read_general(std::string_view event, size_t row) {
  ++misses_;
  if (!general_.read(event, row)) return false;
  if (learned_ < kLearnedAWindow) {
    ++learned_;
    shapes_.learn(event);
  }
  return true;
}

// A window has ended, or a rest.
void LearningReader::review() {
  left_ = kWindow - 1;
  const bool paid = misses_ < kWindow / 2;
  if (resting_) {
    resting_ = false;
  } else if (paid) {
    // Shapes that went out of use must not keep new ones out.
    if (shapes_.full() && misses_ > kWindow / 8) shapes_.forget();
    next_rest_ = kShortestRest;
  } else {
    shapes_.forget();
    resting_ = true;
    left_ = next_rest_ - 1;
    next_rest_ = std::min(2 * next_rest_, kLongestRest);
  }
  misses_ = learned_ = 0;
}

}  // namespace millrace::formats
