#include "sql/keywords.h"

#include <algorithm>
#include <array>

namespace millrace::sql {
namespace {

constexpr auto kReserved = std::to_array<std::string_view>({"all",          "analyse",
                                                            "analyze",      "and",
                                                            "any",          "array",
                                                            "as",           "asc",
                                                            "asymmetric",   "both",
                                                            "case",         "cast",
                                                            "check",        "collate",
                                                            "column",       "constraint",
                                                            "create",       "current_catalog",
                                                            "current_date", "current_role",
                                                            "current_time", "current_timestamp",
                                                            "current_user", "default",
                                                            "deferrable",   "desc",
                                                            "distinct",     "do",
                                                            "else",         "end",
                                                            "except",       "false",
                                                            "fetch",        "for",
                                                            "foreign",      "from",
                                                            "grant",        "group",
                                                            "having",       "in",
                                                            "initially",    "intersect",
                                                            "into",         "lateral",
                                                            "leading",      "limit",
                                                            "localtime",    "localtimestamp",
                                                            "not",          "null",
                                                            "offset",       "on",
                                                            "only",         "or",
                                                            "order",        "placing",
                                                            "primary",      "references",
                                                            "returning",    "select",
                                                            "session_user", "some",
                                                            "symmetric",    "table",
                                                            "then",         "to",
                                                            "trailing",     "true",
                                                            "union",        "unique",
                                                            "user",         "using",
                                                            "variadic",     "when",
                                                            "where",        "window",
                                                            "with"});
static_assert(std::is_sorted(kReserved.begin(), kReserved.end()));

constexpr auto kTypeOrFunction = std::to_array<std::string_view>(
    {"authorization", "binary", "collation", "concurrently", "cross",   "current_schema", "freeze", "full",
     "ilike",         "inner",  "is",        "isnull",       "join",    "left",           "like",   "natural",
     "notnull",       "outer",  "overlaps",  "right",        "similar", "tablesample",    "verbose"});
static_assert(std::is_sorted(kTypeOrFunction.begin(), kTypeOrFunction.end()));

// PostgreSQL's words that need AS before them as a label, and our own EMIT, which follows a query.
constexpr auto kNeedsAs = std::to_array<std::string_view>(
    {"between", "char", "character", "day", "emit", "filter", "hour", "late", "minute", "month", "over",
     "overlaps", "precision", "second", "varying", "within", "without", "year"});
static_assert(std::is_sorted(kNeedsAs.begin(), kNeedsAs.end()));

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool is_reserved(std::string_view word) {
  return std::binary_search(kReserved.begin(), kReserved.end(), word);
}
bool is_type_or_function_word(std::string_view word) {
  return std::binary_search(kTypeOrFunction.begin(), kTypeOrFunction.end(), word);
}
bool is_bare_label(std::string_view word) {
  return !is_reserved(word) && !is_type_or_function_word(word) &&
         !std::binary_search(kNeedsAs.begin(), kNeedsAs.end(), word);
}

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace millrace::sql
