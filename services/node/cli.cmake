# The command line's client side. Included by this folder's CMakeLists.txt.
find_package(nlohmann_json REQUIRED)
find_package(simdjson REQUIRED)
millrace_library(cli SOURCES answer_row.cc table.cc cli_common.cc cli_sql.cc cli_produce.cc cli_consume.cc cli_log.cc
          cli_query_tests.cc cli_completion.cc cli_doctor.cc cli_resources.cc cli_dead_letters.cc resource_printer.cc csv.cc doctor.cc doctor_disk.cc doctor_machine.cc progress.cc
  LINKS millrace_node millrace_query_tests millrace_http millrace_http_client millrace_bench simdjson::simdjson)
target_compile_definitions(millrace_cli PUBLIC MILLRACE_VERSION="${PROJECT_VERSION}")
millrace_test(cli_test SOURCES csv_test.cc table_test.cc line_splitter_test.cc progress_test.cc doctor_test.cc LINKS millrace_cli)
