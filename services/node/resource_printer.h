// Resources of the HTTP API at a command line: asked for, and shown as a table, as JSON or as CSV.
#pragma once

#include <cstdio>
#include <string>

#include "node/cli.h"
#include "node/json_members.h"
#include "node/table.h"

namespace millrace::cli {

// Shows what comes, in the form that was asked for.
class ResourcePrinter {
 public:
  explicit ResourcePrinter(std::string form);

  void add_to_list(const Json& item);
  void end_list();
  void show(const Json& item);  // one thing: a table has a line for each of its members

 private:
  void print_csv(const AnswerRow& row) const;

  const std::string form_;
  Table table_;
  size_t items_ = 0;
};

void add_output_option(CLI::App& command, std::string& output);

// An answer's object; null if it has none (204).
Result<Json> call_api(HttpClient& client, const HttpRequest& request);

// `act` does the command's work with a client.
template <typename Act>
int with_client(const ServerOptions& server, const Act& act) {
  auto client = open_client(server);
  if (!client.ok()) return report(client.error());
  const Status done = act(**client);
  if (auto written = flush_output(); !written.ok()) return report(written.error());
  return done.ok() ? kOk : report(done.error());
}

}  // namespace millrace::cli
