#include "telemetry/trace_context.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace millrace::telemetry {
namespace {

constexpr size_t kParentBytes = 55;    // of version 00
constexpr uint8_t kKnownFlags = 0x03;  // sampled, random trace id
constexpr size_t kMostMembers = 32;
constexpr size_t kLargeMember = 128;
constexpr size_t kIdsBytes = sizeof(TraceId) + sizeof(SpanId);

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Lower case only, as the rule says.
bool read_hex(std::string_view text, uint8_t* out) {
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    out[i / 2] = static_cast<uint8_t>(high * 16 + low);
  }
  return true;
}

template <typename Id>
bool is_zero(const Id& id) {
  return std::all_of(id.begin(), id.end(), [](uint8_t byte) { return byte == 0; });
}

bool is_key_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '*' || c == '/' ||
         c == '@';
}

bool is_member(std::string_view member) {
  const size_t equals = member.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view key = member.substr(0, equals), value = member.substr(equals + 1);
  const auto fits = [](char c) { return c >= ' ' && c <= '~' && c != '='; };
  return !key.empty() && key.size() <= 256 && key.front() != '@' &&
         std::all_of(key.begin(), key.end(), is_key_letter) && std::count(key.begin(), key.end(), '@') <= 1 &&
         !value.empty() && value.size() <= 256 && std::all_of(value.begin(), value.end(), fits);
}

std::string_view without_blanks(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Nothing, if one of them is none.
std::vector<std::string_view> members_of(std::string_view state) {
  std::vector<std::string_view> members;
  while (!state.empty()) {
    const size_t end = std::min(state.find(','), state.size());
    const std::string_view member = without_blanks(state.substr(0, end));
    state.remove_prefix(std::min(end + 1, state.size()));
    if (member.empty()) continue;
    if (!is_member(member) || members.size() == kMostMembers) return {};
    members.push_back(member);
  }
  return members;
}

std::string kept_of(std::string_view state) {
  auto members = members_of(state);
  const auto joined = [&] {
    return std::accumulate(members.begin(), members.end(), members.size(),
                           [](size_t sum, std::string_view member) { return sum + member.size(); });
  };
  if (joined() > TraceContext::kMostState + 1)
    std::erase_if(members, [](std::string_view member) { return member.size() > kLargeMember; });
  while (joined() > TraceContext::kMostState + 1) members.pop_back();
  std::string out;
  for (const std::string_view member : members) {
    if (!out.empty()) out += ',';
    out += member;
  }
  return out;
}

}  // namespace

std::optional<TraceContext> read_trace_context(std::string_view parent, std::string_view state) {
  if (parent.size() < kParentBytes || parent[2] != '-' || parent[35] != '-' || parent[52] != '-')
    return std::nullopt;
  TraceContext context;
  uint8_t version = 0;
  if (!read_hex(parent.substr(0, 2), &version) || version == 0xFF) return std::nullopt;
  // A later version may say more behind what this one says.
  if (parent.size() > kParentBytes && (version == 0 || parent[kParentBytes] != '-')) return std::nullopt;
  if (!read_hex(parent.substr(3, 32), context.trace.data()) || is_zero(context.trace)) return std::nullopt;
  if (!read_hex(parent.substr(36, 16), context.span.data()) || is_zero(context.span)) return std::nullopt;
  if (!read_hex(parent.substr(53, 2), &context.flags)) return std::nullopt;
  context.flags &= kKnownFlags;
  context.state = kept_of(state);
  return context;
}

std::string to_traceparent(const TraceContext& context) {
  std::string out = "00-";
  append_hex(out, context.trace.data(), context.trace.size());
  out += '-';
  append_hex(out, context.span.data(), context.span.size());
  out += '-';
  append_hex(out, &context.flags, 1);
  return out;
}

std::string encode_trace_context(const TraceContext& context) {
  std::string out(context.trace.begin(), context.trace.end());
  out.append(context.span.begin(), context.span.end());
  out += static_cast<char>(context.flags);
  return out + context.state;
}

std::optional<TraceContext> decode_trace_context(std::string_view bytes) {
  if (bytes.size() <= kIdsBytes) return std::nullopt;
  TraceContext context;
  std::copy_n(bytes.begin(), context.trace.size(), context.trace.begin());
  std::copy_n(bytes.begin() + context.trace.size(), context.span.size(), context.span.begin());
  if (is_zero(context.trace) || is_zero(context.span)) return std::nullopt;
  context.flags = static_cast<uint8_t>(bytes[kIdsBytes]) & kKnownFlags;
  context.state = kept_of(bytes.substr(kIdsBytes + 1));
  return context;
}

void append_hex(std::string& out, const uint8_t* bytes, size_t count) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 0; i < count; ++i) {
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 15];
  }
}

}  // namespace millrace::telemetry
