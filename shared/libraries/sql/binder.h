// The binder's parts: one function a kind of statement. bind() in bind.cc is the only caller.
#pragma once

#include "sql/ast.h"
#include "sql/scope.h"

namespace millrace::sql {

inline constexpr std::string_view kDeadLetterName = "dead_letters";
inline constexpr int64_t kMaxPartitions = 256;  // as many as there are key groups

class CteScope;
struct BindWork;

struct BindContext {
  const Catalog& catalog;
  TenantId tenant;
  std::string_view text;           // the statement's, as written …
  uint32_t text_offset = 0;        // … and where it stands in the text that was parsed: spans count in that
  bool check_names = true;         // false: EXPLAIN and a definition read again may use a name that is taken
  BindWork* work = nullptr;        // of the whole statement (flatten.h)
  const CteScope* ctes = nullptr;  // what WITH named, around the place
  std::optional<Timestamp> now = {};  // of an ad-hoc query: now()
  DefinitionId reader =
      {};  // the definition whose text it is, which reads a stream as it was then; 0: a statement of now
};

// What a name in FROM stands for: exactly one of the two. Dead letters are a stream of kind kDeadLetters.
struct Relation {
  engine::StreamPtr stream;
  engine::PlanPtr view;
};
Result<Relation> resolve_relation(const BindContext& context, const ast::Name& name);
Status check_new_name(const BindContext& context, const ast::Name& name, bool if_not_exists);

// A window function's columns added to the scope of what it reads (bind_window.cc).
Result<Scope> make_scope(const ast::TableRef& from, Scope scope);
std::string_view window_name(const ast::TableRef& from);  // "TUMBLE", …
// Makes a group key, the start of a window, the plan's window. `scope` has the window function, or none: then the window
// is a view's TUMBLE.
void take_window(engine::QueryPlan& plan, size_t key, const Scope& scope);
Error window_in_no_set(const ast::Query& tree);  // a set of GROUPING SETS lacks the window
// A grouped query over windows of which a row has many: refuses their columns where a row would need one of
// them. `plan`'s expressions count in the source's columns.
Status check_windows(const ast::TableRef& from, const Scope& scope, const engine::QueryPlan& plan);
// TUMBLE and HOP of rows (bind_count_window.cc): their size; the group key that is one, if there is one, as the plan's;
// then what the groups of it cannot be.
Result<engine::CountWindow> bind_count_window(const ast::TableRef& from);
void take_count_window(engine::QueryPlan& plan, const engine::CountWindow& window);
// `spread`: a group's rows stand in several partitions of the source.
Status check_count_window(const ast::Query& tree, engine::QueryPlan& plan, const engine::StreamDef& source,
                          bool spread);
// Where a row has many windows, the groups that are kept are those of panes.
void group_by_panes(engine::QueryPlan& plan);

// The last column of a stream with a primary key (bind_stream.cc).
Status add_op_column(engine::StreamDef& stream, const SourceSpan& span);
// A grouped query over an updating stream: refuses what cannot take a row back, and counts each group's rows
// (bind_retraction.cc).
Status bind_retraction(engine::QueryPlan& plan);
// The place of a count(*), which is added if there is none.
int count_rows(std::vector<engine::AggregateCall>& calls);
// The changes of groups as a stream (bind_changes.cc): refuses those that cannot be, and adds what says what a row is: a
// primary key, of what the query groups by, or a changelog's column.
Status check_changes(const ast::CreateQuery& tree, const engine::QueryPlan& plan);
Status bind_upserts(const ast::CreateQuery& tree, const engine::QueryPlan& plan, engine::StreamDef& out);
Status bind_changelog(const ast::CreateQuery& tree, const engine::QueryPlan& plan, engine::StreamDef& out);

std::string_view set_name(ast::SetOperation set);  // "UNION", … (bind_source.cc)

struct SelectColumn {
  const ast::Expr* written = nullptr;  // null: from *
  engine::ExprPtr expr;
  std::string name;
  SourceSpan span;
  bool unknown = false;  // a bare string or NULL, taken for text
};
class ExpressionBinder;
// The SELECT list, * written out. Two columns of one name are an error, unless only their places count.
Result<std::vector<SelectColumn>> bind_select_list(const ast::Query& query, const Scope& scope,
                                                   ExpressionBinder& binder, bool by_name = true);
// GROUP BY 2, ORDER BY 2: the place in the SELECT list; nullopt if it is not an integer.
Result<std::optional<size_t>> select_position(const ast::Expr& expr, size_t columns, std::string_view clause);

// bind() without the check that a new name is free (bind.cc).
Result<BoundStatement> bind_definition(const Statement& statement, const Catalog& catalog, TenantId tenant,
                                       DefinitionId number);

Result<CreateStream> bind_create_stream(const ast::CreateStream& tree, const BindContext& context);
// The option that ALTER STREAM … ADD COLUMN keeps in a definition: '3:17, 4:20'.
inline constexpr std::string_view kColumnHistory = "column_history";
std::string to_text(const std::vector<EarlierColumns>& earlier);
Status bind_stream_option(const ast::Option& option, engine::StreamDef& out);
Result<Alter> bind_alter(const ast::Alter& tree, const BindContext& context);  // bind_alter.cc
Result<CreateQuery> bind_create_query(const ast::CreateQuery& tree, const BindContext& context);
// LATE DATA TO: a declared stream that takes the source's events as they are, and that does not lead back to the
// source (bind_late.cc).
Result<engine::StreamPtr> bind_late_stream(const BindContext& context, const ast::Name& name,
                                           const engine::StreamDef& source);
// Sets what CREATE OR REPLACE would replace: `same`, `replaced`, or neither, where there is none. A plan with another
// state is refused: what is kept would not be that of the query as written (bind_replace.cc).
Status find_replaced(const ast::CreateQuery& tree, CreateQuery& bound, const BindContext& context);
// A view's text may become the plan's: its state stays, nobody reads it, and a start, which binds by number, binds it.
bool may_replace(const Catalog& catalog, const Catalog::Entry& entry, const engine::QueryPlan& plan);
// The plan as that of the definition (catalog.cc).
engine::QueryPlan numbered(const CreateQuery& bound, DefinitionId id);
Result<Select> bind_select(const ast::Query& tree, const BindContext& context, bool by_name = true);

Result<Insert> bind_insert(const ast::Insert& tree, const BindContext& context);

// An ad-hoc query, also one inside another.
struct BoundSelect {
  engine::SelectPlan plan;
  std::vector<bool> unknown;  // columns that are a bare string or NULL, and still take a type
};
Status check_reads(const engine::SelectPlan& plan, const SourceSpan& span);  // how many streams and views
Result<BoundSelect> bind_nested(const ast::Query& tree, const BindContext& context, bool by_name = true);

}  // namespace millrace::sql
