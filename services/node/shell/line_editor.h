// LineEditor: lines typed at a terminal, with history and completion. libedit behind it: emacs' keys, or vi's by ~/.editrc.
//
// Threads: one, and one editor a process: libedit's callbacks know it by its client data alone.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "node/shell/completion.h"
#include "node/shell/signals.h"

namespace millrace::cli {

class LineEditor {
 public:
  enum class Got : uint8_t { kLine, kInterrupted, kEnd };
  // For the line so far, before and behind the cursor; `from` of what it answers counts in the line.
  using Completer = std::function<Completion(const std::string& before, const std::string& after)>;

  // A signal of `stop` ends a read; it still waits there then.
  LineEditor(Signals& stop, Completer completer);
  ~LineEditor();

  Got read(const std::string& prompt, std::string& line);  // without its line end
  void remember(const std::string& entry);                 // in this process's history

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::cli
