// millrace schema register, get, list, diff, check, delete, export, import: a schema registry at a command line.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/produce_input.h"
#include "node/read_input.h"
#include "node/registry_client.h"
#include "node/resource_printer.h"
#include "node/schema_transfer.h"
#include "node/schema_verdict.h"
#include "node/shell/signals.h"
#include "node/text_diff.h"

namespace millrace::cli {
namespace {

constexpr std::chrono::seconds kGiveUp{5};  // a call

struct SchemaOptions {
  ServerOptions server;
  std::string subject, file, type;
  std::string version = "latest", other_version = "latest";
  std::vector<std::string> references;
  std::string prefix, output;
  int64_t id = 0;
  std::string node = "http://127.0.0.1:8080";
  std::optional<uint32_t> events;
  bool normalize = false, permanent = false, deleted = false, all = false;
  std::function<bool()> names_node;  // at the command line; the environment may, for other commands
};

Result<std::string> type_of_file(const SchemaOptions& options) {
  if (!options.type.empty()) return options.type;
  for (const auto& [end, type] : {std::pair{".avsc", "AVRO"}, {".proto", "PROTOBUF"}, {".json", "JSON"}}) {
    if (options.file.ends_with(end)) return std::string(type);
  }
  return error(Code::kInvalid, "MR-CLI-0052",
               fmt::format("the name {} does not say which format the schema has", options.file),
               "give it with --type avro, --type json or --type protobuf");
}

// NAME=SUBJECT:VERSION; a subject may hold colons, and a name equals signs only in front of the first of them.
Result<Json> parse_reference(const std::string& text) {
  const size_t equals = text.find('='), colon = text.rfind(':');
  const bool good =
      equals != std::string::npos && equals > 0 && colon != std::string::npos && colon > equals + 1;
  const std::string number = good ? text.substr(colon + 1) : "";
  if (number.empty() || number.size() > 9 || number.find_first_not_of("0123456789") != std::string::npos) {
    return error(Code::kInvalid, "MR-CLI-0052", fmt::format("\"{}\" names no reference", text),
                 "write --reference NAME=SUBJECT:VERSION");
  }
  return Json{{"name", text.substr(0, equals)},
              {"subject", text.substr(equals + 1, colon - equals - 1)},
              {"version", std::stol(number)}};
}

Result<Json> candidate_of(const SchemaOptions& options) {
  TRY_ASSIGN(const std::string type, type_of_file(options));
  TRY_ASSIGN(const std::string text, read_input(options.file));
  Json body{{"schemaType", type}, {"schema", text}};
  for (const auto& written : options.references) {
    TRY_ASSIGN(Json reference, parse_reference(written));
    body["references"].push_back(std::move(reference));
  }
  return body;
}

Status register_schema(RegistryClient& registry, const SchemaOptions& options) {
  TRY_ASSIGN(const Json body, candidate_of(options));
  const std::string path = subject_path(options.subject);
  const char* query = options.normalize ? "?normalize=true" : "";
  TRY_ASSIGN(const Json made, registry.call("POST", path + "/versions" + query, body));
  TRY_ASSIGN(const uint64_t id, answered(number_in(made, "id"), "an id"));
  TRY_ASSIGN(const Json found, registry.call("POST", path + query, body));
  TRY_ASSIGN(const uint64_t version, answered(number_in(found, "version"), "a version"));
  fmt::print("{}\n", id);
  fmt::print(stderr, "{} version {}, id {}\n", options.subject, version, id);
  return {};
}

Result<Json> version_of(RegistryClient& registry, const std::string& subject, const std::string& version,
                        bool deleted = false) {
  return registry.call("GET", version_path(subject, version) + (deleted ? "?deleted=true" : ""));
}

Status get(RegistryClient& registry, const SchemaOptions& options) {
  if (options.id == 0 && options.subject.empty()) {
    return error(Code::kInvalid, "MR-CLI-0052", "no schema is named", "name a subject, or give --id");
  }
  auto found = options.id > 0 ? registry.call("GET", fmt::format("/schemas/ids/{}", options.id))
                              : version_of(registry, options.subject, options.version, options.deleted);
  if (!found.ok()) return found.error();
  TRY_ASSIGN(const std::string text, answered(text_in(*found, "schema"), "a schema"));
  fmt::print("{}\n", options.output == "text" ? text : found->dump());
  return {};
}

Status list(RegistryClient& registry, const SchemaOptions& options) {
  ResourcePrinter printer(options.output);
  // A page ends where it becomes too large, too. A server that knows no pages answers with the same one again.
  Json first;
  for (size_t offset = 0;;) {
    std::string path = fmt::format("/schemas?subjectPrefix={}&deleted={}&latestOnly={}&offset={}&limit=1000",
                                   percent_encode(options.prefix.empty() ? ":*:" : options.prefix),
                                   options.deleted, !options.all, offset);
    TRY_ASSIGN(const Json page, registry.call("GET", path));
    if (!page.is_array()) return answers_without("a list of schemas");
    if (page.empty() || page.front() == first) break;
    first = page.front();
    for (const auto& item : page) {
      printer.add_to_list({{"subject", text_in(item, "subject").value_or("")},
                           {"version", number_in(item, "version").value_or(0)},
                           {"id", number_in(item, "id").value_or(0)},
                           {"type", text_in(item, "schemaType").value_or("AVRO")}});
    }
    offset += page.size();
  }
  printer.end_list();
  return {};
}

Result<std::string> shown_text(const Json& version) {
  TRY_ASSIGN(std::string text, answered(text_in(version, "schema"), "a schema"));
  const Json parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() ? text : parsed.dump(2);
}

Status diff(RegistryClient& registry, const SchemaOptions& options) {
  TRY_ASSIGN(const Json before, version_of(registry, options.subject, options.version, true));
  TRY_ASSIGN(const Json after, version_of(registry, options.subject, options.other_version, true));
  const auto name = [&](const Json& version) {
    return fmt::format("{} version {}", options.subject, member_in(version, "version").dump());
  };
  TRY_ASSIGN(const std::string old_text, shown_text(before));
  TRY_ASSIGN(const std::string new_text, shown_text(after));
  fmt::print("{}", line_diff(old_text, new_text, name(before), name(after)));
  return {};
}

// By the node, which has both the schemas and the events.
Status check_events(const SchemaOptions& options, Json body) {
  ServerOptions node = options.server;
  node.url = options.node;
  TRY_ASSIGN(const auto server, open_client(node));
  body["subject"] = options.subject;
  body["events"] = *options.events;
  return show_schema_verdict(*server, body, options.output);
}

Status check(RegistryClient& registry, const SchemaOptions& options) {
  if (!options.events && options.names_node())
    return error(Code::kInvalid, "MR-CLI-0052", "--server is of use with --events alone",
                 "give --events N, too, or name the registry with --registry");
  TRY_ASSIGN(const Json body, candidate_of(options));
  if (options.events) return check_events(options, body);
  const std::string path = "/compatibility" + subject_path(options.subject) + "/versions" +
                           (options.all ? "" : "/" + percent_encode(options.version)) + "?verbose=true";
  TRY_ASSIGN(const Json verdict, registry.call("POST", path, body));
  TRY_ASSIGN(const bool fits, answered(flag_in(verdict, "is_compatible"), "a verdict"));
  if (fits) {
    fmt::print("compatible\n");
    return {};
  }
  for (const auto& message : member_in(verdict, "messages"))
    fmt::print("{}\n", printable(message.is_string() ? message.get<std::string>() : message.dump()));
  return error(Code::kConflict, "MR-CLI-0053", "the schema is not compatible with " + options.subject,
               "what stands in the way is listed above");
}

// The newest version that is not deleted; if all are: the newest.
Result<std::string> latest_of(RegistryClient& registry, const std::string& subject) {
  auto found = version_of(registry, subject, "latest");
  if (!found.ok() && found.error().code == Code::kNotFound)
    found = version_of(registry, subject, "latest", true);
  if (!found.ok()) return found.error();
  TRY_ASSIGN(const uint64_t number, answered(number_in(*found, "version"), "a version"));
  return std::to_string(number);
}

// In two steps, of one version: `latest` is another one once the first is done.
Result<Json> erase(RegistryClient& registry, const SchemaOptions& options) {
  std::string version = options.version;
  if (version == "latest") {
    TRY_ASSIGN(version, latest_of(registry, options.subject));
  }
  const std::string path =
      version == "all" ? subject_path(options.subject) : version_path(options.subject, version);
  TRY(registry.delete_softly(path));
  return registry.call("DELETE", path + "?permanent=true");
}

Status remove(RegistryClient& registry, const SchemaOptions& options) {
  const bool one = options.version != "all";
  const std::string path =
      one ? version_path(options.subject, options.version) : subject_path(options.subject);
  const auto gone = options.permanent ? erase(registry, options) : registry.call("DELETE", path);
  if (!gone.ok()) return gone.error();
  fmt::print(stderr, "{} {}: {}\n", options.permanent ? "erased" : "deleted", options.subject,
             one ? "version " + gone->dump() : "versions " + gone->dump());
  return {};
}

Status export_all(RegistryClient& registry, const SchemaOptions&) {
  TRY_ASSIGN(const Transferred done, export_registry(registry, [](const Json& line) -> Status {
               fmt::print("{}\n", line.dump(-1, ' ', false, Json::error_handler_t::replace));
               return {};
             }));
  fmt::print(stderr, "exported {} of {}\n", counted(done.versions, "version"),
             counted(done.subjects, "subject"));
  return {};
}

Status add_lines(RegistryImport& into, const std::string& file, int stop_fd) {
  const int fd = file == "-" ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return cannot_open(file, errno);
  ByteInput input(fd, stop_fd);
  NdjsonSource source(input);
  for (;;) {
    TRY_ASSIGN(const Batch batch, source.next(UINT64_MAX));
    if (batch.events.empty()) return {};
    std::istringstream lines(batch.events);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) TRY(into.add(Json::parse(line, nullptr, false)));
    }
  }
}

Result<Transferred> import_into(RegistryImport& into, const SchemaOptions& options, const std::string& from,
                                const HttpClient::Options& limits) {
  if (from.empty()) {
    TRY(add_lines(into, options.file, limits.cancel_fd));
    return into.finish();
  }
  ServerOptions other;
  other.url = from;
  other.ca_file = options.server.ca_file;
  TRY_ASSIGN(auto source, RegistryClient::open(other, limits));
  TRY(export_registry(source, [&](const Json& line) { return into.add(line); }));
  return into.finish();
}

// Ctrl-C ends the import; what it then puts right waits for nobody long.
Status import_all(const SchemaOptions& options, const std::string& from) {
  const Signals stop({SIGINT, SIGTERM});
  HttpClient::Options limits, last_limits;
  limits.cancel_fd = stop.fd();
  last_limits.whole = kGiveUp;
  TRY_ASSIGN(auto to, RegistryClient::open(options.server, limits));
  TRY_ASSIGN(auto last_to, RegistryClient::open(options.server, last_limits));
  RegistryImport into(to);
  const auto done = import_into(into, options, from, limits);
  if (!done.ok()) {
    if (const Status given_up = into.give_up(last_to); !given_up.ok()) report(given_up.error());
    return done.error();
  }
  fmt::print(stderr, "imported {} of {}\n", counted(done->versions, "version"),
             counted(done->subjects, "subject"));
  return {};
}

template <typename Act>
int with_registry(const ServerOptions& server, const Act& act) {
  auto registry = RegistryClient::open(server);
  if (!registry.ok()) return report(registry.error());
  const Status done = act(*registry);
  if (auto written = flush_output(); !written.ok()) return report(written.error());
  if (done.ok()) return kOk;
  const int code = report(done.error());
  return done.error().id == "MR-CLI-0052" ? kUsage : code;
}

void add_candidate_options(CLI::App& command, SchemaOptions& options) {
  command.add_option("subject", options.subject, "The subject")->required();
  command.add_option("file", options.file, "The schema's file, - for stdin")->required();
  command
      .add_option("--type", options.type, "Its format; default: by the file's name (.avsc, .json, .proto)")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, std::string>{{"avro", "AVRO"}, {"json", "JSON"}, {"protobuf", "PROTOBUF"}},
          CLI::ignore_case))
      ->type_name("FORMAT");
  command.add_option("--reference", options.references, "A schema that it refers to; repeatable")
      ->allow_extra_args(false)
      ->type_name("NAME=SUBJECT:VERSION");
}

}  // namespace

void add_schema_command(CLI::App& app, int& exit_code) {
  CLI::App* schema = app.add_subcommand("schema", "Schemas of a schema registry: register, compare, move");
  schema->require_subcommand(1);
  const auto add = [&](const char* word, const char* what, auto run) {
    CLI::App* command = schema->add_subcommand(word, what);
    const auto options = std::make_shared<SchemaOptions>();
    options->server.url = "http://127.0.0.1:8081";
    command->add_option("--registry", options->server.url, "The registry's address, http:// or https://")
        ->capture_default_str()
        ->envname("MILLRACE_REGISTRY");
    add_access_options(*command, options->server);
    command->callback([options, run, &exit_code] {
      exit_code =
          with_registry(options->server, [&](RegistryClient& registry) { return run(registry, *options); });
    });
    return std::pair(command, options);
  };
  {
    const auto [command, options] = add("register", "Register a schema, and print its id", register_schema);
    add_candidate_options(*command, *options);
    command->add_flag("--normalize", options->normalize, "Texts that mean the same are one schema");
  }
  {
    const auto [command, options] = add("get", "Print a schema", get);
    command->add_option("subject", options->subject, "The subject");
    command->add_option("--version", options->version, "Of the subject")->capture_default_str();
    command->add_option("--id", options->id, "The schema with this id")->check(CLI::PositiveNumber);
    command->add_flag("--deleted", options->deleted, "Also if it is deleted");
    options->output = "text";
    command
        ->add_option("--output", options->output, "text: the schema, json: all that the registry says of it")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
  }
  {
    const auto [command, options] = add("list", "List subjects, with the newest version of each", list);
    command->add_option("--prefix", options->prefix, "Only subjects that begin so");
    command->add_flag("--all", options->all, "Every version");
    command->add_flag("--deleted", options->deleted, "Deleted ones, too");
    add_output_option(*command, options->output);
  }
  {
    const auto [command, options] = add("diff", "Show what differs between two versions of a subject", diff);
    command->add_option("subject", options->subject, "The subject")->required();
    command->add_option("before", options->version, "A version")->required();
    command->add_option("after", options->other_version, "Another one")->capture_default_str();
  }
  {
    const auto [command, options] = add(
        "check", "Whether a schema may become a subject's next version, and what stands in the way", check);
    add_candidate_options(*command, *options);
    auto* version = command->add_option("--version", options->version, "Held against this version")
                        ->capture_default_str();
    auto* all = command->add_flag("--all", options->all,
                                  "Held against the versions that the subject's level asks for");
    command
        ->add_option(
            "--events", options->events,
            "Tried on so many of the last events of each stream that is made with the subject; and what "
            "would break is listed")
        ->check(CLI::Range(0, 10'000))
        ->type_name("N")
        ->excludes(version)
        ->excludes(all);
    auto* node = command
                     ->add_option("--server", options->node,
                                  "With --events: the address of the node that has them, and the registry")
                     ->capture_default_str()
                     ->envname("MILLRACE_SERVER");
    options->names_node = [command = command, node] {
      const auto& given = command->parse_order();
      return std::find(given.begin(), given.end(), node) != given.end();
    };
    add_output_option(*command, options->output);
  }
  {
    const auto [command, options] = add("delete", "Delete a version, or all of them", remove);
    command->add_option("subject", options->subject, "The subject")->required();
    command->add_option("--version", options->version, "A version, or all")->required();
    command->add_flag("--permanent", options->permanent, "For good: its data can be read no more by its id");
  }
  add("export", "Print all of a registry, one JSON object a line", export_all);
  {
    const auto from = std::make_shared<std::string>();
    const auto [command, options] =
        add("import", "Take over all of a registry: ids, versions, settings, what is deleted",
            [from](RegistryClient&, const SchemaOptions& given) { return import_all(given, *from); });
    auto* url =
        command->add_option("--from", *from, "The address of the registry to take over")->type_name("URL");
    command->add_option("file", options->file, "What `schema export` has printed, - for stdin")
        ->excludes(url);
    options->file = "-";
  }
}

}  // namespace millrace::cli
