// millrace schema: a schema registry at a command line, this one's or another's: register, get, list, check, delete, export, import.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <set>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "node/cli.h"
#include "node/resource_printer.h"
#include "node/schema_copy.h"

namespace millrace::cli {
namespace {

constexpr const char* kAddress = "http://127.0.0.1:8081";

struct SchemaOptions {
  ServerOptions server, from;
  std::string subject, version = "latest", file, type = "AVRO", prefix;
  std::vector<std::string> references;
  bool permanent = false, normalize = false, deleted = false, whole = false;
};

Result<std::string> text_of_file(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream in(path, std::ios::binary);
  if (!in) return cannot_open(path, errno);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string subject_path(const SchemaOptions& o) {
  return "/subjects/" + percent_encode(o.subject);
}

// NAME=SUBJECT:VERSION
Result<Json> reference_of(const std::string& text) {
  const size_t equals = text.find('='), colon = text.rfind(':');
  Json version = Json::parse(colon == std::string::npos ? "" : text.substr(colon + 1), nullptr, false);
  if (equals == std::string::npos || colon < equals || !version.is_number_integer()) {
    return error(Code::kInvalid, "MR-CLI-0050", fmt::format("\"{}\" is no reference", text),
                 "write --reference NAME=SUBJECT:VERSION");
  }
  return Json{{"name", text.substr(0, equals)},
              {"subject", text.substr(equals + 1, colon - equals - 1)},
              {"version", std::move(version)}};
}

Result<Json> candidate_of(const SchemaOptions& o) {
  TRY_ASSIGN(std::string text, text_of_file(o.file));
  Json body{{"schemaType", o.type}, {"schema", std::move(text)}};
  for (const auto& one : o.references) {
    TRY_ASSIGN(Json reference, reference_of(one));
    body["references"].push_back(std::move(reference));
  }
  return body;
}

Status run_register(HttpClient& client, const SchemaOptions& o) {
  TRY_ASSIGN(const Json body, candidate_of(o));
  const char* query = o.normalize ? "?normalize=true" : "";
  TRY_ASSIGN(const Json made, call_registry(client, "POST", subject_path(o) + "/versions" + query, body));
  fmt::print("{}\n", made.value("id", 0));
  return {};
}

Status run_check(HttpClient& client, const SchemaOptions& o) {
  TRY_ASSIGN(const Json body, candidate_of(o));
  TRY_ASSIGN(
      const Json verdict,
      call_registry(client, "POST", "/compatibility" + subject_path(o) + "/versions?verbose=true", body));
  if (verdict.value("is_compatible", false)) {
    fmt::print("compatible\n");
    return {};
  }
  std::string why;
  for (const auto& one : verdict.value("messages", Json::array())) why += "\n  " + one.get<std::string>();
  return error(Code::kConflict, "MR-CLI-0051",
               fmt::format("the schema is not compatible with \"{}\":{}", o.subject, why),
               "millrace schema get shows the version that it was held against");
}

Status run_get(HttpClient& client, const SchemaOptions& o) {
  TRY_ASSIGN(const Json version, call_registry(client, "GET", subject_path(o) + "/versions/" + o.version));
  if (o.whole) {
    fmt::print("{}\n", version.dump(2));
  } else {
    fmt::print("{}\n", version.value("schema", ""));
  }
  return {};
}

Status run_list(HttpClient& client, const SchemaOptions& o) {
  const std::string query = fmt::format("?deleted={}", o.deleted);
  std::string path = "/subjects" + query;
  if (!o.prefix.empty()) path += "&subjectPrefix=" + percent_encode(o.prefix);
  if (!o.subject.empty()) path = subject_path(o) + "/versions" + query;
  TRY_ASSIGN(const Json names, call_registry(client, "GET", path));
  for (const auto& one : names) fmt::print("{}\n", one.is_string() ? one.get<std::string>() : one.dump());
  return {};
}

Status run_delete(HttpClient& client, const SchemaOptions& o) {
  std::string path = subject_path(o);
  if (o.version != "all") path += "/versions/" + o.version;
  TRY_ASSIGN(const Json gone, call_registry(client, "DELETE", path + (o.permanent ? "?permanent=true" : "")));
  fmt::print("{}\n", gone.dump());
  return {};
}

Status run_export(HttpClient& client, const SchemaOptions&) {
  TRY_ASSIGN(const auto lines, export_registry(client));
  for (const auto& line : lines) fmt::print("{}\n", line.dump());
  return {};
}

Result<std::vector<Json>> read_export(const SchemaOptions& o) {
  if (!o.from.url.empty()) {
    TRY_ASSIGN(const auto source, open_client(o.from));
    return export_registry(*source);
  }
  TRY_ASSIGN(const std::string text, text_of_file(o.file));
  return parse_export(text);
}

Status run_import(HttpClient& client, const SchemaOptions& o) {
  TRY_ASSIGN(const auto lines, read_export(o));
  TRY_ASSIGN(const size_t count, import_registry(client, lines));
  fmt::print(stderr, "imported {} versions\n", count);
  return {};
}

using Run = Status (*)(HttpClient&, const SchemaOptions&);

std::shared_ptr<SchemaOptions> add(CLI::App& parent, const char* word, const char* what, Run run,
                                   int& exit_code) {
  CLI::App* command = parent.add_subcommand(word, what);
  auto options = std::make_shared<SchemaOptions>();
  options->server.url = kAddress;
  add_server_options(*command, options->server);
  command->get_option("--server")->envname("MILLRACE_SCHEMA_REGISTRY");
  command->callback([options, run, &exit_code] {
    exit_code = with_client(options->server, [&](HttpClient& client) { return run(client, *options); });
  });
  return options;
}

void add_subject(CLI::App& parent, const char* word, SchemaOptions& o, bool required) {
  auto* option = parent.get_subcommand(word)->add_option("subject", o.subject, "The subject's name");
  if (required) option->required();
}

void add_candidate(CLI::App& parent, const char* word, SchemaOptions& o) {
  CLI::App* command = parent.get_subcommand(word);
  command->add_option("file", o.file, "File of the schema's text; -: standard input")->required();
  command->add_option("--type", o.type, "The schema's format")
      ->check(CLI::IsMember({"AVRO", "JSON", "PROTOBUF"}))
      ->capture_default_str();
  command
      ->add_option("--reference", o.references, "NAME=SUBJECT:VERSION, what the text refers to; repeatable")
      ->type_name("REFERENCE");
}

}  // namespace

void add_schema_command(CLI::App& app, int& exit_code) {
  CLI::App& schema = *app.add_subcommand("schema", "Schemas in a registry");
  schema.require_subcommand(1);
  auto made = add(schema, "register", "Register a schema; prints its id", run_register, exit_code);
  add_subject(schema, "register", *made, true);
  add_candidate(schema, "register", *made);
  schema.get_subcommand("register")->add_flag("--normalize", made->normalize, "In its normal form");
  auto got = add(schema, "get", "Print a version's text", run_get, exit_code);
  add_subject(schema, "get", *got, true);
  schema.get_subcommand("get")->add_option("version", got->version, "Its number")->capture_default_str();
  schema.get_subcommand("get")->add_flag("--all", got->whole, "All that the registry says of it, as JSON");
  auto list = add(schema, "list", "The subjects, or the versions of one", run_list, exit_code);
  add_subject(schema, "list", *list, false);
  schema.get_subcommand("list")->add_option("--prefix", list->prefix, "Subjects that begin so");
  schema.get_subcommand("list")->add_flag("--deleted", list->deleted, "Soft-deleted ones, too");
  auto check = add(schema, "check", "Whether a schema may follow", run_check, exit_code);
  add_subject(schema, "check", *check, true);
  add_candidate(schema, "check", *check);
  auto gone = add(schema, "delete", "Delete a version, or all", run_delete, exit_code);
  add_subject(schema, "delete", *gone, true);
  schema.get_subcommand("delete")->add_option("version", gone->version, "Its number, or all")->required();
  schema.get_subcommand("delete")->add_flag("--permanent", gone->permanent,
                                            "For good; it has to be deleted softly before");
  add(schema, "export", "Print everything, a JSON object a line", run_export, exit_code);
  auto in = add(schema, "import", "Take over another registry with its ids, versions, config and deletes",
                run_import, exit_code);
  CLI::App* import = schema.get_subcommand("import");
  auto* from = import->add_option("--from", in->from.url, "The other registry's address");
  import->add_option("--from-token-file", in->from.token_file, "A file whose first line is its token");
  import->add_option("file", in->file, "What export has printed; -: standard input")->excludes(from);
  import->require_option(1, 0);
}

}  // namespace millrace::cli
