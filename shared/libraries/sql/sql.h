// SQL: text to bound statements. Lexer, parser, binder and planner behind one call; nothing here runs
// anything.
//
//   parse(text)                    -> syntax trees (sql/ast.h), or an Error with line, column, span and hint
//   bind(tree, catalog, tenant)    -> a BoundStatement: names resolved, types checked, plans made
//
// Definitions (streams, views) are bound with ids that follow from the definition's number: see catalog.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/plan.h"
#include "sql/catalog.h"

namespace millrace::sql {

struct Statement;  // sql/ast.h
using StatementPtr = std::shared_ptr<const Statement>;

// The values of $1, $2, … in PostgreSQL's text form; none: NULL. Each takes its type from its context, as a bare
// 'string' does.
using Parameters = std::vector<std::optional<std::string>>;

// All statements of a text, ';'-separated. Bounds: 1 MB of text, and of parameters' values as often as they stand in
// it; nesting depth 200. Every parameter has to be used, by a query or an INSERT: a definition is kept as it was written.
Result<std::vector<StatementPtr>> parse(std::string_view text, const Parameters& parameters = {});
std::string statement_text(const Statement& statement);  // as written

enum class ObjectKind : uint8_t { kStream, kView };

struct CreateStream {        // declared columns
  engine::StreamDef stream;  // id unset
  bool if_not_exists = false;
  std::vector<EarlierColumns> earlier = {};
};
struct CreateQuery {  // CREATE MATERIALIZED VIEW, CREATE STREAM … AS; ids unset
  engine::QueryPlan plan;
  engine::StreamDef output;  // for CREATE STREAM … AS
  bool if_not_exists = false;
  bool or_replace = false;
  DefinitionId same;      // OR REPLACE of one that has this plan: nothing is to be done
  DefinitionId replaced;  // OR REPLACE of a view that keeps its groups and shows them as this one does
};
struct Select {
  engine::SelectPlan plan;
};
struct Subscribe {
  engine::PlanPtr view;  // one of the two
  engine::StreamPtr stream;
};
struct Drop {
  ObjectKind kind;
  std::string name;
  DefinitionId definition;  // 0: IF EXISTS and there is none
};
struct Show {
  enum class What : uint8_t { kStreams, kViews, kQueries, kColumns, kFunctions } what;
  std::string name;  // for kColumns
};
struct Explain {
  std::string text;                        // the plan
  engine::PlanPtr query;                   // of a view or a derived stream that is there: it says more
  std::optional<engine::SelectPlan> runs;  // EXPLAIN ANALYZE SELECT
  bool analyze = false;
};
struct Pause {  // or RESUME
  DefinitionId definition;
  bool pause = true;
};
struct Alter {  // of a declared stream, what comes in and how long it is kept; or what queries can read of it
  DefinitionId definition;
  std::string from, to;  // its CREATE STREAM, and what becomes of it
  DefinitionId last;     // it adds columns, which definitions up to this one do not see; 0: it adds none
  engine::SchemaRef
      schema;  // that `to` names: to be looked up where its version or its id is not said (schema_text.h)
};
struct Insert {
  engine::StreamPtr stream;
  engine::SelectPlan rows;  // its outputs are columns of the stream, by name and type
};
using BoundStatement =
    std::variant<CreateStream, CreateQuery, Select, Subscribe, Drop, Show, Explain, Pause, Alter, Insert>;

// `text` is the statement's own text: spans in errors are relative to the text given to parse(). `now`: what now() is in an
// ad-hoc query; without it, as in a definition, there is none.
Result<BoundStatement> bind(const Statement& statement, const Catalog& catalog, TenantId tenant,
                            std::optional<Timestamp> now = std::nullopt);

// "error MR-SQL-…: …\n  line | text\n       ^^^^\nhint: …" for a person.
std::string render_error(const Error& error, std::string_view text);

}  // namespace millrace::sql
