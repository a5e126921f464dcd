// Row types: ROW<city TEXT, geo ROW<lat DOUBLE PRECISION, lon DOUBLE PRECISION>>.
//
// Why:        a Type is a number that is passed by value everywhere; a row's fields are found by it.
// Owns:       every row type that a statement has named since the process began; the same fields are the same type.
//             The numbers are this process's own: what is stored has the type's name.
// Threads:    any; finding fields takes no lock.
// Bound:      kMaxRowFields and kMaxRowDepth a type; kMaxRowTypes and kMaxRowTypeBytes of names in all: beyond them new row
//             types are refused, known ones go on. The last of both are for definitions alone, and one tenant's SELECTs make a
//             part of the others, or they could take them all.
#pragma once

#include "base/types.h"
#include "event/type.h"

namespace millrace {

inline constexpr size_t kMaxRowFields = 100;
inline constexpr size_t kMaxRowLeaves = 1'600;  // fields of a type and of the rows in it
inline constexpr size_t kMaxRowDepth = kMaxPathMembers;
inline constexpr size_t kMaxRowTypes = 32'768;
inline constexpr size_t kMaxRowTypeBytes = 64u << 20;
inline constexpr size_t kRowTypesForDefinitions = 4'096;
inline constexpr size_t kRowTypeBytesForDefinitions = 8u << 20;
inline constexpr size_t kRowTypesOfTenant = 8'192;
inline constexpr size_t kRowTypeBytesOfTenant = 16u << 20;

// While one lives, the row types that its thread makes are a definition's.
class MakesRowTypesOfDefinition {
 public:
  explicit MakesRowTypesOfDefinition(bool definition);
  ~MakesRowTypesOfDefinition();
  MakesRowTypesOfDefinition(const MakesRowTypesOfDefinition&) = delete;
  MakesRowTypesOfDefinition& operator=(const MakesRowTypesOfDefinition&) = delete;

 private:
  const bool before_;
};

// While one lives, the row types that its thread makes, but a definition's, count as the tenant's.
class MakesRowTypesOfTenant {
 public:
  explicit MakesRowTypesOfTenant(TenantId tenant);
  ~MakesRowTypesOfTenant();
  MakesRowTypesOfTenant(const MakesRowTypesOfTenant&) = delete;
  MakesRowTypesOfTenant& operator=(const MakesRowTypesOfTenant&) = delete;

 private:
  const TenantId before_;
};

// Of each field name, type, length and scale count. Its errors are the bounds'.
Result<Type> row_type(Schema fields);
const Schema& fields_of(Type row);
std::string_view row_name(Type type);  // of a row, or an array of rows; for to_string()
// The same type, but for the lengths of VARCHAR(n) and NUMERIC(p, s) in it: what an expression's values are of. Of a type
// that is no row or array of rows: itself.
Type without_lengths(Type type);
// Values of the two are kept alike: the types differ at most in the names of fields, and in lengths.
bool same_fields(Type left, Type right);

}  // namespace millrace
