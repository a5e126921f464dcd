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

template <typename Files>
auto choose(Files& files, ByteReader& edits) {
  return std::next(files.begin(), edits.le<uint8_t>() % static_cast<ptrdiff_t>(files.size()));
}

class Editor {
 public:
  Editor(Disk& disk, bool forged, ByteReader& edits)
      : disk_(disk), before_(disk), forged_(forged), edits_(edits) {}

  void run() {
    for (int i = 0; i < kMostEdits && edits_.left() > 0 && !disk_.empty(); ++i) {
      const auto what = edits_.le<uint8_t>();
      const auto file = choose(disk_, edits_);
      const size_t place = place_in(file->second);
      if (forged_ && what >= kEdits) {
        write(file->second, place, what % 24);
      } else {
        edit(static_cast<Edit>(what % kEdits), file, place);
      }
    }
  }

 private:
  // A unit, and a byte in it or behind.
  size_t place_in(const std::string& file) {
    const size_t unit = edits_.le<uint16_t>() * kUnit;
    const size_t byte = edits_.le<uint8_t>();
    return file.empty() ? 0 : (unit + byte) % file.size();
  }
  size_t run_at(const std::string& file, size_t place) {
    return std::min(file.size() - place, (edits_.le<uint8_t>() + size_t{1}) * kUnit);
  }

  void edit(Edit what, Disk::iterator file, size_t place) {
    std::string& bytes = file->second;
    switch (what) {
      case Edit::kFlip:
        if (!bytes.empty()) bytes[place] = static_cast<char>(bytes[place] ^ (1 << edits_.le<uint8_t>() % 8));
        return;
      case Edit::kZero:
        std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(place), run_at(bytes, place), '\0');
        return;
      case Edit::kGarbage:
        return garbage(bytes, place);
      case Edit::kCopy:
        return copy(file->first, bytes, place / kUnit * kUnit);
      case Edit::kShorten:
        return bytes.resize(place);
      case Edit::kLengthen:
        return bytes.resize(std::max(bytes.size(), std::min(kLargestFile, bytes.size() + place)));
      case Edit::kRemove:
        disk_.erase(file);
        return;
    }
  }

  void garbage(std::string& bytes, size_t place) {
    Random random(edits_.le<uint16_t>());
    const size_t run = run_at(bytes, place);
    for (size_t i = 0; i < run; ++i) bytes[place + i] = static_cast<char>(random.next());
  }

  // Sectors as they were before all edits: by way of another file a file's own would come back elsewhere.
  void copy(const std::string& path, std::string& bytes, size_t place) {
    const auto from = choose(before_, edits_);
    if (from->first == path && !forged_) return;
    const size_t source = place_in(from->second) / kUnit * kUnit;
    const std::string run = from->second.substr(source, run_at(from->second, source));
    write(bytes, place, run);
  }

  void write(std::string& bytes, size_t place, size_t length) {
    write(bytes, place, edits_.take(std::min(edits_.left(), length)));
  }
  static void write(std::string& bytes, size_t place, std::string_view run) {
    run = run.substr(0, bytes.size() - place);
    bytes.replace(place, run.size(), run);
  }

  Disk& disk_;
  const Disk before_;
  const bool forged_;
  ByteReader& edits_;
};

}  // namespace

void damage(Disk& disk, ByteReader& edits) {
  Editor(disk, false, edits).run();
}

void forge(Disk& disk, ByteReader& edits) {
  Editor(disk, true, edits).run();
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
