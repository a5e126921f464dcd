// What rows are made of, read and asked by: calls that have a syntax of their own (sql/bind_row.cc), and so stand in no
// table: ROW(a, b), (row).field, row IS NULL, row IS NOT NULL.
#pragma once

#include "engine/functions.h"

namespace millrace::engine {

// Fields are its arguments, in the types of the call's row type.
const Signature& row_constructor();
// A row and, a literal, the field's place from 0.
const Signature& row_field();
// Whether it is NULL or all its fields are; whether none of them is.
const Signature& row_is_null();
const Signature& row_is_not_null();

}  // namespace millrace::engine
