// TestCatalog: a catalog made by statements, for tests of the front end.
#pragma once

#include <gtest/gtest.h>

#include "sql/sql.h"

namespace millrace::sql {

class TestCatalog {
 public:
  explicit TestCatalog(std::string_view statements = {}, engine::PlanOptions options = {})
      : catalog_(Catalog::empty(options)) {
    metadata::Definition tenant;
    tenant.kind = metadata::DefinitionKind::kTenant;
    tenant.name = "default";
    add(tenant);
    define(statements);
  }

  TenantId tenant() const { return TenantId(1); }
  const Catalog& catalog() const { return *catalog_; }

  Result<BoundStatement> bind_one(std::string_view text) const {
    auto statements = parse(text);
    if (!statements.ok()) return statements.error();
    return bind(*statements->front(), *catalog_, tenant());
  }
  // "ok" or the error's id.
  std::string id_of(std::string_view text) const {
    auto bound = bind_one(text);
    return bound.ok() ? "ok" : bound.error().id;
  }
  template <typename T>
  T get(std::string_view text) const {
    auto bound = bind_one(text);
    EXPECT_TRUE(bound.ok()) << text << "\n" << bound.error().to_string();
    if (!bound.ok() || !std::holds_alternative<T>(*bound)) return T();
    return std::get<T>(std::move(*bound));
  }

  void define(std::string_view text) {
    auto statements = parse(text);
    ASSERT_TRUE(statements.ok()) << statements.error().to_string();
    for (const auto& statement : *statements) {
      auto bound = bind(*statement, *catalog_, tenant());
      ASSERT_TRUE(bound.ok()) << render_error(bound.error(), text);
      metadata::Definition d;
      d.tenant = tenant();
      d.sql = statement_text(*statement);
      if (const auto* stream = std::get_if<CreateStream>(&*bound)) {
        d.kind = metadata::DefinitionKind::kStream;
        d.name = stream->stream.name;
      } else {
        const auto& plan = std::get<CreateQuery>(*bound).plan;
        d.kind =
            plan.output_stream ? metadata::DefinitionKind::kDerivedStream : metadata::DefinitionKind::kView;
        d.name = plan.name;
      }
      add(d);
    }
  }
  void add(metadata::Definition d) {
    d.id = metadata::DefinitionId(++last_);
    definitions_.push_back(d);
    auto next = catalog_->with(d);
    ASSERT_TRUE(next.ok()) << next.error().to_string();
    catalog_ = *next;
  }
  const std::vector<metadata::Definition>& definitions() const { return definitions_; }

 private:
  CatalogPtr catalog_;
  std::vector<metadata::Definition> definitions_;
  uint32_t last_ = 0;
};

inline constexpr std::string_view kTestStreams = R"(
  CREATE STREAM earthquakes (
    id TEXT, time TIMESTAMPTZ, mag DOUBLE PRECISION, place TEXT, net TEXT, depth_km DOUBLE PRECISION,
    WATERMARK FOR time AS time - INTERVAL '10 minutes'
  ) WITH (format = 'json', key = 'net', partitions = 4);
  CREATE STREAM orders (id BIGINT, customer TEXT, amount DOUBLE PRECISION, items BIGINT, paid BOOLEAN, at TIMESTAMPTZ);
)";

}  // namespace millrace::sql
