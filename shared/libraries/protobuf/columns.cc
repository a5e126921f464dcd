#include "protobuf/columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "protobuf/internal/library.h"
#include "protobuf/internal/row_reader.h"
#include "protobuf/internal/schema_impl.h"
#include "protobuf/message_codec.h"

namespace millrace::protobuf {

namespace {

std::string_view what_is_wrong(Fault fault) {
  switch (fault) {
    case Fault::kText:
      return "a text is not UTF-8";
    case Fault::kGroup:
      return "a group has no end, or ends that did not begin";
    case Fault::kPacked:
      return "packed values do not fill their bytes";
    case Fault::kRequired:
      return "it is required and missing";
    case Fault::kRange:
      return "the value is out of its range";
    default:
      return "it is cut off, or a number, length or type cannot be";
  }
}

RowError error_of(const RowFault& fault, size_t row) {
  const auto error = [&](std::string_view id, std::string message) {
    return RowError{static_cast<uint32_t>(row), id, std::move(message), {}};
  };
  if (fault.fault == Fault::kTooLong)
    return error("MR-PROTO-0013", fmt::format("the message has more than {} bytes", kMaxMessageBytes));
  if (fault.fault == Fault::kTooDeep)
    return error("MR-PROTO-0013", fmt::format("the message is nested more than {} deep", kMaxMessageDepth));
  std::string message = fmt::format("the field \"{}\": {}", fault.field, what_is_wrong(fault.fault));
  if (fault.at != std::string::npos) message += fmt::format(" (byte {})", fault.at);
  return error(fault.fault == Fault::kRange ? "MR-PROTO-0012" : "MR-PROTO-0011", std::move(message));
}

// Room for `more` rows, with what they have where payloads say nothing.
void grow(Column& column, const Initial& initial, size_t more) {
  const size_t rows = column.size();
  column.grow(more);
  if (initial.is_null) return;
  const auto fill = [&](auto& values, auto value) {
    if (!values.empty()) std::fill(values.begin() + static_cast<ptrdiff_t>(rows), values.end(), value);
  };
  fill(column.valid, uint8_t{1});
  fill(column.booleans, uint8_t{0});
  fill(column.integers, int64_t{0});
  fill(column.doubles, 0.0);
  fill(column.texts, initial.text);
}

}  // namespace

struct ColumnReader::Impl {
  schema::SchemaPtr schema;
  std::unique_ptr<ColumnProgram> program;
  RowReader reader;
};

ColumnReader::ColumnReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ColumnReader::~ColumnReader() = default;

Result<millrace::Schema> columns_of(const schema::Schema& schema, std::string_view full_name) {
  return guarded([&]() -> Result<millrace::Schema> {
    TRY_ASSIGN(const auto* type, message_named(as_protobuf(schema), full_name));
    millrace::Schema columns;
    for (int i = 0; i < type->field_count(); ++i) {
      const Type of = column_type(*type->field(i));
      if (of != Type::kNull) columns.push_back({.name = type->field(i)->name(), .type = of});
    }
    return columns;
  });
}

Result<std::unique_ptr<ColumnReader>> ColumnReader::make(schema::SchemaPtr schema, std::string_view full_name,
                                                         const millrace::Schema& columns) {
  return guarded([&]() -> Result<std::unique_ptr<ColumnReader>> {
    TRY_ASSIGN(const auto* type, message_named(as_protobuf(*schema), full_name));
    TRY_ASSIGN(auto program, column_program(*type, columns));
    const ColumnProgram& compiled = *program;
    auto impl = std::make_unique<Impl>(Impl{std::move(schema), std::move(program), RowReader(compiled)});
    return std::unique_ptr<ColumnReader>(new ColumnReader(std::move(impl)));
  });
}

void ColumnReader::decode(const std::vector<std::string_view>& payloads, Batch& out,
                          std::vector<RowError>& errors) {
  const ColumnProgram& program = *impl_->program;
  if (out.rows == 0) out.set_schema(program.columns);
  CHECK(out.columns.size() == program.columns.size(), "rows are appended to a batch of other columns");
  if (payloads.empty()) return;
  for (size_t i = 0; i < out.columns.size(); ++i) grow(out.columns[i], program.initials[i], payloads.size());
  impl_->reader.begin(out);
  for (const std::string_view payload : payloads) {
    const size_t row = out.rows++;
    if (impl_->reader.read(payload, row)) [[likely]]
      continue;
    for (Column& column : out.columns) column.valid[row] = 0;
    errors.push_back(error_of(impl_->reader.fault(), row));
  }
  for (Column& column : out.columns) column.shrink_valid();
}

}  // namespace millrace::protobuf
