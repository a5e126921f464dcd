// millrace top: how a server is doing, live. The terminal is put back at every end: a key, a signal, a failure.
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <memory>
#include <optional>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/duration.h"
#include "node/shell/signals.h"
#include "node/shell/terminal.h"
#include "node/top_page.h"

namespace millrace::cli {
namespace {

struct TopOptions {
  ServerOptions server;
  uint32_t interval_ms = 2000;
  std::string order = "lag";
  bool once = false;
};

std::optional<TopOrder> order_of(std::string_view name) {
  if (name == "lag") return TopOrder::kLag;
  if (name == "state") return TopOrder::kState;
  if (name == "rate") return TopOrder::kRate;
  if (name == "name") return TopOrder::kName;
  return std::nullopt;
}

// The whole screen, without a cursor, keys as they are pressed; what was there before comes back.
class Screen {
 public:
  Screen() {
    ::tcgetattr(STDIN_FILENO, &before_);
    enter();
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() { leave(); }

  void enter() {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    write("\033[?1049h\033[?25l");
  }
  void leave() {
    write("\033[?25h\033[?1049l");
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  // As many lines as there are rows.
  static void draw(const std::string& page) {
    size_t left = terminal_size().rows;
    std::string out = "\033[H";
    for (size_t at = 0; at < page.size() && left > 0; --left) {
      const size_t end = std::min(page.find('\n', at), page.size());
      out += page.substr(at, end - at) + "\033[K" + (left > 1 ? "\r\n" : "");
      at = end + 1;
    }
    write(out + "\033[J");
  }

 private:
  static void write(const std::string& bytes) {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    std::fflush(stdout);
  }
  termios before_{};
};

class Top {
 public:
  Top(const TopOptions& options, HttpClient& client, Signals& signals)
      : options_(options), client_(client), signals_(signals) {
    look_.order = *order_of(options.order);
  }

  Status once();
  Status live();

 private:
  std::string head() const;
  void draw(const TopSample& before, const Result<TopSample>& now);
  bool wait(Screen& screen);  // until the next sample is due; false: it ends
  bool take_key();
  bool take_signal(Screen& screen);

  const TopOptions& options_;
  HttpClient& client_;
  Signals& signals_;
  TopLook look_;
  bool redraw_ = false;
};

Status Top::once() {
  TRY_ASSIGN(const TopSample before, take_sample(client_));
  if (signals_.wait_for(std::min(options_.interval_ms, 1000u) / 1e3)) return {};
  TRY_ASSIGN(const TopSample now, take_sample(client_));
  fmt::print("{}", top_page(before, now, look_));
  return {};
}

std::string Top::head() const {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char time[16];
  std::strftime(time, sizeof time, "%T", &local);
  return bold(fmt::format("millrace {}", options_.server.url), look_.table.colour) +
         fmt::format("  {}  every {:g} s; by l)ag s)tate r)ate n)ame; q)uit\n", time,
                     options_.interval_ms / 1e3);
}

void Top::draw(const TopSample& before, const Result<TopSample>& now) {
  look_.table.width = terminal_size().columns;
  look_.table.colour = wants_colour();
  if (now.ok()) return Screen::draw(head() + top_page(before, *now, look_));
  Screen::draw(head() + "\n" + shown_error(now.error(), {}) + "trying again\n");
}

Status Top::live() {
  // Before the screen is taken: what is wrong from the start is said where it stays.
  TRY_ASSIGN(TopSample before, take_sample(client_));
  Screen screen;
  Result<TopSample> now = before;
  while (true) {
    draw(before, now);
    redraw_ = false;
    if (!wait(screen)) return {};
    if (redraw_) continue;
    if (now.ok()) before = *now;
    now = take_sample(client_);
    if (now.ok() && now->at - before.at > std::chrono::milliseconds(4 * options_.interval_ms)) before = *now;
  }
}

bool Top::wait(Screen& screen) {
  using Clock = std::chrono::steady_clock;
  const auto due = Clock::now() + std::chrono::milliseconds(options_.interval_ms);
  while (!redraw_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(due - Clock::now()).count();
    if (left <= 0) return true;
    pollfd both[] = {{STDIN_FILENO, POLLIN, 0}, {signals_.fd(), POLLIN, 0}};
    ::poll(both, 2, static_cast<int>(left));
    if (both[1].revents != 0 && !take_signal(screen)) return false;
    if (both[0].revents != 0 && !take_key()) return false;
  }
  return true;
}

bool Top::take_key() {
  char key = 0;
  if (::read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 4) return false;
  const TopOrder before = look_.order;
  if (key == 'l') look_.order = TopOrder::kLag;
  if (key == 's') look_.order = TopOrder::kState;
  if (key == 'r') look_.order = TopOrder::kRate;
  if (key == 'n') look_.order = TopOrder::kName;
  redraw_ = look_.order != before;
  return true;
}

bool Top::take_signal(Screen& screen) {
  const int number = signals_.take();
  if (number == SIGTSTP) {
    screen.leave();
    ::raise(SIGSTOP);
    screen.enter();
  }
  redraw_ = number == SIGTSTP || number == SIGWINCH;
  return redraw_ || number == 0;
}

int run(const TopOptions& options) {
  const bool live = !options.once && ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
  Signals signals({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH});
  HttpClient::Options limits;
  limits.connect = limits.answer = std::chrono::milliseconds(5000);
  auto client = open_client(options.server, limits);
  if (!client.ok()) return report(client.error());
  Top top(options, **client, signals);
  const Status done = live ? top.live() : top.once();
  if (auto written = flush_output(); !written.ok()) return report(written.error());
  return done.ok() ? kOk : report(done.error());
}

}  // namespace

void add_top_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* command = app.add_subcommand("top", "How a server and its queries are doing, live");
  add_server_options(*command, options->server);
  command->add_option("--interval", options->interval_ms, "Between two looks (default: 2s)")
      ->type_name("TIME")
      ->transform(CLI::Validator(duration_to_ms, ""))
      ->check(CLI::Range(100, 86'400'000));
  command->add_option("--sort", options->order, "lag, state, rate or name")
      ->check(CLI::IsMember({"lag", "state", "rate", "name"}))
      ->capture_default_str();
  command->add_flag("--once", options->once, "One page, and no more; so it is where stdout is no terminal");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace millrace::cli
