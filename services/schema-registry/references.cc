#include "schema-registry/references.h"

#include <fmt/format.h>

#include "schema-registry/api_error.h"
#include "schema-registry/subject_name.h"

namespace millrace::registry {
namespace {

Error no_reference(const std::string& subject, int32_t version) {
  return invalid_schema(
      fmt::format("No schema reference found for subject \"{}\" and version {}", subject, version));
}

Error too_many(ReferenceBounds bounds) {
  return invalid_schema(
      fmt::format("the schema refers to more than {} others, or to more than {} bytes of them", bounds.count,
                  bounds.bytes));
}

// Depth first with a stack of its own: a chain of references is as long as its owner likes.
class Resolver {
 public:
  Resolver(const TenantState& state, bool stored, ReferenceBounds bounds)
      : state_(state), stored_(stored), bounds_(bounds) {}

  Result<std::vector<schema::NamedSchema>> run(const std::string& subject,
                                               const std::vector<Reference>& references) {
    open_.push_back({subject, {}, nullptr, &references});
    while (!open_.empty()) {
      Frame& top = open_.back();
      if (top.next < top.references->size()) {
        const Reference& one = (*top.references)[top.next++];
        TRY(visit(in_context_of(top.subject, one.subject), one));
      } else {
        if (top.content != nullptr) out_.push_back({top.name, top.content->text});
        open_.pop_back();
      }
    }
    return std::move(out_);
  }

 private:
  struct Frame {
    std::string subject, name;
    const Content* content;  // null: the one that is asked about
    const std::vector<Reference>* references;
    size_t next = 0;
  };

  Status visit(const std::string& subject, const Reference& one) {
    if (!seen_.insert(one.name).second) return {};
    const Version* version = state_.find(subject, one.version);
    if (version == nullptr || (version->deleted && !stored_)) return no_reference(subject, one.version);
    bytes_ += version->content->text.size();
    if (seen_.size() > bounds_.count || bytes_ > bounds_.bytes) return too_many(bounds_);
    open_.push_back({subject, one.name, version->content.get(), &version->content->references});
    return {};
  }

  const TenantState& state_;
  const bool stored_;
  const ReferenceBounds bounds_;
  std::vector<Frame> open_;
  std::set<std::string> seen_;
  size_t bytes_ = 0;
  std::vector<schema::NamedSchema> out_;
};

}  // namespace

Result<std::vector<schema::NamedSchema>> resolve_references(const TenantState& state,
                                                            const std::string& subject,
                                                            const std::vector<Reference>& references,
                                                            bool stored, ReferenceBounds bounds) {
  return Resolver(state, stored, bounds).run(subject, references);
}

Result<std::vector<Reference>> with_versions(const TenantState& state, const std::string& subject,
                                             std::vector<Reference> references, ReferenceBounds bounds) {
  if (references.size() > bounds.count) return too_many(bounds);
  for (auto& one : references) {
    const std::string of = in_context_of(subject, one.subject);
    const Version* version = one.version > 0 ? state.find(of, one.version) : state.latest(of);
    if (version == nullptr || version->deleted) return no_reference(of, one.version);
    one.version = version->number;
  }
  return references;
}

}  // namespace millrace::registry
