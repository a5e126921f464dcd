// TenantQuotas: what each tenant may take of the node, what it has now, and how often it was refused.
//
// Whose:   the one set at run time (a setting `quota/<tenant>` in the metadata store); else the tokens file's; else the default.
// Holds:   a connection, or a subscription, counts as long as its QuotaHold lives.
// Rates:   of events and bytes are Ingest's to count; they are handed to it.
// Threads: the core loop. A hold may outlive this object.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/types.h"
#include "event-gateway/quota.h"
#include "metadata/metadata_store.h"

namespace millrace::gateway {

// MR-AUTH-0014: a member is none, or its value.
Result<Quota> parse_quota(std::string_view json);
std::string to_json(const Quota& quota);

class TenantQuotas {
 public:
  using Kind = QuotaKind;
  static constexpr size_t kKinds = 4;
  using Hold = std::shared_ptr<void>;
  using SetRates = std::function<void(TenantId, Quota)>;

  // `store` may be null: nothing is kept.
  static Result<std::unique_ptr<TenantQuotas>> open(metadata::MetadataStore* store, Quota usual,
                                                    SetRates set_rates);

  void set_usual(const std::string& tenant, Quota quota);  // the tokens file's; before the first admit()
  Status set(const std::string& tenant, Quota quota);      // durable when it returns
  Quota of(const std::string& tenant) const;

  void admit(TenantId tenant, const std::string& name);  // its rates are known from here on
  Result<Hold> connect(TenantId tenant);                 // MR-AUTH-0015
  Result<Hold> subscribe(TenantId tenant);               // MR-AUTH-0016
  Status may_subscribe(TenantId tenant);                 // likewise, and takes nothing
  void count_refusal(TenantId tenant, Kind kind);

  std::string metrics(std::optional<TenantId> only) const;  // Prometheus text

 private:
  struct Use {
    std::string name;
    Quota quota;
    std::array<uint64_t, kKinds> refusals{};
    // Shared with the holds.
    std::shared_ptr<size_t> connections = std::make_shared<size_t>(0);
    std::shared_ptr<size_t> subscriptions = std::make_shared<size_t>(0);
  };
  TenantQuotas(metadata::MetadataStore* store, Quota usual, SetRates set_rates)
      : store_(store), usual_(usual), set_rates_(std::move(set_rates)) {}
  static Hold hold(std::shared_ptr<size_t> count);

  metadata::MetadataStore* const store_;
  const Quota usual_;
  const SetRates set_rates_;
  std::map<std::string, Quota> from_file_, set_;
  std::map<TenantId, Use> uses_;
};

}  // namespace millrace::gateway
