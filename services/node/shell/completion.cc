#include "node/shell/completion.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "engine/aggregates.h"
#include "engine/functions.h"
#include "node/cli.h"
#include "node/shell/statement_help.h"
#include "sql/keywords.h"
#include "sql/lexer.h"

namespace millrace::cli {
namespace {

using Words = std::vector<std::string>;
using sql::Token;
using sql::TokenKind;

// What may stand inside a statement.
const Words kKeywords = {"ALL",
                         "AND",
                         "AS",
                         "ASC",
                         "BETWEEN",
                         "BIGINT",
                         "BOOLEAN",
                         "BY",
                         "CASE",
                         "CAST",
                         "CHANGES",
                         "CLOSE",
                         "CUMULATE(",
                         "DESC",
                         "DISTINCT",
                         "DOUBLE PRECISION",
                         "ELSE",
                         "EMIT",
                         "END",
                         "EXCEPT",
                         "EXISTS",
                         "FALSE",
                         "FILTER",
                         "FROM",
                         "GROUP BY",
                         "HAVING",
                         "HOP(",
                         "IN",
                         "INTEGER",
                         "INTERSECT",
                         "INTERVAL",
                         "INTO",
                         "IS",
                         "JSONB",
                         "LATE DATA TO",
                         "LIKE",
                         "LIMIT",
                         "NOT",
                         "NULL",
                         "NUMERIC",
                         "OFFSET",
                         "ON",
                         "OR",
                         "ORDER BY",
                         "PRIMARY KEY",
                         "SELECT",
                         "SESSION(",
                         "TEXT",
                         "THEN",
                         "TIMESTAMPTZ",
                         "TRUE",
                         "TUMBLE(",
                         "UNION",
                         "VALUES",
                         "WATERMARK FOR",
                         "WHEN",
                         "WHERE",
                         "WINDOW",
                         "WITH"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool begins(std::string_view word, std::string_view prefix) {
  return word.size() >= prefix.size() && sql::same_word(word.substr(0, prefix.size()), prefix);
}

std::string quoted_if_needed(const std::string& name) {
  const bool plain = !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
                     !sql::is_reserved(name) && std::all_of(name.begin(), name.end(), [](unsigned char c) {
                       return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_';
                     });
  return plain ? name : quoted_name(name);
}

// Whoever types small letters gets small keywords.
Words in_case_of(std::string_view prefix, Words words) {
  const bool small = !prefix.empty() && std::islower(static_cast<unsigned char>(prefix.front())) != 0;
  if (small)
    std::transform(words.begin(), words.end(), words.begin(), [](const auto& w) { return lower(w); });
  return words;
}

// The tokens of a text, asked by how far they are from its end.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text), read_(sql::read_typed(text)) {}

  bool is_open() const { return read_.open != sql::TypedText::Open::kNothing; }
  // Without the word that the text ends with, which is handed out instead.
  std::string_view take_last_word() {
    if (read_.tokens.empty()) return {};
    const Token& last = read_.tokens.back();
    if (last.kind != TokenKind::kWord || last.span.offset + last.span.length != text_.size()) return {};
    const std::string_view word = sql::token_text(text_, last);
    read_.tokens.pop_back();
    return word;
  }
  size_t size() const { return read_.tokens.size(); }
  // In small letters; empty before the first. 1 is the last.
  std::string back(size_t n) const {
    return n > size() ? "" : sql::name_value(text_, read_.tokens[size() - n]);
  }
  bool is_name(size_t i) const {
    return i < size() &&
           (read_.tokens[i].kind == TokenKind::kWord || read_.tokens[i].kind == TokenKind::kQuotedName);
  }
  std::string at(size_t i) const { return i < size() ? sql::name_value(text_, read_.tokens[i]) : ""; }

 private:
  std::string_view text_;
  sql::TypedText read_;
};

bool is_one_of(const std::string& word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_window(const std::string& word) {
  return is_one_of(word, {"tumble", "hop", "cumulate", "session"});
}

bool relation_follows(const Tokens& tokens) {
  if (tokens.back(1) == "(") return is_window(tokens.back(2));
  return is_one_of(tokens.back(1),
                   {"from", "join", "into", "to", "subscribe", "describe", "pause", "resume"}) ||
         (is_one_of(tokens.back(1), {"view", "stream"}) &&
          is_one_of(tokens.back(2), {"drop", "explain", "materialized", "pause", "resume"})) ||
         is_one_of(tokens.back(1), {"explain", "analyze"});
}

struct Source {
  std::string relation, alias;
};

// FROM name [AS] alias, and TUMBLE(name, …).
std::vector<Source> sources_of(const Tokens& tokens) {
  std::vector<Source> out;
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    const bool window = tokens.at(i) == "(" && i > 0 && is_window(tokens.at(i - 1));
    if (!window && !is_one_of(tokens.at(i), {"from", "join", "into", "subscribe"})) continue;
    if (!tokens.is_name(i + 1)) continue;
    Source source{tokens.at(i + 1), {}};
    const size_t next = tokens.at(i + 2) == "as" ? i + 3 : i + 2;
    if (!window && tokens.is_name(next) && !sql::is_reserved(tokens.at(next))) source.alias = tokens.at(next);
    out.push_back(source);
  }
  return out;
}

Words columns_of(const std::vector<Source>& sources, const std::string& only, const CompletionNames& names) {
  Words out;
  for (const auto& source : sources) {
    if (!only.empty() && only != source.relation && only != source.alias) continue;
    for (const auto& column : names.columns(source.relation)) out.push_back(quoted_if_needed(column));
  }
  return out;
}

Words relations_of(const CompletionNames& names) {
  Words out;
  for (const auto& name : names.relations()) out.push_back(quoted_if_needed(name));
  return out;
}

const Words& function_calls() {
  static const Words calls = [] {
    Words out;
    for (const auto& family : engine::function_table()) {
      for (const auto& function : family.functions) out.push_back(std::string(function.name) + "(");
    }
    for (const auto& aggregate : engine::aggregate_table()) out.push_back(std::string(aggregate.name) + "(");
    return out;
  }();
  return calls;
}

void append(Words& out, const Words& more) {
  out.insert(out.end(), more.begin(), more.end());
}

Words words_for(const Tokens& tokens, std::string_view prefix, std::string_view whole,
                const CompletionNames& names) {
  const std::string last = tokens.back(1);
  if (last.empty() || last == ";") return in_case_of(prefix, statement_heads());
  if (last == ".") return columns_of(sources_of(Tokens(whole)), tokens.back(2), names);
  if (last == "show") return in_case_of(prefix, {"STREAMS", "VIEWS", "QUERIES", "FUNCTIONS", "COLUMNS FROM"});
  if (last == "create")
    return in_case_of(prefix,
                      {"STREAM", "MATERIALIZED VIEW", "OR REPLACE STREAM", "OR REPLACE MATERIALIZED VIEW"});
  if (last == "drop") return in_case_of(prefix, {"STREAM", "MATERIALIZED VIEW", "VIEW"});
  Words out;
  if (relation_follows(tokens)) {
    out = relations_of(names);
    if (last == "from") append(out, in_case_of(prefix, {"TUMBLE(", "HOP(", "CUMULATE(", "SESSION("}));
    if (last == "explain") append(out, in_case_of(prefix, {"ANALYZE", "SELECT", "CREATE"}));
    if (last == "subscribe") append(out, in_case_of(prefix, {"TO"}));
    return out;
  }
  out = columns_of(sources_of(Tokens(whole)), "", names);
  if (!prefix.empty()) append(out, function_calls());
  append(out, in_case_of(prefix, kKeywords));
  return out;
}

Words files_like(const std::string& prefix) {
  namespace fs = std::filesystem;
  const size_t slash = prefix.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : prefix.substr(0, slash + 1);
  Words out;
  std::error_code failure;
  for (fs::directory_iterator it(folder.empty() ? "." : folder, failure), end; !failure && it != end;
       it.increment(failure)) {
    out.push_back(folder + it->path().filename().string() + (it->is_directory(failure) ? "/" : ""));
  }
  return out;
}

Completion filtered(size_t from, std::string_view prefix, const Words& words) {
  std::set<std::string> sorted;
  for (const auto& word : words) {
    if (begins(word, prefix) || begins(word, '"' + std::string(prefix))) sorted.insert(word);
  }
  return {from, Words(sorted.begin(), sorted.end())};
}

// A line that begins with a backslash.
Completion complete_command(std::string_view line, size_t line_start, const CompletionNames& names) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return filtered(line_start, line, names.commands);
  const std::string_view command = line.substr(0, space);
  const size_t word = command == "\\h" ? line.find_first_not_of(' ', space) : line.rfind(' ') + 1;
  const std::string_view prefix = word == std::string_view::npos ? "" : line.substr(word);
  const size_t from = line_start + line.size() - prefix.size();
  if (command == "\\h") return filtered(from, prefix, in_case_of(prefix, statement_heads()));
  if (command == "\\i" || command == "\\o") return filtered(from, prefix, files_like(std::string(prefix)));
  if (command == "\\d") return filtered(from, prefix, names.relations());
  return {from, {}};
}

}  // namespace

Completion complete(std::string_view before, std::string_view after, const CompletionNames& names) {
  const size_t newline = before.rfind('\n');
  const size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
  Tokens tokens(before);
  if (tokens.is_open()) return {before.size(), {}};
  const std::string_view line = before.substr(line_start);
  if (line.starts_with('\\')) return complete_command(line, line_start, names);
  const std::string whole = std::string(before) + " " + std::string(after);
  const std::string_view prefix = tokens.take_last_word();
  return filtered(before.size() - prefix.size(), prefix, words_for(tokens, prefix, whole, names));
}

std::string common_prefix(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  std::string prefix = words.front();
  for (const auto& word : words) {
    size_t n = 0;
    while (n < prefix.size() && n < word.size() && prefix[n] == word[n]) ++n;
    prefix.resize(n);
  }
  return prefix;
}

}  // namespace millrace::cli
