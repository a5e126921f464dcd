// GROUP BY: expressions, ROLLUP, CUBE and GROUPING SETS, multiplied out to sets of keys.
#include "sql/parser.h"

namespace millrace::sql {

Status Parser::group_by(ast::Query& out) {
  const SourceSpan first = take().span;
  TRY(expect_word("by"));
  ast::GroupingSets sets{{}};
  bool plain = true;
  do {
    TRY_ASSIGN(const ast::GroupingSets more, grouping_element(out, plain));
    TRY(multiply(sets, more));
  } while (take_symbol(","));
  if (!plain) out.grouping_sets = std::move(sets);
  out.group_span = span_from(first);
  return {};
}

// All pairs, each of both together.
Status Parser::multiply(ast::GroupingSets& sets, const ast::GroupingSets& by) {
  if (sets.size() * by.size() > ast::kMaxGroupingSets)
    return too_many(previous().span, "grouping sets", ast::kMaxGroupingSets);
  ast::GroupingSets out;
  for (auto& set : sets) {
    for (const auto& more : by) {
      out.push_back(by.size() == 1 ? std::move(set) : set);
      out.back().insert(out.back().end(), more.begin(), more.end());
    }
  }
  sets = std::move(out);
  return {};
}

// An expression is one set; whatever else is written makes the clause one of GROUPING SETS.
Result<ast::GroupingSets> Parser::grouping_element(ast::Query& out, bool& plain) {
  const bool several = is_word("grouping") && is_word("sets", 1) && is_symbol("(", 2);
  const bool rollup = is_word("rollup") && is_symbol("(", 1);
  const bool cube = is_word("cube") && is_symbol("(", 1);
  if (!several && !rollup && !cube) {
    plain = plain && !(is_symbol("(") && is_symbol(")", 1));
    TRY_ASSIGN(auto keys, grouping_keys(out));
    return ast::GroupingSets{std::move(keys)};
  }
  plain = false;
  if (++depth_ > ast::kMaxNesting) return too_deep();
  take();
  if (several) take();
  take();
  TRY_ASSIGN(ast::GroupingSets parts, grouping_parts(out, several));
  --depth_;
  if (several) return parts;
  return rollup ? rolled_up(parts) : cubed(parts);
}

// What stands in the parentheses: of GROUPING SETS any elements, else lists of keys.
Result<ast::GroupingSets> Parser::grouping_parts(ast::Query& out, bool elements) {
  ast::GroupingSets parts;
  do {
    if (elements) {
      bool plain = true;
      TRY_ASSIGN(const ast::GroupingSets more, grouping_element(out, plain));
      parts.insert(parts.end(), more.begin(), more.end());
    } else {
      TRY_ASSIGN(auto keys, grouping_keys(out));
      parts.push_back(std::move(keys));
    }
    if (parts.size() > ast::kMaxGroupingSets)
      return too_many(previous().span, "grouping sets", ast::kMaxGroupingSets);
  } while (take_symbol(","));
  TRY(expect_symbol(")"));
  return parts;
}

// ROLLUP: the first n of the parts, from all to none.
Result<ast::GroupingSets> Parser::rolled_up(const ast::GroupingSets& parts) const {
  if (parts.size() >= ast::kMaxGroupingSets)
    return too_many(previous().span, "grouping sets", ast::kMaxGroupingSets);
  ast::GroupingSets out{{}};
  for (const auto& part : parts) {
    out.push_back(out.back());
    out.back().insert(out.back().end(), part.begin(), part.end());
  }
  return ast::GroupingSets(out.rbegin(), out.rend());
}

// CUBE: any of the parts.
Result<ast::GroupingSets> Parser::cubed(const ast::GroupingSets& parts) const {
  if (parts.size() >= 8 * sizeof(size_t) || (size_t{1} << parts.size()) > ast::kMaxGroupingSets)
    return too_many(previous().span, "grouping sets", ast::kMaxGroupingSets);
  ast::GroupingSets out;
  for (size_t left_out = 0; left_out < size_t{1} << parts.size(); ++left_out) {
    out.emplace_back();
    for (size_t i = 0; i < parts.size(); ++i) {
      if ((left_out >> i & 1) == 0) out.back().insert(out.back().end(), parts[i].begin(), parts[i].end());
    }
  }
  return out;
}

// (), (key, key, …), or one key.
Result<std::vector<uint32_t>> Parser::grouping_keys(ast::Query& out) {
  std::vector<uint32_t> keys;
  const bool list = starts_key_list();
  if (list) take();
  if (list && take_symbol(")")) return keys;
  do {
    TRY_ASSIGN(ast::ExprPtr key, expression());
    keys.push_back(static_cast<uint32_t>(out.group_by.size()));
    out.group_by.push_back(std::move(key));
    if (out.group_by.size() > ast::kMaxColumns)
      return too_many(previous().span, "group keys", ast::kMaxColumns);
  } while (list && take_symbol(","));
  if (list) TRY(expect_symbol(")"));
  return keys;
}

// Parentheses with nothing in them, or with a comma that is in no others.
bool Parser::starts_key_list() const {
  if (!is_symbol("(")) return false;
  if (is_symbol(")", 1)) return true;
  size_t depth = 0;
  for (size_t ahead = 0; next_ + ahead + 1 < tokens_.size(); ++ahead) {
    if (is_symbol("(", ahead)) ++depth;
    if (is_symbol(")", ahead) && --depth == 0) return false;
    if (is_symbol(",", ahead) && depth == 1) return true;
  }
  return false;
}

}  // namespace millrace::sql
