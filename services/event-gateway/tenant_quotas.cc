#include "event-gateway/tenant_quotas.h"

#include <fmt/format.h>

#include <cmath>

#include "event/text.h"
#include "event/type.h"
#include "formats/json_text.h"
#include "formats/jsonb.h"

namespace millrace::gateway {
namespace {

using formats::JsonbKind;

constexpr double kMostRate = 1e12;
constexpr int64_t kMostOpen = 1'000'000;
constexpr std::string_view kNames[] = {"events", "bytes", "connections", "subscriptions"};

Error bad_quota(std::string message) {
  return error(
      Code::kInvalid, "MR-AUTH-0014", std::move(message),
      R"(send {"events_per_s": 50000, "bytes_per_s": 2e7, "connections": 100, "subscriptions": 20}; what is left out, or null, has no bound)");
}

Status take_member(std::string_view name, std::string_view value, Quota& quota) {
  double* const rate = name == "events_per_s"  ? &quota.events_per_s
                       : name == "bytes_per_s" ? &quota.bytes_per_s
                                               : nullptr;
  uint32_t* const most = name == "connections"     ? &quota.connections
                         : name == "subscriptions" ? &quota.subscriptions
                                                   : nullptr;
  if (rate == nullptr && most == nullptr)
    return bad_quota(fmt::format("\"{}\" is not a quota", start_of(name, 40)));
  const JsonbKind kind = formats::jsonb_kind(value);
  if (kind == JsonbKind::kNull) return {};
  if (rate != nullptr) {
    const auto number = parse_double(value);
    if (kind != JsonbKind::kNumber || !number.ok() || !(*number > 0) || *number > kMostRate)
      return bad_quota(fmt::format("\"{}\" has to be a number above 0, or null", name));
    *rate = *number;
    return {};
  }
  const auto number = parse_bigint(value);
  if (kind != JsonbKind::kNumber || !number.ok() || *number < 1 || *number > kMostOpen)
    return bad_quota(fmt::format("\"{}\" has to be a whole number from 1 to {}, or null", name, kMostOpen));
  *most = static_cast<uint32_t>(*number);
  return {};
}

Error too_many(const char* id, std::string_view what, uint32_t most) {
  return error(Code::kExhausted, id,
               fmt::format("the tenant has {} {}, as many as its quota allows", most, what),
               "close some, or have the quota raised");
}

}  // namespace

Result<Quota> parse_quota(std::string_view json) {
  const auto object = formats::parse_jsonb(json);
  if (!object.ok()) return bad_quota("the body is not JSON: " + object.error().message);
  if (formats::jsonb_kind(*object) != JsonbKind::kObject) return bad_quota("the body is not a JSON object");
  Quota quota;
  Status taken;
  formats::visit_jsonb(*object, [&](std::string_view name, std::string_view value) {
    std::string text;
    formats::append_jsonb_text(text, name);
    taken = take_member(text, value, quota);
    return taken.ok();
  });
  TRY(std::move(taken));
  return quota;
}

std::string to_json(const Quota& quota) {
  std::string text;
  formats::JsonText out(text);
  const auto append = [&](std::string_view name, auto value) {
    out.name(name);
    value == 0 ? out.value("null") : out.number(value);
  };
  out.open('{');
  append("events_per_s", quota.events_per_s);
  append("bytes_per_s", quota.bytes_per_s);
  append("connections", quota.connections);
  append("subscriptions", quota.subscriptions);
  out.close('}');
  return text;
}

Result<std::unique_ptr<TenantQuotas>> TenantQuotas::open(metadata::MetadataStore* store, Quota usual,
                                                         SetRates set_rates) {
  auto quotas = std::unique_ptr<TenantQuotas>(new TenantQuotas(store, usual, std::move(set_rates)));
  if (store == nullptr) return quotas;
  constexpr std::string_view kPrefix = "quota/";
  TRY_ASSIGN(const auto kept, store->settings(std::string(kPrefix)));
  for (const auto& setting : kept) {
    TRY_ASSIGN(const Quota quota, parse_quota(setting.value));
    quotas->set_[setting.name.substr(kPrefix.size())] = quota;
  }
  return quotas;
}

void TenantQuotas::set_usual(const std::string& tenant, Quota quota) {
  from_file_[tenant] = quota;
}

Quota TenantQuotas::of(const std::string& tenant) const {
  if (const auto found = set_.find(tenant); found != set_.end()) return found->second;
  const auto found = from_file_.find(tenant);
  if (found == from_file_.end()) return usual_;
  Quota quota = usual_;
  if (found->second.events_per_s > 0) quota.events_per_s = found->second.events_per_s;
  if (found->second.bytes_per_s > 0) quota.bytes_per_s = found->second.bytes_per_s;
  return quota;
}

Status TenantQuotas::set(const std::string& tenant, Quota quota) {
  if (store_ != nullptr) TRY(store_->change({{"quota/" + tenant, to_json(quota)}}));
  set_[tenant] = quota;
  for (auto& [id, use] : uses_) {
    if (use.name != tenant) continue;
    use.quota = quota;
    set_rates_(id, quota);
  }
  return {};
}

void TenantQuotas::admit(TenantId tenant, const std::string& name) {
  const auto [at, fresh] = uses_.try_emplace(tenant);
  if (!fresh) return;
  at->second.name = name;
  at->second.quota = of(name);
  if (at->second.quota.events_per_s > 0 || at->second.quota.bytes_per_s > 0)
    set_rates_(tenant, at->second.quota);
}

TenantQuotas::Hold TenantQuotas::hold(std::shared_ptr<size_t> count) {
  ++*count;
  size_t* const counted = count.get();
  return Hold(counted, [count = std::move(count)](void*) { --*count; });
}

Result<TenantQuotas::Hold> TenantQuotas::connect(TenantId tenant) {
  Use& use = uses_[tenant];
  if (use.quota.connections == 0 || *use.connections < use.quota.connections) return hold(use.connections);
  count_refusal(tenant, Kind::kConnections);
  return too_many("MR-AUTH-0015", "connections", use.quota.connections);
}

Status TenantQuotas::may_subscribe(TenantId tenant) {
  const Use& use = uses_[tenant];
  if (use.quota.subscriptions == 0 || *use.subscriptions < use.quota.subscriptions) return {};
  count_refusal(tenant, Kind::kSubscriptions);
  return too_many("MR-AUTH-0016", "subscriptions", use.quota.subscriptions);
}

Result<TenantQuotas::Hold> TenantQuotas::subscribe(TenantId tenant) {
  TRY(may_subscribe(tenant));
  return hold(uses_[tenant].subscriptions);
}

void TenantQuotas::count_refusal(TenantId tenant, Kind kind) {
  ++uses_[tenant].refusals[static_cast<size_t>(kind)];
}

std::string TenantQuotas::metrics(std::optional<TenantId> only) const {
  std::string out;
  const auto label = [](const Use& use) {
    std::string text;
    for (const char c : use.name) text += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    return text;
  };
  const auto family = [&](std::string_view name, std::string_view type, std::string_view help,
                          const auto& samples) {
    fmt::format_to(std::back_inserter(out), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
    for (const auto& [tenant, use] : uses_) {
      if (!only || *only == tenant) samples(use, label(use));
    }
  };
  family("millrace_tenant_connections", "gauge", "Connections that the tenant has.",
         [&](const Use& use, const std::string& name) {
           fmt::format_to(std::back_inserter(out), "millrace_tenant_connections{{tenant=\"{}\"}} {}\n", name,
                          *use.connections);
         });
  family("millrace_tenant_subscriptions", "gauge", "Subscriptions that the tenant has.",
         [&](const Use& use, const std::string& name) {
           fmt::format_to(std::back_inserter(out), "millrace_tenant_subscriptions{{tenant=\"{}\"}} {}\n",
                          name, *use.subscriptions);
         });
  family("millrace_tenant_quota_refusals_total", "counter", "Requests refused because a quota was used up.",
         [&](const Use& use, const std::string& name) {
           for (size_t kind = 0; kind < kKinds; ++kind) {
             fmt::format_to(std::back_inserter(out),
                            "millrace_tenant_quota_refusals_total{{tenant=\"{}\",quota=\"{}\"}} {}\n", name,
                            kNames[kind], use.refusals[kind]);
           }
         });
  return out;
}

}  // namespace millrace::gateway
