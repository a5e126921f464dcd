// RowPrinter shows what the server sends to a statement. A line is a row, a command's status, or {"error":{…}}, which
// ends everything.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http_client.h"
#include "node/table.h"

namespace millrace::cli {

enum class Form : uint8_t { kTable, kJson, kCsv };
std::optional<Form> form_of(std::string_view name);  // table, json, ndjson (the same), csv

class RowPrinter {
 public:
  struct Options {
    std::FILE* out = stdout;   // data
    std::FILE* talk = stderr;  // counts and statuses
    Form form = Form::kTable;
    TableStyle style;
    bool terminal = false;  // out is one: what steers it is escaped, a subscription's _op is + or -
    std::function<bool()> interrupted = nullptr;  // then the echo of ctrl-C stands on the line
  };
  explicit RowPrinter(Options options) : options_(std::move(options)), table_(options_.out, options_.style) {}

  void go_live();
  bool line(std::string_view text);  // false: that was the last one
  void pause();                      // nothing more has come for now
  // `answered`: an answer without a line is a SELECT without a row.
  void finish(bool answered);
  const std::optional<Error>& failure() const { return failure_; }

 private:
  bool show(AnswerRow row);
  bool print(std::string_view text);
  bool print_csv(const AnswerRow& row);
  void end_table();
  Table::Tint mark(AnswerRow& row) const;

  const Options options_;
  bool silent_ = true;  // no line has come
  bool live_ = false;
  Table table_;
  std::vector<std::string> csv_head_;
  std::optional<Error> failure_;
};

// What a text answers goes on until somebody ends it. What does not parse here, the server says.
bool subscribes(const std::string& text);

struct SqlRequest {
  std::string text;
  std::vector<std::string> parameters;
  uint32_t timeout_ms = 0;  // 0: the server's
};
// Sends it and prints what comes while `go_on` is true; what fails, in the answer or behind its rows, is the error.
Status run_sql(net::HttpClient& client, const SqlRequest& request, RowPrinter& rows,
               const std::function<bool()>& go_on = nullptr);

}  // namespace millrace::cli
