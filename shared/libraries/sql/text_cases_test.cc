// Runs the text cases of tests/sql/errors and tests/sql/plans: statements, and the whole message or plan that
// they give.
//
//   setup statements, up to the first case; they make the catalog that every case of the file starts from
//   == title
//   statements; all but the last are defined, the last is the one that counts
//   ----
//   what it gives: the rendered error, the text of EXPLAIN, or "ok"
//
// MILLRACE_REWRITE=1 writes what is given now into the files, to be read as a diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sql/sql.h"

namespace millrace::sql {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string title;
  std::string sql;
  std::string expected;
};
struct CaseFile {
  std::string setup;
  std::vector<Case> cases;
};

CaseFile read_cases(const fs::path& path) {
  CaseFile file;
  std::ifstream in(path);
  std::string* part = &file.setup;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("== ")) {
      part = &file.cases.emplace_back(Case{line, "", ""}).sql;
    } else if (line == "----" && !file.cases.empty()) {
      part = &file.cases.back().expected;
    } else {
      *part += line + "\n";
    }
  }
  return file;
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text + "\n";
}

void write_cases(const fs::path& path, const CaseFile& file) {
  std::ofstream out(path);
  out << trimmed(file.setup);
  for (const Case& c : file.cases)
    out << "\n" << c.title << "\n" << trimmed(c.sql) << "----\n" << trimmed(c.expected);
}

metadata::DefinitionKind kind_of(const BoundStatement& bound) {
  if (std::holds_alternative<CreateStream>(bound)) return metadata::DefinitionKind::kStream;
  return std::get<CreateQuery>(bound).plan.output_stream ? metadata::DefinitionKind::kDerivedStream
                                                         : metadata::DefinitionKind::kView;
}

std::string name_of(const BoundStatement& bound) {
  if (const auto* stream = std::get_if<CreateStream>(&bound)) return stream->stream.name;
  return std::get<CreateQuery>(bound).plan.name;
}

class Session {
 public:
  Session() {
    metadata::Definition tenant;
    tenant.kind = metadata::DefinitionKind::kTenant;
    tenant.name = "default";
    define(tenant);
  }

  // What the last statement gives; those before are defined.
  std::string run(const std::string& text, bool define_last) {
    auto statements = parse(text);
    if (!statements.ok()) return render_error(statements.error(), text);
    std::string given = "ok\n";
    for (size_t i = 0; i < statements->size(); ++i) {
      auto bound = bind(*(*statements)[i], *catalog_, TenantId(1));
      if (!bound.ok()) return render_error(bound.error(), text);
      if (const auto* explain = std::get_if<Explain>(&*bound)) given = explain->text + "\n";
      if (i + 1 < statements->size() || define_last) define(*bound, statement_text(*(*statements)[i]));
    }
    return given;
  }

 private:
  void define(const BoundStatement& bound, const std::string& sql) {
    if (!std::holds_alternative<CreateStream>(bound) && !std::holds_alternative<CreateQuery>(bound)) return;
    if (const auto* query = std::get_if<CreateQuery>(&bound); query && query->same.value != 0) return;
    metadata::Definition d;
    d.tenant = TenantId(1);
    d.kind = kind_of(bound);
    d.name = name_of(bound);
    d.sql = sql;
    define(d);
  }
  void define(metadata::Definition d) {
    d.id = metadata::DefinitionId(++last_);
    auto next = catalog_->with(d);
    ASSERT_TRUE(next.ok()) << next.error().to_string();
    catalog_ = *next;
  }

  CatalogPtr catalog_ = Catalog::empty();
  uint32_t last_ = 0;
};

std::vector<fs::path> case_files() {
  std::vector<fs::path> files;
  for (const char* folder : {"errors", "plans"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(MILLRACE_TEXT_CASES) / folder)) {
      if (entry.path().extension() == ".test") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

class TextCases : public ::testing::TestWithParam<fs::path> {};

TEST_P(TextCases, GiveWhatTheyGave) {
  CaseFile file = read_cases(GetParam());
  ASSERT_FALSE(file.cases.empty());
  const bool rewrite = std::getenv("MILLRACE_REWRITE") != nullptr;
  for (Case& c : file.cases) {
    Session session;
    ASSERT_EQ(session.run(file.setup, true), "ok\n") << "the setup of " << GetParam();
    const std::string given = session.run(c.sql, false);
    if (!rewrite) {
      EXPECT_EQ(given, trimmed(c.expected)) << GetParam() << " " << c.title;
    }
    c.expected = given;
  }
  if (rewrite) write_cases(GetParam(), file);
}

INSTANTIATE_TEST_SUITE_P(Files, TextCases, ::testing::ValuesIn(case_files()), [](const auto& info) {
  std::string name = info.param.parent_path().filename().string() + "_" + info.param.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

TEST(Examples, QuickstartBinds) {
  std::stringstream text;
  text << std::ifstream(fs::path(MILLRACE_TEXT_CASES) / "../../examples/quickstart.sql").rdbuf();
  ASSERT_FALSE(text.str().empty());
  EXPECT_EQ(Session().run(text.str(), true), "ok\n");
}

// Every id that the front end can give is explained in the table for users.
TEST(ErrorTable, ExplainsEveryId) {
  const fs::path root = fs::path(MILLRACE_TEXT_CASES) / "../..";
  const auto read = [](const fs::path& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  };
  const std::string table = read(root / "docs/sql/errors.md");
  size_t found = 0;
  for (const char* folder : {"shared/libraries/sql", "shared/libraries/metadata"}) {
    for (const auto& entry : fs::directory_iterator(root / folder)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with("_test.cc") || (!name.ends_with(".cc") && !name.ends_with(".h"))) continue;
      const std::string source = read(entry.path());
      for (const std::string_view area : {"\"MR-SQL-", "\"MR-META-", "\"MR-DEF-"}) {
        for (size_t at = source.find(area); at != std::string::npos; at = source.find(area, at + 1)) {
          const std::string id = source.substr(at + 1, source.find('"', at + 1) - at - 1);
          if (id.size() < area.size() - 1 + 4) continue;  // a prefix, not an id
          EXPECT_NE(table.find("| " + id + " "), std::string::npos)
              << id << " of " << name << " is not in docs/sql/errors.md";
          ++found;
        }
      }
    }
  }
  EXPECT_GT(found, 30u);
}

}  // namespace
}  // namespace millrace::sql
