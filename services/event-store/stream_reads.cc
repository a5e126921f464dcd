#include "event-store/stream_reads.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>

#include "event-store/event_pages.h"
#include "event-store/live_frame.h"
#include "sql/definitions.h"

namespace millrace::event_store {
namespace {

using engine::StreamPlace;
using engine::StreamReadAnswer;
using engine::StreamReadRequest;

constexpr size_t kScanBytes = 4u << 20;  // of the journal's frames, at a time

Error busy() {
  return error(Code::kExhausted, "MR-EVS-0002", "too many reads are waiting", "try again shortly");
}
Error gone(const StreamPlace& place, Cut first) {
  return error(Code::kGone, "MR-EVS-0001",
               fmt::format("the cursor {} points at events that retention has removed: the oldest kept is {}",
                           engine::to_cursor(place), engine::to_cursor({first, 0})),
               "read again from the oldest kept event: from=start");
}
Error ahead(const StreamPlace& place) {
  return error(Code::kInvalid, "MR-EVS-0004",
               fmt::format("the cursor {} is ahead of the log", engine::to_cursor(place)),
               "it comes from another server or data directory; start with from=start or from=end");
}
Error offset_gone(Offset offset, Offset first) {
  return error(Code::kGone, "MR-EVS-0001",
               fmt::format("offset {} has been removed by retention: the oldest kept is {}", offset.value,
                           first.value),
               "read again from the oldest kept event: from=start");
}
Error offset_ahead(Offset offset, Offset end) {
  return error(Code::kInvalid, "MR-EVS-0004",
               fmt::format("offset {} is ahead of the log, which ends at {}", offset.value, end.value),
               "it comes from another server or data directory; start with from=start or from=end");
}
Error dropped() {
  return error(Code::kGone, "MR-EVS-0005", "the stream was dropped",
               "SHOW STREAMS lists the streams there are");
}

constexpr StreamPlace kOldest{Cut(0), 0};

// What a read on a background thread needs to know of the core loop's state.
struct Bounds {
  Cut first;
  Cut durable;
};

// Where reading begins, as a place and a filter, and where it ends. `place.cut` is 0 (the oldest kept) or more.
struct Begin {
  StreamPlace place;
  EventFilter filter;
  Cut last;
};

// Retention frees whole segments, and may free ones that hold nothing of the stream.
Result<bool> lost_events(log::Journal& journal, const engine::StreamDef& stream) {
  for (uint16_t p = 0; p < stream.partitions; ++p) {
    TRY_ASSIGN(const auto range, journal.range({stream.id, PartitionId(p)}));
    if (range.first > Offset(0)) return true;
  }
  return false;
}

// The place to go on at: `place`, or the oldest kept where nothing of the stream lies between the two, or where it is
// not missed.
Result<StreamPlace> check_place(log::Journal& journal, const StreamReadRequest& request, StreamPlace place,
                                const Bounds& bounds) {
  if (place == kOldest) return place;
  if (place.cut.value > bounds.durable.value + 1) return ahead(place);
  if (place.cut >= bounds.first) return place;
  TRY_ASSIGN(const bool lost, lost_events(journal, *request.stream));
  if (lost && !request.kept_only) return gone(place, bounds.first);
  return StreamPlace{bounds.first, 0};
}

// Before the first frame that is kept with the offset, or a higher one: retention may take away the file that is looked at.
Result<Cut> kept_cut_before(log::Journal& journal, StreamPartition where, Offset offset) {
  for (;;) {
    const Cut first = journal.first_cut();
    auto found = journal.cut_before(where, offset);
    if (found.ok() || found.error().code != Code::kGone || journal.first_cut() == first) return found;
  }
}

// The frames between which the events of the range stand. Where its last time ends is seen when a frame behind it comes:
// cut_at() may answer too early where the log is damaged, and what stands there would be missing in silence.
Status bound_by_range(log::Journal& journal, const StreamReadRequest& request, const Bounds& bounds,
                      Begin& begin) {
  const auto& [offsets, times] = request.range;
  Cut first = bounds.first;
  if (times.first > INT64_MIN)
    first = std::max(first, Cut(journal.cut_at(AppendTime(times.first)).value + 1));
  if (request.partition) {
    const StreamPartition where{request.stream->id, *request.partition};
    if (offsets.first > 0) {
      TRY_ASSIGN(const Cut before, kept_cut_before(journal, where, Offset(offsets.first)));
      first = std::max(first, Cut(before.value + 1));
    }
    if (offsets.last < INT64_MAX) {
      TRY_ASSIGN(const Cut before, kept_cut_before(journal, where, Offset(offsets.last)));
      begin.last = std::min(begin.last, Cut(before.value + 1));
    }
  }
  if (first > begin.place.cut && first > bounds.first) begin.place = {first, 0};
  return {};
}

Result<Begin> find_begin(log::Journal& journal, const StreamReadRequest& request, const Bounds& bounds) {
  Begin begin{kOldest, {request.stream->id, request.partition, request.range}, bounds.durable};
  if (request.place) {
    TRY_ASSIGN(begin.place, check_place(journal, request, *request.place, bounds));
  } else if (request.offset && request.partition) {
    const StreamPartition where{request.stream->id, *request.partition};
    TRY_ASSIGN(const auto range, journal.range(where));
    if (*request.offset < range.first) return offset_gone(*request.offset, range.first);
    if (*request.offset > range.end) return offset_ahead(*request.offset, range.end);
    TRY_ASSIGN(const Cut before, journal.cut_before(where, *request.offset));
    begin.place = {Cut(std::max(before.value + 1, bounds.first.value)), 0};
    begin.filter.range.offsets.first = request.offset->value;
  } else if (request.time) {
    begin.place = {Cut(std::max(journal.cut_at(*request.time).value + 1, bounds.first.value)), 0};
  }
  TRY(bound_by_range(journal, request, bounds, begin));
  return begin;
}

// Hands the durable frames from `place` on to `visit` until it answers false; `place` moves past what was
// scanned.
Status scan(log::Journal& journal, const StreamReadRequest& request, const EventFilter& filter, Cut durable,
            StreamPlace& place,
            const std::function<Result<bool>(const log::FramePtr&, uint32_t skip)>& visit) {
  const bool oldest = place == kOldest;
  bool begun = false;
  if (oldest) place.cut = journal.first_cut();
  while (place.cut <= durable) {
    auto read =
        journal.read_stream(filter.stream, filter.partition, Cut(place.cut.value - 1), durable, kScanBytes);
    // Retention went on meanwhile: the oldest kept is another one now.
    const Cut first = journal.first_cut();
    if (!read.ok() && read.error().code == Code::kGone && first > place.cut) {
      if (oldest && !begun) {
        place.cut = first;
      } else {
        TRY_ASSIGN(place, check_place(journal, request, place, {first, durable}));
      }
      continue;
    }
    TRY_ASSIGN(const auto found, std::move(read));
    begun = true;
    for (const auto& frame : found.frames) {
      const uint32_t skip = frame->cut == place.cut ? place.index : 0;
      TRY_ASSIGN(const bool more, visit(frame, skip));
      if (!more) return {};
      place = {Cut(frame->cut.value + 1), 0};
    }
    const uint64_t next = found.scanned.value + 1;
    if (next > place.cut.value)
      place = {Cut(next), 0};
    else if (found.frames.empty())
      break;  // nothing new: never spin
  }
  return {};
}

Result<StreamReadAnswer> read_page(log::Journal& journal, const StreamReadRequest& request,
                                   const Bounds& bounds) {
  TRY_ASSIGN(Begin begin, find_begin(journal, request, bounds));
  StreamReadAnswer answer;
  StreamPlace place = begin.place;
  answer.next = place;
  bool full = request.limit == 0;
  size_t bytes = 0;
  TRY(scan(journal, request, begin.filter, begin.last, place,
           [&](const log::FramePtr& frame, uint32_t skip) -> Result<bool> {
             if (full) return false;
             if (frame->time.value > request.range.times_us.last) {
               place = {frame->cut, 0};
               begin.last = Cut(frame->cut.value - 1);
               return false;
             }
             answer.keep.push_back(frame);
             const size_t before = answer.events.size();
             TRY(visit_events(*frame, begin.filter, skip, [&](const engine::StoredEvent& event) {
               if (full) return false;
               answer.events.push_back(event);
               answer.next = event.after;
               bytes += event.value.size();
               full = answer.events.size() >= request.limit || bytes >= request.max_bytes;
               return true;
             }));
             const auto trace = trace_in(*frame);
             if (!trace.empty()) answer.traces.push_back({before, answer.events.size(), trace});
             return true;
           }));
  if (!full) answer.next = place;  // also past what holds nothing of the stream
  answer.at_end = answer.next.cut > begin.last;
  if (request.partition) {
    TRY_ASSIGN(const auto kept, journal.range({request.stream->id, *request.partition}));
    answer.oldest = kept.first;
  }
  return answer;
}

// The first of a frame's rows behind the place, which is in that frame.
size_t first_behind(const RowPage& page, const StreamPlace& place) {
  const auto before = [&](const RowPage::Row& row) {
    return row.after.cut == place.cut && row.after.index <= place.index;
  };
  return static_cast<size_t>(std::partition_point(page.rows.begin(), page.rows.end(), before) -
                             page.rows.begin());
}

}  // namespace

class Follower;

// Who follows a stream, and what makes their rows of a frame that has just become durable.
struct Followed {
  explicit Followed(const engine::StreamPtr& stream) : stored(stream, false) {}
  RowMaker& maker_for(const engine::StreamPtr& stream, bool declared_columns) {
    if (!declared_columns) return stored;
    return declared.try_emplace(stream->columns.size(), stream, true).first->second;
  }
  RowMaker stored;
  std::map<size_t, RowMaker>
      declared;  // by the number of columns that the stream had when they began to follow it
  std::vector<std::shared_ptr<Follower>> followers;
};

struct StreamStore::Impl {
  Impl(log::Journal& j, engine::Background& b) : journal(j), background(b), durable(j.durable_cut()) {}

  Bounds bounds() { return {journal.first_cut(), durable}; }
  Followed& followed(const engine::StreamPtr& stream);
  void add(const std::shared_ptr<Follower>& follower);
  void remove(Follower* follower);
  void deliver(const log::FramePtr& frame, std::vector<std::shared_ptr<Follower>>& touched);
  void overflow_all();
  void end_dropped(const log::Frame& frame);

  log::Journal& journal;
  engine::Background& background;
  Cut durable;
  std::unordered_map<StreamId, Followed> by_stream;
  size_t count = 0;
  StreamStore::Delivered delivered;
};

// One subscription's state. Shared with the page read that may be under way.
class Follower : public std::enable_shared_from_this<Follower> {
 public:
  Follower(std::shared_ptr<StreamStore::Impl> store, StreamReadRequest request, bool declared_columns,
           std::optional<StreamPlace> start)
      : store_(std::move(store)),
        request_(std::move(request)),
        declared_columns_(declared_columns),
        place_(start.value_or(StreamPlace{})),
        placed_(start.has_value()),
        queue_from_(store_->durable) {}

  const engine::StreamPtr& stream() const { return request_.stream; }
  void set_notify(std::function<void()> notify) { notify_ = std::move(notify); }
  void notify() {
    if (const auto notify = notify_) notify();
  }
  void leave() {
    notify_ = nullptr;
    store_->remove(this);
  }
  void end(Error why) { ended_ = std::move(why); }

  void enqueue(const std::shared_ptr<LiveFrame>& frame);
  void overflow();
  Result<size_t> pull(size_t max_rows, const engine::RowVisit& visit);
  std::string_view trace() const { return trace_; }

 private:
  struct Read {
    StreamPlace reached;
    std::shared_ptr<RowPage> page = std::make_shared<RowPage>();
  };

  bool live() const { return placed_ && !overflowed_ && place_.cut.value >= queue_from_.value + 1; }
  bool done() const { return page_ == nullptr || next_ == page_->rows.size(); }
  bool fill();  // takes rows from the queue; false: nothing there
  void start_page();
  Result<Read> read_page(const Bounds& bounds) const;
  void take_page(Result<Read> read);

  std::shared_ptr<StreamStore::Impl> store_;
  const StreamReadRequest request_;
  const bool declared_columns_;
  StreamPlace place_;  // everything before it is in the page, or was handed out
  bool placed_;        // false: the request's offset or time was not looked up yet
  std::shared_ptr<const RowPage> page_;
  size_t next_ = 0;         // of the page: the first that was not handed out
  std::string_view trace_;  // of the row that is handed out
  bool reading_ = false;    // a page is being read: place_ stays as it is
  std::optional<Error> ended_;
  std::function<void()> notify_;

  std::deque<std::shared_ptr<LiveFrame>>
      queue_;  // all the stream's frames after queue_from_, unless overflowed_
  size_t queue_bytes_ = 0;
  Cut queue_from_;
  bool overflowed_ = false;
};

void Follower::enqueue(const std::shared_ptr<LiveFrame>& frame) {
  if (overflowed_) return;
  if (queue_.size() >= StreamStore::kQueueFrames || queue_bytes_ > StreamStore::kQueueBytes)
    return overflow();
  queue_.push_back(frame);
  queue_bytes_ += frame->bytes();
}

// The files have what the queue has not: the follower reads on from there.
void Follower::overflow() {
  overflowed_ = true;
  queue_.clear();
  queue_bytes_ = 0;
}

bool Follower::fill() {
  page_ = nullptr;
  while (!queue_.empty() && done()) {
    const auto frame = std::move(queue_.front());
    queue_.pop_front();
    queue_bytes_ -= std::min(queue_bytes_, frame->bytes());
    if (frame->cut() < place_.cut) continue;
    Followed& followed = store_->followed(request_.stream);
    auto rows = frame->rows(followed.maker_for(request_.stream, declared_columns_), request_.partition);
    if (rows.ok()) {
      page_ = std::move(*rows);
      next_ = frame->cut() == place_.cut ? first_behind(*page_, place_) : 0;
      if (store_->delivered) store_->delivered(stream()->id, frame->time(), frame->trace());
    } else {
      ended_ = rows.error();
    }
    place_ = {Cut(frame->cut().value + 1), 0};
  }
  return !done();
}

Result<size_t> Follower::pull(size_t max_rows, const engine::RowVisit& visit) {
  size_t handed = 0;
  while (handed < max_rows) {
    if (done()) {
      if (reading_) break;
      if (ended_) {
        if (handed > 0) break;
        return *ended_;
      }
      if (!live()) {
        start_page();
        if (ended_) continue;
        if (reading_ || done()) break;  // the page's end calls notify()
      } else if (!fill()) {
        if (ended_) continue;
        break;
      }
    }
    for (; handed < max_rows && !done(); ++handed) {
      trace_ = page_->trace_of(next_);
      const auto& row = page_->rows[next_++];
      visit(row.json, row.cursor);
    }
  }
  return handed;
}

// Frames that become durable from here on are queued, so the page's end and the queue's begin meet.
void Follower::start_page() {
  queue_.clear();
  queue_bytes_ = 0;
  overflowed_ = false;
  queue_from_ = store_->durable;
  reading_ = true;
  auto read = std::make_shared<Result<Read>>(Read{});
  auto work = [self = shared_from_this(), bounds = store_->bounds(), read] {
    *read = self->read_page(bounds);
  };
  auto done = [self = shared_from_this(), read] { self->take_page(std::move(*read)); };
  if (!store_->background.run(engine::Lane::kReads, std::move(work), std::move(done))) {
    reading_ = false;
    ended_ = busy();
  }
}

// The offset that it may begin at holds for the first page: behind that all are higher.
Result<Follower::Read> Follower::read_page(const Bounds& bounds) const {
  log::Journal& journal = store_->journal;
  EventFilter filter{request_.stream->id, request_.partition};
  Read read{place_};
  if (!placed_) {
    TRY_ASSIGN(const Begin begin, find_begin(journal, request_, bounds));
    read.reached = begin.place;
    filter = begin.filter;
  }
  TRY_ASSIGN(read.reached, check_place(journal, request_, read.reached, bounds));
  RowMaker maker(request_.stream, declared_columns_);
  TRY(scan(journal, request_, filter, bounds.durable, read.reached,
           [&](const log::FramePtr& frame, uint32_t skip) -> Result<bool> {
             if (read.page->bytes >= StreamStore::kPageBytes) return false;
             TRY(maker.append(frame, filter, skip, *read.page));
             return true;
           }));
  return read;
}

void Follower::take_page(Result<Read> read) {
  reading_ = false;
  if (!read.ok()) {
    ended_ = std::move(read).error();
  } else {
    place_ = read->reached;
    placed_ = true;
    page_ = std::move(read->page);
    next_ = 0;
  }
  notify();
}

namespace {

class FollowerHandle final : public engine::Subscription {
 public:
  explicit FollowerHandle(std::shared_ptr<Follower> follower) : follower_(std::move(follower)) {
    follower_->set_notify([this] { notify(); });
  }
  ~FollowerHandle() override { follower_->leave(); }
  Result<size_t> pull(size_t max_rows, const engine::RowVisit& visit) override {
    return follower_->pull(max_rows, visit);
  }
  std::string_view trace() const override { return follower_->trace(); }

 private:
  std::shared_ptr<Follower> follower_;
};

}  // namespace

Followed& StreamStore::Impl::followed(const engine::StreamPtr& stream) {
  return by_stream.try_emplace(stream->id, stream).first->second;
}

void StreamStore::Impl::add(const std::shared_ptr<Follower>& follower) {
  followed(follower->stream()).followers.push_back(follower);
  ++count;
}

void StreamStore::Impl::remove(Follower* follower) {
  const auto found = by_stream.find(follower->stream()->id);
  if (found == by_stream.end()) return;
  auto& followers = found->second.followers;
  count -= std::erase_if(followers, [&](const auto& f) { return f.get() == follower; });
  if (followers.empty()) by_stream.erase(found);
}

void StreamStore::Impl::deliver(const log::FramePtr& frame, std::vector<std::shared_ptr<Follower>>& touched) {
  StreamId last;
  for (const auto& batch : frame->batches) {
    if (batch.where.stream == last) continue;  // a frame's batches of a stream stand together
    last = batch.where.stream;
    const auto found = by_stream.find(last);
    if (found == by_stream.end()) continue;
    const auto live = std::make_shared<LiveFrame>(frame);
    for (const auto& follower : found->second.followers) {
      follower->enqueue(live);
      touched.push_back(follower);
    }
  }
}

void StreamStore::Impl::overflow_all() {
  for (const auto& [stream, followed] : by_stream) {
    for (const auto& follower : followed.followers) follower->overflow();
  }
}

// A definition's end, as the journal tells it, ends what follows its stream.
void StreamStore::Impl::end_dropped(const log::Frame& frame) {
  for (const auto& control : frame.controls) {
    if (control.kind != log::ControlKind::kActivation) continue;
    const auto activation = sql::decode_activation(control.payload.view());
    if (!activation.ok() || activation->what != sql::Activation::What::kEnd) continue;
    const auto found = by_stream.find(sql::stream_of(activation->definition));
    if (found == by_stream.end()) continue;
    const auto followers = found->second.followers;
    for (const auto& follower : followers) follower->end(dropped());
    for (const auto& follower : followers) follower->notify();
  }
}

StreamStore::StreamStore(log::Journal& journal, engine::Background& background)
    : impl_(std::make_shared<Impl>(journal, background)) {}
StreamStore::~StreamStore() = default;

engine::StreamPlace StreamStore::start_of(const engine::StreamDef&) {
  return kOldest;
}
engine::StreamPlace StreamStore::end_of() {
  return {Cut(impl_->durable.value + 1), 0};
}
void StreamStore::on_delivered(Delivered delivered) {
  impl_->delivered = std::move(delivered);
}
size_t StreamStore::followers() const {
  return impl_->count;
}

void StreamStore::read(StreamReadRequest request, std::function<void(Result<StreamReadAnswer>)> done) {
  auto answer = std::make_shared<Result<StreamReadAnswer>>(StreamReadAnswer{});
  auto shared_done = std::make_shared<std::function<void(Result<StreamReadAnswer>)>>(std::move(done));
  auto work = [impl = impl_, request = std::move(request), bounds = impl_->bounds(), answer] {
    *answer = read_page(impl->journal, request, bounds);
  };
  if (!impl_->background.run(engine::Lane::kReads, std::move(work),
                             [answer, shared_done] { (*shared_done)(std::move(*answer)); })) {
    (*shared_done)(busy());
  }
}

Result<std::unique_ptr<engine::Subscription>> StreamStore::follow(StreamReadRequest request, bool as_rows) {
  if (impl_->count >= kMaxFollowers) {
    return error(Code::kExhausted, "MR-EVS-0006",
                 fmt::format("there are {} subscriptions already", impl_->count), "end some of them");
  }
  std::optional<StreamPlace> start;
  if (request.place) {
    TRY_ASSIGN(start, check_place(impl_->journal, request, *request.place, impl_->bounds()));
  } else if (!request.offset && !request.time) {
    start = start_of(*request.stream);
  }
  const bool declared = as_rows && request.stream->kind == engine::StreamKind::kDeclared;
  auto follower = std::make_shared<Follower>(impl_, std::move(request), declared, start);
  impl_->add(follower);
  return std::unique_ptr<engine::Subscription>(std::make_unique<FollowerHandle>(std::move(follower)));
}

void StreamStore::on_durable(Cut durable, const std::vector<log::FramePtr>& frames) {
  const Cut before = std::exchange(impl_->durable, durable);
  if (impl_->count == 0) return;
  std::vector<std::shared_ptr<Follower>> touched;
  for (const auto& frame : frames) {
    if (frame->cut > before && frame->cut <= durable) impl_->deliver(frame, touched);
  }
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (const auto& follower : touched) follower->notify();
  for (const auto& frame : frames) impl_->end_dropped(*frame);
}

void StreamStore::on_durable(Cut durable) {
  std::vector<log::FramePtr> frames;
  Cut after = impl_->durable;
  while (impl_->count > 0 && after < durable) {
    auto read = impl_->journal.read_frames(after, durable, kScanBytes);
    if (!read.ok() || read->empty()) break;
    after = read->back()->cut;
    frames.insert(frames.end(), read->begin(), read->end());
  }
  if (after < durable) impl_->overflow_all();  // never skip: they read the files, and meet the error there
  on_durable(durable, frames);
}

}  // namespace millrace::event_store
