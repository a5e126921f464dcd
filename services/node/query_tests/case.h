// Case: one text case of a query, read from a file and written back with other expectations.
//
// A file holds cases, each under a line `== title`. A case is a list of steps, one a line (a line that starts
// with a blank goes on with the one before):
//
//   CREATE …;  DROP …;                 a statement, up to its ';'
//   error MR-SQL-0010: message         what the statement before must be refused with
//   only one_partition                 this case's answer needs its stream in one partition
//   push STREAM (v, …) (v, …)          events, columns as declared; 0:01 is a time after 2001-01-01; null
//   raw STREAM {…}                     one event as JSON (the only way in where a column has a path)
//   reject STREAM MR-EVT-0002 {…}      an event that has to be refused
//   advance STREAM                     every partition's watermark moves to the stream's newest
//   wait 30                            so many seconds pass without an event
//   restart [30]                       the process ends and starts again, after so many seconds
//   expect NAME (…) (…)                the rows of a view or stream, in any order; `expect ordered NAME`: in this one
//   expect late|failed|… (…)           the events among the dead letters with that cause, of all streams
//   query SELECT …;                    its rows follow, one a line, as | v | v
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace millrace::query_tests {

using Tuple = std::vector<std::string>;

struct Step {
  enum class What : uint8_t {
    kStatement,
    kError,
    kOnly,
    kPush,
    kRaw,
    kReject,
    kAdvance,
    kWait,
    kRestart,
    kExpect,
    kQuery,
    kComment
  };
  What what = What::kComment;
  int line = 0;
  std::string text;  // statements, queries, comments: as written; raw, reject: the JSON
  std::string name;  // the stream or view; error, reject: the id; only: the restriction
  std::string code;  // reject
  bool ordered = false;
  int64_t seconds = 0;        // wait, restart
  std::vector<Tuple> tuples;  // push, expect, query
  std::string source;         // the lines as they stand in the file
};

struct Case {
  std::string title;
  int line = 0;
  bool one_partition = false;
  std::vector<Step> steps;
};

struct CaseFile {
  std::string path;
  std::string head;  // before the first case
  std::vector<Case> cases;
};

// MR-TEST-0001: the file and the line that is wrong. Bound: 4 MiB a file.
Result<CaseFile> read_cases(const std::string& path);
std::string write_cases(const CaseFile& file);

}  // namespace millrace::query_tests
