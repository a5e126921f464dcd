#include "avro/text.h"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace millrace::avro {

namespace {

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  append_quoted(out, text);
}

void append_texts(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (const std::string& text : texts) {
    if (&text != texts.data()) out += ',';
    append_quoted(out, text);
  }
  out += ']';
}

class Writer {
 public:
  Writer(uint32_t own, Layout layout) : sorted_(layout == Layout::kNormalized), own_(own) {}

  void type(const Node& node, std::string_view space) {
    if (is_named(node.kind)) return named(node, space);
    switch (node.kind) {
      case Kind::kUnion:
        return union_type(node, space);
      case Kind::kArray:
      case Kind::kMap:
        begin(to_string(node.kind));
        out_ += node.kind == Kind::kArray ? ",\"items\":" : ",\"values\":";
        type(*node.element, space);
        properties(node.properties);
        out_ += '}';
        return;
      default:
        if (node.properties.empty()) return append_quoted(out_, to_string(node.kind));
        begin(to_string(node.kind));
        properties(node.properties);
        out_ += '}';
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void begin(std::string_view word) { ((out_ += "{\"type\":\"") += word) += '"'; }

  void union_type(const Node& node, std::string_view space) {
    out_ += '[';
    for (size_t i = 0; i < node.branches.size(); ++i) {
      if (i > 0) out_ += ',';
      type(*node.branches[i], space);
    }
    out_ += ']';
  }

  // Within its own namespace a name stands alone, unless it would be taken for a primitive type.
  static std::string_view mention(const Node& node, std::string_view space) {
    return node.space() == space && !primitive_of(node.simple_name()) ? node.simple_name() : node.name;
  }

  void named(const Node& node, std::string_view space) {
    if (node.number < own_ || !written_.insert(&node).second)
      return append_quoted(out_, mention(node, space));
    begin(node.is_error ? "error" : to_string(node.kind));
    append_member(out_, "name", node.simple_name());
    if (node.space() != space) append_member(out_, "namespace", node.space());
    doc(node.doc);
    if (node.kind == Kind::kRecord) fields(node);
    if (node.kind == Kind::kEnum) append_texts(out_ += ",\"symbols\":", node.symbols);
    if (node.kind == Kind::kFixed) (out_ += ",\"size\":") += std::to_string(node.size);
    if (node.fallback) append_member(out_, "default", *node.fallback);
    properties(node.properties);
    std::vector<std::string> names;
    for (const std::string& alias : node.aliases) names.push_back(own_alias(alias, node.space()));
    aliases(std::move(names));
    out_ += '}';
  }

  static std::string own_alias(const std::string& alias, std::string_view space) {
    Node other;
    other.name = alias;
    return std::string(mention(other, space));
  }

  void doc(const std::optional<std::string>& text) {
    if (text && !(sorted_ && text->empty())) append_member(out_, "doc", *text);
  }

  void fields(const Node& node) {
    out_ += ",\"fields\":[";
    for (const Field& field : node.fields) {
      if (&field != node.fields.data()) out_ += ',';
      append_quoted(out_ += "{\"name\":", field.name);
      out_ += ",\"type\":";
      type(*field.type, node.space());
      doc(field.doc);
      if (field.default_value) append_json(out_ += ",\"default\":", *field.default_value, sorted_);
      if (!field.order.empty()) append_member(out_, "order", field.order);
      aliases(field.aliases);
      properties(field.properties);
      out_ += '}';
    }
    out_ += ']';
  }

  void aliases(std::vector<std::string> names) {
    if (names.empty()) return;
    if (sorted_) std::sort(names.begin(), names.end());
    append_texts(out_ += ",\"aliases\":", names);
  }

  void properties(const std::vector<JsonMember>& members) {
    std::vector<const JsonMember*> order;
    for (const JsonMember& m : members) order.push_back(&m);
    if (sorted_)
      std::sort(order.begin(), order.end(),
                [](const JsonMember* a, const JsonMember* b) { return a->name < b->name; });
    for (const JsonMember* m : order) {
      append_quoted(out_ += ',', m->name);
      append_json(out_ += ':', m->value, sorted_);
    }
  }

  const bool sorted_;
  const uint32_t own_;
  std::unordered_set<const Node*> written_;
  std::string out_;
};

class CanonicalWriter {
 public:
  void type(const Node& node) {
    if (is_named(node.kind)) return named(node);
    if (node.kind == Kind::kUnion) {
      out_ += '[';
      for (size_t i = 0; i < node.branches.size(); ++i) {
        if (i > 0) out_ += ',';
        type(*node.branches[i]);
      }
      out_ += ']';
    } else if (node.element != nullptr) {
      out_ += node.kind == Kind::kArray ? "{\"type\":\"array\",\"items\":" : "{\"type\":\"map\",\"values\":";
      type(*node.element);
      out_ += '}';
    } else {
      append_quoted(out_, to_string(node.kind));
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void named(const Node& node) {
    if (!written_.insert(&node).second) return append_quoted(out_, node.name);
    append_quoted(out_ += "{\"name\":", node.name);
    append_member(out_, "type", to_string(node.kind));
    if (node.kind == Kind::kFixed) (out_ += ",\"size\":") += std::to_string(node.size);
    if (node.kind == Kind::kEnum) append_texts(out_ += ",\"symbols\":", node.symbols);
    if (node.kind == Kind::kRecord) fields(node);
    out_ += '}';
  }
  void fields(const Node& node) {
    out_ += ",\"fields\":[";
    for (const Field& field : node.fields) {
      if (&field != node.fields.data()) out_ += ',';
      append_quoted(out_ += "{\"name\":", field.name);
      out_ += ",\"type\":";
      type(*field.type);
      out_ += '}';
    }
    out_ += ']';
  }

  std::unordered_set<const Node*> written_;
  std::string out_;
};

// The Rabin fingerprint of the specification: its empty text's value is the polynomial, too.
constexpr uint64_t kEmpty = 0xc15d213aa4d7a795;
constexpr std::array<uint64_t, 256> kTable = [] {
  std::array<uint64_t, 256> table{};
  for (uint64_t i = 0; i < 256; ++i) {
    uint64_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (kEmpty & (uint64_t{0} - (value & 1)));
    table[i] = value;
  }
  return table;
}();

}  // namespace

std::string schema_text(const Node& root, uint32_t own, Layout layout) {
  Writer writer(own, layout);
  writer.type(root, "");
  return writer.take();
}

std::string canonical_form(const Node& root) {
  CanonicalWriter writer;
  writer.type(root);
  return writer.take();
}

uint64_t fingerprint(const Node& root) {
  uint64_t value = kEmpty;
  for (const char c : canonical_form(root))
    value = (value >> 8) ^ kTable[(value ^ static_cast<unsigned char>(c)) & 0xFF];
  return value;
}

}  // namespace millrace::avro
