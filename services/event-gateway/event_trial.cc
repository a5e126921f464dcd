#include "event-gateway/event_trial.h"

#include <algorithm>
#include <string>

#include "base/buffer.h"
#include "event/text.h"

namespace millrace::gateway {
namespace {

constexpr size_t kPageBytes = 1u << 20;
constexpr size_t kLookAtClockEvery = 16;
constexpr size_t kMostReason = 500;

struct Tail {
  PartitionId partition;
  int64_t first, end;  // offsets
  size_t events() const { return static_cast<size_t>(end - first); }
};

// Leaves `events` of all: the fullest give up theirs.
void shorten(std::vector<Tail>& tails, size_t events) {
  std::vector<Tail*> by_size;
  for (auto& tail : tails) by_size.push_back(&tail);
  std::sort(by_size.begin(), by_size.end(),
            [](const Tail* a, const Tail* b) { return a->events() < b->events(); });
  size_t partitions = by_size.size();
  for (Tail* tail : by_size) {
    const size_t share = std::min(tail->events(), events / partitions--);
    tail->first = tail->end - static_cast<int64_t>(share);
    events -= share;
  }
  std::erase_if(tails, [](const Tail& tail) { return tail.events() == 0; });
}

class Trial : public std::enable_shared_from_this<Trial> {
 public:
  using Done = std::function<void(TriedEvents)>;
  Trial(const TrialServices& services, engine::StreamPtr stream, std::shared_ptr<EventSchema> schema,
        std::shared_ptr<TrialBudget> budget, Done done)
      : services_(services),
        stream_(std::move(stream)),
        schema_(std::move(schema)),
        budget_(std::move(budget)),
        done_(std::move(done)) {}

  // A turn of the core loop for each stream: a subject may have ten thousand.
  void begin(size_t events) {
    run([] {},
        [self = shared_from_this(), events] {
          self->find_tails(events);
          self->next_tail();
        });
  }

 private:
  void find_tails(size_t events) {
    for (uint16_t i = 0; i < stream_->partitions; ++i) {
      const auto kept = services_.journal.range({stream_->id, PartitionId(i)});
      if (kept.ok()) tails_.push_back({PartitionId(i), kept->first.value, kept->end.value});
    }
    shorten(tails_, events);
  }

  void next_tail() {
    place_ = services_.streams.start_of(*stream_);
    next_page();
  }

  void next_page() {
    if (tails_.empty()) return done_(std::move(out_));
    if (is_over()) return end_early();
    const Tail& tail = tails_.front();
    engine::StreamReadRequest page;
    page.stream = stream_;
    page.partition = tail.partition;
    page.place = place_;
    page.range.offsets = {tail.first, tail.end - 1};
    page.kept_only = true;
    page.max_bytes = std::min(kPageBytes, budget_->bytes);
    services_.streams.read(std::move(page),
                           [self = shared_from_this()](Result<engine::StreamReadAnswer> answer) {
                             if (!answer.ok()) return self->fail(answer.error());
                             self->take(std::move(*answer));
                           });
  }

  void take(engine::StreamReadAnswer answer) {
    place_ = answer.next;
    const bool last = answer.at_end || answer.events.empty();
    auto work = [self = shared_from_this(),
                 page = std::make_shared<engine::StreamReadAnswer>(std::move(answer))] {
      for (const auto& event : page->events) self->judge(event);
    };
    auto done = [self = shared_from_this(), last] {
      if (!self->out_.complete) return self->done_(std::move(self->out_));
      if (!last) return self->next_page();
      self->tails_.erase(self->tails_.begin());
      self->next_tail();
    };
    run(std::move(work), std::move(done));
  }

  void run(std::function<void()> work, std::function<void()> done) {
    if (!services_.background.run(engine::Lane::kReads, std::move(work), std::move(done)))
      fail(error(Code::kExhausted, "MR-QRY-0004", "too many queries are waiting", "try again shortly"));
  }

  void judge(const engine::StoredEvent& event) {
    if (out_.tried % kLookAtClockEvery == 0 && is_over()) out_.complete = false;
    if (!out_.complete) return;
    ++out_.tried;
    budget_->bytes -= std::min(budget_->bytes, event.value.size());
    padded_.assign(event.value);
    padded_.append(Buffer::kPadding, '\0');
    const Status fits = schema_->check(std::string_view(padded_).substr(0, event.value.size()));
    if (fits.ok()) return;
    ++out_.misfits;
    if (out_.first.size() == TriedEvents::kMostShown) return;
    Error why = fits.error();
    why.message = start_of(why.message, kMostReason);
    out_.first.push_back({event.partition, event.offset, event.time, std::move(why)});
  }

  bool is_over() const {
    return budget_->gone || budget_->bytes == 0 || services_.clock.monotonic_ns() >= budget_->until_ns;
  }
  void end_early() {
    out_.complete = false;
    done_(std::move(out_));
  }
  void fail(Error failure) {
    out_.failure = std::move(failure);
    end_early();
  }

  const TrialServices services_;
  const engine::StreamPtr stream_;
  const std::shared_ptr<EventSchema> schema_;
  const std::shared_ptr<TrialBudget> budget_;
  const Done done_;
  std::vector<Tail> tails_;  // that are left; the first is being read
  engine::StreamPlace place_;
  std::string padded_;
  TriedEvents out_;
};

}  // namespace

void try_events(const TrialServices& services, engine::StreamPtr stream, std::shared_ptr<EventSchema> schema,
                size_t events, std::shared_ptr<TrialBudget> budget, std::function<void(TriedEvents)> done) {
  std::make_shared<Trial>(services, std::move(stream), std::move(schema), std::move(budget), std::move(done))
      ->begin(events);
}

}  // namespace millrace::gateway
