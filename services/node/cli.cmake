# The command line's client side. Included by this folder's CMakeLists.txt.
find_package(nlohmann_json REQUIRED)
find_package(simdjson REQUIRED)
find_package(yaml-cpp REQUIRED)
pkg_check_modules(EDIT REQUIRED IMPORTED_TARGET libedit)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
millrace_library(cli SOURCES answer_row.cc table.cc cli_common.cc cli_sql.cc cli_produce.cc csv.cc csv_events.cc csv_reader.cc produce_input.cc read_input.cc cli_consume.cc cli_log.cc
          cli_query_tests.cc cli_completion.cc cli_config.cc cli_man.cc cli_resources.cc resource_printer.cc cli_dead_letters.cc cli_schema.cc json_members.cc registry_client.cc schema_transfer.cc schema_verdict.cc text_diff.cc cli_tokens.cc cli_audit.cc command_tree.cc man_page.cc man_pages.cc config_file.cc configuration.cc serve_options.cc serve_settings.cc setting.cc
          cli_backup.cc backup_folder.cc backup_manifest.cc node_copy.cc registry_check.cc restore.cc sha256.cc
          cli_doctor.cc doctor.cc doctor_disk.cc doctor_machine.cc progress.cc
          cli_demo.cc demo_server.cc demo_shop.cc cli_top.cc top_page.cc top_sample.cc row_printer.cc
          shell/completion.cc shell/history_file.cc shell/line_editor.cc shell/session.cc shell/shell.cc shell/shell_commands.cc shell/signals.cc
          shell/statement_buffer.cc shell/statement_help.cc shell/terminal.cc
  LINKS millrace_node millrace_http millrace_schema_registry_formats millrace_query_tests millrace_http_client millrace_bench simdjson::simdjson yaml-cpp PkgConfig::EDIT PkgConfig::UTF8PROC
  ALONE backup_folder.cc cli_audit.cc cli_dead_letters.cc cli_demo.cc cli_schema.cc)
target_compile_definitions(millrace_cli PUBLIC MILLRACE_VERSION="${PROJECT_VERSION}")
millrace_test(cli_test SOURCES table_test.cc csv_test.cc csv_events_test.cc line_splitter_test.cc progress_test.cc text_diff_test.cc doctor_test.cc LINKS millrace_cli)
millrace_test(backup_test SOURCES backup_test.cc LINKS millrace_cli millrace_sim_files)
millrace_test(shell_test SOURCES shell/completion_test.cc shell/history_file_test.cc shell/statement_buffer_test.cc top_test.cc LINKS millrace_cli)
