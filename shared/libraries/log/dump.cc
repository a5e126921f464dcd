#include <algorithm>
#include <cstdio>
#include <ctime>

#include "base/base64.h"
#include "log/batch_schema.h"
#include "log/inspect.h"
#include "log/internal/segment_listing.h"
#include "log/record_batch.h"

namespace millrace::log {
namespace {

// The length of the UTF-8 sequence at the front; 0 if it is not one (RFC 3629).
size_t utf8_length(std::string_view s) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(s[i]); };
  const auto tail = [&](size_t n, uint8_t low, uint8_t high) -> size_t {
    if (s.size() < n || at(1) < low || at(1) > high) return 0;
    for (size_t i = 2; i < n; ++i) {
      if ((at(i) & 0xC0) != 0x80) return 0;
    }
    return n;
  };
  const uint8_t c = at(0);
  if (c < 0x80) return 1;
  if (c >= 0xC2 && c <= 0xDF) return tail(2, 0x80, 0xBF);
  if (c >= 0xE0 && c <= 0xEF) return tail(3, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF);
  if (c >= 0xF0 && c <= 0xF4) return tail(4, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF);
  return 0;
}

bool is_utf8(std::string_view s) {
  while (!s.empty()) {
    const size_t n = utf8_length(s);
    if (n == 0) return false;
    s.remove_prefix(n);
  }
  return true;
}

void put_string(std::string& out, std::string_view s) {
  out += '"';
  for (const char c : s) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<uint8_t>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  out += '"';
}

void put_base64(std::string& out, std::string_view s) {
  out += '"';
  append_base64(out, s);
  out += '"';
}

// ,"key":"…" if the bytes are text, ,"key_base64":"…" if not.
void put_bytes(std::string& out, const char* name, std::string_view bytes) {
  const bool is_text = is_utf8(bytes);
  out += std::string(",\"") + name + (is_text ? "\":" : "_base64\":");
  is_text ? put_string(out, bytes) : put_base64(out, bytes);
}

template <typename T>
void put_number(std::string& out, const char* name, T value) {
  out += std::string(out.back() == '{' ? "\"" : ",\"") + name + "\":" + std::to_string(value);
}

std::string iso_time(int64_t us) {
  const std::time_t seconds = us / 1'000'000;
  std::tm tm{};
  if (us < 0 || ::gmtime_r(&seconds, &tm) == nullptr) return std::to_string(us);
  char date[64];
  const size_t n = std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
  char rest[16];
  std::snprintf(rest, sizeof rest, ".%06dZ", static_cast<int>(us % 1'000'000));
  return std::string(date, n) + rest;
}

std::string kind_name(ControlKind kind) {
  switch (kind) {
    case ControlKind::kStep:
      return "step";
    case ControlKind::kActivation:
      return "activation";
    case ControlKind::kLayout:
      return "layout";
    case ControlKind::kTick:
      return "tick";
    case ControlKind::kIdempotency:
      return "idempotency";
    case ControlKind::kEventIds:
      return "event ids";
    case ControlKind::kLetter:
      return "letter";
    case ControlKind::kTrace:
      return "trace";
    case ControlKind::kSchema:
      return "schema";
    case ControlKind::kStart:
      return "start";
    case ControlKind::kPosition:
      return "position";
    case ControlKind::kLeap:
      return "leap";
  }
  return std::to_string(static_cast<int>(kind));
}

void put_schemas(std::string& out, std::string_view payload) {
  out += ",\"streams\":[";
  for (const BatchSchema& schema : decode_batch_schemas(payload)) {
    out += out.back() == '}' ? ",{" : "{";
    put_number(out, "stream", schema.stream.value);
    put_number(out, "schema_id", schema.id);
    put_number(out, "schema_version", schema.version);
    out += '}';
  }
  out += ']';
}

void put_control(std::string& out, const FrameControl& control) {
  out += "{\"kind\":";
  put_string(out, kind_name(control.kind));
  put_number(out, "bytes", control.payload.size());
  if (control.kind == ControlKind::kSchema) put_schemas(out, control.payload.view());
  std::string_view name;
  std::string_view position;
  if (control.kind == ControlKind::kPosition && decode_position(control.payload.view(), name, position)) {
    put_bytes(out, "name", name);
    put_bytes(out, "position", position);
  }
  out += '}';
}

std::string frame_line(const std::string& segment, const ScannedFrame& f, const Frame& frame) {
  std::string out = "{";
  put_number(out, "frame", f.header.cut.value);
  put_bytes(out, "time", iso_time(f.header.time.value));
  put_bytes(out, "segment", segment);
  put_number(out, "byte", f.position);
  put_number(out, "length", f.header.length);
  put_number(out, "epoch", f.header.epoch);
  put_number(out, "durable", f.header.frontier.value);
  out += ",\"controls\":[";
  for (const auto& control : frame.controls) {
    if (out.back() == '}') out += ',';
    put_control(out, control);
  }
  out += "],\"batches\":[";
  for (const auto& batch : frame.batches) {
    out += out.back() == '}' ? ",{" : "{";
    put_number(out, "stream", batch.where.stream.value);
    put_number(out, "partition", batch.where.partition.value);
    put_number(out, "offset", batch.first.value);
    put_number(out, "records", batch.count);
    put_number(out, "bytes", batch.bytes.size());
    out += '}';
  }
  return out + "]}";
}

std::string record_line(Cut cut, StreamPartition where, const Record& record) {
  std::string out = "{";
  put_number(out, "stream", where.stream.value);
  put_number(out, "partition", where.partition.value);
  put_number(out, "offset", record.offset.value);
  put_number(out, "frame", cut.value);
  put_number(out, "timestamp_ms", record.timestamp_ms);
  record.key ? put_bytes(out, "key", *record.key) : void(out += ",\"key\":null");
  record.has_value ? put_bytes(out, "value", record.value) : void(out += ",\"value\":null");
  return out + "}";
}

class Dump {
 public:
  Dump(const DumpRange& range, const std::function<bool(std::string_view)>& each)
      : range_(range), each_(each) {}

  Result<DumpResult> run(const SegmentListing& listing) {
    for (size_t i = 0; i < listing.candidates.size() && !done_; ++i) {
      const auto& c = listing.candidates[i];
      const auto limit = end_of(c, i + 1 < listing.candidates.size() ? &listing.candidates[i + 1] : nullptr);
      if (c.segment->first > range_.upto) break;
      if (i > 0 && c.segment->first.value > last_.value + 1) {
        unreadable(c.name, 0, Cut(last_.value + 1), Cut(c.segment->first.value - 1));
      }
      last_ = std::max(last_, Cut(c.segment->first.value - 1));
      const bool before = limit && *limit <= range_.from;
      if (!before && (!limit || *limit > c.segment->first)) TRY(segment(c, limit));
      if (limit && c.segment->first < *limit) last_ = std::max(last_, before ? Cut(limit->value - 1) : last_);
    }
    return result_;
  }

 private:
  Status segment(const SegmentCandidate& c, std::optional<Cut> limit) {
    const Segment& s = *c.segment;
    std::optional<uint32_t> previous;
    if (c.header) previous = c.header->previous;
    ScanRequest request{s.id, s.first, s.frames_begin, s.salt, previous, limit, true, nullptr};
    uint64_t end = s.frames_begin;
    auto scanned = scan_segment(*c.file, request, [&](const ScannedFrame& f) -> Status {
      if (f.after_damage) unreadable(c.name, end, Cut(last_.value + 1), Cut(f.header.cut.value - 1));
      TRY(frame(c, f));
      end = f.position + f.header.span();
      return {};
    });
    if (!scanned.ok()) {
      if (done_) return {};
      return std::move(scanned).error();
    }
    if (scanned->last > last_) unreadable(c.name, end, Cut(last_.value + 1), scanned->last);
    return {};
  }

  Status frame(const SegmentCandidate& c, const ScannedFrame& f) {
    last_ = f.header.cut;
    if (last_ > range_.upto || result_.frames >= range_.limit) return stop();
    if (last_ < range_.from) return {};
    TRY_ASSIGN(const auto frame, view_frame(nullptr, f.bytes, f.header, false));
    if (!each_(frame_line(c.name, f, *frame))) return stop();
    ++result_.frames;
    for (const auto& batch : frame->batches) {
      TRY_ASSIGN(const auto view, RecordBatchView::parse(batch.bytes.view(), false));
      RecordBatchView::Cursor cursor(view);
      Record record;
      while (cursor.next(record)) {
        if (!each_(record_line(f.header.cut, batch.where, record))) return stop();
      }
    }
    return {};
  }

  Status stop() {
    done_ = true;
    return error(Code::kCancelled, "MR-LOG-0019", "the dump has what it was asked for");
  }

  void unreadable(const std::string& segment, uint64_t position, Cut first, Cut last) {
    last_ = std::max(last_, last);
    first = std::max(first, range_.from);
    last = std::min(last, range_.upto);
    if (first > last || done_) return;
    result_.unreadable += last.value - first.value + 1;
    std::string out = "{";
    put_number(out, "unreadable", first.value);
    put_number(out, "upto", last.value);
    put_bytes(out, "segment", segment);
    put_number(out, "byte", position);
    if (!each_(out + "}")) done_ = true;
  }

  const DumpRange& range_;
  const std::function<bool(std::string_view)>& each_;
  DumpResult result_;
  Cut last_;
  bool done_ = false;
};

}  // namespace

Result<DumpResult> dump(Files& files, const std::string& directory, const DumpRange& range,
                        const std::function<bool(std::string_view line)>& each) {
  TRY_ASSIGN(const auto listing, list_segments(files, directory, true));
  return Dump(range, each).run(listing);
}

}  // namespace millrace::log
