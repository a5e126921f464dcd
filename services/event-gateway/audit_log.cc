#include "event-gateway/audit_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "event-gateway/tokens.h"
#include "event/text.h"
#include "event/type.h"
#include "formats/json_text.h"
#include "formats/jsonb.h"

namespace millrace::gateway {
namespace {

constexpr std::string_view kName = "audit.log";
constexpr size_t kMostFileBytes = size_t{1} << 30;
// What stands before the first line.
constexpr std::string_view kNothing = "0000000000000000000000000000000000000000000000000000000000000000";

Error broken(const std::string& file, uint64_t line, const std::string& why) {
  return error(Code::kCorrupt, "MR-AUTH-0019",
               fmt::format("the audit log is broken at {}:{}: {}", file, line, why),
               "this line, or the one before, was changed, removed or put in");
}

Error unusable(const Error& why) {
  return error(Code::kUnavailable, "MR-AUTH-0018", "the audit log cannot be used: " + why.message,
               "look at the disk and at the rights of audit.log in the data directory");
}

std::string line_of(uint64_t number, const std::string& before, const AuditAct& act) {
  std::string at, text;
  append_timestamp(at, Timestamp{act.at_us});
  formats::JsonText out(text);
  out.open('{').name("n").number(number).name("at").text(at).name("who").text(act.who).name("tenant").text(
      act.tenant);
  out.name("from").text(act.from).name("act").text(act.act).name("what").text(
      start_of(act.what, AuditLog::kMaxWhat));
  out.name("outcome").text(act.outcome).name("before").text(before).close('}');
  return text;
}

struct Link {
  uint64_t number = 0;
  std::string before;
};
std::optional<Link> link_of(std::string_view line) {
  const auto object = formats::parse_jsonb(line);
  if (!object.ok() || formats::jsonb_kind(*object) != formats::JsonbKind::kObject) return std::nullopt;
  const auto number = formats::jsonb_member(*object, "n"), before = formats::jsonb_member(*object, "before");
  if (!number || !before) return std::nullopt;
  Link link;
  const char* const end = number->data() + number->size();
  const auto read = std::from_chars(number->data(), end, link.number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  formats::append_jsonb_text(link.before, *before);
  return link;
}

// The number in audit.log.<number>; of audit.log itself, the newest, the largest.
std::optional<uint64_t> number_in(std::string_view name) {
  if (name == kName) return UINT64_MAX;
  if (!name.starts_with("audit.log.")) return std::nullopt;
  name.remove_prefix(kName.size() + 1);
  uint64_t number = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  if (read.ec != std::errc() || read.ptr != name.data() + name.size()) return std::nullopt;
  return number;
}

// Calls `each` with every whole line; answers what stands behind the last.
template <typename Each>
std::string_view for_each_line(std::string_view text, const Each& each) {
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    if (!each(text.substr(0, end))) return {};
    text.remove_prefix(end + 1);
  }
  return text;
}

}  // namespace

Result<std::vector<std::string>> audit_files(Files& files, const std::string& directory) {
  const auto names = files.list(directory);
  if (!names.ok()) return unusable(names.error());
  std::vector<std::pair<uint64_t, std::string>> found;
  for (const auto& name : *names) {
    if (const auto number = number_in(name)) found.emplace_back(*number, name);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> out;
  for (auto& [number, name] : found) out.push_back(std::move(name));
  return out;
}

Result<std::unique_ptr<AuditLog>> AuditLog::open(Files& files, const std::string& directory,
                                                 uint64_t max_bytes) {
  auto log = std::unique_ptr<AuditLog>(new AuditLog(files, directory, max_bytes));
  TRY(log->take_end());
  return log;
}

// Goes on behind the last whole line, of this file or of the one before it.
Status AuditLog::take_end() {
  before_ = kNothing;
  TRY_ASSIGN(auto names, audit_files(files_, directory_));
  std::string last, last_file;
  for (auto name = names.rbegin(); name != names.rend() && last.empty(); ++name) {
    const auto text = read_whole_file(files_, directory_ + "/" + *name, kMostFileBytes);
    if (!text.ok()) return unusable(text.error());
    const auto rest = for_each_line(*text, [&](std::string_view line) {
      last = line;
      return true;
    });
    last_file = *name;
    if (*name == kName) bytes_ = text->size() - rest.size();
  }
  if (!last.empty()) {
    const auto link = link_of(last);
    if (!link) {
      return error(Code::kCorrupt, "MR-AUTH-0017",
                   fmt::format("the last line of {} is no line of an audit log", last_file),
                   "`millrace audit verify` says where it is broken; put the file aside to begin a new one");
    }
    number_ = link->number;
    before_ = token_hash(last);
  }
  auto file = files_.open(path(), Files::Open::kWrite);
  if (!file.ok()) return unusable(file.error());
  file_ = std::move(*file);
  Status cut = file_->resize(bytes_);
  if (cut.ok()) cut = file_->sync();
  if (cut.ok()) cut = files_.sync_directory(directory_);
  return cut.ok() ? Status() : unusable(cut.error());
}

Status AuditLog::append(const AuditAct& act) {
  const std::lock_guard hold(mutex_);
  if (bytes_ > max_bytes_) TRY(rotate());
  const std::string line = line_of(number_ + 1, before_, act);
  Status written = file_->write_at(bytes_, line + "\n");
  if (written.ok()) written = file_->sync();
  if (!written.ok()) return unusable(written.error());
  bytes_ += line.size() + 1;
  ++number_;
  before_ = token_hash(line);
  return {};
}

Status AuditLog::rotate() {
  Status moved = files_.rename(path(), fmt::format("{}.{}", path(), number_));
  if (!moved.ok()) return unusable(moved.error());
  auto file = files_.open(path(), Files::Open::kWrite);
  if (!file.ok()) return unusable(file.error());
  file_ = std::move(*file);
  bytes_ = 0;
  moved = files_.sync_directory(directory_);
  return moved.ok() ? Status() : unusable(moved.error());
}

Result<AuditChain> verify_audit(Files& files, const std::string& directory,
                                const std::function<void(std::string_view line)>& each) {
  TRY_ASSIGN(const auto names, audit_files(files, directory));
  AuditChain chain;
  uint64_t next = 0;
  for (const auto& name : names) {
    const auto text = read_whole_file(files, directory + "/" + name, kMostFileBytes);
    if (!text.ok()) return unusable(text.error());
    uint64_t at = 0;
    std::string why;
    const auto rest = for_each_line(*text, [&](std::string_view line) {
      ++at;
      const auto link = link_of(line);
      if (!link) {
        why = "it is no line of an audit log";
      } else if (chain.lines > 0 && link->number != next) {
        why = fmt::format("it is number {}, and {} is due", link->number, next);
      } else if (chain.lines > 0 ? link->before != chain.last_hash
                                 : link->number == 1 && link->before != kNothing) {
        why = "it does not continue the line before it";
      }
      if (!why.empty()) return false;
      if (chain.lines++ == 0) chain.first = link->number;
      next = link->number + 1;
      chain.last_hash = token_hash(line);
      if (each) each(line);
      return true;
    });
    if (why.empty() && !rest.empty()) {
      ++at;
      why = "it has no end";
    }
    if (!why.empty()) return broken(name, at, why);
  }
  return chain;
}

}  // namespace millrace::gateway
