// Sha256: the digest of bytes that come in pieces.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace millrace::cli {

class Sha256 {
 public:
  Sha256();
  void add(std::string_view piece);
  std::string hex();  // once: lower case, 64 digits

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string sha256_hex(std::string_view bytes);

}  // namespace millrace::cli
