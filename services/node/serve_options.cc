#include "node/serve_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "node/listen_address.h"
#include "node/setting.h"

namespace millrace::node {
namespace {

void add_flag_of(const Setting& setting, CLI::App& serve, ServeOptions& o) {
  const std::string bounds = setting.choices.empty() ? bounds_of(setting) : "";
  const std::string what = std::string(setting.what) + (bounds.empty() ? "" : " (" + bounds + ")");
  const auto take = [&setting, &o](const CLI::results_t& given) { return assign(setting, given, o).empty(); };
  CLI::Option* option = serve.add_option(flag_of(setting), take, what);
  option->check(CLI::Validator([&setting](std::string& text) { return refusal(setting, text); }, ""));
  option->type_name(setting.choices.empty() ? std::string(setting.value)
                                            : fmt::format("TEXT:{{{}}}", fmt::join(setting.choices, ",")));
  option->default_str(fmt::format("{}", fmt::join(values_of(setting, o), ",")));
  if (takes_many(setting)) {
    option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args(false);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

// CLI11 knows flags, which need no value, from options.
void add_switch_of(const Setting& setting, CLI::App& serve, ServeOptions& o) {
  serve.add_flag(flag_of(setting), o.*std::get<bool ServeOptions::*>(setting.member),
                 std::string(setting.what));
}

Error wrong(const char* what, const char* hint) {
  return error(Code::kInvalid, "MR-NODE-0011", what, hint);
}

Status check_addresses(const ServeOptions& o) {
  if (o.http != kOff) TRY(check_address(o.http));
  if (!o.https.empty()) TRY(check_address(o.https));
  return registry_address(o) == kOff ? Status() : check_address(registry_address(o));
}

}  // namespace

void add_serve_options(CLI::App& serve, ServeOptions& o) {
  serve
      .add_option("--config", o.config,
                  "Configuration file (or MILLRACE_CONFIG); flags and the environment go first")
      ->type_name("FILE");
  for (const auto& setting : settings()) {
    is_switch(setting) ? add_switch_of(setting, serve, o) : add_flag_of(setting, serve, o);
  }
}

Status check_listeners(const ServeOptions& o) {
  TRY(check_addresses(o));
  const bool registry_by_tls = o.schema_registry_tls && registry_address(o) != kOff;
  const bool by_tls = !o.https.empty() || registry_by_tls;
  if (is_registry_alone(o) && !o.https.empty())
    return wrong("the schema registry alone has one listener",
                 "leave out --https, or say --schema-registry-tls");
  if (is_registry_alone(o) && o.http != kOff && o.http != ServeOptions().http)
    return wrong("the schema registry alone has one listener", "write --schema-registry instead of --http");
  const bool files = !o.tls_cert.empty() || !o.tls_key.empty() || !o.tls_client_ca.empty();
  if (!by_tls && files)
    return wrong("there are files for TLS, and no address for it", "add --https HOST:PORT");
  if (o.https.empty() && o.http == kOff && !is_registry_alone(o))
    return wrong("with --http off nobody could reach the node",
                 "add --https HOST:PORT, or leave out --http off");
  if (!o.https.empty() && (o.tls_cert.empty() || o.tls_key.empty()))
    return wrong("--https needs a certificate and its key", "add --tls-cert FILE and --tls-key FILE");
  if (o.schema_registry_tls && (o.tls_cert.empty() || o.tls_key.empty()))
    return wrong("--schema-registry-tls needs a certificate and its key",
                 "add --tls-cert FILE and --tls-key FILE");
  return {};
}

std::string registry_address(const ServeOptions& o) {
  return is_registry_alone(o) && o.schema_registry == kOff ? kRegistryAddress : o.schema_registry;
}

gateway::TlsFiles tls_files(const ServeOptions& o) {
  return {o.tls_cert, o.tls_key, o.tls_client_ca};
}

gateway::Quota tenant_quota(const ServeOptions& o) {
  return {static_cast<double>(o.tenant_events), static_cast<double>(o.tenant_bytes), o.tenant_connections,
          o.tenant_subscriptions};
}

gateway::HttpOptions http_options(const ServeOptions& o) {
  gateway::HttpOptions http;
  http.allowed_hosts = o.allowed_hosts;
  http.cors_origins = o.cors_origins;
  http.max_connections = o.max_connections;
  http.max_body_bytes = size_t{o.max_body_mb} << 20;
  http.idle_timeout = std::chrono::seconds(o.idle_seconds);
  http.drain_timeout = std::chrono::seconds(o.drain_seconds);
  http.heartbeat = std::chrono::seconds(o.heartbeat_seconds);
  return http;
}

}  // namespace millrace::node
