// Parser: tokens to syntax trees, by recursive descent; expressions by operator precedence (PostgreSQL's
// table).
//
// Files:       parse_statement.cc (statements, clauses), parse_query.cc (WITH, UNION, VALUES), parse_select.cc, parse_expression.cc, parse_type.cc
//              (type names), parse_path.cc. A clause that is PostgreSQL's but not ours yet is refused by name at its own place, never as a
//              mere syntax error.
// Bound:       see ast.h; expression() and prefix() count the depth of the recursion.
// Source:      V. Pratt, "Top Down Operator Precedence", 1973.
#pragma once

#include "sql/ast.h"
#include "sql/lexer.h"

namespace millrace::sql {

// Refuses TIMESTAMP(p) where a value is kept: as a column, or in a row.
Status check_time_precision(const ast::TypeName& type);

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens, const Parameters& parameters)
      : text_(text), tokens_(std::move(tokens)), parameters_(parameters), used_(parameters.size()) {}

  Result<std::vector<StatementPtr>> statements();

 private:
  // Statements.
  Result<ast::Body> statement();
  Result<ast::Body> create();
  Result<ast::Body> create_or_replace();
  Result<ast::Body> create_object();
  Result<ast::Body> create_stream();
  Result<ast::Body> create_view();
  Result<ast::Body> create_query(ast::CreateQuery query);
  Status create_query_tail(ast::CreateQuery& query);
  Status emit(ast::CreateQuery& query);
  Status late_data(ast::CreateQuery& query);
  Result<ast::Body> drop();
  Result<ast::Body> show();
  Result<ast::Body> explain();
  Result<ast::Body> pause();
  Result<ast::Body> alter();
  Status added_columns(ast::Alter& out);
  Status added_column(ast::Alter& out);
  Result<ast::Body> insert();
  bool explains_a_name();
  Status stream_elements(ast::CreateStream& out);
  Status stream_element(ast::CreateStream& out);
  Status primary_key(ast::CreateStream& out, const ast::Name& column);
  Result<ast::ColumnDecl> column();
  Result<ast::Watermark> watermark();
  Status options(std::vector<ast::Option>& out);
  Result<ast::Option> option();
  Result<bool> if_not_exists();
  Result<ast::Name> show_target();

  // Queries.
  Result<ast::Query> query();
  bool starts_query(size_t ahead = 0) const;
  Result<ast::QueryPtr> subquery();  // (query)
  Status with_list(ast::Query& out);
  Result<ast::Cte> cte();
  Result<ast::Query> set_operations(size_t& count);
  Result<ast::Query> intersections(size_t& count);
  Result<ast::Query> set_operation(ast::Query left, bool intersect, size_t& count);
  Result<ast::Query> query_primary();
  Result<ast::Query> table();
  Result<ast::Query> values();
  Result<ast::Query> select();
  // GROUP BY (parse_grouping.cc).
  Status group_by(ast::Query& out);
  Status multiply(ast::GroupingSets& sets, const ast::GroupingSets& by);
  Result<ast::GroupingSets> grouping_element(ast::Query& out, bool& plain);
  Result<ast::GroupingSets> grouping_parts(ast::Query& out, bool elements);
  Result<ast::GroupingSets> rolled_up(const ast::GroupingSets& parts) const;
  Result<ast::GroupingSets> cubed(const ast::GroupingSets& parts) const;
  Result<std::vector<uint32_t>> grouping_keys(ast::Query& out);
  bool starts_key_list() const;
  Status fetch_first(ast::Query& out);
  Result<std::vector<ast::Name>> column_names();
  Status alias(ast::TableRef& out);
  Status select_list(ast::Query& out);
  Result<ast::SelectItem> select_item();
  Result<ast::TableRef> table_ref();
  Result<bool> window_call(ast::TableRef& out);
  Status session_partition(ast::TableRef& out);
  Status window_arguments(ast::TableRef& out, const char* usage);
  Result<ast::ExprPtr> window_time();
  bool starts_rows() const;
  Status window_of_rows(ast::TableRef& out);
  Status query_tail(ast::Query& out);
  Status order_by(ast::Query& out);
  Result<ast::OrderItem> order_item();
  Status select_modifiers(ast::Query& query);
  Status refuse_after_from();
  Status refuse_tail_words();

  // Expressions. `level` is the lowest precedence that may continue the expression.
  Result<ast::ExprPtr> expression(int level = 0);
  Result<ast::ExprPtr> operand(int level);
  Result<ast::ExprPtr> prefix();
  Error too_deep() const;
  Result<ast::ExprPtr> primary();
  Result<ast::ExprPtr> word_primary();
  Result<ast::ExprPtr> name_primary();
  Result<ast::ExprPtr> parenthesized();
  Result<ast::ExprPtr> case_expression();
  Result<ast::ExprPtr> cast_expression();
  Result<ast::ExprPtr> call(const ast::Name& function);
  // Calls with words between their arguments (parse_call.cc).
  Result<ast::ExprPtr> spelled_call(const std::string& word);
  Status extract_arguments(ast::Expr& out);
  Status position_arguments(ast::Expr& out);
  Status substring_arguments(ast::Expr& out);
  Status overlay_arguments(ast::Expr& out);
  Status trim_arguments(ast::Expr& out);
  Status unit_arguments(ast::Expr& out);
  Status named_arguments(ast::Expr& out);
  Result<ast::ExprPtr> clock_word();
  Status argument(ast::Expr& out);
  Status arguments(ast::Expr& out);
  Status order_of(ast::Expr& out);
  Status filter_of(ast::Expr& out);
  Status within_group_of(ast::Expr& out);
  Result<ast::ExprPtr> string_literal();
  Result<ast::ExprPtr> parameter();
  Status check_parameters(const Statement& statement) const;
  Status check_all_used() const;
  Result<ast::ExprPtr> typed_string(const ast::TypeName& type);
  Result<ast::ExprPtr> interval_literal();
  Result<ast::ExprPtr> hexadecimal_literal();
  Result<ast::ExprPtr> infix(ast::ExprPtr left, int level);
  // Arrays (parse_array.cc).
  Status array_suffix(ast::TypeName& made);
  Result<ast::ExprPtr> array_constructor();
  Result<ast::ExprPtr> subscript(ast::ExprPtr left);
  Result<ast::ExprPtr> slice_bound();
  bool is_quantifier() const;
  Result<ast::ExprPtr> quantified(ast::ExprPtr left, const SourceSpan& op, std::string text);
  Result<ast::ExprPtr> collate(ast::ExprPtr left);
  // Rows (parse_row.cc).
  Result<Type> row_type_fields(const SourceSpan& first);
  Status closing_angle();
  Result<ast::ExprPtr> row_constructor();
  Result<ast::ExprPtr> bare_row(const Token& open, ast::ExprPtr field);
  Result<ast::ExprPtr> rest_of_row(ast::ExprPtr expr);
  Result<ast::ExprPtr> field(ast::ExprPtr row);
  Result<ast::ExprPtr> at_time_zone(ast::ExprPtr left);
  Result<ast::ExprPtr> infix_word(ast::ExprPtr left, int level);
  Result<ast::ExprPtr> is_test(ast::ExprPtr left);
  Result<ast::ExprPtr> between(ast::ExprPtr left, bool negated);
  Result<ast::ExprPtr> in_list(ast::ExprPtr left, bool negated);
  Result<ast::ExprPtr> like(ast::ExprPtr left, const Token& word, bool negated);
  Result<ast::ExprPtr> overlaps(ast::ExprPtr left);
  Result<ast::ExprPtr> chain(ast::ExprKind kind, ast::ExprPtr left, int level);
  Result<ast::ExprPtr> binary(ast::ExprPtr left, int level);
  int infix_level() const;

  // Type names.
  Result<ast::TypeName> type_name();
  Status type_modifiers(ast::TypeName& made, bool is_float, bool varying);
  Status time_zone_suffix(ast::TypeName& made);
  Result<uint32_t> type_number(int64_t least, int64_t most, std::string_view example);
  std::optional<size_t> type_words_before_string() const;

  // Nodes. finish() counts the node and checks its height.
  ast::ExprPtr node(ast::ExprKind kind, const SourceSpan& span);
  Result<ast::ExprPtr> finish(ast::ExprPtr expr);

  // Tokens.
  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(next_ + ahead, tokens_.size() - 1)]; }
  const Token& previous() const { return tokens_[next_ == 0 ? 0 : next_ - 1]; }
  const Token& take() { return tokens_[next_ + 1 < tokens_.size() ? next_++ : next_]; }
  std::string_view raw(const Token& token) const { return token_text(text_, token); }
  bool is_word(std::string_view word, size_t ahead = 0) const;
  bool is_symbol(std::string_view symbol, size_t ahead = 0) const;
  bool is_string(size_t ahead = 0) const;
  bool is_name(size_t ahead = 0) const;  // a name where PostgreSQL takes a ColId
  bool take_word(std::string_view word);
  bool take_symbol(std::string_view symbol);
  Status expect_word(std::string_view word);
  Status expect_symbol(std::string_view symbol);
  Result<ast::Name> name(std::string_view what);
  Result<ast::Name> relation_name(std::string_view what);
  Result<ast::Name> label();  // after AS: any word
  SourceSpan span_from(const SourceSpan& first) const;
  Error unexpected(std::string hint) const;
  Error too_many(const SourceSpan& span, std::string_view what, size_t bound) const;

  std::string_view text_;
  std::vector<Token> tokens_;
  const Parameters& parameters_;
  std::vector<bool> used_;          // of parameters_
  std::vector<SourceSpan> places_;  // of parameters in this statement
  size_t parameter_bytes_ = 0;      // of their values, as often as they stand in the text
  size_t next_ = 0;
  size_t depth_ = 0;
  size_t query_depth_ = 0;
  size_t row_depth_ = 0;  // of the type that is being read
  size_t nodes_ = 0;
};

}  // namespace millrace::sql
