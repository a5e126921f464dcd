#include "event-gateway/tls_certificates.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <ctime>
#include <utility>

namespace millrace::gateway {
namespace {

constexpr int64_t kRenewEveryMs = int64_t{12} * 3'600 * 1'000;  // the tickets' keys

}  // namespace

Result<std::unique_ptr<TlsCertificates>> TlsCertificates::open(TlsFiles files, Say say,
                                                               int64_t look_every_ms) {
  std::unique_ptr<TlsCertificates> made(new TlsCertificates(std::move(files), std::move(say), look_every_ms));
  made->taken_ = made->seen_ = made->look();
  TRY_ASSIGN(made->current_, TlsContext::load(made->files_, std::time(nullptr)));
  return made;
}

TlsCertificates::Stamps TlsCertificates::look() const {
  Stamps stamps;
  size_t i = 0;
  for (const auto* path : {&files_.certificate, &files_.key, &files_.client_ca}) {
    struct stat info {};
    Stamp& stamp = stamps[i++];
    if (path->empty() || ::stat(path->c_str(), &info) != 0) continue;
    stamp = {int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec,
             static_cast<int64_t>(info.st_ino), info.st_size};
  }
  return stamps;
}

void TlsCertificates::reload() {
  taken_ = seen_ = look();
  auto loaded = TlsContext::load(files_, std::time(nullptr));
  if (!loaded.ok()) {
    ++refused_;
    return say_(fmt::format("TLS: the new certificate is refused, the old one goes on: {}",
                            loaded.error().to_string()));
  }
  current_ = std::move(*loaded);
  say_(fmt::format("TLS: {} was read anew, valid until {}", files_.certificate,
                   utc_text(current_->expires_s())));
}

void TlsCertificates::tick(int64_t now_ms) {
  if (renew_at_ms_ == 0) renew_at_ms_ = now_ms + kRenewEveryMs;
  if (now_ms < look_at_ms_) return;
  look_at_ms_ = now_ms + look_every_ms_;
  const Stamps before = std::exchange(seen_, look());
  const bool changed = seen_ != taken_ && seen_ == before;
  if (!changed && now_ms < renew_at_ms_) return;
  renew_at_ms_ = now_ms + kRenewEveryMs;
  reload();
}

}  // namespace millrace::gateway
