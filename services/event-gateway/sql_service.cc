#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "base/buffer.h"
#include "event-gateway/gateway.h"
#include "event-gateway/output_schema.h"
#include "event-gateway/select_inputs.h"
#include "event-gateway/sql_show.h"
#include "event-gateway/statement_limits.h"
#include "event-gateway/statement_scopes.h"
#include "event-gateway/stream_scan.h"
#include "event/row_type.h"
#include "formats/json.h"
#include "sql/ast.h"
#include "sql/errors.h"
#include "sql/schema_text.h"
#include "sql/sql.h"

namespace millrace::gateway {
namespace {

using metadata::DefinitionKind;

constexpr size_t kMaxInsertBytes = size_t{32} << 20;

Error too_much_to_insert() {
  return error(Code::kExhausted, "MR-QRY-0009",
               fmt::format("the rows of the INSERT take more than {} MB as events", kMaxInsertBytes >> 20),
               "insert fewer rows at a time, or make a derived stream");
}

Error no_ingest() {
  return error(Code::kUnavailable, "MR-QRY-0008", "this node takes in no events",
               "send the statement to a node that does");
}
Error busy() {
  return error(Code::kExhausted, "MR-QRY-0004", "too many queries are waiting", "try again shortly");
}

Error another_version(const engine::SchemaRef& added) {
  return error(Code::kConflict, "MR-SCH-0012",
               fmt::format("the rows' schema is version {} of \"{}\", with the id {}", added.version,
                           added.subject, added.id),
               "leave out schema_version and schema_id: they follow");
}

// A subscription goes on for ever, so nothing can come after it.
Status check_order(const std::vector<sql::StatementPtr>& statements) {
  for (size_t i = 0; i + 1 < statements.size(); ++i) {
    if (!std::holds_alternative<sql::ast::Subscribe>(statements[i]->body)) continue;
    Error e = error(Code::kInvalid, "MR-QRY-0002", "SUBSCRIBE has to be the last statement",
                    "send it in a request of its own");
    e.span = statements[i]->span;
    return e;
  }
  return {};
}

}  // namespace

struct SqlService::Impl {
  sql::Definitions& definitions;
  engine::ViewReads* views;
  engine::StreamReads& streams;
  engine::Background& background;
  const Clock& clock;
  std::shared_ptr<ReadBudget> budget;
  Ingest* ingest;                   // null: no INSERT here
  EventSchemas* schemas = nullptr;  // null: no schema registry here
  int64_t timeout_ns = 0;
  std::shared_ptr<StatementLimits> limits = std::make_shared<StatementLimits>();
};

namespace {

// A SELECT under way. EXPLAIN ANALYZE answers with its plan and times instead of its rows, INSERT sends them to a
// stream.
struct Selected {
  engine::SelectPlan plan;
  std::string explain;  // empty: the rows are wanted
  int64_t begun_ns = 0;
  engine::StreamPtr insert_into = nullptr;
};
struct SelectTimes {
  int64_t begun_ns = 0, read_ns = 0, done_ns = 0;  // points in time
  size_t rows_read = 0;
  std::string reads;  // of streams, by partition
};

std::string analyze_text(const Selected& selected, const SelectTimes& times, size_t rows) {
  const auto millis = [](int64_t from, int64_t to) { return static_cast<double>(to - from) / 1e6; };
  return fmt::format(
      "{}\n  -> Wait for the cut, read the log: {:.3f} ms\n  -> Read: {} rows; {:.3f} ms{}\n"
      "  -> Filter, sort, output: {} rows; {:.3f} ms",
      selected.explain, millis(selected.begun_ns, times.begun_ns), times.rows_read,
      millis(times.begun_ns, times.read_ns), times.reads, rows, millis(times.read_ns, times.done_ns));
}

// One text being run. Lives as long as a callback holds it. A statement that is done at once does not
// recurse: run() goes on while `stepping_` says that it is on the stack.
class Run : public std::enable_shared_from_this<Run>, private StatementLimits::Timed {
 public:
  Run(sql::Definitions& definitions, engine::ViewReads* views, engine::StreamReads& streams,
      engine::Background& background, const Clock& clock, std::shared_ptr<ReadBudget> budget, Ingest* ingest,
      EventSchemas* schemas, std::shared_ptr<StatementLimits> limits, int64_t timeout_ns, TenantId tenant,
      const SqlText& text, SqlService::Each each, SqlService::Done done)
      : definitions_(definitions),
        views_(views),
        streams_(streams),
        background_(background),
        clock_(clock),
        budget_(std::move(budget)),
        ingest_(ingest),
        schemas_(schemas),
        limits_(std::move(limits)),
        timeout_ns_(timeout_ns),
        tenant_(tenant),
        caller_(text.caller),
        acted_(text.acted),
        each_(std::move(each)),
        done_(std::move(done)) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() override { end_reading(); }

  void start(std::vector<sql::StatementPtr> statements) {
    statements_ = std::move(statements);
    run();
  }
  void cancel() {
    if (!done_) return;
    ++limits_->cancelled;
    done_ = nullptr;
    stop_reading();
  }

 private:
  void run();
  void statement(const sql::Statement& statement);
  void finish_statement(Result<StatementResult> result);

  // From here on the statement reads: it may be stopped, and has so much time.
  void begin_reading(int64_t begun_ns);
  void end_reading();
  void stop_reading();
  void expire() override;

  void execute(const sql::CreateStream& create, const sql::Statement& statement);
  void look_up_schema(const sql::CreateStream& create);
  void keep_with_schema(const engine::SchemaRef& schema, const Result<std::string>& columns);
  void register_output(const engine::QueryPlan& plan);
  void execute(const sql::CreateQuery& create, const sql::Statement& statement);
  void execute(const sql::Select& select, const sql::Statement& statement);
  void execute(const sql::Subscribe& subscribe, const sql::Statement& statement);
  void execute(const sql::Drop& drop, const sql::Statement& statement);
  void execute(const sql::Show& show, const sql::Statement& statement);
  void execute(const sql::Explain& explain, const sql::Statement& statement);
  void replace(sql::DefinitionId view, const char* tag, const sql::Statement& statement);
  void execute(const sql::Pause& pause, const sql::Statement& statement);
  void execute(const sql::Alter& alter, const sql::Statement& statement);
  void alter(const sql::Alter& alter, const sql::Statement& statement);
  void execute(const sql::Insert& insert, const sql::Statement& statement);

  // When the name is taken, meanwhile or before.
  enum class IfTaken : uint8_t { kRefuse, kKeep, kBindAgain };
  void create(DefinitionKind kind, const std::string& name, IfTaken if_taken, const char* tag,
              const sql::Statement& statement);
  void select(std::shared_ptr<const Selected> selected);
  void compute(std::shared_ptr<const Selected> selected, std::shared_ptr<SelectInputs> inputs);
  void answer(const Selected& selected, Batch rows, const SelectTimes& times);
  void insert(const engine::StreamDef& stream, const Schema& columns, const Batch& rows);
  void command(std::string tag) {
    StatementResult result;
    result.tag = std::move(tag);
    finish_statement(std::move(result));
  }

  sql::Definitions& definitions_;
  engine::ViewReads* views_;
  engine::StreamReads& streams_;
  engine::Background& background_;
  const Clock& clock_;
  const std::shared_ptr<ReadBudget> budget_;
  Ingest* const ingest_;
  EventSchemas* const schemas_;
  const std::shared_ptr<StatementLimits> limits_;
  const int64_t timeout_ns_;  // 0: none
  std::shared_ptr<StatementLimits::Work> work_;
  int64_t deadline_ns_ = INT64_MAX;
  const TenantId tenant_;
  const CallerPtr caller_;
  const std::function<void(const std::string&, const Status&)> acted_;  // may be null
  SqlService::Each each_;
  SqlService::Done done_;
  std::vector<sql::StatementPtr> statements_;
  size_t next_ = 0;
  // Of a statement that is kept with its schema's version: as it was sent.
  struct Written {
    sql::StatementPtr statement;
    sql::KeptText kept;
  };
  std::optional<Written> written_;
  bool stepping_ = false;
  bool waiting_ = false;  // for a statement's end
};

void Run::run() {
  if (stepping_) return;
  stepping_ = true;
  while (!waiting_ && next_ < statements_.size() && done_) {
    waiting_ = true;
    statement(*statements_[next_++]);
  }
  stepping_ = false;
  if (waiting_ || !done_) return;
  const auto done = std::exchange(done_, nullptr);
  done({});
}

void Run::begin_reading(int64_t begun_ns) {
  work_ = limits_->begin();
  if (timeout_ns_ == 0) return;
  deadline_ns_ = begun_ns + timeout_ns_;
  limits_->watch(deadline_ns_, *this);
}

void Run::end_reading() {
  work_.reset();
  limits_->forget(std::exchange(deadline_ns_, INT64_MAX), *this);
}

void Run::stop_reading() {
  if (const auto work = work_; work != nullptr) {
    work->stop.request();
    if (work->let_go) work->let_go();
  }
  end_reading();
}

void Run::expire() {
  const auto keep = shared_from_this();
  ++limits_->timed_out;
  stop_reading();
  finish_statement(statement_timed_out(timeout_ns_));
}

void Run::finish_statement(Result<StatementResult> result) {
  waiting_ = false;
  end_reading();
  const sql::Statement& ended = *statements_[next_ - 1];
  if (acted_ && changes_definitions(ended))
    acted_(sql::statement_text(ended), result.ok() ? Status() : Status(result.error()));
  const auto written = std::exchange(written_, std::nullopt);
  if (!done_) return;
  if (!result.ok()) {
    const auto done = std::exchange(done_, nullptr);
    Error failure = std::move(result).error();
    return done(written ? sql::as_written(*written->statement, written->kept, std::move(failure)) : failure);
  }
  each_(std::move(*result));
  run();
}

void Run::statement(const sql::Statement& statement) {
  if (auto allowed = check_form(caller_, statement); !allowed.ok())
    return finish_statement(std::move(allowed).error());
  const auto catalog = definitions_.catalog();
  auto bound = [&] {
    const MakesRowTypesOfTenant tenant(tenant_);
    return sql::bind(statement, *catalog, tenant_, Timestamp{clock_.wall_us()});
  }();
  if (!bound.ok()) return finish_statement(std::move(bound).error());
  if (auto allowed = check_names(caller_, *bound); !allowed.ok())
    return finish_statement(std::move(allowed).error());
  std::visit([&](const auto& what) { execute(what, statement); }, *bound);
}

void Run::create(DefinitionKind kind, const std::string& name, IfTaken if_taken, const char* tag,
                 const sql::Statement& statement) {
  if (if_taken == IfTaken::kKeep && definitions_.catalog()->find(tenant_, name) != nullptr)
    return command(tag);
  // `statement` is one of the run's own.
  const auto done = [self = shared_from_this(), if_taken, tag, &statement](Result<sql::DefinitionId> made) {
    if (made.ok()) return self->command(tag);
    const bool taken = made.error().code == Code::kConflict;
    if (taken && if_taken == IfTaken::kKeep) return self->command(tag);
    if (taken && if_taken == IfTaken::kBindAgain) return self->statement(statement);
    self->finish_statement(std::move(made).error());
  };
  definitions_.create(tenant_, kind, name, sql::statement_text(statement), done);
}

// `statement` is one of the run's own. It is bound again if what it was bound to has changed.
void Run::replace(sql::DefinitionId view, const char* tag, const sql::Statement& statement) {
  const auto done = [self = shared_from_this(), tag, &statement](Result<sql::DefinitionId> replaced) {
    if (replaced.ok()) return self->command(tag);
    const Code why = replaced.error().code;
    if (why == Code::kConflict || why == Code::kNotFound) return self->statement(statement);
    self->finish_statement(std::move(replaced).error());
  };
  definitions_.replace(view, sql::statement_text(statement), done);
}

// The definition is kept with the version and the id that there are now, and bound as it is kept.
void Run::look_up_schema(const sql::CreateStream& create) {
  if (schemas_ == nullptr) return finish_statement(no_registry());
  const auto done = [self = shared_from_this()](Result<FoundSchema> found) {
    if (!found.ok()) return self->finish_statement(std::move(found).error());
    self->keep_with_schema(found->schema, found->columns);
  };
  schemas_->find(tenant_, create.stream.schema, done);
}

// As above, once what follows from its columns is a version of its subject.
void Run::register_output(const engine::QueryPlan& plan) {
  const engine::SchemaRef& asked = plan.encoded.schema;
  if (schemas_ == nullptr) return finish_statement(no_registry());
  auto done = [self = shared_from_this(), asked](Result<engine::SchemaRef> added) {
    if (!added.ok()) return self->finish_statement(std::move(added).error());
    const bool another =
        (asked.version != 0 && asked.version != added->version) || (asked.id != 0 && asked.id != added->id);
    if (another) return self->finish_statement(another_version(*added));
    self->keep_with_schema(*added, std::string());
  };
  schemas_->add(tenant_, output_schema_of(plan), caller_, std::move(done));
}

void Run::keep_with_schema(const engine::SchemaRef& schema, const Result<std::string>& columns) {
  auto& own = statements_[next_ - 1];
  auto kept = sql::with_schema(*own, schema, columns);
  if (!kept.ok()) return finish_statement(std::move(kept).error());
  auto parsed = sql::parse(kept->text);
  if (!parsed.ok()) return finish_statement(sql::as_written(*own, *kept, std::move(parsed).error()));
  written_ = Written{std::exchange(own, std::move(parsed->front())), std::move(*kept)};
  statement(*own);
}

void Run::execute(const sql::CreateStream& c, const sql::Statement& statement) {
  const bool there = c.if_not_exists && definitions_.catalog()->find(tenant_, c.stream.name) != nullptr;
  if (!there && !c.stream.schema.subject.empty() && !written_) return look_up_schema(c);
  create(DefinitionKind::kStream, c.stream.name, c.if_not_exists ? IfTaken::kKeep : IfTaken::kRefuse,
         "CREATE STREAM", statement);
}

void Run::execute(const sql::CreateQuery& c, const sql::Statement& statement) {
  const bool derived = c.plan.output_stream != nullptr;
  const char* tag = derived ? "CREATE STREAM" : "CREATE MATERIALIZED VIEW";
  if (c.same.value != 0) return command(tag);
  const bool there = c.if_not_exists && definitions_.catalog()->find(tenant_, c.plan.name) != nullptr;
  if (!there && c.plan.encoded.encoding != engine::RowEncoding::kNone && !written_)
    return register_output(c.plan);
  if (c.replaced.value != 0) return replace(c.replaced, tag, statement);
  IfTaken if_taken = c.if_not_exists ? IfTaken::kKeep : IfTaken::kRefuse;
  if (c.or_replace) if_taken = IfTaken::kBindAgain;
  create(derived ? DefinitionKind::kDerivedStream : DefinitionKind::kView, c.plan.name, if_taken, tag,
         statement);
}

// Bound again where another session has dropped it meanwhile: its name may be free now, or another one's.
void Run::execute(const sql::Drop& drop, const sql::Statement& statement) {
  const char* tag = drop.kind == sql::ObjectKind::kStream ? "DROP STREAM" : "DROP MATERIALIZED VIEW";
  if (drop.definition.value == 0) return command(tag);
  const auto done = [self = shared_from_this(), tag, &statement](Result<sql::DefinitionId> dropped) {
    if (dropped.ok()) return self->command(tag);
    if (dropped.error().code == Code::kNotFound) return self->statement(statement);
    self->finish_statement(std::move(dropped).error());
  };
  definitions_.drop(drop.definition, done);
}

// What it names of a registry is looked up, and kept with its numbers, as of a CREATE STREAM.
void Run::execute(const sql::Alter& alter, const sql::Statement& statement) {
  const engine::SchemaRef& schema = alter.schema;
  if (schema.subject.empty() || (schema.version != 0 && schema.id != 0)) return this->alter(alter, statement);
  if (schemas_ == nullptr) return finish_statement(no_registry());
  const auto done = [self = shared_from_this(), alter = sql::Alter(alter),
                     &statement](Result<FoundSchema> found) mutable {
    if (!found.ok()) return self->finish_statement(std::move(found).error());
    const auto create = sql::parse(alter.to);
    CHECK(create.ok(), "a definition that was bound is parsed");
    auto kept = sql::with_schema(*create->front(), found->schema, std::string());
    if (!kept.ok()) return self->finish_statement(std::move(kept).error());
    alter.to = std::move(kept->text);
    self->alter(alter, statement);
  };
  schemas_->find(tenant_, schema, done);
}

// `statement` is one of the run's own. It is bound again if the stream has changed meanwhile.
void Run::alter(const sql::Alter& alter, const sql::Statement& statement) {
  if (alter.from == alter.to) return command("ALTER STREAM");
  const auto done = [self = shared_from_this(), &statement](Result<sql::DefinitionId> altered) {
    if (altered.ok()) return self->command("ALTER STREAM");
    const Code why = altered.error().code;
    if (why == Code::kConflict || why == Code::kNotFound) return self->statement(statement);
    self->finish_statement(std::move(altered).error());
  };
  definitions_.alter(alter, done);
}

void Run::execute(const sql::Pause& pause, const sql::Statement&) {
  if (views_ == nullptr) return finish_statement(no_processor());
  auto changed = pause.pause ? definitions_.pause(pause.definition) : definitions_.resume(pause.definition);
  if (!changed.ok()) return finish_statement(std::move(changed).error());
  views_->pauses_changed();
  if (pause.pause) return command("PAUSE");
  views_->retry(sql::query_of(pause.definition), [self = shared_from_this()](Status begun) {
    begun.ok() ? self->command("RESUME") : self->finish_statement(std::move(begun).error());
  });
}

void Run::execute(const sql::Show& show, const sql::Statement&) {
  const auto catalog = definitions_.catalog();
  switch (show.what) {
    case sql::Show::What::kStreams:
      return finish_statement(show_streams(*catalog, tenant_));
    case sql::Show::What::kViews:
      return finish_statement(show_views(*catalog, tenant_, views_));
    case sql::Show::What::kQueries:
      return finish_statement(show_queries(*catalog, tenant_, views_));
    case sql::Show::What::kFunctions:
      return finish_statement(show_functions());
    case sql::Show::What::kColumns:
      return finish_statement(show_columns(*catalog, tenant_, show.name));
  }
}

void Run::execute(const sql::Explain& explain, const sql::Statement&) {
  if (explain.runs) {
    return select(
        std::make_shared<const Selected>(Selected{*explain.runs, explain.text, clock_.monotonic_ns()}));
  }
  if (!explain.query) return finish_statement(explain_rows(explain.text));
  if (views_ == nullptr) return finish_statement(no_processor());
  begin_reading(clock_.monotonic_ns());
  views_->inspect(explain.query->id,
                  [self = shared_from_this(), explain](Result<engine::QueryReport> report) {
                    if (!report.ok() && explain.analyze)
                      return self->finish_statement(std::move(report).error());
                    std::string text = explain.text;
                    if (!report.ok()) {
                      text += "\n  -> Failed: " + report.error().to_string();
                    } else {
                      text += engine::watermark_lines(*explain.query, *report);
                      if (explain.analyze) text += engine::analyze_lines(*explain.query, *report);
                    }
                    self->finish_statement(explain_rows(text));
                  });
}

void Run::execute(const sql::Subscribe& subscribe, const sql::Statement&) {
  if (subscribe.view && views_ == nullptr) return finish_statement(no_processor());
  StatementResult result;
  result.tag = "SUBSCRIBE";
  Result<std::unique_ptr<engine::Subscription>> made = std::unique_ptr<engine::Subscription>();
  if (subscribe.view) {
    result.columns = subscribe.view->output_schema();
    made = views_->subscribe(subscribe.view->id);
  } else {
    result.columns = subscribe.stream->columns;
    engine::StreamReadRequest request;
    request.stream = subscribe.stream;
    request.place = streams_.end_of();
    made = streams_.follow(std::move(request), true);
  }
  if (!made.ok()) return finish_statement(std::move(made).error());
  result.subscription = std::move(*made);
  finish_statement(std::move(result));
}

// Off the loop. What was read, and its part of the budget, goes before the answer takes its own.
void Run::compute(std::shared_ptr<const Selected> selected, std::shared_ptr<SelectInputs> inputs) {
  auto answer = std::make_shared<Result<Batch>>(Batch{});
  auto times = std::make_shared<SelectTimes>();
  work_->let_go = [waiting = std::weak_ptr(inputs)] {
    if (const auto unread = waiting.lock(); unread != nullptr && unread->take()) unread->let_go();
  };
  auto work = [selected, inputs = std::move(inputs), answer, times, statement = work_,
               &clock = clock_]() mutable {
    if (!inputs->take()) return;
    times->begun_ns = clock.monotonic_ns();
    times->reads = inputs->reads();
    auto rows = inputs->rows();
    times->read_ns = clock.monotonic_ns();
    if (rows.ok()) {
      for (const auto& [plan, batch] : *rows) times->rows_read += batch.rows;
      *answer = engine::run_select_tree(selected->plan, std::move(*rows), {.stop = &statement->stop});
    } else {
      *answer = std::move(rows).error();
    }
    times->done_ns = clock.monotonic_ns();
    inputs.reset();
  };
  auto done = [self = shared_from_this(), selected, answer, times] {
    if (!self->done_) return;
    if (!answer->ok()) return self->finish_statement(std::move(*answer).error());
    self->answer(*selected, std::move(**answer), *times);
  };
  if (!background_.run(engine::Lane::kReads, std::move(work), std::move(done))) finish_statement(busy());
}

void Run::answer(const Selected& selected, Batch rows, const SelectTimes& times) {
  if (!selected.explain.empty())
    return finish_statement(explain_rows(analyze_text(selected, times, rows.rows)));
  if (selected.insert_into) return insert(*selected.insert_into, selected.plan.output_schema(), rows);
  auto share = budget_->share();
  if (!share->resize(bytes_of(rows))) return finish_statement(too_much_at_once());
  StatementResult result;
  result.tag = "SELECT";
  result.columns = selected.plan.output_schema();
  result.rows = std::move(rows);
  result.share = std::move(share);
  finish_statement(std::move(result));
}

// One request of its events: all of them, or none, is durable when it is answered.
void Run::insert(const engine::StreamDef& stream, const Schema& columns, const Batch& rows) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(column.name);
  std::vector<const Column*> values;
  for (const Column& column : rows.columns) values.push_back(&column);
  formats::JsonRowWriter writer(names);
  std::string body;
  for (size_t row = 0; row < rows.rows; ++row) {
    writer.append(body, values, row);
    body += '\n';
    if (body.size() > kMaxInsertBytes) return finish_statement(too_much_to_insert());
  }
  end_reading();
  const Buffer buffer = Buffer::copy(body);
  IngestRequest request;
  request.tenant = tenant_;
  request.stream = stream.name;
  request.body = buffer.view();
  request.all_or_nothing = true;
  ingest_->ingest(request, [self = shared_from_this()](Result<IngestAnswer> answer) {
    if (!answer.ok()) return self->finish_statement(std::move(answer).error());
    self->command(fmt::format("INSERT 0 {}", answer->accepted));  // as PostgreSQL says it
  });
}

void Run::execute(const sql::Insert& insert, const sql::Statement&) {
  if (ingest_ == nullptr) return finish_statement(no_ingest());
  select(std::make_shared<const Selected>(Selected{insert.rows, "", clock_.monotonic_ns(), insert.stream}));
}

void Run::execute(const sql::Select& statement, const sql::Statement&) {
  select(std::make_shared<const Selected>(Selected{statement.plan, "", clock_.monotonic_ns()}));
}

void Run::select(std::shared_ptr<const Selected> selected) {
  begin_reading(selected->begun_ns);
  read_inputs({views_, streams_, background_, *budget_}, selected->plan, work_,
              [self = shared_from_this(), selected](Result<std::shared_ptr<SelectInputs>> inputs) {
                if (!self->done_) return;
                if (!inputs.ok()) return self->finish_statement(std::move(inputs).error());
                self->compute(selected, std::move(*inputs));
              });
}

}  // namespace

SqlService::SqlService(sql::Definitions& definitions, engine::ViewReads* views, engine::StreamReads& streams,
                       engine::Background& background, const Clock& clock, std::shared_ptr<ReadBudget> budget,
                       Ingest* ingest)
    : impl_(new Impl{definitions, views, streams, background, clock, std::move(budget), ingest}) {}
SqlService::~SqlService() = default;

engine::ViewReads* SqlService::views() const {
  return impl_->views;
}

SqlService::Cancel SqlService::execute(TenantId tenant, const SqlText& text, Each each, Done done) {
  const auto refuse = [&](Error failure) {
    done(std::move(failure));
    return [] {};
  };
  auto statements = [&] {
    const MakesRowTypesOfTenant makes(tenant);
    return sql::parse(text.text, text.parameters);
  }();
  if (!statements.ok()) return refuse(std::move(statements).error());
  if (auto order = check_order(*statements); !order.ok()) return refuse(std::move(order).error());
  int64_t timeout_ns = impl_->timeout_ns;
  const int64_t asked_ns = std::chrono::nanoseconds(text.timeout).count();
  if (asked_ns > 0 && (timeout_ns == 0 || asked_ns < timeout_ns)) timeout_ns = asked_ns;
  auto run = std::make_shared<Run>(impl_->definitions, impl_->views, impl_->streams, impl_->background,
                                   impl_->clock, impl_->budget, impl_->ingest, impl_->schemas, impl_->limits,
                                   timeout_ns, tenant, text, std::move(each), std::move(done));
  run->start(std::move(*statements));
  return [weak = std::weak_ptr<Run>(run)] {
    if (const auto still = weak.lock()) still->cancel();
  };
}

void SqlService::use(EventSchemas& schemas) {
  impl_->schemas = &schemas;
}
void SqlService::set_statement_timeout(std::chrono::milliseconds most) {
  impl_->timeout_ns = std::chrono::nanoseconds(most).count();
}

void SqlService::expire() {
  if (impl_->limits->watches()) impl_->limits->expire(impl_->clock.monotonic_ns());
}

int64_t SqlService::wait_us() const {
  if (!impl_->limits->watches()) return INT64_MAX;
  constexpr int64_t kNsPerUs = 1'000;
  const int64_t left_ns = impl_->limits->next_deadline_ns() - impl_->clock.monotonic_ns();
  return std::max<int64_t>((left_ns + kNsPerUs - 1) / kNsPerUs, 0);
}

SqlService::Counters SqlService::counters() const {
  return {impl_->limits->running(), impl_->limits->timed_out, impl_->limits->cancelled};
}

}  // namespace millrace::gateway
