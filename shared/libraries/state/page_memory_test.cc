#include "state/internal/page_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "base/random.h"

namespace millrace::state::internal {
namespace {

struct Piece {
  char* memory;
  size_t bytes;
  char mark;
};

// Takes and gives back at random; each piece is full of its mark until it goes.
void take_and_give(PageMemory& memory, uint64_t seed, size_t most, int turns) {
  Random random(seed);
  std::vector<Piece> pieces;
  const auto give = [&](size_t i) {
    const Piece piece = pieces[i];
    EXPECT_EQ(std::count(piece.memory, piece.memory + piece.bytes, piece.mark),
              static_cast<ptrdiff_t>(piece.bytes));
    memory.release(piece.memory, piece.bytes);
    pieces[i] = pieces.back();
    pieces.pop_back();
  };
  for (int turn = 0; turn < turns; ++turn) {
    if (pieces.size() < most && random.below(5) < 3) {
      const size_t bytes =
          PageMemory::kLeastBytes + random.below(PageMemory::kMostBytes - PageMemory::kLeastBytes + 1);
      Piece piece{static_cast<char*>(memory.allocate(bytes)), bytes, static_cast<char>(turn)};
      ASSERT_NE(piece.memory, nullptr);
      std::memset(piece.memory, piece.mark, bytes);
      pieces.push_back(piece);
    } else if (!pieces.empty()) {
      give(random.below(pieces.size()));
    }
  }
  while (!pieces.empty()) give(pieces.size() - 1);
}

TEST(PageMemory, PiecesDoNotOverlapAndRegionsGoBack) {
  PageMemory memory;
  take_and_give(memory, 1, 200, 4000);
  EXPECT_LE(memory.regions(), PageMemory::kMostEmpty);
}

TEST(PageMemory, ARegionIsFilledBeforeTheNext) {
  PageMemory memory;
  constexpr size_t kBytes = 7 * PageMemory::kUnitBytes;
  constexpr size_t kInARegion = (PageMemory::kRegionBytes / PageMemory::kUnitBytes - 1) / 7;
  std::vector<void*> pieces;
  for (size_t i = 0; i < 2 * kInARegion; ++i) pieces.push_back(memory.allocate(kBytes));
  EXPECT_EQ(memory.regions(), 2u);
  // Two neighbours make room for one of twice the size.
  memory.release(pieces[2], kBytes);
  memory.release(pieces[3], kBytes);
  EXPECT_EQ(memory.allocate(2 * kBytes), pieces[2]);
  EXPECT_EQ(memory.regions(), 2u);
}

TEST(PageMemory, ThreadsShareIt) {
  PageMemory memory;
  std::thread other([&] { take_and_give(memory, 2, 100, 2000); });
  take_and_give(memory, 3, 100, 2000);
  other.join();
  EXPECT_LE(memory.regions(), PageMemory::kMostEmpty);
}

}  // namespace
}  // namespace millrace::state::internal
