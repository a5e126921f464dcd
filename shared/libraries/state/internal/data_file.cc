#include "state/internal/data_file.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <tuple>

#include "base/crc32c.h"
#include "state/internal/blob_page.h"
#include "state/internal/row_page.h"

namespace millrace::state::internal {

namespace {
constexpr uint64_t kReadBytes = 1 << 20;
constexpr uint64_t kReadGap = 32 * 1024;  // cheaper to read over than to start again

Error damaged(const StoredPage& page, std::string_view what) {
  return error(Code::kCorrupt, "MR-STATE-0003",
               "page " + std::to_string(page.id) + " of a snapshot is damaged: " + std::string(what) +
                   " (data file " + std::to_string(page.file) + ", offset " + std::to_string(page.offset) +
                   ")",
               "the snapshot before it is used; its state is worked out again from the journal");
}

Result<PagePtr> checked_page(const StoredPage& stored, std::string_view bytes) {
  if (crc32c(0, bytes) != stored.crc) return damaged(stored, "its checksum does not hold");
  PagePtr page(Page::make(stored.capacity));
  std::memcpy(page->data(), bytes.data(), bytes.size());
  const std::string_view content(page->data(), bytes.size());
  if (!is_row_page(content) && !is_blob_page(content)) return damaged(stored, "it is neither rows nor blobs");
  return page;
}

// Where the run of pages that one read takes ends.
size_t run_end(const std::vector<StoredPage>& pages, size_t first) {
  size_t end = first + 1;
  uint64_t reach = pages[first].offset + pages[first].length;
  while (end < pages.size() && pages[end].file == pages[first].file &&
         pages[end].offset <= reach + kReadGap &&
         pages[end].offset + pages[end].length <= pages[first].offset + kReadBytes) {
    reach = std::max(reach, pages[end].offset + pages[end].length);
    ++end;
  }
  return end;
}
}  // namespace

std::string data_file_path(const std::string& directory, uint32_t number) {
  return directory + "/pages-" + std::to_string(number) + ".data";
}

DataFileWriter::DataFileWriter(std::shared_ptr<File> file, uint32_t number)
    : file_(std::move(file)),
      number_(number),
      piece_(static_cast<char*>(std::aligned_alloc(kDirectAlignment, kPieceBytes))) {
  CHECK(piece_ != nullptr, "out of memory for a snapshot's piece");
}

DataFileWriter::~DataFileWriter() {
  std::free(piece_);
}

Result<std::unique_ptr<DataFileWriter>> DataFileWriter::create(Files& files, const std::string& directory,
                                                               uint32_t number) {
  TRY_ASSIGN(auto file, files.open(data_file_path(directory, number), Files::Open::kDirectWrite));
  return std::unique_ptr<DataFileWriter>(new DataFileWriter(std::move(file), number));
}

Status DataFileWriter::flush(size_t bytes) {
  TRY(file_->write_at(end_, std::string_view(piece_, bytes)));
  end_ += bytes;
  filled_ = 0;
  return {};
}

Result<StoredPage> DataFileWriter::append(PageId id, const Page& page) {
  const std::string_view content(page.data(), page.used());
  const StoredPage stored{id, page.capacity, number_, bytes(), page.used(), crc32c(0, content)};
  for (size_t done = 0; done < content.size();) {
    const size_t part = std::min(content.size() - done, kPieceBytes - filled_);
    std::memcpy(piece_ + filled_, content.data() + done, part);
    filled_ += part;
    done += part;
    if (filled_ == kPieceBytes) TRY(flush(kPieceBytes));
  }
  return stored;
}

Status DataFileWriter::finish() {
  if (filled_ > 0) {
    const size_t whole = (filled_ + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment;
    std::memset(piece_ + filled_, 0, whole - filled_);
    TRY(flush(whole));
  }
  return file_->sync();
}

Status read_pages(Files& files, const std::string& directory, std::vector<StoredPage> pages,
                  const std::function<void(const StoredPage&, PagePtr)>& take) {
  std::sort(pages.begin(), pages.end(), [](const StoredPage& a, const StoredPage& b) {
    return std::tie(a.file, a.offset) < std::tie(b.file, b.offset);
  });
  std::shared_ptr<File> file;
  std::string bytes;
  for (size_t first = 0; first < pages.size();) {
    if (first == 0 || pages[first].file != pages[first - 1].file) {
      TRY_ASSIGN(file, files.open(data_file_path(directory, pages[first].file), Files::Open::kRead));
    }
    const size_t end = run_end(pages, first);
    const uint64_t from = pages[first].offset;
    uint64_t reach = from;
    for (size_t i = first; i < end; ++i) reach = std::max(reach, pages[i].offset + pages[i].length);
    bytes.resize(reach - from);
    TRY_ASSIGN(const size_t got, file->read_at(from, bytes.data(), bytes.size()));
    for (; first < end; ++first) {
      const StoredPage& stored = pages[first];
      if (stored.offset - from + stored.length > got) return damaged(stored, "the file ends before it");
      TRY_ASSIGN(auto page,
                 checked_page(stored, std::string_view(bytes).substr(stored.offset - from, stored.length)));
      take(stored, std::move(page));
    }
  }
  return {};
}

}  // namespace millrace::state::internal
