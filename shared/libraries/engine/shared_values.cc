#include "engine/shared_values.h"

#include "engine/plan.h"

namespace millrace::engine {
namespace {

using Calls = std::vector<const Expr*>;

constexpr size_t kLongestIdentity = 4096;  // of a call that is looked for: bounds what is kept

// Without recursion: a chain a + b + … is as deep as it is long.
void add_calls(const Expr& root, Calls& calls) {
  std::vector<const Expr*> left{&root};
  while (!left.empty()) {
    const Expr* expr = left.back();
    left.pop_back();
    if (expr->op == Op::kCall) calls.push_back(expr);
    for (const ExprPtr& arg : expr->args) left.push_back(arg.get());
  }
}

}  // namespace

SharedValues::SharedValues(const std::vector<ExprPtr>& expressions, PlanOptions options) {
  if (!options.optimize) return;
  Calls calls;
  for (const ExprPtr& expr : expressions) {
    if (expr) add_calls(*expr, calls);
  }
  if (calls.size() < 2) return;
  std::unordered_map<std::string, size_t> times;
  for (const Expr* call : calls) {
    std::string identity = identity_of(*call);
    if (identity.size() <= kLongestIdentity) ++times[std::move(identity)];
  }
  for (const auto& [identity, count] : times) {
    if (count > 1) calls_.emplace(identity, std::make_unique<Call>());
  }
}

void SharedValues::begin() {
  for (auto& [identity, call] : calls_) call->known.clear();
}

SharedValues::Call* SharedValues::find(const Expr& call) {
  if (calls_.empty()) return nullptr;
  const auto found = calls_.find(identity_of(call));
  return found == calls_.end() ? nullptr : found->second.get();
}

}  // namespace millrace::engine
