#include "node/shell/history_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

namespace millrace::cli {
namespace {

class HistoryFileTest : public testing::Test {
 protected:
  const std::filesystem::path root_ = testing::TempDir() + "/history_file_test";
  const std::string path_ = root_ / "state/millrace/history";
  void SetUp() override { std::filesystem::remove_all(root_); }
  void TearDown() override { std::filesystem::remove_all(root_); }
};

TEST_F(HistoryFileTest, EntriesComeBackAsTheyWere) {
  HistoryFile(path_).append("SELECT 1;");
  HistoryFile(path_).append("SELECT '\\n',\n  'ü';");
  EXPECT_EQ(HistoryFile(path_).load(), (std::vector<std::string>{"SELECT 1;", "SELECT '\\n',\n  'ü';"}));
}

TEST_F(HistoryFileTest, IsItsOwnersAlone) {
  HistoryFile(path_).append("SELECT 1;");
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat((root_ / "state").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(HistoryFileTest, ASpaceInFrontKeepsAnEntryOut) {
  HistoryFile(path_).append(" SELECT 'secret';");
  HistoryFile(path_).append("");
  HistoryFile(path_).append(std::string(HistoryFile::kMaxEntryBytes + 1, 'x'));
  EXPECT_EQ(HistoryFile(path_).load(), std::vector<std::string>{});
  HistoryFile("").append("SELECT 1;");
}

TEST_F(HistoryFileTest, IsBounded) {
  HistoryFile file(path_);
  const size_t all = 2 * HistoryFile::kMaxEntries + 1;
  for (size_t i = 0; i < all; ++i) file.append("SELECT " + std::to_string(i) + ";");
  for (int again = 0; again < 2; ++again) {
    const auto entries = file.load();
    ASSERT_EQ(entries.size(), HistoryFile::kMaxEntries);
    EXPECT_EQ(entries.back(), "SELECT " + std::to_string(all - 1) + ";");
  }
  EXPECT_LT(std::filesystem::file_size(path_), 17 * HistoryFile::kMaxEntries);
}

}  // namespace
}  // namespace millrace::cli
