#include "stream-processor/recompute.h"

#include <fmt/format.h>

#include "metadata/metadata_store.h"
#include "node/data_directory.h"
#include "node/node.h"
#include "state/spill_space.h"

namespace millrace::node {
namespace {

std::vector<NamedSchema> schemas_of(const sql::Catalog& catalog) {
  std::vector<NamedSchema> out;
  for (const auto* entry : catalog.all()) {
    if (entry->stream == nullptr || entry->stream->schema.subject.empty()) continue;
    const std::string* tenant = catalog.tenant_name(entry->stream->tenant);
    if (tenant != nullptr) out.push_back({*tenant, entry->stream->name, entry->stream->schema});
  }
  return out;
}

}  // namespace

Result<RecomputeReport> recompute(Files& files, const Clock& clock, const std::string& directory,
                                  size_t state_memory_bytes,
                                  std::function<void(uint64_t, uint64_t)> progress) {
  if (!files.exists(directory + "/VERSION")) {
    return error(Code::kNotFound, "MR-NODE-0003",
                 fmt::format("{} is not a data directory of Millrace", directory),
                 "name the folder that `millrace serve --data` was given");
  }
  TRY_ASSIGN(const auto lock, take_data_directory(files, directory));
  log::Journal::Options options;
  options.directory = directory;
  options.background_thread = false;  // nothing is going to be appended: no spare segments
  TRY_ASSIGN(auto journal, log::Journal::open(files, clock, options));
  TRY_ASSIGN(auto store, metadata::MetadataStore::open(files, directory + "/metadata.db"));
  TRY_ASSIGN(auto definitions, sql::Definitions::open(std::move(store), *journal));
  state::StateStore::Options store_options;
  store_options.spill = std::make_shared<state::SpillSpace>(
      files, state::SpillSpace::Options{directory, state_memory_bytes, options.reserve_bytes});
  TRY_ASSIGN(auto done, processor::recompute(*journal, *definitions, store_options, progress));
  return RecomputeReport{done.queries, done.steps, done.rows, std::move(done.differences),
                         schemas_of(*definitions->catalog())};
}

}  // namespace millrace::node
