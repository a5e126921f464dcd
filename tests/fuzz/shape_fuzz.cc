// Events of like shape: the first line of the input, then the same with a byte changed, one change after the
// other, then the input's other lines; all of it twice. Remembered shapes may not show: every event has the row
// or the error that a new decoder, which remembers none, gives it.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "formats/json.h"
#include "tests/fuzz/event_schema.h"
#include "tests/fuzz/require.h"

namespace millrace::fuzz {
namespace {

using namespace millrace::formats;  // NOLINT

constexpr size_t kMaxChanges = 15;
const Schema kSchema = event_schema();

struct Decoded {
  Batch batch;
  std::vector<RowError> errors;
};

class Decoders {
 public:
  explicit Decoders(std::vector<int> wanted) : wanted_(std::move(wanted)), learning_(kSchema, wanted_) {}

  void check(std::string_view text) {
    const Buffer event = Buffer::copy(text);
    Decoded seen;
    Decoded expected;
    learning_.decode({event.view()}, seen.batch, seen.errors);
    JsonDecoder(kSchema, wanted_).decode({event.view()}, expected.batch, expected.errors);
    require(seen.errors.size() == expected.errors.size(), "both accept or refuse", std::string(text));
    if (!seen.errors.empty()) {
      require(
          seen.errors[0].id == expected.errors[0].id && seen.errors[0].message == expected.errors[0].message,
          "both refuse for the same reason", std::string(text));
      return;
    }
    for (size_t i = 0; i < wanted_.size(); ++i)
      require(same(seen.batch.columns[i], expected.batch.columns[i]), "both read the same",
              std::string(text));
  }

 private:
  static bool same(const Column& a, const Column& b) {
    std::string left;
    std::string right;
    append_key_text(left, a, 0);
    append_key_text(right, b, 0);
    return a.is_null(0) == b.is_null(0) && left == right;
  }

  const std::vector<int> wanted_;
  JsonDecoder learning_;
};

std::vector<std::string> events_of(std::string_view input) {
  const size_t changes =
      std::min<size_t>(static_cast<unsigned char>(input[0]) % (kMaxChanges + 1), (input.size() - 1) / 3);
  std::string_view lines = input.substr(1 + 3 * changes);
  std::string first(lines.substr(0, lines.find('\n')));
  std::vector<std::string> events = {first};
  for (size_t i = 0; i < changes && !first.empty(); ++i) {
    const char* const change = input.data() + 1 + 3 * i;
    const size_t at = (static_cast<unsigned char>(change[0]) << 2 | (change[1] & 3)) % first.size();
    if ((change[1] & 0xC) == 0) {
      first.insert(at, 1, change[2]);
    } else if ((change[1] & 0xC) == 4) {
      first.erase(at, 1);
    } else {
      first[at] = change[2];
    }
    events.push_back(first);
    if ((change[1] & 0x10) != 0) first = events.front();
  }
  while (!lines.empty()) {
    events.emplace_back(lines.substr(0, lines.find('\n')));
    lines.remove_prefix(std::min(lines.size(), events.back().size() + 1));
  }
  return events;
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 4096) return 0;
  const auto events = millrace::fuzz::events_of({reinterpret_cast<const char*>(data), size});
  for (const auto& wanted : {millrace::fuzz::all_columns(millrace::fuzz::kSchema), std::vector<int>{3, 1},
                             std::vector<int>{7, 6}}) {
    millrace::fuzz::Decoders decoders(wanted);
    for (int round = 0; round < 2; ++round) {
      for (const auto& event : events) decoders.check(event);
    }
  }
  return 0;
}
