// `millrace serve`: the core loop. Drain the sockets, step, flush, hand out what became durable; sleep when
// there is nothing.
#include "node/serve.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "base/clock.h"
#include "base/files.h"
#include "event-gateway/http_server.h"
#include "event-gateway/tokens.h"
#include "node/background.h"
#include "node/listen_address.h"
#include "node/machine_memory.h"
#include "node/node.h"
#include "node/node_metrics.h"
#include "node/serve_options.h"
#include "sql/sql.h"

namespace millrace::node {
namespace {

constexpr int64_t kPollNs = 200'000;

namespace asio = boost::asio;

void say(const std::string& line) {
  fmt::print(stderr, "{}\n", line);
}

int fail(const Error& failure) {
  fmt::print(stderr, "{}", sql::render_error(failure, {}));
  return failure.code == Code::kInvalid ? 2 : 1;
}

class Server {
 public:
  explicit Server(ServeOptions options)
      : options_(std::move(options)), loop_(1), signals_(loop_), hangups_(loop_) {}

  Status run() {
    TRY(open());
    loop();
    return stop();
  }

 private:
  Status open() {
    TRY(check_listeners(options_));
    std::optional<ListenAddress> http, https;
    if (options_.http != kOff) {
      TRY_ASSIGN(http, parse_address(options_.http));
    }
    if (!options_.https.empty()) {
      TRY_ASSIGN(https, parse_address(options_.https));
      TRY_ASSIGN(certificates_, gateway::TlsCertificates::open(options_.tls, &say));
    }
    if (!options_.tokens.empty()) {
      TRY_ASSIGN(tokens_, gateway::Tokens::load(options_.tokens));
    }
    NodeOptions o;
    o.directory = options_.data;
    o.workers = options_.workers;
    o.process = !options_.gateway_only;
    o.state_bytes = options_.state_mb << 20;
    o.state_memory_bytes = options_.state_memory_mb == 0 ? machine_memory_bytes(*files_) / kStateShare
                                                         : options_.state_memory_mb << 20;
    o.snapshot_after_bytes = options_.snapshot_mb << 20;
    o.snapshot_after_us = int64_t{options_.snapshot_seconds} * 1'000'000;
    o.statement_timeout = std::chrono::milliseconds(options_.statement_timeout_ms);
    o.journal.segment_bytes = options_.segment_mb << 20;
    o.journal.reserve_bytes = options_.reserve_mb << 20;
    TRY_ASSIGN(node_, Node::open(*files_, clock_, background_, o, Progress()));
    TRY_ASSIGN(default_tenant_, node_->tenant("default"));
    node_->set_wake([this] { wake(); });
    background_.set_wake([this] { wake(); });
    return listen(http, https);
  }

  // Recovery may take a while: say so, once a second.
  struct Progress {
    int64_t last = 0;
    void operator()(const char* what, uint64_t done, uint64_t total) {
      const int64_t now = SystemClock().monotonic_ns();
      if (last == 0) last = now;
      if (now - last < 1'000'000'000) return;
      last = now;
      say(fmt::format("{}: {} of {}", what, done, total));
    }
  };

  Status listen(const std::optional<ListenAddress>& plain, const std::optional<ListenAddress>& tls) {
    gateway::HttpOptions http = http_options(options_);
    if (plain) {
      http.address = plain->host;
      http.port = plain->port;
    }
    gateway::HttpBackend backend{node_->ingest(), node_->sql(), node_->streams()};
    backend.letters = &node_->dead_letters();
    backend.catalog = [this] { return node_->definitions().catalog(); };
    backend.tenant = [this](const std::string& name) { return node_->tenant(name); };
    backend.metrics = [this](std::optional<TenantId> only) {
      const auto catalog = node_->definitions().catalog();
      return node_->metrics() +
             render_tenants(node_->journal(), node_->ingest(), node_->dead_letters(), *catalog, only) +
             http_->metrics();
    };
    backend.ready = [this] { return node_->ready(); };
    backend.log_failure = [](std::string_view problem) {
      say(fmt::format("error: {}", problem.substr(0, problem.rfind('}') + 1)));
    };
    backend.tokens = tokens_.get();
    http_ = std::make_unique<gateway::HttpServer>(loop_, http, backend);
    say_what_was_found();
    if (tls) {
      TRY_ASSIGN(const uint16_t bound, http_->listen_tls(tls->host, tls->port, std::move(certificates_)));
      TRY(write_port("https.port", bound));
      say(fmt::format("listening on https://{}:{}", tls->host, bound));
    }
    if (plain) {
      TRY_ASSIGN(const uint16_t bound, http_->listen());
      TRY(write_port("http.port", bound));
      say(fmt::format("listening on http://{}:{}", plain->host, bound));
      say(fmt::format(
          "  try: millrace sql --server http://{0}:{1} -c 'SHOW STREAMS'   or   curl http://{0}:{1}/",
          plain->host, bound));
    }
    return {};
  }

  Status write_port(const char* name, uint16_t port) {
    return write_file_atomically(*files_, options_.data + "/" + name, fmt::format("{}\n", port));
  }

  void say_what_was_found() {
    const auto& found = node_->journal().recovery();
    for (const auto& damage : found.damage) {
      say(fmt::format("DAMAGE in {} at byte {}: frame {}: {} (kept aside, not deleted)", damage.file,
                      damage.position, damage.cut.value, damage.what));
    }
    say(fmt::format("data in {}, {} worker{}, journal up to frame {}", options_.data, options_.workers,
                    options_.workers == 1 ? "" : "s", node_->journal().end_cut().value));
  }

  void wake() {
    if (!woken_.exchange(true, std::memory_order_acq_rel)) {
      asio::post(loop_, [this] { woken_.store(false, std::memory_order_release); });
    }
  }

  void loop() {
    signals_.add(SIGINT);
    signals_.add(SIGTERM);
    signals_.async_wait([this](const boost::system::error_code& ec, int) {
      if (!ec) stopping_ = true;
    });
    if (!options_.https.empty()) {
      hangups_.add(SIGHUP);
      await_hangup();
    }
    while (!stopping_ && !node_->failed()) {
      bool more = poll();
      background_.take_done();
      more |= node_->turn();
      if (!more) sleep();
    }
  }

  void await_hangup() {
    hangups_.async_wait([this](const boost::system::error_code& ec, int) {
      if (ec) return;
      http_->reload_certificates();
      await_hangup();
    });
  }

  // What is ready on the sockets, for a moment: what it brought in waits for the node's turn.
  bool poll() {
    if (loop_.poll_one() == 0) return false;
    const int64_t until = clock_.monotonic_ns() + kPollNs;
    while (clock_.monotonic_ns() < until && loop_.poll_one() > 0) {
    }
    return true;
  }

  void sleep() { loop_.run_one_for(std::chrono::microseconds(std::max<int64_t>(node_->wait_us(), 1))); }

  // What was acknowledged is on the disk already; what is in flight gets its answer, then the state is
  // written.
  Status stop() {
    if (node_->failed()) return *node_->failed();
    // From here on a signal has its usual effect: nothing that was acknowledged is lost by it.
    boost::system::error_code ignored;
    signals_.clear(ignored);
    say("stopping: finishing what was accepted (once more, and it ends at once)");
    http_->stop();
    const int64_t until = clock_.monotonic_ns() + 10'000'000'000;
    while (clock_.monotonic_ns() < until && !node_->failed()) {
      loop_.poll();
      background_.take_done();
      const bool more = node_->turn();
      if (!more && node_->idle() && http_->idle()) break;
      if (!more) usleep(200);
    }
    auto closed = node_->close();
    http_.reset();
    say(closed.ok() ? "stopped" : "stopped, but: " + closed.error().to_string());
    return closed;
  }

  const ServeOptions options_;
  SystemClock clock_;
  std::unique_ptr<Files> files_ = make_system_files();
  asio::io_context loop_;
  asio::signal_set signals_, hangups_;
  std::unique_ptr<gateway::Tokens> tokens_;
  std::unique_ptr<gateway::TlsCertificates> certificates_;  // until the server has them
  std::unique_ptr<Node> node_;
  ThreadBackground background_;  // behind the node: its work, which uses the node, ends first
  std::unique_ptr<gateway::HttpServer> http_;
  TenantId default_tenant_;
  std::atomic<bool> woken_{false};
  bool stopping_ = false;
};

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

void add_serve_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ServeOptions>();
  auto* serve = app.add_subcommand("serve", "Run a node: take events in, answer queries, store everything");
  add_serve_options(*serve, *options);
  serve->callback([options, &exit_code] {
    raise_file_limit();
    prctl(PR_SET_TIMERSLACK, 1);  // timers fire when they are due, not 50 us later
    // Large bodies and frames reuse memory instead of mapping it, and faulting it in, anew.
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    std::signal(SIGPIPE, SIG_IGN);
    const auto ended = Server(*options).run();
    exit_code = ended.ok() ? 0 : fail(ended.error());
  });
}

}  // namespace millrace::node
