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
#include <map>
#include <random>

#include "base/clock.h"
#include "base/files.h"
#include "event-gateway/audit_log.h"
#include "event-gateway/http_handlers.h"
#include "event-gateway/http_server.h"
#include "event-gateway/schema_checks.h"
#include "event-gateway/token_store.h"
#include "event-gateway/tokens.h"
#include "event/text.h"
#include "node/background.h"
#include "node/cli.h"
#include "node/configuration.h"
#include "node/data_directory.h"
#include "node/listen_address.h"
#include "node/machine_memory.h"
#include "node/node.h"
#include "node/node_log.h"
#include "node/node_metrics.h"
#include "node/notify.h"
#include "node/process_metrics.h"
#include "node/registry_event_schemas.h"
#include "node/schema_registry_service.h"
#include "node/serve_options.h"
#include "sql/sql.h"

namespace millrace::node {
namespace {

constexpr int64_t kPollNs = 200'000;
constexpr int64_t kAloneWaitUs = 1'000'000;
constexpr size_t kMaxVerifying = 64;  // 20 ms and 19 MiB each, one after the other

namespace asio = boost::asio;

class Server {
 public:
  explicit Server(ServeOptions options)
      : options_(std::move(options)),
        level_(*log_level_named(options_.log_level)),
        log_(
            options_.log_format == "json" ? LogFormat::kJson : LogFormat::kText, level_,
            [this] {
              return NodeLog::Time{clock_.wall_us(), clock_.monotonic_ns()};
            },
            write_to_stderr),
        loop_(1),
        signals_(loop_),
        hangups_(loop_),
        louder_(loop_, SIGUSR1) {}

  Status run() {
    TRY(open());
    loop();
    return stop();
  }

  // The exit code for it. People read the text, where it was wrong underlined; a program gets its line.
  int fail(const Error& failure) {
    if (options_.log_format == "json") {
      log_.say(LogLevel::kError, "node", failure.message, {failure.id, ""});
    } else {
      fmt::print(stderr, "{}", sql::render_error(failure, {}));
    }
    return failure.code == Code::kInvalid ? 2 : 1;
  }

 private:
  void say(const std::string& line) { log_.say(LogLevel::kInfo, "node", line); }

  Status open() {
    TRY(check_listeners(options_));
    if (!options_.tokens.empty()) {
      TRY_ASSIGN(tokens_, gateway::Tokens::load(options_.tokens));
    }
    TRY(listen());
    if (is_registry_alone(options_)) return open_alone();
    TRY(open_node());
    TRY(open_access(node_->definitions().store()));
    node_->ingest().on_over_quota(
        [this](TenantId tenant, gateway::QuotaKind kind) { quotas_->count_refusal(tenant, kind); });
    TRY(open_registry());
    schema_checks_ = std::make_unique<gateway::SchemaChecks>(
        gateway::TrialServices{node_->journal(), node_->streams(), background_, clock_},
        node_->definitions());
    if (registry_) use_registry();
    return begin();
  }

  Status open_node() {
    NodeOptions o;
    o.directory = options_.data;
    o.workers = options_.workers;
    o.process = !options_.gateway_only;
    o.state_bytes = options_.state_mb << 20;
    o.state_memory_bytes = options_.state_memory_mb == 0 ? machine_memory_bytes(*files_) / kStateShare
                                                         : options_.state_memory_mb << 20;
    o.snapshot_after_bytes = options_.snapshot_mb << 20;
    o.snapshot_after_us = int64_t{options_.snapshot_seconds} * 1'000'000;
    o.statement_timeout = options_.statement_timeout;
    o.journal.segment_bytes = options_.segment_mb << 20;
    o.journal.reserve_bytes = options_.reserve_mb << 20;
    o.log = &log_;
    if (!options_.otlp_endpoint.empty()) TRY(begin_tracing());
    o.tracing = tracing_.get();
    TRY_ASSIGN(node_, Node::open(*files_, clock_, background_, o,
                                 [this](const char* what, uint64_t done, uint64_t total) {
                                   starting(what, done, total);
                                 }));
    TRY(node_->tenant("default"));
    node_->set_wake([this] { wake(); });
    background_.set_wake([this] { wake(); });
    return {};
  }

  // Who may do what, from the data directory's definitions.
  Status open_access(metadata::MetadataStore& store) {
    verifying_.set_wake([this] { wake(); });
    TRY_ASSIGN(token_store_, gateway::TokenStore::open(store));
    TRY_ASSIGN(audit_, gateway::AuditLog::open(*files_, options_.data));
    TRY_ASSIGN(quotas_, gateway::TenantQuotas::open(&store, tenant_quota(options_),
                                                    [this](TenantId tenant, gateway::Quota quota) {
                                                      if (node_) node_->ingest().set_quota(tenant, quota);
                                                    }));
    return {};
  }

  Status open_registry() {
    if (!registry_address_) return {};
    SchemaRegistryService::Options o{options_.data, options_.schema_registry_postgres};
    if (options_.schema_registry_profile == "409")
      o.profile = registry::RegistryApi::Profile::kIncompatibleIs409;
    o.audit = audit_.get();
    o.audit_failed = [this](const Error& why) {
      log_.say(LogLevel::kError, "node", why.message, {why.id, ""});
    };
    TRY_ASSIGN(registry_, SchemaRegistryService::open(*files_, clock_, o));
    registry_->set_wake([this] { wake(); });
    return {};
  }

  // Streams may have their events checked by its schemas.
  void use_registry() {
    event_schemas_ =
        std::make_unique<RegistryEventSchemas>(*registry_, [this](TenantId id) { return tenant_name(id); });
    event_schemas_->expect(*node_->definitions().catalog());
    node_->ingest().use(*event_schemas_);
    node_->sql().use(*event_schemas_);
    schema_checks_->use(*event_schemas_);
  }

  std::string tenant_name(TenantId id) const {
    const auto catalog = node_->definitions().catalog();
    const std::string* name = catalog->tenant_name(id);
    return name == nullptr ? std::string() : *name;
  }

  // The registry without a node: its file or database, and the data directory's tokens.
  Status open_alone() {
    TRY_ASSIGN(directory_, take_data_directory(*files_, options_.data));
    TRY_ASSIGN(metadata_, metadata::MetadataStore::open(*files_, options_.data + "/metadata.db"));
    TRY(open_access(*metadata_));
    TRY(open_registry());
    gateway::HttpBackend backend;
    backend.tenant = [this](const std::string& name) { return tenant_alone(name); };
    backend.metrics = [this] { return process_page() + registry_->metrics() + http_->metrics(); };
    backend.metrics_full = [this](std::optional<TenantId> only) {
      return quotas_->metrics(only) + registry_->metrics_full(name_alone(only));
    };
    TRY(use(std::move(backend)));
    TRY(say_registry_listens());
    notify_service_manager("READY=1");
    return {};
  }

  Result<TenantId> tenant_alone(const std::string& name) {
    const auto number = static_cast<uint32_t>(tenants_alone_.size() + 1);
    return TenantId(tenants_alone_.try_emplace(name, number).first->second);
  }

  std::optional<std::string> name_alone(std::optional<TenantId> tenant) const {
    if (!tenant) return std::nullopt;
    for (const auto& [name, number] : tenants_alone_) {
      if (TenantId(number) == *tenant) return name;
    }
    return std::string();
  }

  std::string process_page() const {
    telemetry::PrometheusText page;
    process_.render(page, cli::kVersion);
    return page.take();
  }

  Status begin_tracing() {
    TRY_ASSIGN(auto endpoint, parse_otlp_endpoint(options_.otlp_endpoint));
    spans_ = std::make_unique<SpanExporter>(std::move(endpoint), std::string(cli::kVersion),
                                            fmt::format("{:016x}", std::random_device()()));
    tracing_ = std::make_unique<Tracing>(options_.trace_sample,
                                         [this](TraceSpan span) { spans_->add(std::move(span)); });
    return {};
  }

  // Recovery may take a while: whoever asks is told how far it is, and stderr once a second.
  void starting(const char* what, uint64_t done, uint64_t total) {
    recovered_ = fmt::format("{}: {} of {}", what, done, total);
    loop_.poll();
    const int64_t now = clock_.monotonic_ns();
    if (now - said_ns_ < 1'000'000'000) return;
    if (said_ns_ != 0) say(recovered_);
    said_ns_ = now;
  }

  // Before the node is there, so that a probe hears why it is not ready.
  Status listen() {
    gateway::HttpOptions http = http_options(options_);
    if (options_.http != kOff && !is_registry_alone(options_)) {
      TRY_ASSIGN(plain_, parse_address(options_.http));
      http.address = plain_->host;
      http.port = plain_->port;
    }
    std::shared_ptr<gateway::TlsCertificates> certificates;
    if (!options_.https.empty()) {
      TRY_ASSIGN(tls_, parse_address(options_.https));
    }
    if (!options_.https.empty() || options_.schema_registry_tls) {
      TRY_ASSIGN(certificates, gateway::TlsCertificates::open(
                                   tls_files(options_), [this](const std::string& line) { say(line); }));
    }
    gateway::HttpBackend backend;
    backend.ready = backend.open = [this] { return open_for_requests(); };
    http_ = std::make_unique<gateway::HttpServer>(loop_, http, backend);
    if (certificates) {
      hangups_.add(SIGHUP);
      await_hangup();
    }
    if (tls_) {
      TRY_ASSIGN(tls_->port, http_->listen_tls(tls_->host, tls_->port, certificates));
    }
    if (registry_address(options_) != kOff) {
      TRY_ASSIGN(registry_address_, parse_address(registry_address(options_)));
      auto by = options_.schema_registry_tls ? std::move(certificates) : nullptr;
      TRY_ASSIGN(
          registry_address_->port,
          http_->listen_schema_registry(registry_address_->host, registry_address_->port, std::move(by)));
    }
    if (plain_) {
      TRY_ASSIGN(plain_->port, http_->listen());
    }
    return {};
  }

  Status open_for_requests() const {
    if (stopping_) return gateway::stopping();
    if (node_ != nullptr || registry_ != nullptr) return {};
    return error(Code::kUnavailable, "MR-NODE-0015",
                 "the node is starting" + (recovered_.empty() ? "" : ": " + recovered_), "wait");
  }

  Status begin() {
    gateway::HttpBackend backend{node_->ingest(), node_->sql(), node_->streams()};
    backend.backups = &node_->backups();
    if (registry_) backend.copy_registry = [this](auto done) { registry_->copy(std::move(done)); };
    backend.schema_checks = schema_checks_.get();
    backend.letters = &node_->dead_letters();
    backend.catalog = [this] { return node_->definitions().catalog(); };
    backend.tenant = [this](const std::string& name) { return node_->tenant(name); };
    backend.metrics = [this] {
      const std::string traces = spans_ ? render_traces(spans_->counters()) : "";
      const std::string registry = registry_ ? registry_->metrics() : "";
      return process_page() + node_->metrics() + traces + registry + http_->metrics();
    };
    backend.metrics_full = [this](std::optional<TenantId> only) {
      const auto of = only ? std::optional(tenant_name(*only)) : std::nullopt;
      const std::string registry = registry_ ? registry_->metrics_full(of) : "";
      return node_->metrics_full(only) + quotas_->metrics(only) + registry;
    };
    backend.ready = [this]() -> Status {
      TRY(open_for_requests());
      return node_->ready();
    };
    backend.traces = tracing_.get();
    TRY(use(std::move(backend)));
    say_what_was_found();
    if (tls_) {
      TRY(write_port("https.port", tls_->port));
      say(fmt::format("listening on https://{}:{}", tls_->host, tls_->port));
    }
    if (plain_) {
      TRY(write_port("http.port", plain_->port));
      say(fmt::format("listening on http://{}:{}", plain_->host, plain_->port));
    }
    if (options_.log_format != "json") say_what_to_try();
    TRY(say_registry_listens());
    notify_service_manager("READY=1");
    return {};
  }

  // What works from this machine: with a token, and whom to trust, where that is needed.
  void say_what_to_try() {
    const ListenAddress& at = plain_ ? *plain_ : *tls_;
    const std::string url = fmt::format("http{}://{}:{}", plain_ ? "" : "s", to_call(at.host), at.port);
    const bool trusts = !plain_, guarded = tokens_ != nullptr || !token_store_->empty();
    say(fmt::format("  try: millrace sql --server {0}{1}{2} -c 'SHOW STREAMS'   or   curl {3}{0}/", url,
                    trusts ? " --ca " + options_.tls_cert : "", guarded ? " --token-file FILE" : "",
                    trusts ? "--cacert " + options_.tls_cert + " " : ""));
  }

  // With what every backend here has.
  Status use(gateway::HttpBackend backend) {
    backend.open = [this] { return open_for_requests(); };
    backend.log_failure = [this](std::string_view problem) {
      log_.say(LogLevel::kError, "http", problem.substr(0, problem.rfind('}') + 1));
    };
    backend.tokens = tokens_.get();
    backend.token_store = token_store_.get();
    backend.quotas = quotas_.get();
    backend.audit = audit_.get();
    if (registry_) backend.schema_registry = registry_->api();
    backend.verifying = [this](std::function<void()> work, std::function<void()> done) {
      return verifying_.run(engine::Lane::kReads, std::move(work), std::move(done));
    };
    backend.arrived = [this](const gateway::HttpRequest& request, int refused) {
      log_request(request, refused);
    };
    return http_->use(std::move(backend));
  }

  Status say_registry_listens() {
    if (!registry_address_) return {};
    TRY(write_port("schema-registry.port", registry_address_->port));
    say(fmt::format("schema registry on {}://{}:{}", options_.schema_registry_tls ? "https" : "http",
                    registry_address_->host, registry_address_->port));
    return {};
  }

  Status write_port(const char* name, uint16_t port) {
    return write_file_atomically(*files_, options_.data + "/" + name, fmt::format("{}\n", port));
  }

  void log_request(const gateway::HttpRequest& request, int refused) {
    if (!log_.says(LogLevel::kDebug)) return;
    std::string line =
        fmt::format("{} {}", start_of(request.head.method, 20), start_of(request.head.target, 300));
    if (refused != 0) line += fmt::format(": {}", refused);
    log_.say(LogLevel::kDebug, "http", line);
  }

  void be_louder() {
    louder_.async_wait([this](const boost::system::error_code& ec, int) {
      if (ec) return;
      log_.set_level(log_.level() == LogLevel::kDebug ? level_ : LogLevel::kDebug);
      log_.say(log_.level(), "node", fmt::format("the log's level is {}", name_of(log_.level())));
      be_louder();
    });
  }

  void say_what_was_found() {
    const auto& found = node_->journal().recovery();
    for (const auto& damage : found.damage) {
      log_.say(LogLevel::kError, "journal",
               fmt::format("DAMAGE in {} at byte {}: frame {}: {} (kept aside, not deleted)", damage.file,
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
    be_louder();
    signals_.add(SIGINT);
    signals_.add(SIGTERM);
    signals_.async_wait([this](const boost::system::error_code& ec, int) {
      if (!ec) stopping_ = true;
    });
    while (!stopping_ && !failed()) {
      bool more = poll();
      take_done();
      more |= node_ && node_->turn();
      if (!more) sleep();
    }
  }

  bool failed() const { return node_ && node_->failed(); }

  void take_done() {
    background_.take_done();
    verifying_.take_done();
    if (registry_) registry_->take_done();
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

  void sleep() {
    const int64_t wait_us = node_ ? node_->wait_us() : kAloneWaitUs;
    loop_.run_one_for(std::chrono::microseconds(std::max<int64_t>(wait_us, 1)));
  }

  // What was acknowledged is on the disk already; what is in flight gets its answer, then the state is
  // written.
  Status stop() {
    if (failed()) return *node_->failed();
    // From here on a signal has its usual effect: nothing that was acknowledged is lost by it.
    boost::system::error_code ignored;
    signals_.clear(ignored);
    notify_service_manager("STOPPING=1");
    say("stopping: finishing what was accepted (once more, and it ends at once)");
    http_->drain();
    const int64_t began = clock_.monotonic_ns();
    const int64_t until = began + int64_t{options_.drain_seconds} * 1'000'000'000;
    bool done = false;
    while (!done && clock_.monotonic_ns() < until && !failed()) {
      loop_.poll();
      take_done();
      const bool more = node_ && node_->turn();
      done = !more && (!node_ || node_->idle()) && http_->idle();
      if (!more && !done) usleep(200);
    }
    const bool answered = http_->idle();
    if (!node_) {
      http_.reset();
      say(answered ? "stopped: every request was answered" : "stopped: not every client took its answer");
      return {};
    }
    const bool caught_up = node_->idle();
    // Behind the bound there is no time for the snapshots of large states either.
    auto closed = node_->close(done);
    http_.reset();
    if (!closed.ok()) {
      log_.say(LogLevel::kError, "node", "stopped, but: " + closed.error().to_string());
      return closed;
    }
    const double seconds = static_cast<double>(clock_.monotonic_ns() - began) / 1e9;
    say(fmt::format("stopped in {:.1f} s: {}, {}", seconds,
                    answered ? "every request was answered" : "not every client took its answer",
                    done ? "every query is at the log's end, snapshots are written"
                    : caught_up
                        ? "every query is at the log's end; no snapshots: --drain-timeout is over"
                        : "queries go on where they stand at the next start: --drain-timeout is over"));
    return {};
  }

  const ServeOptions options_;
  SystemClock clock_;
  const LogLevel level_;
  NodeLog log_;
  const ProcessMetrics process_;
  std::unique_ptr<Files> files_ = make_system_files();
  asio::io_context loop_;
  asio::signal_set signals_, hangups_, louder_;
  std::unique_ptr<gateway::Tokens> tokens_;
  std::unique_ptr<SpanExporter> spans_;
  std::unique_ptr<Tracing> tracing_;
  std::shared_ptr<void> directory_;                    // the registry alone holds it itself
  std::unique_ptr<metadata::MetadataStore> metadata_;  // likewise
  std::map<std::string, uint32_t> tenants_alone_;
  std::unique_ptr<RegistryEventSchemas> event_schemas_;  // before the node, which asks it
  std::unique_ptr<Node> node_;
  std::unique_ptr<gateway::SchemaChecks> schema_checks_;
  ThreadBackground background_;  // behind the node: its work, which uses the node, ends first
  std::unique_ptr<gateway::TokenStore> token_store_;
  std::unique_ptr<gateway::TenantQuotas> quotas_;
  std::unique_ptr<gateway::AuditLog> audit_;
  ThreadBackground verifying_{kMaxVerifying};  // of tokens: a long SELECT holds up nobody's first request
  std::unique_ptr<SchemaRegistryService> registry_;  // null: there is none
  std::unique_ptr<gateway::HttpServer> http_;
  std::optional<ListenAddress> plain_, tls_, registry_address_;  // with the ports that were taken
  std::string recovered_;                                        // how far the start is
  int64_t said_ns_ = 0;
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
  serve->callback([serve, options, &exit_code] {
    const auto configuration = configuration_of(*options, *serve);
    if (!configuration) {
      exit_code = cli::kUsage;
      return;
    }
    raise_file_limit();
    prctl(PR_SET_TIMERSLACK, 1);  // timers fire when they are due, not 50 us later
    // Large bodies and frames reuse memory instead of mapping it, and faulting it in, anew.
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    std::signal(SIGPIPE, SIG_IGN);
    Server server(configuration->options);
    const auto ended = server.run();
    exit_code = ended.ok() ? 0 : server.fail(ended.error());
  });
}

}  // namespace millrace::node
