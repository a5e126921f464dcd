#include "node/query_tests/runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/random.h"
#include "formats/json.h"
#include "node/node.h"
#include "node/query_tests/values.h"
#include "sim/sim_background.h"
#include "sim/sim_clock.h"
#include "sim/sim_files.h"
#include "sql/ast.h"

namespace millrace::query_tests {
namespace {

constexpr const char* kMarker = "~advance";  // keys of the events that `advance` sends: never shown
constexpr const char* kCauses[] = {"late", "failed", "closed_while_idle", "no_event_time", "undecodable"};
constexpr uint32_t kMaxTurns = 200'000;

bool is_cause(const std::string& name) {
  return std::find(std::begin(kCauses), std::end(kCauses), name) != std::end(kCauses);
}

using Rows = std::vector<std::vector<Scalar>>;

bool is_marked(const std::vector<Scalar>& row) {
  return std::any_of(row.begin(), row.end(), [](const Scalar& v) {
    const auto* s = std::get_if<std::string>(&v);
    return s != nullptr && s->find(kMarker) != std::string::npos;
  });
}

std::string line_of(char sign, const Tuple& tuple) {
  return fmt::format("\n  {} ({})", sign, fmt::join(tuple, ", "));
}

// What is on one side only, of sorted rows; of rows in order, those that differ place by place.
std::string difference(const std::vector<Tuple>& wanted, const std::vector<Tuple>& found, bool ordered) {
  std::string out;
  size_t w = 0, f = 0, same = 0;
  while (w < wanted.size() || f < found.size()) {
    const bool both = w < wanted.size() && f < found.size();
    if (both && wanted[w] == found[f]) {
      ++w, ++f, ++same;
      continue;
    }
    const bool take_wanted = w < wanted.size() && (ordered || f == found.size() || wanted[w] < found[f]);
    const bool take_found = f < found.size() && (ordered || !take_wanted);
    if (take_wanted) out += line_of('-', wanted[w++]);
    if (take_found) out += line_of('+', found[f++]);
  }
  return out + (same > 0 ? fmt::format("\n  and {} as expected", same) : "");
}

class Runner {
 public:
  Runner(const std::string& path, Case& test, const Schedule& schedule, bool rewrite)
      : path_(path), test_(test), schedule_(schedule), rewrite_(rewrite) {}

  std::string run() {
    if (open()) {
      for (size_t i = 0; i < test_.steps.size() && problem_.empty(); ++i) step(i);
    }
    end(false);
    return problem_;
  }

 private:
  void fail(const Step* at, const std::string& what) {
    if (problem_.empty()) problem_ = fmt::format("{}:{}: {}", path_, at ? at->line : test_.line, what);
  }

  bool open() {
    node::NodeOptions options;
    options.directory = "/data";
    options.workers = schedule_.workers;
    options.inline_workers = true;
    options.schedule = [this](uint64_t bound) { return random_.below(bound); };
    options.plan.optimize = schedule_.optimizes;
    options.max_step_bytes = schedule_.step_bytes;
    options.snapshot_after_bytes = schedule_.restarts ? 500 : 1u << 20;
    if (schedule_.spills) options.state_memory_bytes = options.max_slice_bytes = 1;
    options.journal.background_thread = false;
    options.journal.segment_bytes = 1u << 20;
    options.journal.reserve_bytes = 1u << 20;
    options.journal.max_frame_bytes = 512u << 10;
    auto opened = node::Node::open(files_, clock_, background_, options);
    if (!opened.ok()) return fail(nullptr, "open: " + opened.error().to_string()), false;
    node_ = std::move(*opened);
    auto tenant = node_->tenant("default");
    if (!tenant.ok()) return fail(nullptr, "tenant: " + tenant.error().to_string()), false;
    tenant_ = *tenant;
    return true;
  }

  void end(bool crash) {
    if (!node_) return;
    if (crash) {
      files_.crash();
    } else if (auto closed = node_->close(); !closed.ok()) {
      fail(nullptr, "close: " + closed.error().to_string());
    }
    background_.drop_all();
    node_.reset();
    background_.drop_all();
  }

  void restart(int64_t down_seconds) {
    settle([this] { return node_->idle() && background_.empty(); });
    end(restarts_++ % 2 == 0);
    clock_.advance_us(down_seconds * 1'000'000);
    if (problem_.empty()) open();
  }

  // Second by second, as the loop's timer would come round.
  void wait(int64_t seconds) {
    for (; seconds > 0 && problem_.empty(); --seconds) {
      clock_.advance_us(1'000'000);
      node_->turn();
      settle([this] { return node_->idle(); });
    }
  }

  template <typename Done>
  bool settle(Done done) {
    for (uint32_t i = 0; i < kMaxTurns; ++i) {
      if (done()) return true;
      node_->turn();
      background_.step();
      clock_.advance_us(100);
      if (node_->failed()) return fail(nullptr, "the node failed: " + node_->failed()->to_string()), false;
    }
    return fail(nullptr, "the node does not come to rest"), false;
  }

  void step(size_t i) {
    Step& s = test_.steps[i];
    switch (s.what) {
      case Step::What::kComment:
      case Step::What::kOnly:
        return;
      case Step::What::kStatement:
        return statement(s, i + 1 < test_.steps.size() ? &test_.steps[i + 1] : nullptr);
      case Step::What::kError:
        return;  // looked at with its statement
      case Step::What::kPush:
        return push(s);
      case Step::What::kRaw:
        send(s, s.name, s.text, 1);
        return after_push();
      case Step::What::kReject:
        return reject(s);
      case Step::What::kAdvance:
        return advance(s);
      case Step::What::kWait:
        return wait(s.seconds);
      case Step::What::kRestart:
        return restart(s.seconds);
      case Step::What::kExpect:
        return expect(s);
      case Step::What::kQuery:
        return query(s);
    }
  }

  Status execute(const std::string& text, Rows& rows) {
    bool done = false;
    Status answer;
    node_->sql().execute(
        tenant_, text,
        [&](gateway::StatementResult result) {
          for (size_t r = 0; r < result.rows.rows; ++r) {
            std::vector<Scalar> row;
            for (const auto& column : result.rows.columns) row.push_back(value_of(column, r));
            rows.push_back(std::move(row));
          }
        },
        [&](Status status) {
          answer = std::move(status);
          done = true;
        });
    settle([&] { return done; });
    return answer;
  }

  // Streams that do not say how many partitions they have get the schedule's number.
  std::string with_partitions(const std::string& text) const {
    if (schedule_.partitions == 0) return text;
    const auto parsed = sql::parse(text);
    if (!parsed.ok() || parsed->size() != 1) return text;
    const auto* create = std::get_if<sql::ast::CreateStream>(&parsed->front()->body);
    if (create == nullptr) return text;
    const std::string option = fmt::format("partitions = {}", schedule_.partitions);
    std::string out = text;
    if (create->options.empty()) return out.insert(out.rfind(';'), " WITH (" + option + ")");
    for (const auto& given : create->options) {
      if (given.name.text == "partitions") return text;
    }
    return out.insert(create->options.front().name.span.offset, option + ", ");
  }

  void statement(Step& s, Step* next) {
    Rows rows;
    const Status status = execute(with_partitions(s.text), rows);
    const bool wanted = next != nullptr && next->what == Step::What::kError;
    if (status.ok()) {
      if (wanted) fail(next, "the statement was taken, an error was expected");
      return;
    }
    const std::string found = fmt::format("{}: {}", status.error().id, status.error().message);
    if (!wanted) return fail(&s, status.error().to_string());
    if (rewrite_) next->text = found;
    if (next->text != found) fail(next, "the error is " + found);
  }

  engine::StreamPtr stream_of(const std::string& name) const {
    const auto* entry = node_->definitions().catalog()->find(tenant_, name);
    return entry ? entry->stream : nullptr;
  }

  std::optional<gateway::IngestAnswer> ingest(const Step& s, const std::string& stream,
                                              const std::string& body) {
    const Buffer buffer = Buffer::copy(body);
    gateway::IngestRequest request;
    request.tenant = tenant_;
    request.stream = stream;
    request.body = buffer.view();
    bool done = false;
    std::optional<gateway::IngestAnswer> answer;
    node_->ingest().ingest(request, [&](Result<gateway::IngestAnswer> result) {
      done = true;
      if (!result.ok()) return fail(&s, result.error().to_string());
      answer = std::move(*result);
    });
    settle([&] { return done; });
    return answer;
  }

  void send(const Step& s, const std::string& stream, const std::string& body, size_t events) {
    const auto answer = ingest(s, stream, body);
    if (!answer) return;
    for (const auto& rejected : answer->rejected) fail(&s, rejected.error.to_string());
    if (answer->accepted != events) fail(&s, fmt::format("{} events were accepted", answer->accepted));
  }

  static bool is_flat(const engine::StreamDef& stream) {
    return std::ranges::all_of(stream.columns, [](const ColumnDef& column) { return column.path.empty(); });
  }

  void push(Step& s) {
    const auto stream = stream_of(s.name);
    if (!stream) return fail(&s, "there is no stream " + s.name);
    if (!is_flat(*stream)) return fail(&s, "push writes flat events: use raw for columns with a path");
    std::vector<std::string> events;
    for (const auto& tuple : s.tuples) {
      if (tuple.size() != stream->columns.size()) return fail(&s, "an event needs a value for every column");
      std::string json = "{";
      for (size_t c = 0; c < tuple.size(); ++c) {
        auto value = json_of(tuple[c], stream->columns[c].type);
        if (!value.ok()) return fail(&s, value.error().message);
        if (c > 0) json += ',';
        formats::append_json_string(json, stream->columns[c].name);
        json += ":" + *value;
      }
      events.push_back(json + "}");
      note_time(*stream, events.back());
    }
    if (schedule_.event_by_event) {
      for (const auto& event : events) send(s, s.name, event, 1);
    } else {
      send(s, s.name, fmt::format("{}\n", fmt::join(events, "\n")), events.size());
    }
    after_push();
  }

  void note_time(const engine::StreamDef& stream, const std::string& event) {
    if (stream.watermark_column < 0) return;
    auto row = decode_event(stream.columns, event);
    if (!row.ok()) return;
    const auto* t = std::get_if<Timestamp>(&(*row)[static_cast<size_t>(stream.watermark_column)]);
    if (t)
      newest_[stream.name] = std::max(newest_.try_emplace(stream.name, t->micros).first->second, t->micros);
  }

  void after_push() {
    if (schedule_.restarts && problem_.empty()) restart(0);
  }

  void reject(Step& s) {
    const auto answer = ingest(s, s.name, s.text);
    if (!answer) return;
    if (answer->rejected.size() != 1) return fail(&s, "the event was not refused");
    if (rewrite_) s.code = answer->rejected[0].error.id;
    if (answer->rejected[0].error.id != s.code)
      fail(&s, "refused with " + answer->rejected[0].error.to_string());
  }

  // One event a partition, of the newest time, under a key that lands there and is never shown.
  void advance(Step& s) {
    const auto stream = stream_of(s.name);
    if (!stream || stream->watermark_column < 0 || !newest_.contains(s.name))
      return fail(&s, "nothing to advance to");
    if (!is_flat(*stream)) return fail(&s, "advance writes flat events: use raw for columns with a path");
    if (stream->partitions == 1) return;
    if (stream->key_column < 0 || stream->columns[size_t(stream->key_column)].type != Type::kText) {
      return fail(&s, "advance needs a text key, or `only one_partition`");
    }
    for (uint32_t p = 0; p < stream->partitions; ++p) {
      std::string key;
      for (int i = 0;
           key.empty() || partition_of_key_group(key_group_of(stable_hash(key)), stream->partitions) != p;
           ++i) {
        key = fmt::format("{}-{}", kMarker, i);
      }
      const std::string time = timestamp_text(Timestamp{newest_[s.name]});
      send(s, s.name,
           fmt::format(R"({{"{}":"{}","{}":"{}"}})", stream->columns[size_t(stream->key_column)].name, key,
                       stream->columns[size_t(stream->watermark_column)].name, time),
           1);
    }
    after_push();
  }

  // The events among the dead letters, by their own stream's columns.
  void add_letters(const Step& s, const Rows& rows, Rows& out) {
    for (const auto& row : rows) {
      const auto text = [&](size_t i) {
        return std::holds_alternative<std::monostate>(row[i]) ? std::string() : std::get<std::string>(row[i]);
      };
      const auto stream = stream_of(text(1));
      if (!stream) return fail(&s, "a dead letter of an unknown stream: " + text(1));
      auto event = decode_event(stream->columns, text(2));
      if (text(0) != s.name) continue;
      if (!event.ok()) return fail(&s, "a dead letter's payload does not decode: " + text(2));
      out.push_back(std::move(*event));
    }
  }

  void expect(Step& s) {
    settle([this] { return node_->idle(); });
    Rows rows, letters;
    const bool cause = is_cause(s.name);
    const Status status = execute(
        cause ? "SELECT cause, stream, payload FROM dead_letters" : "SELECT * FROM \"" + s.name + "\"", rows);
    if (!status.ok()) return fail(&s, status.error().to_string());
    if (cause) add_letters(s, rows, letters);
    compare(s, tuples_of(cause ? letters : rows), s.ordered);
  }

  void query(Step& s) {
    settle([this] { return node_->idle(); });
    Rows rows;
    const Status status = execute(s.text, rows);
    if (!status.ok()) return fail(&s, status.error().to_string());
    if (!schedule_.optimizes && s.text.starts_with("EXPLAIN")) return;
    compare(s, tuples_of(rows), true);
  }

  static std::vector<Tuple> tuples_of(const Rows& rows) {
    std::vector<Tuple> out;
    for (const auto& row : rows) {
      if (is_marked(row)) continue;
      Tuple tuple;
      for (const auto& value : row) tuple.push_back(shown(value));
      out.push_back(std::move(tuple));
    }
    return out;
  }

  void compare(Step& s, std::vector<Tuple> found, bool ordered) {
    if (!problem_.empty()) return;
    auto wanted = s.tuples;
    if (!ordered) {
      std::sort(found.begin(), found.end());
      std::sort(wanted.begin(), wanted.end());
    }
    if (found == wanted) return;
    if (rewrite_) {
      s.tuples = found;
      return;
    }
    fail(&s, "the rows are not those expected (- expected, + found)" + difference(wanted, found, ordered));
  }

  const std::string& path_;
  Case& test_;
  const Schedule& schedule_;
  const bool rewrite_;
  Random random_{17};
  sim::SimClock clock_;
  sim::SimFiles files_{17};
  sim::SimBackground background_;
  std::unique_ptr<node::Node> node_;
  TenantId tenant_;
  uint32_t restarts_ = 0;
  std::map<std::string, int64_t> newest_;
  std::string problem_;
};

}  // namespace

std::string run_case(const std::string& path, Case& test, const Schedule& schedule, bool rewrite) {
  return Runner(path, test, schedule, rewrite).run();
}

}  // namespace millrace::query_tests
