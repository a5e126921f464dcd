// The errors of the SQL front end: one stable id a kind of mistake. docs/sql/errors.md explains each; a test
// compares.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::sql {

inline constexpr std::string_view kSyntaxError = "MR-SQL-0001";
inline constexpr std::string_view kBadToken = "MR-SQL-0002";
inline constexpr std::string_view kTextTooLong = "MR-SQL-0003";
inline constexpr std::string_view kTooComplex = "MR-SQL-0004";
inline constexpr std::string_view kUnsupported = "MR-SQL-0005";
inline constexpr std::string_view kBadParameter = "MR-SQL-0006";
inline constexpr std::string_view kUnknownRelation = "MR-SQL-0010";
inline constexpr std::string_view kUnknownColumn = "MR-SQL-0011";
inline constexpr std::string_view kAmbiguousColumn = "MR-SQL-0012";
inline constexpr std::string_view kNameTaken = "MR-SQL-0013";
inline constexpr std::string_view kDuplicateColumn = "MR-SQL-0014";
inline constexpr std::string_view kReservedName = "MR-SQL-0015";
inline constexpr std::string_view kWrongKind = "MR-SQL-0016";
inline constexpr std::string_view kStillRead = "MR-SQL-0017";
inline constexpr std::string_view kCannotReplace = "MR-SQL-0018";
inline constexpr std::string_view kNoOperator = "MR-SQL-0020";
inline constexpr std::string_view kTypeMismatch = "MR-SQL-0021";
inline constexpr std::string_view kBadLiteral = "MR-SQL-0022";
inline constexpr std::string_view kUnknownType = "MR-SQL-0023";
inline constexpr std::string_view kNoCast = "MR-SQL-0024";
inline constexpr std::string_view kUnknownFunction = "MR-SQL-0025";
inline constexpr std::string_view kBadArguments = "MR-SQL-0026";
inline constexpr std::string_view kBadRegularExpression = "MR-SQL-0027";
inline constexpr std::string_view kBadOption = "MR-SQL-0030";
inline constexpr std::string_view kBadWatermark = "MR-SQL-0031";
inline constexpr std::string_view kBadPath = "MR-SQL-0032";
inline constexpr std::string_view kBadPrimaryKey = "MR-SQL-0033";
inline constexpr std::string_view kNotGrouped = "MR-SQL-0040";
inline constexpr std::string_view kMisplacedAggregate = "MR-SQL-0041";
inline constexpr std::string_view kNeverFinal = "MR-SQL-0042";
inline constexpr std::string_view kNeedsWindow = "MR-SQL-0043";
inline constexpr std::string_view kBadWindow = "MR-SQL-0044";
inline constexpr std::string_view kBadLateStream = "MR-SQL-0045";
inline constexpr std::string_view kBadPosition = "MR-SQL-0050";
inline constexpr std::string_view kBadLimit = "MR-SQL-0051";
inline constexpr std::string_view kBadDefinition = "MR-SQL-0060";

inline Error error_at(Code code, std::string_view id, const SourceSpan& span, std::string message,
                      std::string hint = {}) {
  Error e = error(code, id, std::move(message), std::move(hint));
  if (span.line > 0) e.span = span;
  return e;
}
inline Error invalid_at(std::string_view id, const SourceSpan& span, std::string message,
                        std::string hint = {}) {
  return error_at(Code::kInvalid, id, span, std::move(message), std::move(hint));
}
inline Error unsupported_at(const SourceSpan& span, std::string message, std::string hint) {
  return error_at(Code::kUnsupported, kUnsupported, span, std::move(message), std::move(hint));
}

// From the start of `first` to the end of `last`.
inline SourceSpan join(const SourceSpan& first, const SourceSpan& last) {
  SourceSpan span = first;
  const uint32_t end = last.offset + last.length;
  if (end > first.offset) span.length = end - first.offset;
  return span;
}

// The candidates that are a typing mistake away from `name`, nearest first, at most three.
std::vector<std::string> close_names(std::string_view name, const std::vector<std::string>& candidates);
// `did you mean "a" or "b"?`, or empty.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);
// "a, b, c", shortened after a dozen.
std::string list_names(const std::vector<std::string>& names);

}  // namespace millrace::sql
