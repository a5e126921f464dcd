#include "event/batch.h"

#include <cstring>

namespace millrace {

size_t Column::size() const {
  switch (physical(type)) {
    case Physical::kNone:
      return valid.size();
    case Physical::kBoolean:
      return booleans.size();
    case Physical::kInteger:
      return integers.size();
    case Physical::kDouble:
      return doubles.size();
    case Physical::kText:
      return texts.size();
    case Physical::kInterval:
      return intervals.size();
  }
  return 0;
}

void Column::clear() {
  valid.clear();
  booleans.clear();
  integers.clear();
  doubles.clear();
  texts.clear();
  intervals.clear();
}

void Column::resize(size_t rows) {
  if (!valid.empty() || type == Type::kNull) valid.resize(rows, type == Type::kNull ? 0 : 1);
  switch (physical(type)) {
    case Physical::kNone:
      break;
    case Physical::kBoolean:
      booleans.resize(rows);
      break;
    case Physical::kInteger:
      integers.resize(rows);
      break;
    case Physical::kDouble:
      doubles.resize(rows);
      break;
    case Physical::kText:
      texts.resize(rows);
      break;
    case Physical::kInterval:
      intervals.resize(rows);
      break;
  }
}

void Column::grow(size_t rows) {
  const size_t all = size() + rows;
  valid.resize(size(), 1);
  valid.resize(all, 0);
  resize(all);
}

void Column::shrink_valid() {
  if (!valid.empty() && std::memchr(valid.data(), 0, valid.size()) == nullptr) valid.clear();
}

void Column::append(const Scalar& value) {
  if (std::holds_alternative<std::monostate>(value)) return append_null();
  if (!valid.empty()) valid.push_back(1);
  switch (physical(type)) {
    case Physical::kNone:
      break;
    case Physical::kBoolean:
      booleans.push_back(std::get<bool>(value));
      break;
    case Physical::kInteger:
      integers.push_back(integer_of(value));
      break;
    case Physical::kDouble:
      doubles.push_back(std::get<double>(value));
      break;
    case Physical::kText:
      texts.push_back(std::get<std::string>(value));
      break;
    case Physical::kInterval:
      intervals.push_back(std::get<Interval>(value));
      break;
  }
}

void Column::append_null() {
  const size_t rows = size();
  valid.resize(rows, 1);
  resize(rows + 1);
  // resize() leaves an empty `valid` alone: the first row of a column may be its first NULL.
  valid.resize(rows + 1);
  valid[rows] = 0;
}

void Column::append_from(const Column& other, size_t row) {
  if (other.is_null(row) || type == Type::kNull) return append_null();
  if (!valid.empty()) valid.push_back(1);
  switch (physical(type)) {
    case Physical::kNone:
      break;
    case Physical::kBoolean:
      booleans.push_back(other.booleans[row]);
      break;
    case Physical::kInteger:
      integers.push_back(other.integers[row]);
      break;
    case Physical::kDouble:
      doubles.push_back(other.doubles[row]);
      break;
    case Physical::kText:
      texts.push_back(other.texts[row]);
      break;
    case Physical::kInterval:
      intervals.push_back(other.intervals[row]);
      break;
  }
}

Scalar Column::scalar(size_t row) const {
  if (is_null(row)) return std::monostate();
  switch (physical(type)) {
    case Physical::kNone:
      break;
    case Physical::kBoolean:
      return booleans[row] != 0;
    case Physical::kInteger:
      return integer_scalar(type, integers[row]);
    case Physical::kDouble:
      return doubles[row];
    case Physical::kText:
      return std::string(texts[row]);
    case Physical::kInterval:
      return intervals[row];
  }
  return std::monostate();
}

std::string_view Arena::keep(std::string_view bytes) {
  if (bytes.empty()) return {};
  char* place = allocate(bytes.size());
  std::memcpy(place, bytes.data(), bytes.size());
  return {place, bytes.size()};
}

char* Arena::allocate(size_t size) {
  used_ += size;
  if (size > left_) {
    // A large value gets a block of its own, so that the rest of the current one is not lost to it.
    if (size > kBlock / 4) {
      blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
      return blocks_.back().data.get();
    }
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(kBlock), kBlock});
    next_ = blocks_.back().data.get();
    left_ = kBlock;
  }
  char* place = next_;
  next_ += size;
  left_ -= size;
  return place;
}

void Arena::clear() {
  used_ = 0;
  left_ = 0;
  next_ = nullptr;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (blocks_[i].size != kBlock) continue;
    if (i != 0) std::swap(blocks_[0], blocks_[i]);
    blocks_.resize(1);
    next_ = blocks_[0].data.get();
    left_ = kBlock;
    return;
  }
  blocks_.clear();
}

void Batch::clear() {
  rows = 0;
  for (Column& column : columns) column.clear();
  weights.clear();
  origins.clear();
  raw.clear();
  // Somebody may still hold rows of the last step: then they keep that arena and this batch takes a new one.
  if (arena.use_count() == 1) {
    arena->clear();
  } else {
    arena = std::make_shared<Arena>();
  }
}

void Batch::set_schema(const Schema& schema) {
  columns.resize(schema.size());
  for (size_t i = 0; i < schema.size(); ++i) {
    columns[i].clear();
    columns[i].type = schema[i].type;
  }
}

}  // namespace millrace
