// CsvEvents: records of CSV as events in JSON, a line each, by the types that a stream declares.
//
// An empty field is NULL, "" is an empty text. What does not read as a column's type is sent as a text: the server refuses it,
// and says why.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "node/csv_reader.h"

namespace millrace::cli {

struct StreamColumn {
  std::string name;
  std::string type;  // as DESCRIBE tells it
};

class CsvEvents {
 public:
  // Columns in the header's order. MR-CLI-0031: the header names one that the stream does not have, or one twice.
  static Result<CsvEvents> of_header(const CsvRecord& header, const std::vector<StreamColumn>& columns);

  // Appends a line. MR-CLI-0030: it has not as many fields as the header.
  Status append(const CsvRecord& record, std::string& out) const;

 private:
  std::vector<StreamColumn> columns_;
};

}  // namespace millrace::cli
