#include "sql/definitions.h"

#include <gtest/gtest.h>

#include "sql/errors.h"
#include "tests/fakes/memory_journal.h"
#include "tests/fakes/memory_store.h"

namespace millrace::sql {
namespace {

using metadata::DefinitionKind;

constexpr const char* kStreamText = "CREATE STREAM s (k TEXT, n BIGINT) WITH (key = 'k', partitions = 2)";
constexpr const char* kDerivedText = "CREATE STREAM d AS SELECT k FROM s WHERE n > 1";

class DefinitionsTest : public testing::Test {
 protected:
  void SetUp() override {
    open();
    tenant_ = *definitions_->ensure_tenant("default", nullptr);
    settle();
  }
  void open() {
    auto opened = Definitions::open(std::make_unique<fakes::MemoryStore>(stored_), journal_);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    definitions_ = std::move(*opened);
  }
  void crash() {
    definitions_.reset();
    journal_.lose_unsynced();
    open();
  }
  void settle() {
    while (journal_.durable_cut() < journal_.end_cut()) {
      journal_.sync();
      definitions_->on_durable(journal_.durable_cut());
    }
  }
  struct Outcome {
    bool done = false;
    std::string id;  // of the error; empty: made
    DefinitionId definition;
  };
  std::shared_ptr<Outcome> create(DefinitionKind kind, const std::string& name, const std::string& text) {
    auto outcome = std::make_shared<Outcome>();
    definitions_->create(tenant_, kind, name, text, note(outcome));
    return outcome;
  }
  std::shared_ptr<Outcome> drop(DefinitionId id) {
    auto outcome = std::make_shared<Outcome>();
    definitions_->drop(id, note(outcome));
    return outcome;
  }
  static Definitions::Done note(const std::shared_ptr<Outcome>& outcome) {
    return [outcome](Result<DefinitionId> result) {
      outcome->done = true;
      if (result.ok()) outcome->definition = *result;
      if (!result.ok()) outcome->id = result.error().id;
    };
  }
  // `meanwhile` comes between the statement's binding and its turn.
  std::string alter(const std::string& text, const std::function<void()>& meanwhile = nullptr) {
    const auto statements = parse(text);
    const auto bound = bind(*statements->front(), *definitions_->catalog(), tenant_);
    if (!bound.ok()) return std::string(bound.error().id);
    if (meanwhile) meanwhile();
    const auto outcome = std::make_shared<Outcome>();
    definitions_->alter(std::get<Alter>(*bound), note(outcome));
    return outcome->id;
  }
  uint64_t identity(const char* name) { return find(name)->query->identity(); }
  const Catalog::Entry* find(const char* name) { return definitions_->catalog()->find(tenant_, name); }

  fakes::MemoryJournal journal_;
  std::shared_ptr<fakes::StoredDefinitions> stored_ = std::make_shared<fakes::StoredDefinitions>();
  std::unique_ptr<Definitions> definitions_;
  TenantId tenant_;
};

TEST_F(DefinitionsTest, AStreamIsThereWhenItsActivationIsDurable) {
  const auto made = create(DefinitionKind::kStream, "s", kStreamText);
  EXPECT_FALSE(made->done);
  EXPECT_EQ(find("s"), nullptr);
  settle();
  EXPECT_TRUE(made->done);
  EXPECT_EQ(made->id, "");
  ASSERT_NE(find("s"), nullptr);
  EXPECT_EQ(find("s")->definition.activated_at, journal_.end_cut());
  EXPECT_EQ(find("s")->stream->id, stream_of(made->definition));
}

TEST_F(DefinitionsTest, ACrashBeforeTheActivationLeavesNothing) {
  create(DefinitionKind::kStream, "s", kStreamText);
  EXPECT_EQ(stored_->rows.size(), 2u);
  crash();
  EXPECT_EQ(stored_->rows.size(), 1u);
  EXPECT_EQ(find("s"), nullptr);
  const auto again = create(DefinitionKind::kStream, "s", kStreamText);
  settle();
  EXPECT_EQ(again->id, "");
}

TEST_F(DefinitionsTest, ACrashAfterTheActivationLeavesAllOfIt) {
  const auto made = create(DefinitionKind::kStream, "s", kStreamText);
  journal_.sync();
  crash();
  EXPECT_FALSE(made->done);
  ASSERT_NE(find("s"), nullptr);
  EXPECT_TRUE(stored_->rows.rbegin()->second.activated_at.has_value());
}

TEST_F(DefinitionsTest, AMarkAheadOfTheJournalIsNotBelieved) {
  create(DefinitionKind::kStream, "s", kStreamText);
  stored_->rows.rbegin()->second.activated_at = Cut(journal_.end_cut().value + 5);
  crash();
  EXPECT_EQ(find("s"), nullptr);
}

TEST_F(DefinitionsTest, ADropIsFinishedByTheNextStart) {
  const auto made = create(DefinitionKind::kStream, "s", kStreamText);
  settle();
  drop(made->definition);
  EXPECT_NE(find("s"), nullptr);
  journal_.sync();
  crash();
  EXPECT_EQ(find("s"), nullptr);
  EXPECT_NE(definitions_->history()->find(made->definition), nullptr);
  EXPECT_TRUE(stored_->rows.at(made->definition.value).dropped_at.has_value());
  EXPECT_EQ(stored_->settings["drops_from"], "");
}

TEST_F(DefinitionsTest, ADropThatWasLostLeavesTheStream) {
  const auto made = create(DefinitionKind::kStream, "s", kStreamText);
  settle();
  drop(made->definition);
  crash();
  EXPECT_NE(find("s"), nullptr);
}

TEST_F(DefinitionsTest, WhatIsStillReadIsNotDropped) {
  const auto made = create(DefinitionKind::kStream, "s", kStreamText);
  const auto derived = create(DefinitionKind::kDerivedStream, "d", kDerivedText);  // waits for its source
  settle();
  EXPECT_EQ(derived->id, "");
  const auto dropped = drop(made->definition);
  settle();
  EXPECT_EQ(dropped->id, kStillRead);
  drop(derived->definition);
  const auto then = drop(made->definition);
  settle();
  EXPECT_EQ(then->id, "");
}

TEST_F(DefinitionsTest, ChangesAreCheckedOneAfterTheOther) {
  const auto first = create(DefinitionKind::kStream, "s", kStreamText);
  const auto twin = create(DefinitionKind::kStream, "s", kStreamText);
  settle();
  EXPECT_EQ(first->id, "");
  EXPECT_EQ(twin->id, kNameTaken);
  const auto gone = drop(first->definition);
  const auto orphan = create(DefinitionKind::kDerivedStream, "d", kDerivedText);
  settle();
  EXPECT_EQ(gone->id, "");
  EXPECT_NE(orphan->id, "");
  EXPECT_EQ(find("d"), nullptr);
}

TEST_F(DefinitionsTest, ANameMayBeUsedAgainAndHistoryKnowsBoth) {
  const auto first = create(DefinitionKind::kStream, "s", kStreamText);
  settle();
  drop(first->definition);
  const auto second = create(DefinitionKind::kStream, "s", "CREATE STREAM s (other BIGINT)");
  settle();
  EXPECT_EQ(second->id, "");
  crash();
  EXPECT_EQ(find("s")->definition.id, second->definition);
  EXPECT_EQ(find("s")->stream->columns.size(), 1u);
  EXPECT_NE(definitions_->history()->find(first->definition), nullptr);
}

TEST_F(DefinitionsTest, ATenantIsUsableAtOnceAndGoneAfterACrashThatLostIt) {
  const auto other = definitions_->ensure_tenant("acme", nullptr);
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(*definitions_->ensure_tenant("acme", nullptr), *other);
  EXPECT_NE(definitions_->catalog()->dead_letters(*other), nullptr);
  crash();
  EXPECT_FALSE(definitions_->catalog()->tenant("acme").has_value());
  EXPECT_EQ(definitions_->catalog()->tenant("default"), tenant_);
}

TEST_F(DefinitionsTest, AddedColumnsAreForLaterDefinitionsAlone) {
  create(DefinitionKind::kStream, "s", kStreamText);
  create(DefinitionKind::kView, "star", "CREATE MATERIALIZED VIEW star AS SELECT * FROM s");
  create(DefinitionKind::kView, "alias",
         "CREATE MATERIALIZED VIEW alias AS SELECT k AS w, count(*) AS c FROM s GROUP BY w");
  const auto dropped = create(DefinitionKind::kDerivedStream, "d", kDerivedText);
  settle();
  drop(dropped->definition);
  settle();
  const uint64_t star = identity("star"), alias = identity("alias");
  EXPECT_EQ(alter("ALTER STREAM s ADD COLUMN w TEXT"), "");
  EXPECT_EQ(
      find("s")->definition.sql,
      "CREATE STREAM s (k TEXT, n BIGINT, w TEXT) WITH (key = 'k', partitions = 2, column_history = '2:5')");
  create(DefinitionKind::kView, "later", "CREATE MATERIALIZED VIEW later AS SELECT * FROM s");
  settle();
  EXPECT_EQ(alter("ALTER STREAM s ADD COLUMN x TEXT, ADD y TEXT"), "");
  EXPECT_EQ(alter("ALTER STREAM s ADD COLUMN z TEXT"), "");  // no definition is between them
  EXPECT_TRUE(find("s")->definition.sql.ends_with("column_history = '2:5, 3:6')"))
      << find("s")->definition.sql;
  const uint64_t later = identity("later");
  for (int start = 0; start < 2; ++start) {
    EXPECT_EQ(identity("star"), star);
    EXPECT_EQ(identity("alias"), alias);
    EXPECT_EQ(identity("later"), later);
    EXPECT_EQ(find("star")->query->output_schema().size(), 2u);
    EXPECT_EQ(find("later")->query->output_schema().size(), 3u);
    EXPECT_EQ(find("s")->stream->columns.size(), 6u);
    EXPECT_EQ(definitions_->history()->find(dropped->definition)->query->source->columns.size(), 2u);
    crash();
  }
}

// Its number is one that sees the columns, and it was bound to those before.
TEST_F(DefinitionsTest, ADefinitionThatIsMadeMeanwhileIsSeen) {
  create(DefinitionKind::kStream, "s", kStreamText);
  settle();
  const auto make_view = [&] {
    create(DefinitionKind::kView, "v", "CREATE MATERIALIZED VIEW v AS SELECT * FROM s");
    settle();
  };
  EXPECT_EQ(alter("ALTER STREAM s ADD COLUMN w TEXT", make_view), "MR-DEF-0005");
  const uint64_t before = identity("v");
  EXPECT_EQ(alter("ALTER STREAM s ADD COLUMN w TEXT"), "");
  crash();
  EXPECT_EQ(identity("v"), before);
}

// The store has the new text all the same, in which later definitions have the column.
TEST_F(DefinitionsTest, AViewIsMadeOverTheTextThatItIsBoundTo) {
  create(DefinitionKind::kStream, "s", kStreamText);
  settle();
  stored_->doubt_texts = true;
  EXPECT_NE(alter("ALTER STREAM s ADD COLUMN w TEXT"), "");
  const auto refused = create(DefinitionKind::kView, "v", "CREATE MATERIALIZED VIEW v AS SELECT * FROM s");
  EXPECT_NE(refused->id, "");
  stored_->doubt_texts = false;
  const auto made = create(DefinitionKind::kView, "v", "CREATE MATERIALIZED VIEW v AS SELECT * FROM s");
  settle();
  EXPECT_EQ(made->id, "");
  const uint64_t before = identity("v");
  crash();
  EXPECT_EQ(identity("v"), before);
  EXPECT_EQ(find("s")->stream->columns.size(), 2u);
}

// A start after which the highest number is one that was dropped.
TEST_F(DefinitionsTest, WhatWasDroppedBeforeAStartDoesNotSeeAddedColumns) {
  create(DefinitionKind::kStream, "s", kStreamText);
  const auto star =
      create(DefinitionKind::kView, "v", "CREATE MATERIALIZED VIEW v AS SELECT *, k AS w FROM s");
  settle();
  drop(star->definition);
  settle();
  crash();
  EXPECT_EQ(alter("ALTER STREAM s ADD COLUMN w TEXT"), "");
  crash();  // bound again, it would have two columns w
  EXPECT_EQ(definitions_->history()->find(star->definition)->query->output_schema().size(), 3u);
}

TEST_F(DefinitionsTest, AFullDiskLeavesNothingHalfMade) {
  journal_.refuse_with(error(Code::kExhausted, "MR-LOG-0004", "full"));
  const auto refused = create(DefinitionKind::kStream, "s", kStreamText);
  EXPECT_EQ(refused->id, "MR-LOG-0004");
  EXPECT_EQ(stored_->rows.size(), 1u);
  journal_.refuse_with(std::nullopt);
  const auto made = create(DefinitionKind::kStream, "s", kStreamText);
  settle();
  EXPECT_EQ(made->id, "");
}

TEST_F(DefinitionsTest, WhatTheNextStartHasToReadIsKept) {
  EXPECT_EQ(definitions_->floor(), Cut(UINT64_MAX));
  const auto made = create(DefinitionKind::kStream, "s", kStreamText);
  EXPECT_EQ(definitions_->floor(), Cut(0));  // a query may begin at the oldest kept frame
  settle();
  EXPECT_EQ(definitions_->floor(), Cut(UINT64_MAX));
  const Cut before = journal_.end_cut();
  create(DefinitionKind::kStream, "t", "CREATE STREAM t (n BIGINT)");
  stored_->fail_marks = true;
  settle();
  EXPECT_NE(find("t"), nullptr);
  EXPECT_EQ(definitions_->floor(), before);
  drop(made->definition);
  settle();
  EXPECT_EQ(definitions_->floor(), before);
}

TEST_F(DefinitionsTest, ResumeTakesBackWhatAFailedPauseHasLeft) {
  const auto made = create(DefinitionKind::kStream, "s", kStreamText);
  settle();
  stored_->doubt_settings = true;
  EXPECT_FALSE(definitions_->pause(made->definition).ok());
  EXPECT_TRUE(definitions_->paused().empty());
  stored_->doubt_settings = false;
  EXPECT_TRUE(definitions_->resume(made->definition).ok());
  crash();
  EXPECT_TRUE(definitions_->paused().empty());
}

TEST_F(DefinitionsTest, PauseTakesBackWhatAFailedResumeHasLeft) {
  const auto made = create(DefinitionKind::kStream, "s", kStreamText);
  settle();
  EXPECT_TRUE(definitions_->pause(made->definition).ok());
  const auto paused = definitions_->paused();
  stored_->doubt_settings = true;
  EXPECT_FALSE(definitions_->resume(made->definition).ok());
  EXPECT_EQ(definitions_->paused(), paused);
  stored_->doubt_settings = false;
  EXPECT_TRUE(definitions_->pause(made->definition).ok());
  crash();
  EXPECT_EQ(definitions_->paused(), paused);
}

TEST(Activation, RoundTripsAndRefusesTheRest) {
  const auto payload = encode_activation({Activation::What::kEnd, DefinitionId(UINT32_MAX), Cut(300)});
  const auto back = decode_activation(payload);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->what, Activation::What::kEnd);
  EXPECT_EQ(back->definition, DefinitionId(UINT32_MAX));
  EXPECT_EQ(back->oldest, Cut(300));
  EXPECT_FALSE(decode_activation("").ok());
  EXPECT_FALSE(decode_activation(payload + "x").ok());
  EXPECT_FALSE(decode_activation(std::string("\x03\x01\x00", 3)).ok());
}

}  // namespace
}  // namespace millrace::sql
