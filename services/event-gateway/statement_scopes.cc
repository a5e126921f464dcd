#include "event-gateway/statement_scopes.h"

#include <variant>

#include "engine/select_tree.h"

namespace millrace::gateway {
namespace {

Status check_any(const Caller& caller, Scope scope) {
  if (caller.scopes.has_any(static_cast<ScopeSet>(scope))) return {};
  return lacks_scope(caller, name_of(scope));
}

// SHOW and EXPLAIN tell of more than the names that they have.
Status check_all(const Caller& caller) {
  if (caller.scopes.allows_all(Scope::kQuery)) return {};
  return lacks_scope(caller, "query of all names");
}

Status check_reads(const CallerPtr& caller, const engine::SelectPlan& plan) {
  for (const auto* read : engine::reads_of(plan)) {
    const auto& stream = read->stream ? read->stream : read->dead_letters;
    TRY(check_scope(caller, Scope::kQuery, read->view ? read->view->name : stream->name));
  }
  return {};
}

struct FormCheck {
  const Caller& caller;
  Status operator()(const sql::ast::CreateStream&) const { return check_any(caller, Scope::kAdmin); }
  Status operator()(const sql::ast::CreateQuery&) const { return check_any(caller, Scope::kAdmin); }
  Status operator()(const sql::ast::Drop&) const { return check_any(caller, Scope::kAdmin); }
  Status operator()(const sql::ast::Pause&) const { return check_any(caller, Scope::kAdmin); }
  Status operator()(const sql::ast::Alter&) const { return check_any(caller, Scope::kAdmin); }
  Status operator()(const sql::ast::Select&) const { return check_any(caller, Scope::kQuery); }
  Status operator()(const sql::ast::Subscribe&) const { return check_any(caller, Scope::kQuery); }
  Status operator()(const sql::ast::Insert&) const { return check_any(caller, Scope::kIngest); }
  Status operator()(const sql::ast::Explain&) const { return check_all(caller); }
  Status operator()(const sql::ast::Show& show) const {
    switch (show.what) {
      case sql::Show::What::kStreams:
      case sql::Show::What::kViews:
      case sql::Show::What::kQueries:
        return check_all(caller);
      case sql::Show::What::kColumns:
      case sql::Show::What::kFunctions:
        return check_any(caller, Scope::kQuery);
    }
    return {};
  }
};

struct NameCheck {
  const CallerPtr& caller;
  Status operator()(const sql::Select& select) const { return check_reads(caller, select.plan); }
  Status operator()(const sql::Subscribe& subscribe) const {
    return check_scope(caller, Scope::kQuery, subscribe.view ? subscribe.view->name : subscribe.stream->name);
  }
  Status operator()(const sql::Show& show) const {
    if (show.what != sql::Show::What::kColumns) return {};
    return check_scope(caller, Scope::kQuery, show.name);
  }
  Status operator()(const sql::Insert& insert) const {
    TRY(check_scope(caller, Scope::kIngest, insert.stream->name));
    return check_reads(caller, insert.rows);
  }
  // All of the tenant's, or none: their form has said so.
  Status operator()(const sql::CreateStream&) const { return {}; }
  Status operator()(const sql::CreateQuery&) const { return {}; }
  Status operator()(const sql::Drop&) const { return {}; }
  Status operator()(const sql::Pause&) const { return {}; }
  Status operator()(const sql::Alter&) const { return {}; }
  Status operator()(const sql::Explain&) const { return {}; }
};

}  // namespace

bool changes_definitions(const sql::Statement& statement) {
  using namespace sql::ast;  // NOLINT
  const auto& body = statement.body;
  return std::holds_alternative<CreateStream>(body) || std::holds_alternative<CreateQuery>(body) ||
         std::holds_alternative<Drop>(body) || std::holds_alternative<Pause>(body) ||
         std::holds_alternative<Alter>(body);
}

Status check_form(const CallerPtr& caller, const sql::Statement& statement) {
  return caller == nullptr ? Status() : std::visit(FormCheck{*caller}, statement.body);
}

Status check_names(const CallerPtr& caller, const sql::BoundStatement& statement) {
  return caller == nullptr ? Status() : std::visit(NameCheck{caller}, statement);
}

}  // namespace millrace::gateway
