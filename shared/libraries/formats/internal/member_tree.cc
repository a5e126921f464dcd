#include "formats/internal/member_tree.h"

namespace millrace::formats {

MemberTree::MemberTree(const Schema& schema, const std::vector<int>& wanted) : objects_(1) {
  for (size_t slot = 0; slot < wanted.size(); ++slot) {
    const auto path = schema[static_cast<size_t>(wanted[slot])].members();
    int object = kEvent;
    for (const std::string& name : path.first(path.size() - 1)) {
      objects_[static_cast<size_t>(object)].slots.push_back(static_cast<int>(slot));
      object = enter(object, name);
    }
    Object& last = objects_[static_cast<size_t>(object)];
    last.slots.push_back(static_cast<int>(slot));
    last.members.push_back({path.back(), {static_cast<int>(slot), Member::kNone}});
  }
}

// The object that the member holds.
int MemberTree::enter(int object, const std::string& name) {
  for (const Named& known : objects_[static_cast<size_t>(object)].members) {
    if (known.name == name && known.member.object != Member::kNone) return known.member.object;
  }
  const int inner = static_cast<int>(objects_.size());
  objects_.emplace_back();
  objects_[static_cast<size_t>(object)].members.push_back({name, {Member::kNone, inner}});
  return inner;
}

Member MemberTree::find(int object, std::string_view name) const {
  for (const Named& known : objects_[static_cast<size_t>(object)].members) {
    if (known.name == name) return known.member;
  }
  return {};
}

}  // namespace millrace::formats
