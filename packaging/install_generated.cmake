# What an installation makes: manual pages and completions by the binary itself, the unit with its path, the configuration.
# Run by `cmake --install`, with MILLRACE_BINARY and MILLRACE_PACKAGING set.
set(root "$ENV{DESTDIR}")
set(prefix "${root}${CMAKE_INSTALL_PREFIX}")

function(run_binary output)
  execute_process(COMMAND ${MILLRACE_BINARY} ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

set(pages "${CMAKE_CURRENT_BINARY_DIR}/man")
file(REMOVE_RECURSE "${pages}")
file(MAKE_DIRECTORY "${pages}")
run_binary(said man --to "${pages}")
file(GLOB written "${pages}/*")
execute_process(COMMAND gzip -9n ${written} COMMAND_ERROR_IS_FATAL ANY)
foreach(section 1 5)
  file(GLOB of_section "${pages}/*.${section}.gz")
  file(INSTALL ${of_section} DESTINATION "${CMAKE_INSTALL_PREFIX}/share/man/man${section}")  # it adds DESTDIR itself
endforeach()

function(install_completion shell path)
  run_binary(script completion ${shell})
  file(WRITE "${prefix}/${path}" "${script}")
endfunction()
install_completion(bash share/bash-completion/completions/millrace)
install_completion(zsh share/zsh/vendor-completions/_millrace)
install_completion(fish share/fish/vendor_completions.d/millrace.fish)

set(bin "${CMAKE_INSTALL_PREFIX}/bin")
configure_file("${MILLRACE_PACKAGING}/millrace.service.in" "${prefix}/lib/systemd/system/millrace.service" @ONLY)

run_binary(example config example)
string(REPLACE "\n#data: \"./data\"\n" "\ndata: \"/var/lib/millrace\"\n" example "${example}")
file(WRITE "${prefix}/share/doc/millrace/millrace.yaml" "${example}")
if(NOT EXISTS "${root}/etc/millrace/millrace.yaml")
  file(WRITE "${root}/etc/millrace/millrace.yaml" "${example}")
endif()
