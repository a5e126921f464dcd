// NodeTest, for tests: a whole node with inline workers on a simulated disk and clock, driven by hand.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "formats/json.h"
#include "node/node.h"
#include "sim/sim_background.h"
#include "sim/sim_clock.h"
#include "sim/sim_files.h"

namespace millrace::node {

class NodeTest : public testing::Test {
 protected:
  NodeTest() {
    options_.directory = "/data";
    options_.inline_workers = true;
    options_.journal.background_thread = false;
    options_.journal.segment_bytes = 256u << 10;
    options_.journal.reserve_bytes = 1u << 20;
    options_.journal.max_frame_bytes = 2u << 20;
  }

  Status try_open() {
    auto opened = Node::open(files_, clock_, background_, options_);
    if (!opened.ok()) return std::move(opened).error();
    node_ = std::move(*opened);
    tenant_ = *node_->tenant("default");
    return {};
  }
  void open() {
    const Status opened = try_open();
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
  }
  void end() {
    background_.drop_all();
    node_.reset();
    background_.drop_all();
  }
  void crash() {
    files_.crash();
    end();
  }
  void close() {
    settle();
    const Status closed = node_->close();
    ASSERT_TRUE(closed.ok()) << closed.error().to_string();
    end();
  }

  void turn() {
    node_->turn();
    background_.step();
    clock_.advance_us(100);
    ASSERT_FALSE(node_->failed()) << node_->failed()->to_string();
  }
  void turns(int n) {
    for (int i = 0; i < n && !HasFatalFailure(); ++i) turn();
  }
  template <typename Done>
  void run_until(Done done) {
    for (int i = 0; i < 100'000 && !HasFatalFailure(); ++i) {
      if (done()) return;
      turn();
    }
    FAIL() << "the node does not get there";
  }
  void settle() {
    run_until([this] { return node_->idle() && background_.empty(); });
  }

  // The statement's rows as JSON; an error's id.
  struct Answer {
    std::vector<std::string> rows;
    std::string error;
    std::unique_ptr<engine::Subscription> subscription;
  };
  Answer sql(const std::string& text) {
    Answer answer;
    std::optional<Status> ended;
    node_->sql().execute(
        tenant_, text,
        [&](gateway::StatementResult result) {
          if (result.subscription) answer.subscription = std::move(result.subscription);
          add_rows(result, answer.rows);
        },
        [&](Status status) { ended = std::move(status); });
    run_until([&] { return ended.has_value(); });
    if (ended && !ended->ok()) answer.error = ended->error().id;
    return answer;
  }

  void run(const std::string& text) { EXPECT_EQ(sql(text).error, "") << text; }

  // Events {"n":from} … {"n":to - 1} in one request; `pad` more bytes each. Not waited for; answers how it
  // went.
  std::shared_ptr<std::optional<std::string>> send(const std::string& stream, int from, int to,
                                                   size_t pad = 0) {
    std::string body;
    for (int n = from; n < to; ++n) {
      body += "{\"n\":" + std::to_string(n) + ",\"text\":\"" + std::string(pad, 'x') + "\"}\n";
    }
    const Buffer padded = Buffer::copy(body);
    auto told = std::make_shared<std::optional<std::string>>();
    node_->ingest().ingest(
        {tenant_, stream, gateway::IngestRequest::Format::kNdjson, padded.view(), ""},
        [told](Result<gateway::IngestAnswer> answer) { *told = answer.ok() ? "ok" : answer.error().id; });
    return told;
  }
  void push(const std::string& stream, int from, int to, size_t pad = 0) {
    const auto told = send(stream, from, to, pad);
    run_until([&] { return told->has_value(); });
    EXPECT_EQ(**told, "ok");
  }

  static void add_rows(const gateway::StatementResult& result, std::vector<std::string>& out) {
    std::vector<std::string> names;
    std::vector<const Column*> columns;
    for (const auto& column : result.columns) names.push_back(column.name);
    for (const auto& column : result.rows.columns) columns.push_back(&column);
    formats::JsonRowWriter writer(names);
    for (size_t row = 0; row < result.rows.rows; ++row) writer.append(out.emplace_back(), columns, row);
  }

  sim::SimClock clock_;
  sim::SimFiles files_{7};
  sim::SimBackground background_;
  NodeOptions options_;
  std::unique_ptr<Node> node_;
  TenantId tenant_;
};

}  // namespace millrace::node
