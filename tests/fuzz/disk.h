// Disk: files as bytes, and the edits that an input makes to them. An input is a list of edits, so that a few
// bytes reach any place of a valid file, and most inputs still are nearly valid.
#pragma once

#include <map>
#include <string>

#include "base/bytes.h"
#include "base/files.h"
#include "sim/sim_files.h"

namespace millrace::fuzz {

using Disk = std::map<std::string, std::string>;  // path -> content

// What disks do by themselves: flipped bits, zeros, garbage, sectors of another file, files cut short or gone.
// Nothing of it makes a checksum hold: garbage is drawn from a number of 16 bits, an input cannot choose it.
void damage(Disk& disk, ByteReader& edits);
// What takes a forger: any bytes anywhere, sectors of the same file in another place, and damage.
void forge(Disk& disk, ByteReader& edits);

Disk read_disk(Files& files, const std::string& directory);
void write_disk(Files& files, const std::string& directory, const Disk& disk);

}  // namespace millrace::fuzz
