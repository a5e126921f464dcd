#include "engine/call_kernel.h"

namespace millrace::engine {

char* Row::room(size_t bytes, size_t bound) {
  if (bytes <= bound) return context.batch.arena->allocate(bytes);
  fail(kLongText, "the text would be longer than " + std::to_string(bound) + " bytes");
  return nullptr;
}

std::string_view Row::keep(std::string_view bytes) {
  char* place = room(bytes.size());
  if (place == nullptr) return {};
  if (!bytes.empty()) std::memcpy(place, bytes.data(), bytes.size());
  return {place, bytes.size()};
}

bool strict_nulls(std::span<const Operand> args, const Selection& selection, size_t rows, Column& out) {
  out.valid.clear();
  for (const Operand& arg : args) {
    if (arg.column->valid.empty()) continue;
    if (out.valid.empty()) out.valid.assign(rows, 1);
    for_rows(selection, rows, [&](size_t i) { out.valid[i] &= arg.column->valid[arg.at(i)]; });
  }
  return !out.valid.empty();
}

}  // namespace millrace::engine
