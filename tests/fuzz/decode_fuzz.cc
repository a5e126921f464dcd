// Any bytes into the small decoders: each takes all or refuses, reads nothing outside, and what it took comes
// out of its encoder as something it takes as the same. The first byte chooses the decoder.
#include <cstdint>
#include <limits>
#include <memory>

#include "base/buffer.h"
#include "engine/letters.h"
#include "log/frame.h"
#include "log/record_batch.h"
#include "log/segment.h"
#include "log/segment_index.h"
#include "stream-processor/step_record.h"
#include "tests/fuzz/journal_seal.h"
#include "tests/fuzz/require.h"

namespace millrace::fuzz {
namespace {

using namespace millrace::log;  // NOLINT

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// As a client's bytes would come: as they are, then with a checksum that holds.
void check_records(std::string_view bytes, bool check_crc) {
  const auto view = RecordBatchView::parse(bytes, check_crc);
  if (!view.ok()) return require(!view.error().id.empty(), "a refusal has its code");
  require(view->count() > 0 && view->count() <= bytes.size(), "a batch holds what its bytes can");
  require(view->base_offset() <= view->last_offset(), "offsets rise");
  RecordBatchView::Cursor cursor(*view);
  Record record;
  uint32_t records = 0;
  size_t content = 0;
  while (cursor.next(record)) {
    ++records;
    require(inside(record.value, bytes) && inside(record.key.value_or(""), bytes) &&
                inside(record.headers, bytes),
            "a record lies in its batch");
    content += record.value.size() + record.key.value_or("").size() + record.headers.size();
  }
  require(records <= view->count() && content <= bytes.size(), "records do not overlap");
  require(!cursor.ok() || records == view->count(), "a batch that parses has all its records");
}

void record_batch(std::string_view bytes) {
  check_records(bytes, true);
  check_records(bytes, false);
  std::string sealed(bytes);
  seal_record_batch(sealed.data(), sealed.size());
  const bool plain = RecordBatchView::parse(bytes, false).ok();
  require(RecordBatchView::parse(sealed, true).ok() == plain, "only the checksum stood in the way");
  check_records(sealed, true);
}

// A frame's header as it is, its body unchecked: nothing of it may be trusted.
void frame(std::string_view bytes) {
  const auto header = load_frame_header(bytes, false);
  if (!header) return;
  const Buffer owner = Buffer::copy(bytes.substr(0, std::min<size_t>(bytes.size(), header->length)));
  const auto view = view_frame(std::make_shared<Buffer>(owner), owner.view(), *header, false);
  if (!view.ok()) return require(!check_frame(owner.view(), *header).ok(), "what is refused is damaged");
  require((*view)->batches.size() == header->batches && (*view)->controls.size() == header->controls,
          "a frame holds what its header says");
  for (const auto& batch : (*view)->batches) {
    require(inside(batch.bytes.view(), owner.view()) && batch.count > 0, "a batch lies in its frame");
    require(batch.first.value >= 0, "offsets begin at 0");
    require(batch.first.value <= std::numeric_limits<int64_t>::max() - batch.count, "offsets have an end");
  }
  for (const auto& control : (*view)->controls)
    require(inside(control.payload.view(), owner.view()), "a control too");
}

void segment_parts(std::string_view bytes) {
  const auto header = load_segment_header(bytes);
  if (header.ok() && *header) {
    SegmentHeader again = **header;
    const auto reloaded = load_segment_header(encode_segment_start(again, {}));
    require(reloaded.ok() && *reloaded && (*reloaded)->first == (*header)->first, "a header comes back");
  }
  if (const auto trailer = load_trailer(bytes))
    require(load_trailer(encode_trailer(*trailer))->last == trailer->last, "a trailer comes back");
  const auto carry =
      bytes.size() < 24 ? std::nullopt : load_carry(bytes, load_le<uint64_t>(bytes.data() + 16));
  if (!carry) return;
  SegmentHeader owner;
  owner.id = 3;
  const std::string start = encode_segment_start(owner, *carry);
  const auto length = load_le<uint32_t>(start.data() + kSegmentBlock + 12);
  const auto again = load_carry(std::string_view(start).substr(kSegmentBlock, length), 3);
  require(again && again->next == carry->next && again->positions == carry->positions, "a carry comes back");
}

void index(std::string_view bytes) {
  const auto index = SegmentIndex::decode(bytes);
  if (!index) return;
  const std::string text = index->encode();
  const auto again = SegmentIndex::decode(text);
  require(again && again->encode() == text, "an index comes back");
  (void)index->frame_at(Cut(7));
  (void)index->frame_before(AppendTime(7));
  for (const auto& part : index->parts()) require(index->find(part.where) != nullptr, "a part is found");
}

void step_record(std::string_view bytes) {
  const auto record = processor::decode_step(bytes);
  if (!record.ok()) return require(record.error().code == Code::kCorrupt, "a refusal says why");
  const std::string text = processor::encode(*record);
  const auto again = processor::decode_step(text);
  require(again.ok() && processor::encode(*again) == text, "a step record comes back");
  require(text.size() <= bytes.size(), "nothing is made up");
}

void layouts(std::string_view bytes) {
  const auto layouts = processor::decode_layouts(bytes);
  if (!layouts.ok()) return require(layouts.error().code == Code::kCorrupt, "a refusal says why");
  const std::string text = processor::encode(*layouts);
  const auto again = processor::decode_layouts(text);
  require(again.ok() && processor::encode(*again) == text, "layouts come back");
}

void letter_action(std::string_view bytes) {
  const auto action = engine::decode_letter_action(bytes);
  if (!action.ok()) return require(action.error().code == Code::kCorrupt, "a refusal says why");
  const std::string text = engine::encode(*action);
  const auto again = engine::decode_letter_action(text);
  require(again.ok() && engine::encode(*again) == text, "an action comes back");
  require(text.size() <= bytes.size(), "nothing is made up");
}

void position(std::string_view bytes) {
  std::string_view name;
  std::string_view value;
  if (!decode_position(bytes, name, value)) return;
  require(inside(name, bytes) && inside(value, bytes), "a position lies in its control");
  const std::string text = encode_position(name, value);
  std::string_view again;
  require(decode_position(text, again, value) && again == name, "a position comes back");
}

constexpr void (*kDecoders[])(std::string_view) = {record_batch, frame,   segment_parts, index,
                                                   step_record,  layouts, position,      letter_action};

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1,
                          size - 1);  // its own memory: the end is guarded
  millrace::fuzz::kDecoders[data[0] % std::size(millrace::fuzz::kDecoders)](bytes);
  return 0;
}
