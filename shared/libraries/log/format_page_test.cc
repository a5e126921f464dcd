// The worked example of docs/formats/journal.md, byte for byte: the page and the code say the same, or this fails.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "log/frame.h"
#include "log/record_batch.h"
#include "log/segment.h"

namespace millrace::log {
namespace {

// The bytes of the first fenced block behind the heading: two hex digits a byte, "00 x12" a run, and what
// follows two spaces is a remark.
std::string example_bytes(const std::string& page) {
  std::ifstream file(page);
  EXPECT_TRUE(file.is_open()) << page;
  std::string line;
  while (std::getline(file, line) && line != "## Worked example") {
  }
  while (std::getline(file, line) && line != "```") {
  }
  std::string bytes;
  while (std::getline(file, line) && line != "```") {
    std::istringstream words(line.substr(0, line.find("  ")));
    for (std::string word; words >> word;) {
      if (word[0] == 'x') {
        bytes.append(std::stoul(word.substr(1)) - 1, bytes.back());
      } else {
        bytes += static_cast<char>(std::stoul(word, nullptr, 16));
      }
    }
  }
  return bytes;
}

// A segment's start and one frame, as the page tells it.
std::string encoded_example() {
  SegmentHeader header;
  header.id = 2;
  header.epoch = 1;
  header.first = Cut(3);
  header.previous = 0xAABBCCDD;
  header.salt = 0x11223344;
  header.time = AppendTime(1'700'000'000'000'000);
  Carry carry;
  carry.next[{StreamId(5), PartitionId(0)}] = Offset(2);
  carry.positions["copy"] = "7";
  std::string out = encode_segment_start(header, carry);

  RecordBatchBuilder builder;
  builder.add("ana", "{}", 1'700'000'000'000);
  Group group;
  group.batches.push_back({{StreamId(5), PartitionId(0)}, builder.finish()});
  group.controls.push_back({ControlKind::kTick, ""});
  const size_t length = frame_length(group);
  FrameHeader frame;
  frame.length = static_cast<uint32_t>(length);
  frame.padding = frame_padding(length);
  const size_t at = out.size();
  out.resize(at + frame.span());
  frame.body_checksum = encode_frame_body(out.data() + at + kFrameHeader, group, {{{}, Offset(2), 1}});
  frame.previous = header.previous;
  frame.segment = header.id;
  frame.cut = header.first;
  frame.frontier = Cut(2);
  frame.time = AppendTime(1'700'000'000'000'250);
  frame.epoch = header.epoch;
  frame.salt = header.salt;
  frame.batches = 1;
  frame.controls = 1;
  store_frame_header(out.data() + at, frame);
  return out;
}

std::string hex(const std::string& bytes) {
  static const char* digits = "0123456789ABCDEF";
  std::string out;
  for (size_t i = 0; i < bytes.size();) {
    size_t run = i;
    while (run < bytes.size() && bytes[run] == bytes[i]) ++run;
    const auto byte = static_cast<unsigned char>(bytes[i]);
    out += {digits[byte >> 4], digits[byte & 15], ' '};
    if (run - i > 8) out += "x" + std::to_string(run - i) + "\n";
    i = run - i > 8 ? run : i + 1;
  }
  return out;
}

TEST(JournalFormatPage, WorkedExampleIsWhatTheCodeWrites) {
  EXPECT_EQ(hex(example_bytes(MILLRACE_JOURNAL_PAGE)), hex(encoded_example()));
}

TEST(JournalFormatPage, WorkedExampleReadsBack) {
  const std::string bytes = example_bytes(MILLRACE_JOURNAL_PAGE);
  const auto header = load_segment_header(bytes);
  ASSERT_TRUE(header.ok() && *header);
  EXPECT_EQ((*header)->first, Cut(3));
  const std::string_view at = std::string_view(bytes).substr((*header)->frames_begin);
  const auto frame = load_frame_header(at, true);
  ASSERT_TRUE(frame);
  EXPECT_TRUE(check_frame(at.substr(0, frame->length), *frame).ok());
}

}  // namespace
}  // namespace millrace::log
