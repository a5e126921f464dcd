// LetterStates: what was done with which dead letters, by tenant and number.
//
// Record:  ControlKind::kLetter. So the table is a function of the journal, as of the frames that are durable.
// Bound:   kMostLetters and kMostBytes a tenant; what retention has removed is forgotten first.
// Threads: the core loop.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/letters.h"

namespace millrace::gateway {

struct LetterMark {
  AppendTime at;
  Cut cut;
  std::string by;  // empty: nobody had to say
};
struct LetterState {
  std::optional<LetterMark> edited, discarded, redriven;
  std::string payload;  // as it was corrected

  std::string_view name() const {  // of letters that nothing was done with: "open"
    return redriven ? "redriven" : discarded ? "discarded" : edited ? "edited" : "open";
  }
};

class LetterStates {
 public:
  static constexpr size_t kMostLetters = 200'000;
  static constexpr size_t kMostBytes = 256u << 20;  // of what names them and of their payloads

  const LetterState* find(TenantId tenant, Offset letter) const;  // null: nothing was done
  bool has_room(TenantId tenant, size_t letters, size_t bytes) const;
  void apply(const engine::LetterAction& action, AppendTime at, Cut cut);
  void forget_before(TenantId tenant, Offset oldest);
  bool empty() const { return tenants_.empty(); }

  std::string save() const;
  Status load(std::string_view saved);  // all of it, or nothing

 private:
  struct Tenant {
    std::map<int64_t, LetterState> letters;
    size_t bytes = 0;
  };
  static size_t bytes_of(const LetterState& state);

  std::map<TenantId, Tenant> tenants_;
};

}  // namespace millrace::gateway
