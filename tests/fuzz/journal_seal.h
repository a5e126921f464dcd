// Makes the checksums of forged files hold again, as docs/formats/journal.md has them: what lies behind a
// checksum is reached only by inputs that get past it, and no fuzzer finds a CRC by chance.
#pragma once

#include "tests/fuzz/disk.h"

namespace millrace::fuzz {

// Header blocks, carries, record batches, frames and their chain, indexes, trailers.
void seal_journal(Disk& disk);
void seal_record_batch(char* batch, size_t length);

}  // namespace millrace::fuzz
