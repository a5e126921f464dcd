// History: a journal with events of one stream in frames of a thousand, as requests bring them: an event goes to the
// partition of its key; without a key, a frame's events go to one partition, and the partitions take turns.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "bench/server_process.h"
#include "log/journal.h"
#include "state/spill_space.h"

namespace millrace::bench {

class History {
 public:
  // `stream` is CREATE STREAM's text; `append` adds the next event to the text.
  static Result<std::unique_ptr<History>> make(const std::string& directory, const std::string& name,
                                               std::string stream, int64_t events,
                                               const std::function<void(std::string&)>& append);
  // The same events in another journal, which may be written to.
  Result<std::unique_ptr<History>> copy() const;

  // Memory for state beside the journal, and its file.
  std::shared_ptr<state::SpillSpace> spill_space(size_t memory_bytes);

  const std::string& stream() const { return stream_; }
  log::Journal& journal() { return *journal_; }
  int64_t events() const { return events_; }

 private:
  History(Scratch scratch, std::string directory, std::string stream, int64_t events)
      : scratch_(std::move(scratch)),
        directory_(std::move(directory)),
        stream_(std::move(stream)),
        events_(events) {}
  std::string journal_directory() const { return scratch_.path() + "/journal"; }
  Status open();
  Status write(const std::function<void(std::string&)>& append);
  Status write_frame(log::Group group);

  const Scratch scratch_;
  const std::string directory_, stream_;
  const int64_t events_;
  const std::unique_ptr<Files> files_ = make_system_files();
  const SystemClock clock_;
  std::unique_ptr<log::Journal> journal_;
};

}  // namespace millrace::bench
