#include "event-gateway/output_schema.h"

#include "avro/record_schema.h"
#include "protobuf/message_file.h"

namespace millrace::gateway {
namespace {

// ":.context:orders-value": orders. Not the query's name: another query goes on with the subject where one ends.
std::string_view record_name(std::string_view subject) {
  subject.remove_prefix(subject.rfind(':') + 1);
  for (const std::string_view suffix : {"-value", "-key"})
    if (subject.size() > suffix.size() && subject.ends_with(suffix))
      return subject.substr(0, subject.size() - suffix.size());
  return subject;
}

}  // namespace

OutputSchema output_schema_of(const engine::QueryPlan& plan) {
  const auto columns = plan.row_columns();
  const std::string& subject = plan.encoded.schema.subject;
  if (plan.encoded.encoding == engine::RowEncoding::kAvro)
    return {subject, "AVRO", avro::record_schema(columns, record_name(subject))};
  return {subject, "PROTOBUF", protobuf::message_file(columns, record_name(subject))};
}

}  // namespace millrace::gateway
