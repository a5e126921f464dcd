# Writes metaschemas.cc, with every file of metaschemas/ by its URI: cmake -DFROM=… -DTO=… -P embed_metaschemas.cmake
file(GLOB_RECURSE files RELATIVE ${FROM} ${FROM}/*.json)
set(rows "")
foreach(file ${files})
  file(READ ${FROM}/${file} text)
  string(REGEX REPLACE "\\.json$" "" uri ${file})
  if(uri MATCHES "^draft/")
    set(uri "https://json-schema.org/${uri}")
  else()
    set(uri "http://json-schema.org/${uri}")
  endif()
  string(APPEND rows "    {\"${uri}\", R\"json(${text})json\"},\n")
endforeach()
file(WRITE ${TO} "#include \"json-schema/metaschemas.h\"

namespace millrace::json_schema {

namespace {
constexpr struct {
  std::string_view uri;
  std::string_view text;
} kMetaschemas[] = {
${rows}};
}  // namespace

std::string_view metaschema_text(std::string_view uri) {
  for (const auto& metaschema : kMetaschemas) {
    if (metaschema.uri == uri) return metaschema.text;
  }
  return {};
}

}  // namespace millrace::json_schema
")
