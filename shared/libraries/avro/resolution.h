// Resolution: how data of a writer's schema become data of a reader's, worked out once.
//
// Why:        which field, branch or symbol means which is the same for every datum; only the values differ.
// Owns:       its steps, and both schemas. Immutable; shared by any thread.
// Invariants: a step for each pair of types that meet; recursive types make circles of steps. A pair that does not
//             fit is a step that fails when a datum comes to it: the specification allows data that never do.
// Errors:     MR-AVRO-0013 the schemas do not fit at their roots, MR-AVRO-0009 over kMaxSteps or as much work.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "avro/avro_schema.h"

namespace millrace::avro {

inline constexpr size_t kMaxSteps = 250'000;

struct Step;

// What becomes of one of the writer's fields.
struct FieldStep {
  const Field* written = nullptr;
  const Field* field = nullptr;  // the reader's; nullptr: it is skipped
  const Step* step = nullptr;    // nullptr: likewise
};

// A reader's field that the writer does not have.
struct MissingField {
  const Field* field = nullptr;
  const Step* step = nullptr;  // reads the default
  std::string value;           // in binary
};

struct Step {
  enum class Action : uint8_t {
    kValue,  // of a type without parts, promoted if writer and reader differ
    kParts,  // an array or a map
    kRecord,
    kChoose,   // the writer has a union: its branches' steps
    kEnclose,  // the reader has a union, and this is its branch
    kFail
  };

  Action action = Action::kValue;
  const Node* writer = nullptr;
  const Node* reader = nullptr;       // of kEnclose: the branch
  const Step* inner = nullptr;        // of the parts, or of the branch
  std::vector<const Step*> branches;  // of kChoose
  std::vector<int32_t> symbols;       // of an enum: the reader's for each of the writer's; -1: none
  std::vector<FieldStep> fields;      // of kRecord, in the writer's order
  std::vector<MissingField> missing;
  std::string reason;  // of kFail
};

class Resolution {
 public:
  static Result<std::shared_ptr<const Resolution>> make(std::shared_ptr<const AvroSchema> writer,
                                                        std::shared_ptr<const AvroSchema> reader);
  const Step& root() const { return *root_; }
  size_t bytes() const { return bytes_; }  // about what it holds beside the schemas

 private:
  Resolution() = default;

  std::shared_ptr<const AvroSchema> writer_, reader_;
  std::deque<Step> steps_;
  const Step* root_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace millrace::avro
