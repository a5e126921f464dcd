#include "tests/fuzz/disk.h"

#include <algorithm>

#include "base/random.h"
#include "tests/fuzz/require.h"

namespace millrace::fuzz {
namespace {

constexpr int kMostEdits = 64;
constexpr size_t kUnit = 64;  // of places and lengths: frames begin on it
constexpr size_t kLargestFile = 1u << 20;

enum class Edit : uint8_t { kFlip, kZero, kGarbage, kCopy, kShorten, kLengthen, kRemove };
constexpr uint8_t kEdits = 7;

std::string& file_of(Disk& disk, uint8_t number) {
  return std::next(disk.begin(), number % static_cast<ptrdiff_t>(disk.size()))->second;
}

// A place in the file: a unit and a byte in or behind it.
size_t place_in(const std::string& file, ByteReader& edits) {
  const size_t unit = edits.le<uint16_t>() * kUnit;
  const size_t byte = edits.le<uint8_t>();
  return file.empty() ? 0 : (unit + byte) % file.size();
}

size_t run_at(const std::string& file, size_t place, ByteReader& edits) {
  return std::min(file.size() - place, (edits.le<uint8_t>() + size_t{1}) * kUnit);
}

void copy(Disk& disk, std::string& to, size_t place, bool within, ByteReader& edits) {
  const std::string& from = file_of(disk, edits.le<uint8_t>());
  if (&from == &to && !within) return;
  const size_t source = place_in(from, edits) / kUnit * kUnit;
  place = place / kUnit * kUnit;
  const std::string run = from.substr(source, run_at(from, source, edits));
  to.replace(place, std::min(run.size(), to.size() - place), run, 0, std::min(run.size(), to.size() - place));
}

void edit(Disk& disk, Edit what, bool forged, ByteReader& edits) {
  const uint8_t number = edits.le<uint8_t>();
  std::string& file = file_of(disk, number);
  const size_t place = place_in(file, edits);
  switch (what) {
    case Edit::kFlip:
      if (!file.empty()) file[place] = static_cast<char>(file[place] ^ (1 << edits.le<uint8_t>() % 8));
      return;
    case Edit::kZero:
      std::fill_n(file.begin() + static_cast<ptrdiff_t>(place), run_at(file, place, edits), '\0');
      return;
    case Edit::kGarbage: {
      Random random(edits.le<uint16_t>());
      const size_t run = run_at(file, place, edits);
      for (size_t i = 0; i < run; ++i) file[place + i] = static_cast<char>(random.next());
      return;
    }
    case Edit::kCopy:
      return copy(disk, file, place, forged, edits);
    case Edit::kShorten:
      return file.resize(place);
    case Edit::kLengthen:
      return file.resize(std::max(file.size(), std::min(kLargestFile, file.size() + place)));
    case Edit::kRemove:
      disk.erase(std::next(disk.begin(), number % static_cast<ptrdiff_t>(disk.size())));
      return;
  }
}

}  // namespace

void damage(Disk& disk, ByteReader& edits) {
  for (int i = 0; i < kMostEdits && edits.left() > 0 && !disk.empty(); ++i) {
    edit(disk, static_cast<Edit>(edits.le<uint8_t>() % kEdits), false, edits);
  }
}

void forge(Disk& disk, ByteReader& edits) {
  for (int i = 0; i < kMostEdits && edits.left() > 0 && !disk.empty(); ++i) {
    const uint8_t what = edits.le<uint8_t>();
    if (what < kEdits) {
      edit(disk, static_cast<Edit>(what), true, edits);
      continue;
    }
    std::string& file = file_of(disk, edits.le<uint8_t>());
    const size_t place = place_in(file, edits);
    const std::string_view bytes = edits.take(std::min<size_t>(edits.left(), what % 24));
    const size_t fits = std::min(bytes.size(), file.size() - place);
    file.replace(place, fits, bytes.substr(0, fits));
  }
}

Disk read_disk(Files& files, const std::string& directory) {
  Disk disk;
  auto names = files.list(directory);
  require(names.ok(), "the folder can be listed");
  for (const std::string& name : *names) {
    auto bytes = read_whole_file(files, directory + "/" + name, kLargestFile);
    if (bytes.ok()) disk.emplace(directory + "/" + name, std::move(*bytes));
  }
  return disk;
}

void write_disk(Files& files, const std::string& directory, const Disk& disk) {
  bool done = files.make_directories(directory).ok();
  for (const auto& [path, bytes] : disk) {
    auto file = files.open(path, Files::Open::kWrite);
    done = done && file.ok() && (*file)->write_at(0, bytes).ok() && (*file)->sync().ok();
  }
  require(done && files.sync_directory(directory).ok(), "the simulated disk takes the files");
}

}  // namespace millrace::fuzz
