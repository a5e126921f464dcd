#include "node/schema_verdict.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "node/resource_printer.h"

namespace millrace::cli {
namespace {

class Findings {
 public:
  explicit Findings(std::unique_ptr<ResourcePrinter> printer) : printer_(std::move(printer)) {}

  void add(const Json& verdict) {
    for (const auto& message : member_in(verdict, "messages"))
      against(text_in(verdict, "subject").value_or(""), "subject", "incompatible", nullptr, message);
    for (const auto& stream : member_in(verdict, "streams")) add_stream(stream);
    for (const auto& object : member_in(verdict, "broken")) add_broken(object);
    if (printer_) printer_->end_list();
  }
  size_t against() const { return against_; }

 private:
  void line(const std::string& object, const std::string& kind, const char* finding, const Json& place,
            const Json& reason) {
    if (printer_)
      printer_->add_to_list(
          {{"object", object}, {"kind", kind}, {"finding", finding}, {"place", place}, {"reason", reason}});
  }
  void against(const std::string& object, const std::string& kind, const char* finding, const Json& place,
               const Json& reason) {
    ++against_;
    line(object, kind, finding, place, reason);
  }

  void add_stream(const Json& stream) {
    const std::string name = text_in(stream, "name").value_or("");
    const Json& events = member_in(stream, "events");
    if (!events.is_object())
      return line(name, "stream", "not tried", nullptr,
                  "the token does not read its events, or none were asked for");
    const uint64_t tried = number_in(events, "tried").value_or(0),
                   misfits = number_in(events, "misfits").value_or(0);
    std::string reason =
        fmt::format("{} of the last {} fit", tried - std::min(tried, misfits), counted(tried, "event"));
    const Json& failure = member_in(events, "failure");
    if (failure.is_object()) return against(name, "stream", "unread", nullptr, member_in(failure, "message"));
    if (!flag_in(events, "complete").value_or(false)) reason += "; the rest was too large, or took too long";
    misfits > 0 ? against(name, "stream", "misfits", nullptr, reason)
                : line(name, "stream", "fits", nullptr, reason);
    for (const auto& one : member_in(events, "first")) {
      line(
          name, "event", "misfit",
          fmt::format("{}/{}", number_in(one, "partition").value_or(0), number_in(one, "offset").value_or(0)),
          fmt::format("{}: {}", text_in(one, "code").value_or(""), text_in(one, "message").value_or("")));
    }
  }

  void add_broken(const Json& object) {
    const std::string name = text_in(object, "name").value_or(""),
                      kind = text_in(object, "kind").value_or("");
    const Json& columns = member_in(object, "columns");
    if (columns.empty())
      against(name, kind, "breaks", nullptr,
              fmt::format("reads {}, which breaks", text_in(object, "reads").value_or("")));
    for (const auto& column : columns) {
      const auto becomes = text_in(column, "becomes");
      against(name, kind, "breaks", member_in(column, "name"),
              fmt::format("was {}, {}", text_in(column, "was").value_or(""),
                          becomes ? "becomes " + *becomes : "is gone"));
    }
  }

  const std::unique_ptr<ResourcePrinter> printer_;  // null: they are counted alone
  size_t against_ = 0;
};

}  // namespace

Status show_schema_verdict(net::HttpClient& server, const Json& asked, const std::string& output) {
  const std::string body = asked.dump(-1, ' ', false, Json::error_handler_t::replace);
  TRY_ASSIGN(const Json verdict,
             call_api(server, {"POST", "/v1/schemas/check", {{"Content-Type", "application/json"}}, body}));
  const bool as_it_came = output == "json";
  if (as_it_came) fmt::print("{}\n", verdict.dump(-1, ' ', false, Json::error_handler_t::replace));
  Findings findings(as_it_came ? nullptr : std::make_unique<ResourcePrinter>(output));
  findings.add(verdict);
  if (member_in(verdict, "broken").is_null())
    fmt::print(stderr, "no columns follow from the schema: what reads it is not known\n");
  if (findings.against() == 0) return {};
  return error(Code::kConflict, "MR-CLI-0055",
               "stored events, or what reads them, do not fit the schema of " +
                   text_in(verdict, "subject").value_or(""),
               "each finding is listed above");
}

}  // namespace millrace::cli
