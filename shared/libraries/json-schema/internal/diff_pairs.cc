#include "json-schema/internal/diff_pairs.h"

#include <algorithm>

#include "json-schema/internal/diff_rules.h"

namespace millrace::json_schema {

namespace {

Error too_long() {
  return error(Code::kExhausted, "MR-JSCH-0009", "the two schemas take too long to compare",
               "use fewer branches in oneOf, anyOf and allOf");
}

}  // namespace

Result<std::vector<Difference>> Pairs::run() {
  const Document &writer = writer_.document(), &reader = reader_.document();
  Forms& writers = &writer == &reader ? reader_ : writer_;
  number_of(writers.of(writer.root()), reader_.of(reader.root()));
  while (!queue_.empty() && !exhausted()) {
    const size_t next = queue_.front();
    queue_.pop_front();
    compare(next);
  }
  if (exhausted()) return too_long();
  return told();
}

size_t Pairs::number_of(const Form& writer, const Form& reader) {
  spend(1);
  const auto [at, is_new] = numbers_.try_emplace({&writer, &reader}, pairs_.size());
  if (is_new) {
    pairs_.push_back({&writer, &reader, true, true, {}, {}});
    queue_.push_back(at->second);
  }
  return at->second;
}

void Pairs::compare(size_t number) {
  now_ = number;
  Pair& pair = pairs_[number];
  pair.queued = false;
  pair.found.clear();
  compare_forms(*this, *pair.writer, *pair.reader);
  const auto hinders = [&](const Finding& finding) { return is_hindrance(finding); };
  if (!pair.holds || std::none_of(pair.found.begin(), pair.found.end(), hinders)) return;
  pair.holds = false;
  for (const size_t asker : pair.asked_by) {
    if (std::exchange(pairs_[asker].queued, true)) continue;
    queue_.push_back(asker);
  }
}

bool Pairs::is_hindrance(const Finding& finding) {
  return finding.type != nullptr ? !is_compatible(*finding.type, policy_) : !pairs_[finding.pair].holds;
}

void Pairs::add(const DifferenceType* type, std::string path) {
  spend(1);
  spend_on_bytes(path.size());
  pairs_[now_].found.push_back({type, 0, std::move(path)});
}

void Pairs::descend(const Form& writer, const Form& reader, std::string path) {
  const size_t number = number_of(writer, reader);
  spend_on_bytes(path.size());
  pairs_[number].asked_by.insert(now_);
  pairs_[now_].found.push_back({nullptr, number, std::move(path)});
}

bool Pairs::holds(const Form& writer, const Form& reader) {
  const size_t number = number_of(writer, reader);
  pairs_[number].asked_by.insert(now_);
  return pairs_[number].holds;
}

// A pattern that cannot be carried out matches nothing: its properties have to be declared.
bool Pairs::is_in(const std::string& pattern, std::string_view text) {
  const auto [at, is_new] = patterns_.try_emplace(pattern);
  if (is_new) {
    if (auto compiled = Pattern::compile(pattern); compiled.ok())
      at->second.emplace(std::move(compiled).value());
  }
  spend(1);
  spend_on_bytes(text.size());
  return at->second && at->second->is_in(text);
}

// Depth first, as the schemas' texts go, without recursion: they may lead to each other by a long way.
Result<std::vector<Difference>> Pairs::told() {
  struct Step {
    size_t pair;
    const std::string* path;
    size_t next = 0;
  };
  const std::string root = "#";
  std::vector<Difference> out;
  std::vector<bool> seen(pairs_.size(), false);
  std::vector<Step> way = {{0, &root, 0}};
  seen[0] = true;
  const auto path_of = [&](const Finding& finding) {
    std::string path;
    for (const Step& step : way) path += step.path->empty() ? "" : (path.empty() ? "" : "/") + *step.path;
    path += finding.path.empty() ? "" : "/" + finding.path;
    return path == root ? "#/" : path;
  };
  while (!way.empty()) {
    Step& step = way.back();
    const auto& found = pairs_[step.pair].found;
    if (step.next == found.size()) {
      way.pop_back();
      continue;
    }
    const Finding& finding = found[step.next++];
    if (finding.type != nullptr) {
      const bool fine = is_compatible(*finding.type, policy_);
      std::string path = path_of(finding);
      std::string message = fine ? "" : message_of(*finding.type, path);
      spend(way.size());
      spend_on_bytes(path.size() + message.size());
      if (exhausted()) return too_long();
      out.push_back({finding.type->name, std::move(path), fine, std::move(message)});
    } else if (!seen[finding.pair]) {
      seen[finding.pair] = true;
      way.push_back({finding.pair, &finding.path, 0});
    }
  }
  return out;
}

}  // namespace millrace::json_schema
