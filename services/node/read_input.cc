#include "node/read_input.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "node/cli.h"

namespace millrace::cli {
namespace {

Result<std::string> read_all(std::FILE* in, const std::string& name, size_t most) {
  std::string text;
  char piece[64 << 10];
  while (text.size() <= most) {
    const size_t n = std::fread(piece, 1, sizeof piece, in);
    text.append(piece, n);
    if (n > 0) continue;
    if (std::ferror(in) == 0) break;
    return error(Code::kUnavailable, "MR-CLI-0011",
                 fmt::format("cannot read {}: {}", name, std::generic_category().message(errno)));
  }
  return text;
}

}  // namespace

Result<std::string> read_input(const std::string& file, size_t most) {
  if (file == "-") return read_all(stdin, "the input", most);
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> in(std::fopen(file.c_str(), "rb"), &std::fclose);
  if (in == nullptr) return cannot_open(file, errno);
  return read_all(in.get(), file, most);
}

}  // namespace millrace::cli
