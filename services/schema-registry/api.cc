#include "schema-registry/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "event/text.h"
#include "formats/json_text.h"
#include "schema-registry/acts.h"
#include "schema-registry/api_error.h"
#include "schema-registry/call.h"
#include "schema-registry/handlers.h"
#include "schema-registry/json_members.h"
#include "schema-registry/routes.h"
#include "schema-registry/subject_name.h"

namespace millrace::registry {
namespace {

constexpr std::array<std::string_view, 3> kTypes = {kRegistryType, "application/vnd.schemaregistry+json",
                                                    "application/json"};
constexpr std::string_view kBytes = "application/octet-stream";

std::string in_lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// Without parameters, as charset or q.
std::string media_type(std::string_view text) {
  return in_lower_case(trimmed(text.substr(0, text.find(';'))));
}

std::vector<std::string> media_types(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    out.push_back(media_type(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return out;
}

// The first of ours that the client takes; empty: it takes none.
std::string_view answer_type(std::string_view accept) {
  const auto accepted = media_types(accept);
  if (accepted.empty()) return kRegistryType;
  const auto takes = [&](std::string_view type) {
    return std::find(accepted.begin(), accepted.end(), type) != accepted.end();
  };
  for (const auto type : kTypes) {
    if (takes(type)) return type;
  }
  return takes("*/*") || takes("application/*") ? kRegistryType : std::string_view();
}

bool is_request_type(std::string_view content_type) {
  const std::string type = media_type(content_type);
  return type.empty() || type == kBytes || std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

// The subject that is written: behind an alias stands another. Empty: the path has none.
std::string subject_of(const Route& route, const Call& call) {
  if (route.path.find("{subject}") == std::string_view::npos) return {};
  return route.access == Access::kWrite ? call.subject() : call.scope();
}

Status check_access(const Route& route, const Call& call) {
  if (route.access == Access::kOpen || !call.request.may) return {};
  const std::string subject = subject_of(route, call);
  if (call.request.may(route.access, subject)) return {};
  return api_error(40301,
                   fmt::format("the access token may not do this: it needs {}", name_of(route.access)));
}

std::vector<std::string> arguments_of(const Route& route, const std::vector<std::string>& path) {
  std::vector<std::string> out;
  size_t i = 0;
  for (std::string_view rest = route.path; !rest.empty() && i < path.size(); ++i) {
    rest.remove_prefix(1);
    if (rest.starts_with('{')) out.push_back(path[i]);
    rest.remove_prefix(std::min(rest.find('/'), rest.size()));
  }
  return out;
}

// A path below /contexts/{context} is that context's; a slash at the end is none.
std::vector<std::string> without_context(std::vector<std::string> path, std::string& context) {
  if (path.size() > 1 && path.back().empty()) path.pop_back();
  if (path.size() > 2 && path[0] == "contexts") {
    context = context_name(path[1]);
    path.erase(path.begin(), path.begin() + 2);
  }
  return path;
}

// What an id stands for never changes: once it is known, it is answered without asking the store.
bool is_lasting(const Route& route, const Call& call) {
  const bool is_of_id = route.method == "GET" && route.path.starts_with("/schemas/ids/{id}") &&
                        !route.path.ends_with("/subjects") && !route.path.ends_with("/versions");
  return is_of_id && !call.flag("fetchMaxId") && knows_id(call);
}

Result<std::string> body_of(const Route& route, Call& call, std::string_view answered_as) {
  if (answered_as.empty()) return api_error(406, "HTTP 406 Not Acceptable");
  if (!call.request.body.empty() && !is_request_type(call.request.content_type))
    return api_error(415, "HTTP 415 Unsupported Media Type");
  if (!is_lasting(route, call)) TRY(call.registry.refresh());
  TRY(check_access(route, call));
  return route.run(call);
}

std::string_view act_name(const Route& route, const Call& call) {
  const bool registers = route.access == Access::kWrite;
  return registers && is_import(call.state().mode_of(call.subject())) ? "IMPORT SCHEMA" : route.act;
}

// By the path: of an act that came to nothing.
std::string what_is_named(const Route& route, const Call& call) {
  if (route.path == "/contexts/{context}") return call.arguments[0];
  std::string out = name_of_scope(subject_of(route, call));
  if (call.arguments.size() > 1) out += ": version " + call.arguments[1];
  return out;
}

}  // namespace

std::string error_body(int error_code, std::string_view message) {
  std::string out;
  formats::JsonText(out)
      .open('{')
      .name("error_code")
      .number(error_code)
      .name("message")
      .text(message)
      .close('}');
  return out;
}

RegistryAnswer RegistryApi::refusal(const Error& error) const {
  int number = number_of(error).value_or(0);
  std::string message = error.message;
  if (number == 0) {
    const bool of_schema = error.code == Code::kInvalid || error.code == Code::kUnsupported;
    number = of_schema ? 42201 : 50001;
    message = error.to_string();
  }
  RegistryAnswer answer;
  answer.content_type = kRegistryType;
  answer.status = number < 1000 ? number : number / 100;
  if (number == 40901 && profile_ == Profile::kIncompatibleIs409) number = 409;
  answer.error = number;
  answer.body = error_body(number, message);
  return answer;
}

std::string RegistryApi::methods_of(const std::vector<std::string>& path) {
  std::string context, methods;
  find_route("OPTIONS", without_context(path, context), methods);
  return methods;
}

RegistryAnswer RegistryApi::handle(const RegistryRequest& request) {
  Call call{registry_, request, {}, {}};
  const std::vector<std::string> path = without_context(request.path, call.context);
  RegistryAnswer answer;
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  std::string methods;
  const Route* route = find_route(method, path, methods);
  if (route == nullptr) {
    if (methods.empty()) return refusal(api_error(404, "HTTP 404 Not Found"));
    answer = refusal(api_error(405, "HTTP 405 Method Not Allowed"));
    answer.allow = std::move(methods);
    return answer;
  }
  answer.content_type = answer_type(request.accept);
  call.arguments = arguments_of(*route, path);
  auto body = body_of(*route, call, answer.content_type);
  const auto change = registry_.take_change();
  if (body.ok()) {
    answer.body = std::move(*body);
    if (answer.body.empty()) answer.status = 204;
  } else {
    answer = refusal(body.error());
  }
  // What was changed is, also where no answer could be made of it.
  if (!change.empty())
    answer.act = {act_name(*route, call), words_of(change), "ok"};
  else if (!body.ok() && !route->act.empty())
    answer.act = {act_name(*route, call), what_is_named(*route, call), body.error().id};
  return answer;
}

const std::string* Call::parameter(std::string_view name) const {
  const auto found = std::find_if(request.query.begin(), request.query.end(),
                                  [&](const auto& p) { return p.first == name; });
  return found == request.query.end() ? nullptr : &found->second;
}

std::string Call::text(std::string_view name) const {
  const std::string* value = parameter(name);
  return value == nullptr ? std::string() : *value;
}

bool Call::flag(std::string_view name) const {
  return in_lower_case(text(name)) == "true";
}

std::vector<std::string> Call::all(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& [key, value] : request.query) {
    if (key == name) out.push_back(value);
  }
  return out;
}

std::string Call::scope() const {
  const std::string name = arguments.empty() ? std::string() : arguments[0];
  return context.empty() ? normalized(name) : in_context_of(context_scope(context), name);
}

std::string Call::subject() const {
  const std::string name = scope();
  const Config* config = state().config(name);
  if (config == nullptr) return name;
  const auto alias = config->find("alias");
  const std::string to = alias == config->end() ? std::string() : text_of(alias->second);
  return to.empty() ? name : in_context_of(name, to);
}

std::string Call::asked_subject() const {
  const std::string name = text("subject");
  return context.empty() ? normalized(name) : in_context_of(context_scope(context), name);
}

Result<Version> Call::version(bool deleted) const {
  const std::string name = subject();
  TRY_ASSIGN(const int32_t number, parse_version(arguments[1]));
  const Versions* all = state().versions(name);
  if (all == nullptr || (!deleted && !state().has_live_versions(name))) return no_subject(name);
  const Version* found = number != 0                       ? state().find(name, number)
                         : state().has_live_versions(name) ? state().latest(name)
                                                           : &all->rbegin()->second;
  if (found == nullptr || (found->deleted && !deleted)) return no_version(number);
  return *found;
}

Call::Page Call::page(size_t count) const {
  const auto number = [&](std::string_view name) {
    const std::string given = text(name);
    int64_t value = 0;
    std::from_chars(given.data(), given.data() + given.size(), value);
    return value;
  };
  const int64_t offset = std::max<int64_t>(number("offset"), 0), limit = number("limit");
  const size_t from = std::min(count, static_cast<size_t>(offset));
  const size_t most = limit > 0 ? static_cast<size_t>(limit) : count;
  return {from, from + std::min(count - from, most)};
}

Result<int32_t> parse_version(std::string_view text) {
  if (text == "latest" || text == "-1") return 0;
  int32_t number = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || stop != text.data() + text.size() || number < 1) return invalid_version(text);
  return number;
}

}  // namespace millrace::registry
