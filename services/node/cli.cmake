# The command line's client side. Included by this folder's CMakeLists.txt.
find_package(nlohmann_json REQUIRED)
find_package(simdjson REQUIRED)
pkg_check_modules(EDIT REQUIRED IMPORTED_TARGET libedit)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
millrace_library(cli SOURCES answer_row.cc table.cc cli_common.cc cli_sql.cc cli_produce.cc cli_consume.cc cli_log.cc
          cli_query_tests.cc cli_completion.cc cli_doctor.cc cli_demo.cc cli_resources.cc cli_top.cc csv.cc demo_server.cc demo_shop.cc doctor.cc doctor_disk.cc doctor_machine.cc progress.cc row_printer.cc
          top_page.cc top_sample.cc
          shell/completion.cc shell/history_file.cc shell/line_editor.cc shell/session.cc shell/shell.cc shell/shell_commands.cc shell/signals.cc
          shell/statement_buffer.cc shell/statement_help.cc shell/terminal.cc
  LINKS millrace_node millrace_query_tests millrace_http millrace_http_client millrace_bench simdjson::simdjson PkgConfig::EDIT PkgConfig::UTF8PROC)
target_compile_definitions(millrace_cli PUBLIC MILLRACE_VERSION="${PROJECT_VERSION}")
millrace_test(cli_test SOURCES csv_test.cc table_test.cc line_splitter_test.cc progress_test.cc doctor_test.cc LINKS millrace_cli)
millrace_test(shell_test SOURCES shell/completion_test.cc shell/history_file_test.cc shell/statement_buffer_test.cc top_test.cc LINKS millrace_cli)
