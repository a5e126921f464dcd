// World: what the simulation knows of one run: the node of this life, and the clients' memory, which outlives
// every crash.
//
// Lives: a life is one process: from open to crash or close. Callbacks of an earlier life are not believed.
// Split: world.cc (lives, faults, choosing what to do), clients.cc (requests, statements, readers),
//        followers.cc (subscribers of views), checker.cc (the oracle).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "node/node.h"
#include "sim/sim_background.h"
#include "sim/sim_clock.h"
#include "sim/sim_files.h"
#include "tests/sim/naive.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/view_follower.h"
#include "tests/sim/workload.h"

namespace millrace::sim {

struct ClientRequest {
  enum class State : uint8_t { kPending, kAcknowledged, kRefused, kUnknown };
  size_t object = 0;  // the stream
  std::vector<MadeEvent> events;
  std::string body;
  bool ndjson = true;
  std::string key;
  int64_t sent_us = 0;
  State state = State::kPending;
  std::optional<gateway::IngestAnswer> answer;
};

struct ClientObject {
  enum class Kind : uint8_t { kStream, kDerived, kView };
  enum class State : uint8_t { kCreating, kThere, kDropping, kGone, kNever };
  Kind kind = Kind::kStream;
  State state = State::kCreating;
  bool paused = false;   // or it may be: a fault of the disk met the statement
  bool altered = false;  // has, or may have, columns that its shape has not
  size_t tenant = 0;
  std::string name;
  std::string sql;
  NaiveStream shape;  // of streams, also derived ones
  NaiveQuery query;
  std::vector<size_t> sources;    // of queries: the streams at the bottom
  NaiveStream read;               // … and what they are together
  std::optional<size_t> over;     // of a view over a view: that one
  MadeRetention kept;             // of streams
  std::optional<size_t> late_of;  // of a stream that takes late events alone: the stream that they come from
  std::optional<size_t> late_to;  // of a query: such a stream; it serves no other
  metadata::DefinitionId definition;  // once known
};

// Tenants use the same names and the same keys: nothing of the one may be seen by the other.
struct SimTenant {
  std::string name;
  Workload workload;
  TenantId id;
  size_t keys = 0;
};

// A reader goes through a stream from its start, one life after the other, by cursor. If retention was faster
// it begins again with the oldest kept event.
struct ClientReader {
  size_t object = 0;
  bool follows = false;
  std::string cursor;             // empty: the start
  std::vector<std::string> seen;  // values, as they came
  Cut kept;                       // every event of the stream from this frame on had to be seen
  std::unique_ptr<engine::Subscription> subscription;
  bool reading = false;
};

// What is missing, and what is too much.
std::string difference(const std::multiset<std::string>& expected, const std::multiset<std::string>& actual);

class World {
 public:
  explicit World(const SimOptions& options);
  SimReport run();

 private:
  // world.cc
  void act();
  bool open(bool faults);
  void forget_life();  // what was on its way is unknown now
  void crash();
  void restart();
  void pump(uint32_t turns);
  bool pump_until(const std::function<bool()>& done, uint32_t bound);
  bool quiesce();
  bool come_to_rest();  // with every query resumed
  void watch_failure();
  void let_time_pass();
  void wait(int64_t us);
  void change_disk();
  void heal_disk();
  void fail(std::string what);
  void trace(const std::string& what);
  bool failed() const { return report_.failure.has_value(); }

  // clients.cc
  void send_events();
  void send(size_t request);
  void answered(size_t request, Result<gateway::IngestAnswer> answer);
  void send_again();
  void misuse_key();
  void define();
  void define_query(size_t tenant);
  bool define_view_over(size_t tenant);  // another view
  bool define_union(size_t tenant);
  void create_query(ClientObject object, MadeQuery made, const std::vector<size_t>& sources);
  bool define_late_stream(size_t tenant);
  std::optional<size_t> unused_late_stream(size_t source) const;
  void create(ClientObject object);
  void drop_something();
  void pause_something();  // or resume it
  void pause(ClientObject& object, bool paused);
  void add_column();  // to a stream; no event has it, and no query reads it
  void resume_all();
  bool stands_still(const ClientObject& query) const;  // it, or what it reads
  bool awaits_late_events(const ClientObject& query) const;
  void settle_definitions();  // after a restart: what became of unanswered statements
  void select_something();
  void read_something();
  void pull(ClientReader& reader);
  void saw(ClientReader& reader, std::string_view value);
  bool overtaken(ClientReader& reader, const Error& error);
  bool select_rows(size_t tenant, const std::string& sql, std::vector<Row>& rows);
  std::optional<size_t> pick_object(const std::function<bool(const ClientObject&)>& wanted);
  const sql::Catalog::Entry* entry_of(const ClientObject& object) const;

  // followers.cc
  void follow_something();
  void hear_followers();
  void subscribe(size_t follower);
  void hear(size_t follower);
  void forget(ViewFollower& follower);
  bool come_to_an_answer();
  bool hear_the_rest();
  void check_followers(const FinalLog& log);
  void check_follower(const ViewFollower& follower, const ViewFollower& fresh, const FinalLog& log);

  // checker.cc
  const FinalLog& read_log();
  void record();  // frames that became durable
  uint64_t record_frame(const log::Frame& frame, FinalLog& log);
  void note_removed();
  void check_removed(const ClientObject& object, Cut from, Cut to);
  void check_everything();
  void check_requests(const FinalLog& log);
  static bool keeps_invalid(const ClientObject& stream);
  void check_outside(const ClientRequest& request, bool there);
  void check_request(const ClientRequest& request, const std::map<int64_t, const LogEvent*>& by_id);
  void check_view(const ClientObject& view, const FinalLog& log, bool complete);
  void check_derived(const ClientObject& derived, const FinalLog& log);
  void check_windows(const ClientObject& made, const FinalLog& log);  // a derived stream of them
  void check_changes(const ClientObject& made, const FinalLog& log);
  void check_letters(const ClientObject& query, const NaiveAnswer& answer);
  // Dead letters and late events.
  void check_left_out(const ClientObject& query, const FinalLog& log, const NaiveAnswer& answer);
  void check_late(const ClientObject& query, const FinalLog& log, const NaiveAnswer& answer);
  std::set<Place> places_of_late(const ClientObject& query, const FinalLog& log) const;
  NaiveAnswer answer_of(const ClientObject& query, const FinalLog& log,
                        AppendTime asked_after = AppendTime(INT64_MAX)) const;
  void check_readers(const FinalLog& log);
  bool strict(const ClientObject& query) const;
  void read_letters(const FinalLog& log);
  void read_letters(size_t tenant, const FinalLog& log);
  std::set<Place> letters_of(const ClientObject& query, const std::string& cause) const;
  uint16_t first_partition(size_t tenant, const std::string& query, const std::string& stream) const;
  NaiveAnswer evaluated(const ClientObject& query, const FinalLog& log, const NaiveScope& scope) const;
  std::string read_by(const ClientObject& query) const;  // the definitions of what it reads
  NaiveScope scope_of(const ClientObject& query, const FinalLog& log) const;
  NaiveTold told_by(const ClientObject& made, const FinalLog& log) const;
  void check_recompute();

  SimOptions options_;
  SimReport report_;
  Random random_;
  SimClock clock_;
  std::unique_ptr<SimFiles> files_;
  SimBackground background_;
  std::unique_ptr<node::Node> node_;
  uint64_t life_ = 0;
  uint32_t workers_ = 1;
  bool always_one_worker_ = true;
  bool faults_allowed_ = true;
  bool suspect_ = false;  // a statement met a fault: only a restart tells what became of it
  std::vector<SimTenant> tenants_;
  bool spills_ = options_.seed % 4 == 3;  // state that does not fit into memory
  bool retention_ = false;

  int64_t event_time_us_;
  int64_t waited_us_ = 0;  // clock jumps so far
  std::vector<ClientRequest> requests_;
  std::vector<ClientObject> objects_;
  size_t asked_for_columns_ = 0;
  std::vector<ClientReader> readers_;
  std::vector<ViewFollower> followers_;
  FinalLog log_;                        // every durable frame, also of segments that are gone since
  std::vector<uint64_t> frame_hashes_;  // by cut, from 1
  Cut removed_up_to_;                   // the furthest that retention ever was
  std::map<std::tuple<size_t, std::string, std::string>, std::set<Place>>
      letters_;                            // by tenant, query, cause
  std::map<std::string, size_t> outside_;  // letters of events that did not fit, by payload
};

}  // namespace millrace::sim
