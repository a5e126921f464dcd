#include "event/decimal_functions.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "event/wide_number.h"

namespace millrace {
namespace {

constexpr int kSignificant = 16;
// Digits more than are asked for, so that what is left off does not show. Of arguments next to one the answer may lie as near
// the middle of two as the arguments have digits.
int with_guard(int digits) {
  constexpr int kGuard = 15;
  constexpr int kMostMore = 60;
  return digits + std::min(digits, kMostMore) + kGuard;
}
constexpr double kDigitsPerE = 0.43429448190325182765;
constexpr double kLn10 = 2.30258509299404568402;

// A number with a fixed count of groups behind the point.
struct Fixed {
  bool negative = false;
  WideNumber value;
};

// Arithmetic of numbers that have so many digits behind the point, at least.
class Fixing {
 public:
  explicit Fixing(int digits)
      : groups_(static_cast<size_t>(std::max(digits, 0) / WideNumber::kGroupDigits + 1)), one_(1) {
    one_.shift_up(groups_);
  }

  const WideNumber& one() const { return one_; }
  WideNumber whole(uint64_t value) const { return up(WideNumber(value)); }
  WideNumber product(const WideNumber& a, const WideNumber& b) const {
    WideNumber out = a * b;
    out.shift_down(groups_);
    return out;
  }
  WideNumber quotient(const WideNumber& a, const WideNumber& b) const { return up(a) / b; }

  // Without its sign; digits further behind are left off.
  WideNumber fixed(const Decimal& a) const {
    const int scale = static_cast<int>(a.digits.size()) - a.point;
    const int have = static_cast<int>(groups_) * WideNumber::kGroupDigits;
    const int kept = std::clamp(static_cast<int>(a.digits.size()) - std::max(scale - have, 0), 0,
                                static_cast<int>(a.digits.size()));
    std::string digits = a.digits.substr(0, static_cast<size_t>(kept));
    if (scale < have) digits.append(static_cast<size_t>(have - scale), '0');
    return WideNumber::of_digits(digits);
  }
  Decimal decimal(bool negative, const WideNumber& value) const {
    Decimal out;
    out.digits = value.digits();
    out.point = static_cast<int>(out.digits.size()) - static_cast<int>(groups_) * WideNumber::kGroupDigits;
    out.digits.erase(out.digits.find_last_not_of('0') + 1);
    if (out.digits.empty()) return {};
    out.negative = negative;
    return out;
  }

 private:
  WideNumber up(WideNumber a) const {
    a.shift_up(groups_);
    return a;
  }

  size_t groups_;
  WideNumber one_;
};

Fixed sum(Fixed a, const Fixed& b) {
  if (a.negative == b.negative) {
    a.value += b.value;
    return a;
  }
  if (a.value.compare(b.value) >= 0) {
    a.value -= b.value;
    return a;
  }
  Fixed out = b;
  out.value -= a.value;
  return out;
}

// 2 * artanh(z), of z below one: z + z^3/3 + z^5/5 + …, twice.
WideNumber twice_artanh(const Fixing& fixing, const WideNumber& z) {
  const WideNumber square = fixing.product(z, z);
  WideNumber out = z;
  WideNumber odd = z;
  for (uint32_t n = 3;; n += 2) {
    odd = fixing.product(odd, square);
    if (odd.is_zero()) break;
    WideNumber term = odd;
    out += term /= n;
  }
  return out *= 2;
}

// The same of one over a small number, by divisions alone.
WideNumber twice_artanh_over(const Fixing& fixing, uint32_t divisor) {
  WideNumber odd = fixing.one();
  odd /= divisor;
  WideNumber out = odd;
  for (uint32_t n = 3;; n += 2) {
    odd /= divisor * divisor;
    if (odd.is_zero()) break;
    WideNumber term = odd;
    out += term /= n;
  }
  return out *= 2;
}
WideNumber ln_2(const Fixing& fixing) {
  return twice_artanh_over(fixing, 3);
}

// ln(a) = ln(m) - doublings * ln(2) + powers * ln(10), m between 2/3 and 4/3: m = (1 + z) / (1 - z).
Fixed ln(const Fixing& fixing, const Decimal& a, bool near_one) {
  Decimal mantissa = a;
  if (!near_one) mantissa.point = 0;
  WideNumber m = fixing.fixed(mantissa);
  WideNumber two_thirds = fixing.whole(2);
  two_thirds /= 3;
  uint32_t doublings = 0;
  for (; m.compare(two_thirds) < 0; ++doublings) m *= 2;
  Fixed out;
  out.negative = m.compare(fixing.one()) < 0;
  WideNumber above = out.negative ? fixing.one() : m;
  above -= out.negative ? m : fixing.one();
  WideNumber below = m;
  below += fixing.one();
  out.value = twice_artanh(fixing, fixing.quotient(above, below));
  if (near_one) return out;
  const WideNumber two = ln_2(fixing);
  WideNumber ten = two;  // ln(10) = 3 * ln(2) + ln(5/4)
  ten *= 3;
  ten += twice_artanh_over(fixing, 9);
  Fixed doubled{true, two};
  doubled.value *= doublings;
  Fixed powers{a.point < 0, ten};
  powers.value *= static_cast<uint32_t>(std::abs(a.point));
  return sum(sum(std::move(out), doubled), powers);
}

double double_of(const Decimal& a) {
  std::string text;
  append_decimal(text, rounded(a, 40));
  double out = 0;
  const auto failure = std::from_chars(text.data(), text.data() + text.size(), out).ec;
  return failure == std::errc() ? out : a.point > 0 ? HUGE_VAL : 0.0;
}

// e^x: 2^k * (e^((x - k * ln(2)) / 2^8))^(2^8), the inner one by Taylor's series.
WideNumber exp(const Fixing& fixing, Fixed x, double about) {
  constexpr int kHalvings = 8;
  constexpr uint32_t kWordBits = 29;
  const auto k = static_cast<int>(std::lround(about / std::log(2.0)));
  Fixed whole{k > 0, ln_2(fixing)};
  whole.value *= static_cast<uint32_t>(std::abs(k));
  x = sum(std::move(x), whole);
  x.value /= 1U << kHalvings;
  Fixed series{false, fixing.one()};
  Fixed term = series;
  for (uint32_t n = 1;; ++n) {
    term.value = fixing.product(term.value, x.value);
    term.value /= n;
    term.negative = term.negative != x.negative;
    if (term.value.is_zero()) break;
    series = sum(std::move(series), term);
  }
  WideNumber out = std::move(series.value);
  for (int i = 0; i < kHalvings; ++i) out = fixing.product(out, out);
  for (auto left = static_cast<uint32_t>(std::abs(k)); left > 0; left -= std::min(left, kWordBits)) {
    const uint32_t factor = 1U << std::min(left, kWordBits);
    if (k > 0)
      out *= factor;
    else
      out /= factor;
  }
  return out;
}

int scale_for(int weight, std::initializer_list<const Decimal*> arguments) {
  int scale = kSignificant - weight;
  for (const Decimal* argument : arguments) scale = std::max(scale, argument->scale());
  return std::clamp(scale, 0, kMaxDecimalDigits);
}

std::optional<Decimal> bounded(const Decimal& a, int scale) {
  Decimal out = rounded(a, scale);
  if (std::max(out.point, 0) + out.scale() > kMaxDecimalDigits) return std::nullopt;
  return out;
}

// The groups of four digits in which PostgreSQL looks at a number: the exponent of the first, and its value.
struct Groups {
  explicit Groups(const Decimal& a) : weight(a.point > 0 ? (a.point - 1) / 4 : -((4 - a.point) / 4)) {
    const auto first_digits = static_cast<size_t>(a.point - weight * 4);
    first = number(a, 0, first_digits);
    several = a.digits.size() > first_digits;
    if (several) second = number(a, first_digits, 4);
  }
  static int number(const Decimal& a, size_t from, size_t count) {
    int out = 0;
    for (size_t i = from; i < from + count; ++i)
      out = out * 10 + (i < a.digits.size() ? a.digits[i] - '0' : 0);
    return out;
  }
  int weight = 0;
  int first = 0;
  int second = 0;
  bool several = false;
};

bool is_near_one(const Decimal& a) {
  const auto at_least = [](const Decimal& x, const char* digits, int point) {
    return x.point > point || (x.point == point && x.digits >= digits);
  };
  return at_least(a, "9", 0) && !(at_least(a, "11", 1) && a != Decimal{false, "11", 1});
}

// Where the first digit of a number's natural logarithm stands, roughly; as PostgreSQL guesses it.
int ln_weight(const Decimal& a) {
  if (is_near_one(a)) {
    const auto distance = subtract(a, decimal_of(int64_t{1}));
    if (!distance || distance->digits.empty()) return 0;
    const Groups groups(*distance);
    return groups.weight * 4 + static_cast<int>(std::log10(groups.first));
  }
  const Groups groups(a);
  const double digits = groups.several ? groups.first * 1e4 + groups.second : groups.first;
  const int exponent = (groups.weight - (groups.several ? 1 : 0)) * 4;
  return static_cast<int>(std::log10(std::abs(std::log(digits) + exponent * kLn10)));
}

Fixed ln_to(const Fixing& fixing, const Decimal& a) {
  return ln(fixing, a, is_near_one(a));
}

// log10(|a|), from its first sixteen digits.
double log10_of(const Decimal& a) {
  const std::string first = a.digits.substr(0, 16);
  return std::log10(std::stod(first)) + a.point - static_cast<double>(first.size());
}

bool is_odd(const Decimal& whole) {
  const auto size = static_cast<int>(whole.digits.size());
  return whole.point == size && (whole.digits.back() - '0') % 2 == 1;
}

// Of a whole exponent PostgreSQL keeps sixteen digits behind the point, however small or large the answer is.
std::optional<Decimal> whole_power(const Decimal& base, int64_t n) {
  const double weight = base.digits.empty() ? 0 : static_cast<double>(n) * log10_of(base);
  if (weight > kMaxDecimalDigits + 1) return std::nullopt;
  const int scale = scale_for(0, {&base});
  if (weight + 1 < -scale || (base.digits.empty() && n != 0)) return Decimal();
  const int grows =
      static_cast<int>(std::max(weight, 0.0) + std::log10(std::abs(static_cast<double>(n)) + 1));
  const Fixing fixing(std::max(with_guard(scale + grows), base.scale()));
  WideNumber square = fixing.fixed(base);
  if (n < 0) square = fixing.quotient(fixing.one(), square);
  WideNumber out = fixing.one();
  for (uint64_t left = static_cast<uint64_t>(std::abs(n)); left > 0;) {
    if (left % 2 == 1) out = fixing.product(out, square);
    left /= 2;
    if (left > 0) square = fixing.product(square, square);
  }
  return bounded(fixing.decimal(base.negative && n % 2 != 0, out), scale);
}

}  // namespace

bool is_whole(const Decimal& a) {
  return a.scale() == 0;
}

std::optional<Decimal> square_root(const Decimal& a) {
  if (a.digits.empty()) return a;
  return square_root(a, scale_for(Groups(a).weight * 2 + 1, {&a}));
}

std::optional<Decimal> exponential(const Decimal& a) {
  const double x = (a.negative ? -1 : 1) * double_of(Decimal{false, a.digits, a.point});
  const double weight = x * kDigitsPerE;
  if (weight > kMaxDecimalDigits + 1) return std::nullopt;
  if (weight < -2 * kMaxDecimalDigits) return Decimal();
  const int scale = scale_for(static_cast<int>(weight), {&a});
  const Fixing fixing(with_guard(scale + static_cast<int>(std::max(weight, 0.0))));
  return bounded(fixing.decimal(false, exp(fixing, {a.negative, fixing.fixed(a)}, x)), scale);
}

std::optional<Decimal> natural_logarithm(const Decimal& a) {
  const int scale = scale_for(ln_weight(a), {&a});
  const Fixing fixing(with_guard(scale));
  const Fixed out = ln_to(fixing, a);
  return bounded(fixing.decimal(out.negative, out.value), scale);
}

std::optional<Decimal> logarithm(const Decimal& base, const Decimal& a) {
  const int base_weight = ln_weight(base);
  const int weight = ln_weight(a) - base_weight;
  const int scale = scale_for(weight, {&base, &a});
  if (weight + scale > kMaxDecimalDigits + 1) return std::nullopt;
  // An error of the divisor counts as many times as the quotient is greater than one, over the divisor.
  const Fixing fixing(with_guard(scale + std::max(weight, 0) + std::max(-base_weight, 0)));
  const Fixed above = ln_to(fixing, a);
  const Fixed below = ln_to(fixing, base);
  const WideNumber quotient = fixing.quotient(above.value, below.value);
  return bounded(fixing.decimal(above.negative != below.negative, quotient), scale);
}

std::optional<Decimal> power(const Decimal& base, const Decimal& exponent) {
  const auto n = is_whole(exponent) ? bigint_of(exponent) : std::nullopt;
  if (n && *n >= INT32_MIN && *n <= INT32_MAX) return whole_power(base, *n);
  if (base.digits.empty()) return base;
  Decimal amount = base;
  amount.negative = false;
  const bool negative = base.negative && is_odd(exponent);
  const int base_weight = ln_weight(amount);
  // How large the answer is tells how many digits the logarithm needs.
  const Fixing rough(20 + std::max(-base_weight, 0) + std::max(exponent.point, 0));
  const auto product = [&](const Fixing& fixing) {
    const Fixed logarithm = ln_to(fixing, amount);
    return Fixed{logarithm.negative != exponent.negative,
                 fixing.product(logarithm.value, fixing.fixed(exponent))};
  };
  const Fixed first = product(rough);
  const double about = (first.negative ? -1 : 1) * double_of(rough.decimal(false, first.value));
  const double weight = about * kDigitsPerE;
  if (weight > kMaxDecimalDigits + 1) return std::nullopt;
  if (weight < -2 * kMaxDecimalDigits) return Decimal();
  const int scale = scale_for(static_cast<int>(weight), {&base, &exponent});
  const Fixing fixing(
      with_guard(scale + static_cast<int>(std::max(weight, 0.0)) + std::max(exponent.point, 0)));
  return bounded(fixing.decimal(negative, exp(fixing, product(fixing), about)), scale);
}

}  // namespace millrace
