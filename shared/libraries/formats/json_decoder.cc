#include <algorithm>
#include <numeric>
#include <utility>

#include "event/text.h"
#include "formats/internal/learning_reader.h"
#include "formats/json.h"

namespace millrace::formats {
namespace {

std::vector<int> all_columns(const Schema& schema) {
  std::vector<int> wanted(schema.size());
  std::iota(wanted.begin(), wanted.end(), 0);
  return wanted;
}

// What comes in fits all columns, whenever they were declared.
Schema declared(Schema columns) {
  for (ColumnDef& column : columns) column.added = false;
  return columns;
}

}  // namespace

struct JsonDecoder::Impl {
  Impl(const Schema& all, const std::vector<int>& wanted) : reader(all, wanted) {
    for (const int index : wanted) schema.push_back(all[static_cast<size_t>(index)]);
  }
  Schema schema;
  LearningReader reader;
  Batch* out = nullptr;  // between begin() and end()
};

JsonDecoder::JsonDecoder(Schema schema, std::vector<int> wanted)
    : impl_(std::make_unique<Impl>(schema, wanted)) {}
JsonDecoder::~JsonDecoder() = default;

void JsonDecoder::decode(const std::vector<std::string_view>& values, Batch& out,
                         std::vector<RowError>& errors) {
  begin(out, values.size());
  for (const std::string_view value : values) add(value, errors);
  end();
}

void JsonDecoder::begin(Batch& out, size_t rows) {
  if (out.rows == 0) out.set_schema(impl_->schema);
  CHECK(out.columns.size() == impl_->schema.size(), "rows are appended to a batch of other columns");
  for (Column& column : out.columns) column.grow(rows);
  impl_->reader.attach(out.columns, *out.arena);
  impl_->out = &out;
}

void JsonDecoder::add(std::string_view value, std::vector<RowError>& errors) {
  Batch& out = *impl_->out;
  const size_t row = out.rows++;
  if (impl_->reader.read(value, row)) [[likely]]
    return;
  for (Column& column : out.columns) column.valid[row] = 0;
  EventReader::Failure failure = impl_->reader.failure();
  errors.push_back({static_cast<uint32_t>(row), failure.id, std::move(failure.message), {}});
}

void JsonDecoder::end() {
  Batch& out = *std::exchange(impl_->out, nullptr);
  for (Column& column : out.columns) {
    column.resize(out.rows);
    column.shrink_valid();
  }
}

struct JsonValidator::Impl {
  Impl(Schema columns, int key, EventRules event_rules)
      : schema(declared(std::move(columns))),
        reader(schema, all_columns(schema)),
        key_column(key),
        rules(std::move(event_rules)) {
    row.set_schema(schema);
    for (Column& column : row.columns) column.grow(1);
    reader.attach(row.columns, *row.arena);
  }
  Status check_rules() const;
  Status check_required() const;

  Schema schema;
  LearningReader reader;
  int key_column;
  EventRules rules;
  Batch row;  // one row, overwritten by each event
  std::string key;
};

Status JsonValidator::Impl::check_required() const {
  for (const int column : rules.required) {
    const auto at = static_cast<size_t>(column);
    if (row.columns[at].is_null(0))
      return error(Code::kInvalid, "MR-EVT-0013",
                   "column \"" + schema[at].name + "\" is NOT NULL, and NULL or missing");
  }
  return {};
}

Status JsonValidator::Impl::check_rules() const {
  for (const int column : rules.primary_key) {
    const auto at = static_cast<size_t>(column);
    if (row.columns[at].is_null(0))
      return error(Code::kInvalid, "MR-EVT-0011",
                   "column \"" + schema[at].name + "\" is of the primary key, and NULL or missing");
  }
  const Column* op = rules.op_column < 0 ? nullptr : &row.columns[static_cast<size_t>(rules.op_column)];
  const bool has_op = op != nullptr && !op->is_null(0);
  if (!has_op || op->texts[0] != rules.delete_op) TRY(check_required());
  if (!has_op || std::ranges::find(rules.ops, op->texts[0]) != rules.ops.end()) return {};
  std::string known;
  for (const std::string_view one : rules.ops)
    known += (known.empty() ? "\"" : ", \"") + std::string(one) + '"';
  return error(Code::kInvalid, "MR-EVT-0012",
               "member \"" + schema[static_cast<size_t>(rules.op_column)].name + "\" is none of " + known);
}

JsonValidator::JsonValidator(Schema schema, int key_column, EventRules rules)
    : impl_(std::make_unique<Impl>(std::move(schema), key_column, std::move(rules))) {}
JsonValidator::~JsonValidator() = default;

Result<std::optional<std::string_view>> JsonValidator::validate(std::string_view event) {
  if (event.size() > kMaxEventBytes) {
    return error(Code::kInvalid, "MR-EVT-0005",
                 "the event has " + std::to_string(event.size()) + " bytes, the bound is " +
                     std::to_string(kMaxEventBytes));
  }
  Impl& own = *impl_;
  for (Column& column : own.row.columns) column.valid[0] = 0;
  if (own.row.arena->bytes() != 0) own.row.arena->clear();
  if (!own.reader.read(event, 0)) [[unlikely]] {
    EventReader::Failure failure = own.reader.failure();
    return error(Code::kInvalid, failure.id, std::move(failure.message));
  }
  TRY(own.check_rules());
  if (own.key_column < 0) return std::optional<std::string_view>();
  const Column& column = own.row.columns[static_cast<size_t>(own.key_column)];
  if (column.is_null(0)) return std::optional<std::string_view>();
  if (physical(column.type) == Physical::kText) return std::optional<std::string_view>(column.texts[0]);
  own.key.clear();
  append_key_text(own.key, column, 0);
  return std::optional<std::string_view>(own.key);
}

namespace {

void append_int128(std::string& out, __int128 value) {
  unsigned __int128 rest =
      value < 0 ? 0 - static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  char buffer[40];
  char* p = buffer + sizeof buffer;
  do {
    *--p = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  if (value < 0) out += '-';
  out.append(p, static_cast<size_t>(buffer + sizeof buffer - p));
}

}  // namespace

// Equal values have equal bytes: -0 is 0, and intervals that compare equal are the same number of
// microseconds.
void append_key_text(std::string& out, const Column& column, size_t row) {
  if (column.is_null(row)) return;
  switch (physical(column.type)) {
    case Physical::kNone:
      return;
    case Physical::kBoolean:
      out += column.booleans[row] != 0 ? "true" : "false";
      return;
    case Physical::kInteger:
      return append_integer_text(out, column.type, column.integers[row]);
    case Physical::kDouble:
      return append_double_text(out, column.type, column.doubles[row] == 0 ? 0.0 : column.doubles[row]);
    case Physical::kText:
      out += column.texts[row];
      return;
    case Physical::kInterval:
      return append_int128(out, total_micros(column.intervals[row]));
  }
}

}  // namespace millrace::formats
