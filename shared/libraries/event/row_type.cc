#include "event/row_type.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace millrace {
namespace {

struct RowType {
  Schema fields;
  std::string name;
  std::string array_name;
  Type plain = Type::kNull;  // without lengths
  size_t depth = 1;
  size_t leaves = 0;
};

Type numbered(size_t index) {
  return static_cast<Type>((index + 1) * kRowUnit);
}
size_t index_of(Type row) {
  return static_cast<size_t>(row) / kRowUnit - 1;
}

bool is_plain_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto fits = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && letter(name.front()) && std::ranges::all_of(name, fits);
}

void append_name(std::string& out, std::string_view name) {
  if (is_plain_name(name)) return void(out += name);
  out += '"';
  for (const char c : name) out.append(c == '"' ? 2 : 1, c);
  out += '"';
}

std::string name_of(const Schema& fields) {
  std::string out = "row<";
  for (const ColumnDef& field : fields) {
    if (&field != fields.data()) out += ", ";
    append_name(out, field.name);
    out.append(" ").append(declared_type(field));
  }
  return out += '>';
}

Error beyond(std::string message) {
  return error(Code::kExhausted, "MR-EVT-0103", std::move(message), "use fewer fields, or JSONB");
}

thread_local bool for_definition = false;
thread_local TenantId for_tenant{};  // TenantId(): nobody's

struct Made {
  size_t types = 0;
  size_t bytes = 0;
};

class RowTypes {
 public:
  Result<Type> find_or_add(Schema fields);
  const RowType& at(Type row) const { return *types_[index_of(row)].load(std::memory_order_acquire); }

 private:
  Status measure(RowType& made) const;
  Status check_room(size_t name_bytes) const;
  Status take_room(size_t name_bytes);
  Result<Type> plain_of(const Schema& fields);

  std::mutex mutex_;  // of what follows; an entry is never changed
  std::array<std::atomic<const RowType*>, kMaxRowTypes> types_ = {};
  std::vector<std::unique_ptr<const RowType>> owned_;
  std::unordered_map<std::string_view, Type> by_name_;
  std::unordered_map<TenantId, Made> of_tenants_;  // by their SELECTs; each has at least one
  size_t bytes_ = 0;
};

Status RowTypes::measure(RowType& made) const {
  made.leaves = made.fields.size();
  for (const ColumnDef& field : made.fields) {
    if (!is_row(element_of(field.type))) continue;
    const RowType& inner = at(element_of(field.type));
    made.depth = std::max(made.depth, inner.depth + 1);
    made.leaves += inner.leaves;
  }
  if (made.fields.empty()) return beyond("a row has at least one field");
  if (made.fields.size() > kMaxRowFields)
    return beyond("a row has at most " + std::to_string(kMaxRowFields) + " fields");
  if (made.leaves > kMaxRowLeaves)
    return beyond("a row has at most " + std::to_string(kMaxRowLeaves) +
                  " fields with those of the rows in it");
  if (made.depth > kMaxRowDepth)
    return beyond("rows are nested at most " + std::to_string(kMaxRowDepth) + " deep");
  return {};
}

// kNull: it has no lengths.
Result<Type> RowTypes::plain_of(const Schema& fields) {
  Schema plain = fields;
  bool differs = false;
  for (ColumnDef& field : plain) {
    const Type type = without_lengths(field.type);
    differs = differs || field.length != 0 || type != field.type;
    field = ColumnDef{field.name, type};
  }
  return differs ? find_or_add(std::move(plain)) : Result<Type>(Type::kNull);
}

Status RowTypes::check_room(size_t name_bytes) const {
  const size_t types = owned_.size() + 1;
  const size_t bytes = bytes_ + name_bytes;
  if (types > kMaxRowTypes || bytes > kMaxRowTypeBytes)
    return beyond("the node knows too many different row types");
  if (for_definition || (types <= kMaxRowTypes - kRowTypesForDefinitions &&
                         bytes <= kMaxRowTypeBytes - kRowTypeBytesForDefinitions))
    return {};
  return error(Code::kExhausted, "MR-EVT-0103",
               "the node knows so many different row types that the rest are kept for definitions",
               "use a row type that a stream has, or JSONB");
}

Status RowTypes::take_room(size_t name_bytes) {
  TRY(check_room(name_bytes));
  if (!for_definition && for_tenant != TenantId()) {
    Made made = of_tenants_.contains(for_tenant) ? of_tenants_.at(for_tenant) : Made();
    made.types += 1;
    made.bytes += name_bytes;
    if (made.types > kRowTypesOfTenant || made.bytes > kRowTypeBytesOfTenant) {
      return error(Code::kExhausted, "MR-EVT-0103",
                   "the tenant's SELECTs have named too many different row types since the node started",
                   "use a row type that a stream has, or JSONB");
    }
    of_tenants_[for_tenant] = made;
  }
  bytes_ += name_bytes;
  return {};
}

Result<Type> RowTypes::find_or_add(Schema fields) {
  auto made = std::make_unique<RowType>();
  made->fields = std::move(fields);
  TRY(measure(*made));
  made->name = name_of(made->fields);
  made->array_name = made->name + "[]";
  TRY_ASSIGN(made->plain, plain_of(made->fields));
  const std::lock_guard lock(mutex_);
  const auto known = by_name_.find(made->name);
  if (known != by_name_.end()) return known->second;
  TRY(take_room(made->name.size()));
  const size_t index = owned_.size();
  const Type type = numbered(index);
  if (made->plain == Type::kNull) made->plain = type;
  types_[index].store(made.get(), std::memory_order_release);
  by_name_.emplace(made->name, type);
  owned_.push_back(std::move(made));
  return type;
}

RowTypes& row_types() {
  static RowTypes types;
  return types;
}

}  // namespace

MakesRowTypesOfDefinition::MakesRowTypesOfDefinition(bool definition)
    : before_(std::exchange(for_definition, definition)) {}
MakesRowTypesOfDefinition::~MakesRowTypesOfDefinition() {
  for_definition = before_;
}

MakesRowTypesOfTenant::MakesRowTypesOfTenant(TenantId tenant) : before_(std::exchange(for_tenant, tenant)) {}
MakesRowTypesOfTenant::~MakesRowTypesOfTenant() {
  for_tenant = before_;
}

Result<Type> row_type(Schema fields) {
  for (ColumnDef& field : fields) {
    field.unit = {};
    field.path.clear();
  }
  return row_types().find_or_add(std::move(fields));
}

const Schema& fields_of(Type row) {
  return row_types().at(row).fields;
}

std::string_view row_name(Type type) {
  const RowType& row = row_types().at(element_of(type));
  return is_array(type) ? row.array_name : row.name;
}

Type without_lengths(Type type) {
  if (!is_row(element_of(type))) return type;
  const Type plain = row_types().at(element_of(type)).plain;
  return is_array(type) ? array_of(plain) : plain;
}

bool same_fields(Type left, Type right) {
  if (left == right) return true;
  if (is_array(left) || is_array(right))
    return is_array(left) && is_array(right) && same_fields(element_of(left), element_of(right));
  if (!is_row(left) || !is_row(right)) return false;
  return std::ranges::equal(fields_of(left), fields_of(right), [](const ColumnDef& a, const ColumnDef& b) {
    return same_fields(a.type, b.type);
  });
}

}  // namespace millrace
