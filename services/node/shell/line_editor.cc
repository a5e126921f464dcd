#include "node/shell/line_editor.h"

#include <histedit.h>
#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cwchar>

#include "fmt/format.h"
#include "node/shell/history_file.h"
#include "node/shell/terminal.h"
#include "node/table.h"

namespace millrace::cli {
namespace {

constexpr size_t kShownWords = 200;

// libedit reads letters as the locale has them; a shell of UTF-8 needs one that has all.
void choose_locale() {
  std::setlocale(LC_CTYPE, "");
  if (std::string_view(::nl_langinfo(CODESET)) != "UTF-8") std::setlocale(LC_CTYPE, "C.UTF-8");
}

// In columns, as a shell lists files.
void print_words(const std::vector<std::string>& words) {
  size_t width = 0;
  for (const auto& word : words) width = std::max(width, display_width(word) + 2);
  const size_t a_line = std::max<size_t>(1, terminal_size().columns / width);
  const size_t shown = std::min(words.size(), kShownWords);
  std::string out = "\n";
  for (size_t i = 0; i < shown; ++i) {
    const std::string word = printable(words[i]);
    const bool last = (i + 1) % a_line == 0 || i + 1 == shown;
    out += last ? word + "\n" : word + std::string(width - display_width(word), ' ');
  }
  if (shown < words.size()) out += fmt::format("… and {} more\n", words.size() - shown);
  std::fputs(out.c_str(), stdout);
  std::fflush(stdout);
}

bool more_is_typed() {
  pollfd one{STDIN_FILENO, POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

}  // namespace

struct LineEditor::Impl {
  Impl(Signals& stop_signals, Completer completion) : stop(stop_signals), completer(std::move(completion)) {
    choose_locale();
    edit = ::el_init("millrace", stdin, stdout, stderr);
    past = ::history_init();
    HistEvent event;
    ::history(past, &event, H_SETSIZE, static_cast<int>(HistoryFile::kMaxEntries));
    ::history(past, &event, H_SETUNIQUE, 1);
    ::el_set(edit, EL_CLIENTDATA, this);
    ::el_set(edit, EL_SIGNAL, 0);
    ::el_set(edit, EL_EDITOR, "emacs");
    ::el_set(edit, EL_HIST, ::history, past);
    ::el_set(edit, EL_PROMPT_ESC, &prompt_of, '\1');
    ::el_wset(edit, EL_GETCFN, &next_letter);
    ::el_set(edit, EL_ADDFN, "millrace-complete", "Completes a word", &on_tab);
    ::el_set(edit, EL_BIND, "^I", "millrace-complete", nullptr);
    ::el_set(edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    ::el_source(edit, nullptr);
  }
  ~Impl() {
    ::el_end(edit);
    ::history_end(past);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static Impl& of(EditLine* edit) {
    void* self = nullptr;
    ::el_get(edit, EL_CLIENTDATA, &self);
    return *static_cast<Impl*>(self);
  }
  static char* prompt_of(EditLine* edit) { return of(edit).prompt.data(); }
  static unsigned char on_tab(EditLine* edit, int /*key*/) { return of(edit).complete(); }
  static int next_letter(EditLine* edit, wchar_t* letter) { return of(edit).read_letter(letter); }

  // 1 a letter, 0 the end, -1 a signal.
  int read_letter(wchar_t* letter) {
    std::mbstate_t state{};
    while (true) {
      pollfd all[] = {{STDIN_FILENO, POLLIN, 0}, {stop.fd(), POLLIN, 0}, {changed.fd(), POLLIN, 0}};
      ::poll(all, 3, -1);
      if (all[1].revents != 0) {
        interrupted = true;
        return -1;
      }
      if (all[2].revents != 0) {
        prepare_again();
      }
      if (all[0].revents == 0) continue;
      char byte = 0;
      if (::read(STDIN_FILENO, &byte, 1) <= 0) return 0;
      const size_t done = std::mbrtowc(letter, &byte, 1, &state);
      if (done == static_cast<size_t>(-1)) state = {};  // no letter: passed over
      if (done <= 1) return 1;
    }
  }

  // The window has another size, or a shell has given the terminal back in a state of its own.
  void prepare_again() {
    while (const int number = changed.take()) {
      if (number == SIGWINCH) ::el_resize(edit);
      if (number != SIGCONT) continue;
      ::el_set(edit, EL_PREP_TERM, 0);
      ::el_set(edit, EL_PREP_TERM, 1);
    }
    ::el_set(edit, EL_REFRESH);
  }

  unsigned char complete() {
    if (more_is_typed()) {  // a text is being pasted: the tab is one of its spaces
      ::el_insertstr(edit, " ");
      return CC_REFRESH;
    }
    const LineInfo* line = ::el_line(edit);
    const std::string before(line->buffer, line->cursor);
    const std::string after(line->cursor, line->lastchar);
    const Completion found = completer(before, after);
    if (found.words.empty()) return CC_REFRESH_BEEP;
    const std::string typed = before.substr(found.from);
    const std::string all_have = common_prefix(found.words);
    if (found.words.size() > 1 && all_have.size() <= typed.size()) {
      print_words(found.words);
      return CC_REDISPLAY;
    }
    const bool goes_on = all_have.ends_with('(') || all_have.ends_with('/');
    const std::string inserted = found.words.size() == 1 && !goes_on ? all_have + " " : all_have;
    ::el_deletestr(edit, static_cast<int>(letters(typed)));
    ::el_insertstr(edit, inserted.c_str());
    return CC_REFRESH;
  }

  static size_t letters(const std::string& text) {
    return static_cast<size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  }

  Signals& stop;
  const Completer completer;
  Signals changed{SIGWINCH, SIGCONT};
  EditLine* edit = nullptr;
  History* past = nullptr;
  std::string prompt;
  bool interrupted = false;
};

LineEditor::LineEditor(Signals& stop, Completer completer)
    : impl_(std::make_unique<Impl>(stop, std::move(completer))) {}

LineEditor::~LineEditor() = default;

LineEditor::Got LineEditor::read(const std::string& prompt, std::string& line) {
  impl_->prompt = prompt;
  impl_->interrupted = false;
  int bytes = 0;
  const char* text = ::el_gets(impl_->edit, &bytes);
  if (impl_->interrupted) return Got::kInterrupted;
  if (text == nullptr || bytes <= 0) return Got::kEnd;
  line.assign(text, static_cast<size_t>(bytes));
  if (line.ends_with('\n')) line.pop_back();
  return Got::kLine;
}

void LineEditor::remember(const std::string& entry) {
  HistEvent event;
  ::history(impl_->past, &event, H_ENTER, entry.c_str());
}

}  // namespace millrace::cli
