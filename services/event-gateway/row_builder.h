// RowBuilder: a small answer, cell by cell. For SHOW, EXPLAIN and the like; never for data.
#pragma once

#include <string_view>
#include <utility>

#include "event/batch.h"

namespace millrace::gateway {

class RowBuilder {
 public:
  explicit RowBuilder(Schema schema) : schema_(std::move(schema)) { rows_.set_schema(schema_); }

  RowBuilder& text(std::string_view value) {
    Column& column = next();
    column.texts.push_back(rows_.arena->keep(value));
    if (!column.valid.empty()) column.valid.push_back(1);
    return *this;
  }
  RowBuilder& number(int64_t value) {
    Column& column = next();
    column.integers.push_back(value);
    if (!column.valid.empty()) column.valid.push_back(1);
    return *this;
  }
  RowBuilder& real(double value) {
    Column& column = next();
    column.doubles.push_back(value);
    if (!column.valid.empty()) column.valid.push_back(1);
    return *this;
  }
  RowBuilder& boolean(bool value) {
    Column& column = next();
    column.booleans.push_back(value ? 1 : 0);
    if (!column.valid.empty()) column.valid.push_back(1);
    return *this;
  }
  RowBuilder& null() {
    next().append_null();
    return *this;
  }
  void end_row() {
    CHECK(at_ == schema_.size(), "a row has a cell for every column");
    at_ = 0;
    ++rows_.rows;
  }

  const Schema& schema() const { return schema_; }
  Batch take() { return std::move(rows_); }

 private:
  Column& next() { return rows_.columns[at_++]; }
  Schema schema_;
  Batch rows_;
  size_t at_ = 0;
};

}  // namespace millrace::gateway
