#include "formats/internal/shape_tree.h"

#include <algorithm>
#include <cstring>

#include "formats/json.h"

namespace millrace::formats {

using json::Scan;

namespace {

constexpr size_t kComparedBeyond = 16;

inline const char* take_boolean(const Scan& scan, const char* p, bool& value) {
  const auto left = static_cast<size_t>(scan.end - p);
  value = left >= 4 && std::memcmp(p, "true", 4) == 0;
  if (value) return p + 4;
  return left >= 5 && std::memcmp(p, "false", 5) == 0 ? p + 5 : nullptr;
}

}  // namespace

bool ShapeTree::read(std::string_view event, size_t row) {
  if (steps_.empty()) return false;
  const char* p = event.data();
  Scan scan{p + event.size()};
  for (uint16_t at = 0; at != kNone;) {
    const Step& step = steps_[at];
    const char* behind = nullptr;
    if (static_cast<size_t>(scan.end - p) >= step.length &&
        json::same_bytes(literals_.data() + step.literal, p, step.length)) [[likely]] {
      if (step.kind == Kind::kEnd) {
        if (p + step.length == scan.end) return !scan.non_ascii || json::is_utf8(event);
      } else {
        behind = read_value(scan, step, p + step.length, row);
      }
    }
    at = behind != nullptr ? step.next : step.alternative;
    if (behind != nullptr) p = behind;
  }
  return false;
}

[[gnu::always_inline]] inline const char* ShapeTree::read_value(Scan& scan, const Step& step, const char* p,
                                                                size_t row) {
  const bool unread = step.slot == Member::kNone;
  ValueFault fault = ValueFault::kNone;
  switch (step.kind) {
    case Kind::kString: {
      // The closing quote belongs to the next literal.
      if (unread) {
        bool escaped = false;
        return json::skip_string(scan, p, escaped);
      }
      std::string_view text;
      p = json::take_string(scan, p - 1, slots_.arena(), text);
      if (p == nullptr) return nullptr;
      fault = slots_.put_string(step.slot, row, text);
      --p;
      break;
    }
    case Kind::kNumber: {
      if (p >= scan.end) return nullptr;
      if (unread) return json::skip_number(scan, p);
      json::Number number;
      p = json::take_number(scan, p, number);
      if (p == nullptr) return nullptr;
      fault = slots_.put_number(step.slot, row, number);
      break;
    }
    case Kind::kBoolean: {
      bool value = false;
      p = take_boolean(scan, p, value);
      if (unread || p == nullptr) return p;
      fault = slots_.put_boolean(step.slot, row, value);
      break;
    }
    case Kind::kNested: {
      // Where nobody reads an array, an object in its place may hold columns.
      if (p >= scan.end || (*p != '[' && (unread || *p != '{'))) return nullptr;
      const char* const behind = json::skip_value(scan, p, step.depth);
      if (unread || behind == nullptr) return behind;
      fault = slots_.put_json(step.slot, row, {p, static_cast<size_t>(behind - p)});
      p = behind;
      break;
    }
    case Kind::kEnd:
      return nullptr;
  }
  return fault == ValueFault::kNone ? p : nullptr;
}

// Cuts an accepted event into steps. Only objects are entered: an array's length differs from event to event.
class ShapeTree::Learner {
 public:
  Learner(ColumnSlots& slots, std::string_view event)
      : slots_(slots), event_(event), scan_{event.data() + event.size()}, literal_(event.data()) {}

  // False: not to be learnt.
  bool run();
  const std::vector<Step>& path() const { return path_; }

 private:
  const char* take_name(const char* p);
  const char* take_value(const char* p);
  const char* add(Kind kind, const char* value, const char* behind);
  uint16_t depth() const { return static_cast<uint16_t>(objects_.size()); }

  ColumnSlots& slots_;
  std::string_view event_;
  Scan scan_;
  const char* literal_;  // where the step that is being made begins
  std::vector<Step> path_;
  std::vector<Member> seen_;  // columns and their objects
  std::vector<int> objects_;  // that are open, outermost first; kNone: holds no column
  Member member_{Member::kNone, MemberTree::kEvent};  // whose value comes next
  bool value_next_ = true;
};

bool ShapeTree::Learner::run() {
  const char* p = event_.data();
  while (p != nullptr && p < scan_.end) {
    if (*p == ':') {
      value_next_ = true;
      ++p;
    } else if (*p == '}' || *p == ',') {
      if (*p == '}') objects_.pop_back();
      value_next_ = false;
      ++p;
    } else if (static_cast<unsigned char>(*p) <= ' ') {
      ++p;
    } else {
      p = value_next_ ? take_value(p) : take_name(p);
    }
  }
  return p != nullptr && add(Kind::kEnd, p, p) != nullptr;
}

const char* ShapeTree::Learner::take_name(const char* p) {
  bool escaped = false;
  const char* const close = json::skip_string(scan_, p + 1, escaped);
  if (escaped || close == nullptr) return nullptr;
  const std::string_view name(p + 1, static_cast<size_t>(close - p - 1));
  const int object = objects_.back();
  member_ = object == Member::kNone ? Member() : slots_.members().find(object, name);
  if (member_ != Member()) {
    if (std::ranges::find(seen_, member_) != seen_.end()) return nullptr;
    seen_.push_back(member_);
  }
  return close + 1;
}

const char* ShapeTree::Learner::take_value(const char* p) {
  value_next_ = false;
  bool escaped = false;
  switch (*p) {
    case '{':
      if (member_.slot != Member::kNone) return add(Kind::kNested, p, json::skip_value(scan_, p, depth()));
      objects_.push_back(member_.object);
      return p + 1;
    case '"':
      p = add(Kind::kString, p + 1, json::skip_string(scan_, p + 1, escaped));
      return p == nullptr ? nullptr : p + 1;
    case '[':
      return add(Kind::kNested, p, json::skip_value(scan_, p, depth()));
    case 't':
      return add(Kind::kBoolean, p, p + 4);
    case 'f':
      return add(Kind::kBoolean, p, p + 5);
    case 'n':
      return p + 4;  // NULL is what the row is anyway
    default:
      return add(Kind::kNumber, p, json::skip_number(scan_, p));
  }
}

// A step of the literal up to `value`; the next literal begins behind it.
const char* ShapeTree::Learner::add(Kind kind, const char* value, const char* behind) {
  const auto length = static_cast<size_t>(value - literal_);
  if (behind == nullptr || path_.size() >= kMaxSteps || length > kMaxLiteralBytes) return nullptr;
  const int slot = kind == Kind::kEnd ? Member::kNone : member_.slot;
  path_.push_back({static_cast<uint32_t>(literal_ - event_.data()), static_cast<uint16_t>(length), depth(),
                   static_cast<int16_t>(slot), kind});
  literal_ = behind;
  return behind;
}

void ShapeTree::learn(std::string_view event) {
  Learner learner(slots_, event);
  if (!learner.run() || !remember(learner.path(), event)) full_ = true;
}

bool ShapeTree::same(const Step& known, const Step& step, std::string_view event) const {
  const std::string_view literals = literals_;
  return known.kind == step.kind && known.slot == step.slot &&
         literals.substr(known.literal, known.length) == event.substr(step.literal, step.length);
}

// Down the steps that are known already, then a branch of its own. False: there is no room.
bool ShapeTree::remember(const std::vector<Step>& path, std::string_view event) {
  size_t known = 0;
  size_t alternatives = 0;
  uint16_t before = kNone;
  for (uint16_t at = steps_.empty() ? kNone : 0; at != kNone;) {
    const bool shared = same(steps_[at], path[known], event);
    known += shared;
    alternatives = shared ? 0 : alternatives + 1;
    before = at;
    at = shared ? steps_[at].next : steps_[at].alternative;
  }
  if (known == path.size()) return true;
  size_t bytes = literals_.size();
  for (size_t i = known; i < path.size(); ++i) bytes += path[i].length;
  if (alternatives >= kMaxAlternatives || bytes > kMaxLiteralBytes ||
      steps_.size() + path.size() - known > kMaxSteps) {
    return false;
  }
  const auto branch = static_cast<uint16_t>(steps_.size());
  if (before != kNone) (alternatives > 0 ? steps_[before].alternative : steps_[before].next) = branch;
  append(path, known, event);
  return true;
}

void ShapeTree::append(const std::vector<Step>& path, size_t from, std::string_view event) {
  if (!literals_.empty()) literals_.resize(literals_.size() - kComparedBeyond);
  for (size_t i = from; i < path.size(); ++i) {
    Step step = path[i];
    const std::string_view literal = event.substr(step.literal, step.length);
    step.literal = static_cast<uint32_t>(literals_.size());
    if (step.kind != Kind::kEnd) step.next = static_cast<uint16_t>(steps_.size() + 1);
    literals_ += literal;
    steps_.push_back(step);
  }
  literals_.append(kComparedBeyond, '\0');
}

void ShapeTree::forget() {
  steps_.clear();
  literals_.clear();
  full_ = false;
}

}  // namespace millrace::formats
