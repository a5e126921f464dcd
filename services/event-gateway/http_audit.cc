// Who did what over HTTP, for the audit log.
#include <cctype>

#include "event-gateway/audit_log.h"
#include "event-gateway/http_handlers.h"
#include "event-gateway/http_status.h"

namespace millrace::gateway {
namespace {

// A statement's first words name its kind: CREATE MATERIALIZED VIEW, DROP STREAM, PAUSE.
std::string kind_of(const std::string& statement) {
  std::string out;
  for (const char c : statement.substr(0, 200)) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank && !std::isalpha(static_cast<unsigned char>(c))) break;
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (out == "PAUSE" || out == "RESUME" || out.ends_with(" STREAM") || out.ends_with(" VIEW")) break;
  }
  return out.empty() ? "DEFINITION" : out;  // behind a comment
}

void write(const HttpBackend& backend, const CallerPtr& caller, const std::string& peer, std::string_view act,
           std::string_view what, const Status& outcome) {
  if (backend.audit == nullptr) return;
  AuditAct line = sent_by(caller, peer, backend.now_us());
  line.act = act;
  line.what = what;
  line.outcome = outcome.ok() ? "ok" : outcome.error().id;
  const Status written = backend.audit->append(line);
  if (!written.ok() && backend.log_failure) backend.log_failure(problem(written.error()).body);
}

}  // namespace

AuditAct sent_by(const CallerPtr& caller, const std::string& peer, int64_t at_us) {
  AuditAct line;
  line.at_us = at_us;
  line.who = caller == nullptr ? "nobody: the server is open" : who(caller);
  line.tenant = caller == nullptr ? "default" : caller->tenant;
  line.from = peer;
  return line;
}

void audit(const HttpBackend& backend, const HttpRequest& request, std::string_view act,
           std::string_view what, const Status& outcome) {
  write(backend, request.caller, request.peer, act, what, outcome);
}

LaterAudit later_audit(const HttpBackend& backend, const HttpRequest& request) {
  return [&backend, caller = request.caller, peer = request.peer](std::string_view act, std::string_view what,
                                                                  const Status& outcome) {
    write(backend, caller, peer, act, what, outcome);
  };
}

std::function<void(const std::string&, const Status&)> statement_audit(const HttpBackend& backend,
                                                                       CallerPtr caller, std::string peer) {
  if (backend.audit == nullptr) return nullptr;
  return [&backend, caller = std::move(caller), peer = std::move(peer)](const std::string& statement,
                                                                        const Status& outcome) {
    write(backend, caller, peer, kind_of(statement), statement, outcome);
  };
}

}  // namespace millrace::gateway
