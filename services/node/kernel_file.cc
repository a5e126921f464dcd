#include "node/kernel_file.h"

namespace millrace::node {

Result<std::string> read_kernel_file(Files& files, const std::string& path) {
  TRY_ASSIGN(auto file, files.open(path, Files::Open::kRead));
  std::string text(4096, '\0');
  TRY_ASSIGN(const size_t got, file->read_at(0, text.data(), text.size()));
  text.resize(got);
  return text;
}

}  // namespace millrace::node
