#include "base/files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

namespace millrace {
namespace {

class FilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/millrace_files_XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string at(const std::string& name) const { return directory_ + "/" + name; }
  std::vector<WriteCompletion> wait_for(size_t count) {
    std::vector<WriteCompletion> out;
    for (int i = 0; i < 5000 && out.size() < count; ++i) {
      files_->poll(out);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return out;
  }

  std::string directory_;
  std::unique_ptr<Files> files_ = make_system_files();
};

TEST_F(FilesTest, WritesAndReadsBack) {
  auto file = files_->open(at("a"), Files::Open::kWrite);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->write_at(3, "hello").ok());
  ASSERT_TRUE((*file)->sync().ok());
  EXPECT_EQ(*(*file)->size(), 8u);
  char buffer[16];
  ASSERT_EQ(*(*file)->read_at(3, buffer, sizeof buffer), 5u);  // short at the end of the file
  EXPECT_EQ(std::string_view(buffer, 5), "hello");
  ASSERT_TRUE((*file)->resize(4).ok());
  EXPECT_EQ(*(*file)->size(), 4u);
}

TEST_F(FilesTest, MissingFileIsNotFound) {
  const auto file = files_->open(at("missing"), Files::Open::kRead);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, Code::kNotFound);
  EXPECT_FALSE(files_->exists(at("missing")));
  EXPECT_EQ(files_->remove(at("missing")).error().code, Code::kNotFound);
}

TEST_F(FilesTest, SubmittedWritesCompleteInOrderAndWake) {
  std::atomic<int> woken = 0;
  files_->set_wake([&] { ++woken; });
  auto file = files_->open(at("direct"), Files::Open::kDirectWrite);
  ASSERT_TRUE(file.ok());
  auto* block = static_cast<char*>(std::aligned_alloc(kDirectAlignment, 2 * kDirectAlignment));
  std::memset(block, 'x', 2 * kDirectAlignment);
  files_->submit({*file, 0, std::string_view(block, 2 * kDirectAlignment), true, 7});
  files_->submit({*file, 8192, std::string_view(block, kDirectAlignment), true, 8});
  const auto done = wait_for(2);
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done[0].token, 7u);
  EXPECT_EQ(done[1].token, 8u);
  EXPECT_TRUE(done[0].status.ok() && done[1].status.ok());
  EXPECT_EQ(*(*file)->size(), 12288u);
  for (int i = 0; i < 1000 && woken < 2; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(woken, 2);
  std::free(block);
}

TEST_F(FilesTest, DirectReadsNeedNoAlignmentOfTheCaller) {
  std::string content(10'000, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7);
  ASSERT_TRUE(write_file_atomically(*files_, at("c"), content).ok());
  auto file = files_->open(at("c"), Files::Open::kDirectRead);
  ASSERT_TRUE(file.ok());
  std::string got(6000, '\0');
  ASSERT_EQ(*(*file)->read_at(4001, got.data(), got.size()), 5999u);
  EXPECT_EQ(got.substr(0, 5999), content.substr(4001));
}

TEST_F(FilesTest, UnalignedWritesToADirectFileWork) {
  auto file = files_->open(at("d"), Files::Open::kDirectWrite);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->write_at(5, "odd").ok());
  char buffer[3];
  ASSERT_EQ(*(*file)->read_at(5, buffer, 3), 3u);
  EXPECT_EQ(std::string_view(buffer, 3), "odd");
}

TEST_F(FilesTest, FailedSubmittedWriteIsReported) {
  ASSERT_TRUE(write_file_atomically(*files_, at("r"), "x").ok());
  auto file = files_->open(at("r"), Files::Open::kRead);
  files_->submit({*file, 0, "y", true, 1});
  const auto done = wait_for(1);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].status.error().code, Code::kUnavailable);  // EBADF: the descriptor only reads
}

TEST_F(FilesTest, AtomicWriteReplacesAndLeavesNothingBehind) {
  ASSERT_TRUE(write_file_atomically(*files_, at("f"), "a longer first text").ok());
  ASSERT_TRUE(write_file_atomically(*files_, at("f"), "second").ok());
  EXPECT_EQ(*read_whole_file(*files_, at("f"), 100), "second");
  EXPECT_EQ(read_whole_file(*files_, at("f"), 3).error().id, "MR-FILE-0004");
  EXPECT_EQ(*files_->list(directory_), std::vector<std::string>{"f"});
}

TEST_F(FilesTest, LockIsExclusiveAndEndsWithItsObject) {
  auto held = files_->lock(at("lock"));
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(files_->lock(at("lock")).error().code, Code::kConflict);
  held = error(Code::kGone, "", "released");
  EXPECT_TRUE(files_->lock(at("lock")).ok());
}

TEST_F(FilesTest, DirectoriesAndSpace) {
  ASSERT_TRUE(files_->make_directories(at("x/y/z")).ok());
  EXPECT_TRUE(files_->exists(at("x/y/z")));
  EXPECT_TRUE(files_->sync_directory(at("x/y")).ok());
  EXPECT_GT(*files_->free_bytes(directory_), 0u);
  EXPECT_EQ(files_->list(at("nowhere")).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace millrace
