#include "bench/history.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "base/hash.h"
#include "bench/bench_catalog.h"
#include "formats/json.h"
#include "log/record_batch.h"

namespace millrace::bench {
namespace {

constexpr int64_t kEventsPerFrame = 1000;
constexpr int64_t kAppendTimeMs = 1'436'918'400'000;

// Where the next events go.
class Router {
 public:
  explicit Router(const engine::StreamDef& stream)
      : id_(stream.id),
        keyed_(stream.key_column >= 0 && stream.partitions > 1),
        validator_(stream.columns, stream.key_column),
        builders_(stream.partitions) {}

  Status add(std::string& event) {
    const size_t size = event.size();
    uint32_t partition = next_;
    if (keyed_) {
      event.append(Buffer::kPadding, '\0');
      TRY_ASSIGN(const auto key, validator_.validate(std::string_view(event).substr(0, size)));
      partition = partition_of_key_group(key_group_of(stable_hash(key.value_or(""))), partitions());
    }
    builders_[partition].add(std::nullopt, std::string_view(event).substr(0, size), kAppendTimeMs);
    return {};
  }

  log::Group take_frame() {
    log::Group group;
    for (uint16_t p = 0; p < builders_.size(); ++p) {
      if (!builders_[p].empty()) group.batches.push_back({{id_, PartitionId(p)}, builders_[p].finish()});
    }
    next_ = (next_ + 1) % partitions();
    return group;
  }

 private:
  uint32_t partitions() const { return static_cast<uint32_t>(builders_.size()); }

  const StreamId id_;
  const bool keyed_;  // and there is a choice
  formats::JsonValidator validator_;
  std::vector<log::RecordBatchBuilder> builders_;
  uint32_t next_ = 0;  // without a key: of this frame
};

}  // namespace

Result<std::unique_ptr<History>> History::make(const std::string& directory, const std::string& name,
                                               std::string stream, int64_t events,
                                               const std::function<void(std::string&)>& append) {
  TRY_ASSIGN(Scratch scratch, Scratch::make(directory, name));
  std::unique_ptr<History> made(new History(std::move(scratch), directory, std::move(stream), events));
  TRY(made->open());
  TRY(made->write(append));
  return made;
}

Result<std::unique_ptr<History>> History::copy() const {
  TRY_ASSIGN(Scratch scratch, Scratch::make(directory_, "copy"));
  std::unique_ptr<History> made(new History(std::move(scratch), directory_, stream_, events_));
  std::error_code failure;
  std::filesystem::copy(journal_directory(), made->journal_directory(),
                        std::filesystem::copy_options::recursive, failure);
  if (failure) {
    return error(Code::kUnavailable, "MR-BENCH-0023",
                 "cannot copy the journal to " + made->journal_directory() + ": " + failure.message(),
                 "make room, or name another directory with --directory");
  }
  TRY(made->open());
  return made;
}

Status History::open() {
  log::Journal::Options options;
  options.directory = journal_directory();
  TRY_ASSIGN(journal_, log::Journal::open(*files_, clock_, options));
  return {};
}

Status History::write(const std::function<void(std::string&)>& append) {
  TRY_ASSIGN(const auto catalog, catalog_of(stream_, {}));
  Router router(*catalog->stream(sql::stream_of(kStreamDefinition)));
  std::string event;
  for (int64_t i = 0; i < events_;) {
    const int64_t end = std::min(events_, i + kEventsPerFrame);
    for (; i < end; ++i) {
      event.clear();
      append(event);
      TRY(router.add(event));
    }
    TRY(write_frame(router.take_frame()));
  }
  return {};
}

Status History::write_frame(log::Group group) {
  TRY_ASSIGN(const auto appended, journal_->append(std::move(group), log::Priority::kIngest));
  while (journal_->durable_cut() < appended.cut) {
    journal_->flush();
    journal_->poll();
    if (journal_->failed()) return *journal_->failed();
  }
  return {};
}

std::shared_ptr<state::SpillSpace> History::spill_space(size_t memory_bytes) {
  return std::make_shared<state::SpillSpace>(*files_,
                                             state::SpillSpace::Options{scratch_.path(), memory_bytes, 0});
}

}  // namespace millrace::bench
