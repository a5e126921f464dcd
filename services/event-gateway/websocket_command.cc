#include "event-gateway/websocket_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "event-gateway/event_values.h"
#include "event/text.h"
#include "formats/json.h"

namespace millrace::gateway {
namespace {

using formats::JsonMember;
using Kind = WebSocketCommand::Kind;

Error not_a_command(std::string message) {
  return error(
      Code::kInvalid, "MR-API-0026", std::move(message),
      R"(one of {"publish":STREAM,"id":ID,"events":[…]}, {"subscribe":NAME,"id":ID}, {"unsubscribe":ID})");
}

std::optional<Kind> kind_named(std::string_view name) {
  if (name == "publish") return Kind::kPublish;
  if (name == "subscribe") return Kind::kSubscribe;
  if (name == "unsubscribe") return Kind::kUnsubscribe;
  if (name == "ping") return Kind::kPing;
  return std::nullopt;
}

bool is_id(std::string_view value) {
  if (value.size() > WebSocketCommand::kMaxId) return false;
  return formats::is_json_number(value) || formats::read_json_string(value).has_value();
}

Result<std::string_view> read_id(const JsonMember& member) {
  if (is_id(member.value)) return member.value;
  return not_a_command(fmt::format("\"{}\" has to be a string or a number, of at most {} bytes", member.name,
                                   WebSocketCommand::kMaxId));
}

Result<std::string> read_text(const JsonMember& member) {
  auto text = formats::read_json_string(member.value);
  if (!text) return not_a_command(fmt::format("\"{}\" has to be a string", member.name));
  return std::move(*text);
}

Status read_kind(const JsonMember& member, Kind kind, WebSocketCommand& command) {
  command.kind = kind;
  if (kind == Kind::kPublish || kind == Kind::kSubscribe) {
    TRY_ASSIGN(command.name, read_text(member));
  } else {
    TRY_ASSIGN(command.id, read_id(member));
  }
  return {};
}

// Of a subscription: a number stands for its text.
Status read_parameter(const JsonMember& member, WebSocketCommand& command) {
  std::string value(member.value);
  if (!formats::is_json_number(member.value)) {
    TRY_ASSIGN(value, read_text(member));
  }
  command.parameters.emplace_back(member.name, std::move(value));
  return {};
}

// What stands in their array, as a body of HTTP has them.
Result<std::string> read_values(const JsonMember& member) {
  const auto wrong = [] { return not_a_command("\"values\" has to be an array of strings in base64"); };
  if (!member.value.starts_with('[')) return wrong();
  TRY_ASSIGN(const auto elements, formats::split_json(member.value));
  std::string out, value;
  for (const std::string_view element : elements) {
    const auto text = formats::read_json_string(element);
    value.clear();
    if (!text || !append_from_base64(value, *text)) return wrong();
    append_value(out, value);
  }
  return out;
}

Status read_member(const JsonMember& member, WebSocketCommand& command) {
  const bool publish = command.kind == Kind::kPublish;
  const bool has_id = publish || command.kind == Kind::kSubscribe;
  if (has_id && member.name == "id") return {};  // read before
  if (publish && member.name == "events") {
    command.events = member.value;
    return {};
  }
  if (publish && member.name == "values") {
    TRY_ASSIGN(command.values, read_values(member));
    return {};
  }
  if (publish && member.name == "key") {
    TRY_ASSIGN(command.key, read_text(member));
    return {};
  }
  if (publish && member.name == "traceparent") {
    TRY_ASSIGN(command.trace_parent, read_text(member));
    return {};
  }
  if (publish && member.name == "tracestate") {
    TRY_ASSIGN(command.trace_state, read_text(member));
    return {};
  }
  if (command.kind == Kind::kSubscribe && member.name == "encoding") {
    TRY_ASSIGN(command.encoding, read_text(member));
    return {};
  }
  const bool parameter = member.name == "from" || member.name == "limit" || member.name == "partition" ||
                         member.name == "numbers";
  if (command.kind == Kind::kSubscribe && parameter) return read_parameter(member, command);
  return not_a_command(fmt::format("\"{}\" does not belong here", start_of(member.name, 40)));
}

Status check_whole(const WebSocketCommand& command) {
  if (command.id.empty()) return not_a_command("\"id\" is missing: the answer is to name it");
  if (command.kind != Kind::kPublish || command.events.empty() == command.values.has_value()) return {};
  return not_a_command(command.values ? "\"events\" and \"values\" do not go together"
                                      : "\"events\", or \"values\", is missing");
}

bool is_repeated(const std::vector<JsonMember>& members, const JsonMember& member) {
  return std::count_if(members.begin(), members.end(),
                       [&](const JsonMember& other) { return other.name == member.name; }) > 1;
}

}  // namespace

Result<WebSocketCommand> parse_command(std::string_view message, std::string_view& id) {
  constexpr size_t kMaxMembers = 8;  // more than any command has
  const auto members = formats::split_members(message);
  if (!members || members->size() > kMaxMembers) return not_a_command("the message is not a command in JSON");
  WebSocketCommand command;
  const JsonMember* named = nullptr;
  for (const JsonMember& member : *members) {
    if (is_repeated(*members, member))
      return not_a_command(fmt::format("\"{}\" is given twice", start_of(member.name, 40)));
    if (member.name == "id") {
      TRY_ASSIGN(command.id, read_id(member));
      id = command.id;
    }
    const auto kind = kind_named(member.name);
    if (kind && named != nullptr) return not_a_command("a message is one command");
    if (!kind) continue;
    named = &member;
    TRY(read_kind(member, *kind, command));
  }
  if (named == nullptr) return not_a_command("the message does not say what to do");
  id = command.id;
  for (const JsonMember& member : *members) {
    if (&member != named) TRY(read_member(member, command));
  }
  TRY(check_whole(command));
  return command;
}

}  // namespace millrace::gateway
