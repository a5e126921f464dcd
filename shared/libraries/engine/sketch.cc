#include "engine/sketch.h"

#include "engine/aggregates.h"

namespace millrace::engine {

std::shared_ptr<const Sketch> sketch_of(const AggregateCall& call) {
  if (is_variance(call.kind) && call.type == Type::kDouble) return moments(call.kind);
  if (is_of_pairs(call.kind)) return pair_moments(call.kind);
  if (call.kind == AggregateKind::kApproxCountDistinct) return hyperloglog();
  if (call.kind == AggregateKind::kApproxPercentile)
    return percentile_sketch(std::get<double>(call.parameter->literal));
  return nullptr;
}

}  // namespace millrace::engine
