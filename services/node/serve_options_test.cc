#include "node/serve_options.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace millrace::node {
namespace {

class ServeOptionsTest : public ::testing::Test {
 protected:
  ServeOptionsTest() { add_serve_options(app, options); }
  bool parse(const std::string& text) {
    try {
      app.parse(text);
      return true;
    } catch (const CLI::ParseError&) {
      return false;
    }
  }
  CLI::App app;
  ServeOptions options;
};

TEST_F(ServeOptionsTest, DefaultsAreTheServers) {
  ASSERT_TRUE(parse(""));
  const auto http = http_options(options);
  const gateway::HttpOptions own;
  EXPECT_EQ(http.max_connections, own.max_connections);
  EXPECT_EQ(http.max_body_bytes, own.max_body_bytes);
  EXPECT_EQ(http.idle_timeout, own.idle_timeout);
  EXPECT_EQ(http.heartbeat, own.heartbeat);
  EXPECT_TRUE(http.allowed_hosts.empty());
}

TEST_F(ServeOptionsTest, WhatTheListenerIsTold) {
  ASSERT_TRUE(
      parse("--allow-host events.example.com --allow-host other:8443 --max-connections 5 --max-body-mb 1 "
            "--idle-seconds 7 --heartbeat-seconds 3"));
  const auto http = http_options(options);
  EXPECT_EQ(http.allowed_hosts, (std::vector<std::string>{"events.example.com", "other:8443"}));
  EXPECT_EQ(http.max_connections, 5u);
  EXPECT_EQ(http.max_body_bytes, 1u << 20);
  EXPECT_EQ(http.idle_timeout, std::chrono::seconds(7));
  EXPECT_EQ(http.heartbeat, std::chrono::seconds(3));
}

TEST_F(ServeOptionsTest, ListenersHaveWhatTheyNeed) {
  const std::vector<std::pair<const char*, bool>> cases = {
      {"", true},
      {"--http off", false},
      {"--https 127.0.0.1:1", false},
      {"--https 127.0.0.1:1 --tls-cert c", false},
      {"--https 127.0.0.1:1 --tls-key k", false},
      {"--tls-cert c --tls-key k", false},
      {"--tls-client-ca a", false},
      {"--https [::]:1 --tls-cert c --tls-key k", true},
      {"--https :1 --tls-cert c --tls-key k", false},
      {"--https events.example.com:1 --tls-cert c --tls-key k", false},
      {"--http events.example.com:1", false},
      {"--http localhost:1", true},
      {"--schema-registry localhost:1", true},
      {"--schema-registry events.example.com:1", false},
      {"--schema-registry 127.0.0.1", false},
      {"--schema-registry 127.0.0.1:1 --schema-registry-tls", false},
      {"--schema-registry 127.0.0.1:1 --schema-registry-tls --tls-cert c --tls-key k", true},
      {"--schema-registry-tls --tls-cert c --tls-key k", false},  // of no registry
      {"--services schema-registry", true},
      {"--services schema-registry --schema-registry-tls --tls-cert c --tls-key k", true},
      {"--services schema-registry --schema-registry :1", false},
      {"--services schema-registry --https 127.0.0.1:1 --tls-cert c --tls-key k", false},
      {"--services schema-registry --http 127.0.0.1:1", false},
      {"--services schema-registry --http off", true},
      {"--http off --https 0.0.0.0:1 --tls-cert c --tls-key k --tls-client-ca a", true}};
  for (const auto& [text, good] : cases) {
    options = ServeOptions();
    ASSERT_TRUE(parse(text)) << text;
    EXPECT_EQ(check_listeners(options).ok(), good) << text;
  }
}

TEST_F(ServeOptionsTest, TimesHaveUnits) {
  EXPECT_EQ(options.statement_timeout, std::chrono::milliseconds(60'000));
  const std::vector<std::pair<const char*, uint32_t>> times = {
      {"0", 0}, {"0s", 0}, {"500ms", 500}, {"90s", 90'000}, {"5m", 300'000}, {"24h", 86'400'000}};
  for (const auto& [text, ms] : times) {
    ASSERT_TRUE(parse("--statement-timeout " + std::string(text))) << text;
    EXPECT_EQ(options.statement_timeout, std::chrono::milliseconds(ms)) << text;
  }
}

TEST_F(ServeOptionsTest, WhatIsRefused) {
  for (const char* text : {"--allow-host http://events.example.com",
                           "--allow-host *",
                           "--allow-host *.example.com",
                           "--allow-host a:b",
                           "--max-connections 0",
                           "--max-body-mb 49",
                           "--idle-seconds 0",
                           "--workers 65",
                           "--reserve-mb -1",
                           "--state-mb -1",
                           "--state-mb 0",
                           "--state-memory-mb -1",
                           "--cors-origin app.example.com",
                           "--cors-origin https://app.example.com/",
                           "--cors-origin null",
                           "--statement-timeout 5",
                           "--statement-timeout -1s",
                           "--statement-timeout=-1",
                           "--statement-timeout 25h",
                           "--statement-timeout 99999999999s",
                           "--statement-timeout 1.5s",
                           "--statement-timeout s",
                           "--statement-timeout 1d",
                           "--snapshot-mb 99999999999",
                           "--snapshot-seconds -1"}) {
    EXPECT_FALSE(parse(text)) << text;
  }
}

}  // namespace
}  // namespace millrace::node
