// The audit log: chained, durable, whole over crashes; what was changed, removed or put in is named.
#include "event-gateway/audit_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "event-gateway/http_testing.h"

namespace millrace::gateway {
namespace {

class AuditLogTest : public testing::HttpTest {
 protected:
  AuditLogTest() {
    std::string name = ::testing::TempDir() + "auditXXXXXX";
    directory = ::mkdtemp(name.data());
  }
  ~AuditLogTest() override { std::filesystem::remove_all(directory); }
  std::unique_ptr<AuditLog> open(uint64_t max_bytes = AuditLog::kMaxBytes) {
    auto log = AuditLog::open(*files, directory, max_bytes);
    EXPECT_TRUE(log.ok()) << log.error().to_string();
    return std::move(*log);
  }
  static AuditAct act(int number) {
    return {1'000'000'000'000'000,      "token a", "acme", "127.0.0.1", "CREATE STREAM",
            fmt::format("s{}", number), "ok"};
  }
  void write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(write_file_atomically(*files, directory + "/" + name, text).ok());
  }
  std::string read(const std::string& name = "audit.log") {
    auto text = read_whole_file(*files, directory + "/" + name, 1 << 20);
    EXPECT_TRUE(text.ok());
    return text.ok() ? *text : "";
  }
  // The message, or how many lines hold.
  std::string verified() {
    const auto chain = verify_audit(*files, directory);
    if (chain.ok()) return std::to_string(chain->lines);
    EXPECT_EQ(chain.error().id, "MR-AUTH-0019");
    return chain.error().message;
  }
  std::unique_ptr<Files> files = make_system_files();
  std::string directory;
};

TEST_F(AuditLogTest, GoesOnOverRestartsAndRotations) {
  EXPECT_EQ(verified(), "0");
  for (int round = 0; round < 3; ++round) {
    auto log = open(600);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(log->append(act(i)).ok());
  }
  EXPECT_EQ(verified(), "15");
  const auto names = audit_files(*files, directory);
  ASSERT_TRUE(names.ok());
  ASSERT_GE(names->size(), 3u);
  EXPECT_EQ(names->back(), "audit.log");
  std::filesystem::remove(directory + "/" + names->front());  // given away: the rest still holds
  EXPECT_NE(verified(), "15");
  std::filesystem::remove(directory + "/" + names->at(2));
  EXPECT_NE(verified().find("is due"), std::string::npos);
}

TEST_F(AuditLogTest, WhatWasBentIsNamed) {
  {
    auto log = open();
    for (int i = 1; i <= 4; ++i) ASSERT_TRUE(log->append(act(i)).ok());
  }
  const std::string whole = read();
  std::vector<std::string> lines;
  for (size_t at = 0, end; (end = whole.find('\n', at)) != std::string::npos; at = end + 1)
    lines.push_back(whole.substr(at, end - at + 1));
  ASSERT_EQ(lines.size(), 4u);
  std::string bent = whole;
  bent.replace(bent.find("s2"), 2, "s9");
  write("audit.log", bent);
  EXPECT_EQ(verified(), "the audit log is broken at audit.log:3: it does not continue the line before it");
  write("audit.log", lines[0] + lines[2] + lines[3]);
  EXPECT_EQ(verified(), "the audit log is broken at audit.log:2: it is number 3, and 2 is due");
  write("audit.log", lines[0] + lines[1] + lines[1] + lines[2]);
  EXPECT_EQ(verified(), "the audit log is broken at audit.log:3: it is number 2, and 3 is due");
  write("audit.log", lines[0] + "nonsense\n" + lines[1]);
  EXPECT_EQ(verified(), "the audit log is broken at audit.log:2: it is no line of an audit log");
  write("audit.log", lines[0] + "nonsense\n");
  EXPECT_EQ(AuditLog::open(*files, directory).error().id, "MR-AUTH-0017");
  // What a crash has cut was told to nobody.
  write("audit.log", lines[0] + lines[1] + lines[2].substr(0, 20));
  EXPECT_EQ(verified(), "the audit log is broken at audit.log:3: it has no end");
  ASSERT_TRUE(open()->append(act(9)).ok());
  EXPECT_EQ(verified(), "3");
}

TEST_F(AuditLogTest, ALongStatementIsCut) {
  auto log = open();
  AuditAct wide = act(1);
  wide.what = std::string(1 << 20, 'x') + "\n\"";
  ASSERT_TRUE(log->append(wide).ok());
  EXPECT_LT(read().size(), 8192u);
  EXPECT_EQ(verified(), "1");
}

TEST_F(AuditLogTest, ActsOverHttpAreWrittenDown) {
  auto log = open();
  backend.audit = log.get();
  start();
  auto c = client();
  const std::string body = R"({"events_per_s":5})";
  c.call(
      "PUT /v1/tenants/default/quotas HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "application/json\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  const std::string line = read();
  EXPECT_NE(line.find(R"("act":"SET QUOTAS","what":"default {\"events_per_s\":5,)"), std::string::npos)
      << line;
  EXPECT_NE(line.find(R"("from":"127.0.0.1")"), std::string::npos);
  EXPECT_EQ(verified(), "1");
}

}  // namespace
}  // namespace millrace::gateway
