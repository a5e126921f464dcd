#include "node/shell/statement_help.h"

namespace millrace::cli {

const std::vector<StatementHelp>& statement_help() {
  static const std::vector<StatementHelp> all = {
      {"CREATE STREAM", "declare a stream, or derive one by a query",
       "CREATE STREAM [IF NOT EXISTS] name (\n"
       "  column TYPE [PATH '$.member…'] [NOT NULL] [PRIMARY KEY], …\n"
       "  [, WATERMARK FOR column AS column - INTERVAL '…']\n"
       ") [WITH (key = 'column', partitions = n, retention = '30 days', …)];\n"
       "CREATE [OR REPLACE] STREAM [IF NOT EXISTS] name [WITH (…)] AS SELECT …\n"
       "  [EMIT CHANGES | EMIT ON WINDOW CLOSE] [LATE DATA TO stream];"},
      {"CREATE MATERIALIZED VIEW", "keep a query's answer up to date",
       "CREATE [OR REPLACE] MATERIALIZED VIEW [IF NOT EXISTS] name [WITH (…)] AS SELECT …\n"
       "  [EMIT ON WINDOW CLOSE] [LATE DATA TO stream];"},
      {"DESCRIBE", "the columns of a stream or a view", "DESCRIBE name;"},
      {"DROP STREAM", "remove a stream", "DROP STREAM [IF EXISTS] name;"},
      {"DROP MATERIALIZED VIEW", "remove a view", "DROP [MATERIALIZED] VIEW [IF EXISTS] name;"},
      {"EXPLAIN", "how a query runs",
       "EXPLAIN statement;\nEXPLAIN [MATERIALIZED VIEW | STREAM] name;\n"
       "EXPLAIN ANALYZE SELECT …;\nEXPLAIN ANALYZE name;"},
      {"INSERT INTO", "write events", "INSERT INTO stream [(column, …)] VALUES (…), … | SELECT …;"},
      {"ALTER STREAM", "change what a stream takes in, how long it keeps it, or what can be read of it",
       "ALTER STREAM name SET (option = value, …);\nALTER STREAM name RESET (option, …);\n"
       "ALTER STREAM name ADD [COLUMN] [IF NOT EXISTS] name type [PATH '…'], ADD …;"},
      {"PAUSE", "stop a query where it stands", "PAUSE [MATERIALIZED VIEW | STREAM] name;"},
      {"RESUME", "let a query go on", "RESUME [MATERIALIZED VIEW | STREAM] name;"},
      {"SELECT", "read what is there",
       "[WITH name AS (query), …]\n"
       "SELECT [DISTINCT] expression [AS name], …\n"
       "  FROM stream | view | (query) | TUMBLE(source, time, INTERVAL '…') | HOP(…) | CUMULATE(…) | "
       "SESSION(…)\n"
       "  [WHERE condition] [GROUP BY expression, …] [HAVING condition]\n"
       "  [UNION | INTERSECT | EXCEPT [ALL] SELECT …]\n"
       "  [ORDER BY expression [ASC | DESC] [NULLS FIRST | LAST], …] [LIMIT n] [OFFSET n];"},
      {"SHOW", "what there is",
       "SHOW STREAMS;  SHOW VIEWS;  SHOW QUERIES;  SHOW FUNCTIONS;  SHOW COLUMNS FROM name;"},
      {"SUBSCRIBE TO", "a view's changes, or a stream's events, as they come",
       "SUBSCRIBE [TO] stream | view | dead_letters;      (ctrl-C ends it)"},
      {"VALUES", "rows of constants", "VALUES (expression, …), …;"},
      {"WITH", "name queries for one statement", "WITH name [(column, …)] AS (query), … SELECT …;"},
  };
  return all;
}

std::vector<std::string> statement_heads() {
  std::vector<std::string> heads;
  for (const auto& help : statement_help()) heads.emplace_back(help.head);
  return heads;
}

}  // namespace millrace::cli
