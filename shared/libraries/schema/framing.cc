#include "schema/framing.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace millrace::schema {

namespace {

constexpr char kById = 0, kByGuid = 1;
constexpr std::string_view kHint =
    "serialize with a client of the schema registry, or name the schema in a header";

Error cut_off(size_t needed, size_t there) {
  return error(Code::kInvalid, "MR-FRAME-0002",
               fmt::format("the value's framing needs {} bytes, there are {}", needed, there),
               std::string(kHint));
}

// Where the digits of a byte stand in a GUID's text.
constexpr std::array<size_t, 16> kPlaces = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::string to_string(const SchemaGuid& guid) {
  std::string out(36, '-');
  for (size_t i = 0; i < kPlaces.size(); ++i)
    fmt::format_to_n(out.data() + kPlaces[i], 2, "{:02x}", static_cast<unsigned char>(guid.bytes[i]));
  return out;
}

std::string to_string(const WriterSchema& writer) {
  if (const auto* id = std::get_if<SchemaId>(&writer)) return std::to_string(*id);
  return to_string(std::get<SchemaGuid>(writer));
}

Result<SchemaGuid> parse_guid(std::string_view text) {
  SchemaGuid guid;
  bool good = text.size() == 36 && std::count(text.begin(), text.end(), '-') == 4;
  for (size_t i = 0; good && i < kPlaces.size(); ++i) {
    const int high = digit(text[kPlaces[i]]), low = digit(text[kPlaces[i] + 1]);
    good = high >= 0 && low >= 0;
    guid.bytes[i] = static_cast<char>(high << 4 | low);
  }
  if (!good)
    return error(Code::kInvalid, "MR-FRAME-0003", "this is no GUID of a schema",
                 "like 89791762-2336-4186-9674-299b90a802e2");
  return guid;
}

Result<Framed> parse_framing(std::string_view bytes) {
  if (bytes.empty()) return cut_off(5, 0);
  if (bytes[0] == kById) {
    if (bytes.size() < 5) return cut_off(5, bytes.size());
    return Framed{load_be<SchemaId>(bytes.data() + 1), bytes.substr(5)};
  }
  if (bytes[0] != kByGuid)
    return error(Code::kInvalid, "MR-FRAME-0001",
                 fmt::format("the value begins with the byte {:#04x}: no schema is named",
                             static_cast<unsigned char>(bytes[0])),
                 std::string(kHint));
  if (bytes.size() < 17) return cut_off(17, bytes.size());
  SchemaGuid guid;
  std::copy_n(bytes.data() + 1, guid.bytes.size(), guid.bytes.data());
  return Framed{guid, bytes.substr(17)};
}

void append_framing(std::string& out, const WriterSchema& schema) {
  if (const auto* id = std::get_if<SchemaId>(&schema)) {
    out += kById;
    append_be(out, *id);
  } else {
    const auto& guid = std::get<SchemaGuid>(schema);
    out += kByGuid;
    out.append(guid.bytes.data(), guid.bytes.size());
  }
}

}  // namespace millrace::schema
