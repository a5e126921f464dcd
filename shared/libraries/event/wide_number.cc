#include "event/wide_number.h"

#include <algorithm>
#include <cstddef>

namespace millrace {

WideNumber::WideNumber(uint64_t value) {
  for (; value != 0; value /= kBase) groups_.push_back(static_cast<uint32_t>(value % kBase));
}

WideNumber WideNumber::of_digits(std::string_view digits) {
  WideNumber out;
  for (size_t end = digits.size(); end > 0;) {
    const size_t from = end > kGroupDigits ? end - kGroupDigits : 0;
    uint32_t group = 0;
    for (const char digit : digits.substr(from, end - from))
      group = group * 10 + static_cast<uint32_t>(digit - '0');
    out.groups_.push_back(group);
    end = from;
  }
  out.trim();
  return out;
}

std::string WideNumber::digits() const {
  std::string out(groups_.size() * kGroupDigits, '0');
  char* at = out.data() + out.size();
  for (uint32_t group : groups_) {
    for (int i = 0; i < kGroupDigits; ++i, group /= 10) *--at = static_cast<char>('0' + group % 10);
  }
  out.erase(0, std::min(out.find_first_not_of('0'), out.size()));
  return out;
}

int WideNumber::compare(const WideNumber& other) const {
  if (groups_.size() != other.groups_.size()) return groups_.size() < other.groups_.size() ? -1 : 1;
  const auto [a, b] = std::mismatch(groups_.rbegin(), groups_.rend(), other.groups_.rbegin());
  return a == groups_.rend() ? 0 : *a < *b ? -1 : 1;
}

WideNumber& WideNumber::operator+=(const WideNumber& other) {
  groups_.resize(std::max(groups_.size(), other.groups_.size()) + 1);
  uint32_t carry = 0;
  for (size_t i = 0; i < groups_.size(); ++i) {
    const uint32_t sum = groups_[i] + carry + (i < other.groups_.size() ? other.groups_[i] : 0);
    carry = sum >= kBase ? 1 : 0;
    groups_[i] = sum - carry * kBase;
  }
  trim();
  return *this;
}

WideNumber& WideNumber::operator-=(const WideNumber& other) {
  uint32_t borrow = 0;
  for (size_t i = 0; i < groups_.size() && (borrow != 0 || i < other.groups_.size()); ++i) {
    const uint32_t taken = borrow + (i < other.groups_.size() ? other.groups_[i] : 0);
    borrow = groups_[i] < taken ? 1 : 0;
    groups_[i] = groups_[i] + borrow * kBase - taken;
  }
  trim();
  return *this;
}

WideNumber& WideNumber::operator*=(uint32_t factor) {
  uint64_t carry = 0;
  for (uint32_t& group : groups_) {
    carry += uint64_t{group} * factor;
    group = static_cast<uint32_t>(carry % kBase);
    carry /= kBase;
  }
  for (; carry != 0; carry /= kBase) groups_.push_back(static_cast<uint32_t>(carry % kBase));
  trim();
  return *this;
}

WideNumber& WideNumber::operator/=(uint32_t divisor) {
  uint64_t rest = 0;
  for (size_t i = groups_.size(); i-- > 0;) {
    rest = rest * kBase + groups_[i];
    groups_[i] = static_cast<uint32_t>(rest / divisor);
    rest %= divisor;
  }
  trim();
  return *this;
}

WideNumber operator*(const WideNumber& a, const WideNumber& b) {
  WideNumber out;
  out.groups_.resize(a.groups_.size() + b.groups_.size());
  for (size_t i = 0; i < a.groups_.size(); ++i) {
    uint64_t carry = 0;
    for (size_t j = 0; j < b.groups_.size(); ++j) {
      carry += uint64_t{a.groups_[i]} * b.groups_[j] + out.groups_[i + j];
      out.groups_[i + j] = static_cast<uint32_t>(carry % WideNumber::kBase);
      carry /= WideNumber::kBase;
    }
    out.groups_[i + b.groups_.size()] = static_cast<uint32_t>(carry);
  }
  out.trim();
  return out;
}

// D. Knuth, "The Art of Computer Programming" 4.3.1, algorithm D: u over v, a group q of the quotient at a time.
WideNumber operator/(const WideNumber& a, const WideNumber& b) {
  constexpr uint64_t kBase = WideNumber::kBase;
  if (a.compare(b) < 0) return {};
  if (b.groups_.size() == 1) {
    WideNumber out = a;
    return out /= b.groups_[0];
  }
  const auto scale = static_cast<uint32_t>(kBase / (b.groups_.back() + uint64_t{1}));
  WideNumber u = a;
  WideNumber v = b;
  u *= scale;
  v *= scale;
  const size_t n = v.groups_.size();
  u.groups_.resize(std::max(u.groups_.size(), a.groups_.size()) + 1);
  WideNumber out;
  out.groups_.resize(u.groups_.size() - n);
  for (size_t at = out.groups_.size(); at-- > 0;) {
    uint32_t* const part = u.groups_.data() + at;
    const uint64_t top = part[n] * kBase + part[n - 1];
    uint64_t q = std::min(top / v.groups_[n - 1], kBase - 1);
    uint64_t rest = top - q * v.groups_[n - 1];
    for (; rest < kBase && q * v.groups_[n - 2] > rest * kBase + part[n - 2]; rest += v.groups_[n - 1]) --q;
    uint64_t borrow = 0;
    for (size_t i = 0; i < n; ++i) {
      const uint64_t taken = q * v.groups_[i] + borrow;
      const auto low = static_cast<uint32_t>(taken % kBase);
      borrow = taken / kBase + (part[i] < low ? 1 : 0);
      part[i] = part[i] < low ? part[i] + WideNumber::kBase - low : part[i] - low;
    }
    if (part[n] >= borrow) {
      part[n] -= static_cast<uint32_t>(borrow);
    } else {  // one too many was taken
      --q;
      uint32_t carry = 0;
      for (size_t i = 0; i < n; ++i) {
        const uint32_t sum = part[i] + v.groups_[i] + carry;
        carry = sum >= kBase ? 1 : 0;
        part[i] = sum - carry * WideNumber::kBase;
      }
      part[n] = 0;
    }
    out.groups_[at] = static_cast<uint32_t>(q);
  }
  out.trim();
  return out;
}

void WideNumber::shift_up(size_t groups) {
  if (!groups_.empty()) groups_.insert(groups_.begin(), groups, 0);
}

void WideNumber::shift_down(size_t groups) {
  groups_.erase(groups_.begin(), groups_.begin() + static_cast<ptrdiff_t>(std::min(groups, groups_.size())));
}

void WideNumber::trim() {
  while (!groups_.empty() && groups_.back() == 0) groups_.pop_back();
}

}  // namespace millrace
