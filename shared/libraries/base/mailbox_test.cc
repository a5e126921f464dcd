#include "base/mailbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace millrace {
namespace {

TEST(Mailbox, AFullOneKeepsTheMessageWithTheSender) {
  Mailbox<std::unique_ptr<int>> box(1);
  EXPECT_TRUE(box.put(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(box.put(std::move(second)));
  ASSERT_NE(second, nullptr);  // NOLINT(bugprone-use-after-move): put() moves only when it answers true
}

TEST(Mailbox, TakesInOrderAcrossThreads) {
  Mailbox<int> box(64);
  std::thread sender([&] {
    for (int i = 0; i < 10'000; ++i) {
      while (!box.put(int{i})) std::this_thread::yield();
    }
  });
  std::vector<int> got;
  while (got.size() < 10'000) box.take_all(got);
  sender.join();
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(got[static_cast<size_t>(i)], i);
}

}  // namespace
}  // namespace millrace
