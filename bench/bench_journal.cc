// journal / replay: one worker's path over history without its queries: frames from the files, records, five
// columns.
#include "base/clock.h"
#include "base/files.h"
#include "bench/loadgen.h"
#include "bench/workload.h"
#include "formats/json.h"
#include "log/journal.h"
#include "log/record_batch.h"

namespace millrace::bench {
namespace {

constexpr int kEventsPerFrame = 5000;
constexpr size_t kReadBytes = 4u << 20;
constexpr size_t kDecodeRows = 1024;
constexpr StreamId kStream{1};

Result<std::unique_ptr<log::Journal>> open(Files& files, const Clock& clock, const std::string& directory) {
  log::Journal::Options options;
  options.directory = directory;
  return log::Journal::open(files, clock, options);
}

std::string five_columns(int i) {
  std::string event = fmt::format(R"({{"due":{},"ts":{},"k":"k{:07}","sel":{},"v":{}.5,"pad":")",
                                  1'000'000'000'000 + i, 1'700'000'000'000 + i, i % kKeys, i % 10, i % 1000);
  event.append(kEventBytes - 3 - event.size(), 'x');
  return event + "\"}";
}

Status write_history(log::Journal& journal, int events) {
  log::RecordBatchBuilder builder;
  for (int i = 0; i < events;) {
    for (int n = 0; n < kEventsPerFrame && i < events; ++n)
      builder.add(std::nullopt, five_columns(i++), 1'700'000'000'000);
    log::Group group;
    group.batches.push_back({{kStream, PartitionId{0}}, builder.finish()});
    TRY_ASSIGN(const auto appended, journal.append(std::move(group), log::Priority::kIngest));
    while (journal.durable_cut() < appended.cut) {
      journal.flush();
      journal.poll();
      if (journal.failed()) return *journal.failed();
    }
  }
  return {};
}

// Five columns of every record; answers the rows.
Result<uint64_t> replay(log::Journal& journal, formats::JsonDecoder& decoder, const Schema& schema) {
  Batch batch;
  batch.set_schema(schema);
  std::vector<std::string_view> values;
  std::vector<RowError> errors;
  uint64_t rows = 0;
  const auto decode = [&] {
    batch.clear();
    decoder.decode(values, batch, errors);
    rows += batch.rows;
    values.clear();
  };
  for (Cut at = Cut{journal.first_cut().value - 1}; at < journal.end_cut();) {
    TRY_ASSIGN(const auto frames, journal.read_frames(at, journal.end_cut(), kReadBytes));
    for (const auto& frame : frames) {
      at = frame->cut;
      for (const auto& piece : frame->batches) {
        TRY_ASSIGN(const auto view, log::RecordBatchView::parse(piece.bytes.view(), false));
        log::RecordBatchView::Cursor cursor(view);
        for (log::Record record; cursor.next(record);) {
          values.push_back(record.value);
          if (values.size() == kDecodeRows) decode();
        }
        decode();
      }
    }
  }
  if (!errors.empty()) return error(Code::kInternal, "MR-BENCH-0018", errors.front().message);
  return rows;
}

}  // namespace

Status bench_journal(const BenchOptions& options, Report& report) {
  constexpr int kEvents = 5'000'000;
  TRY_ASSIGN(const Scratch scratch, Scratch::make(options.directory, "replay"));
  const auto files = make_system_files();
  const SystemClock clock;
  {
    TRY_ASSIGN(const auto journal, open(*files, clock, scratch.path() + "/journal"));
    TRY(write_history(*journal, kEvents));
    TRY(journal->close());
  }
  TRY_ASSIGN(const auto journal, open(*files, clock, scratch.path() + "/journal"));
  const Schema schema = {{"due", Type::kBigint},
                         {"ts", Type::kTimestamptz},
                         {"k", Type::kText},
                         {"sel", Type::kBigint},
                         {"v", Type::kDouble}};
  formats::JsonDecoder decoder(schema, {0, 1, 2, 3, 4});
  std::vector<double> rates;
  for (int round = 0; round <= options.rounds; ++round) {
    const int64_t start = monotonic_ns();
    TRY_ASSIGN(const uint64_t rows, replay(*journal, decoder, schema));
    if (rows != kEvents) {
      return error(Code::kInternal, "MR-BENCH-0018", fmt::format("{} of {} events came back", rows, kEvents));
    }
    const double rate = static_cast<double>(rows) * 1e9 / static_cast<double>(monotonic_ns() - start);
    report.say(fmt::format("  {:.0f} events/s", rate));
    if (round > 0) rates.push_back(rate);  // the first one warms up
  }
  report.add("journal", "replay", "events_per_s", median(rates), "1/s");
  return {};
}

}  // namespace millrace::bench
