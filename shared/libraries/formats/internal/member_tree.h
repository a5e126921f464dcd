// MemberTree: which members of an event hold columns, and which hold the objects on the way to one.
//
// Why:        the general reader and the learner of shapes both go through an event's objects; what a name means
//             in each of them is decided here once.
// Owns:       the names.
// Bound:      the schema's: kMaxPathMembers deep, so going down by recursion is safe.
// Invariants: object 0 is the event. A stream's definition has no two columns of one path, and none inside of
//             another; of such columns the first would count.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "event/type.h"

namespace millrace::formats {

// What a member is to the columns: one's value, an object on the way to others, or neither.
struct Member {
  static constexpr int kNone = -1;
  int slot = kNone;
  int object = kNone;
  friend bool operator==(const Member&, const Member&) = default;
};

class MemberTree {
 public:
  static constexpr int kEvent = 0;

  // Slot i is the column schema[wanted[i]].
  MemberTree(const Schema& schema, const std::vector<int>& wanted);

  Member find(int object, std::string_view name) const;
  // The slots of an object and of those in it.
  const std::vector<int>& slots_in(int object) const { return objects_[static_cast<size_t>(object)].slots; }
  size_t objects() const { return objects_.size(); }

 private:
  struct Named {
    std::string name;
    Member member;
  };
  struct Object {
    std::vector<Named> members;
    std::vector<int> slots;
  };
  int enter(int object, const std::string& name);

  std::vector<Object> objects_;
};

}  // namespace millrace::formats
