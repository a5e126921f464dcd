// Hyperbolic functions, and those of angles in degrees: PostgreSQL's way, which is exact at 30, 45, 60 and 90 degrees.
#include <cmath>
#include <numbers>

#include "engine/call_kernel.h"

namespace millrace::engine {
namespace {

double fail(Row& row) {
  row.fail(kBadArgument, "input is out of range");
  return 0;
}

template <double (*kFunction)(double)>
double plain(double x) {
  return kFunction(x);
}
double acosh_of(Row& row, double x) {
  return x < 1 ? fail(row) : std::acosh(x);
}
double atanh_of(Row& row, double x) {
  return x < -1 || x > 1 ? fail(row) : std::atanh(x);
}
double cot(Row& row, double x) {
  return std::isinf(x) ? fail(row) : 1 / std::tan(x);
}

// What a degree's functions are divided by, so that the answers at 30, 45 and 60 degrees are exact.
struct Units {
  double sin_30 = std::sin(30 * kRadians);
  double one_minus_cos_60 = 1 - std::cos(60 * kRadians);
  double asin_half = std::asin(0.5);
  double acos_half = std::acos(0.5);
  double atan_one = std::atan(1.0);

  static constexpr double kRadians = std::numbers::pi / 180;
};
const Units& units() {
  static const Units made;
  return made;
}

double sine_to_30(double x) {
  return std::sin(x * Units::kRadians) / units().sin_30 / 2;
}
double cosine_to_60(double x) {
  return 1 - (1 - std::cos(x * Units::kRadians)) / units().one_minus_cos_60 / 2;
}
double sine_to_90(double x) {
  return x <= 30 ? sine_to_30(x) : cosine_to_60(90 - x);
}
double cosine_to_90(double x) {
  return x <= 60 ? cosine_to_60(x) : sine_to_30(90 - x);
}
double tangent_to_90(double x) {
  static const double kAt45 = sine_to_90(45) / cosine_to_90(45);
  return sine_to_90(x) / cosine_to_90(x) / kAt45;
}
double cotangent_to_90(double x) {
  static const double kAt45 = cosine_to_90(45) / sine_to_90(45);
  return cosine_to_90(x) / sine_to_90(x) / kAt45;
}

// An angle brought to 0 … 90 degrees, and where it came from.
struct Quadrant {
  explicit Quadrant(double x) : angle(std::fmod(x, 360)) {
    below = angle < 0;
    if (below) angle = -angle;  // -0 stays
    lower = angle > 180;
    if (lower) angle = 360 - angle;
    left = angle > 90;
    if (left) angle = 180 - angle;
  }
  double angle = 0;
  bool below = false;  // it was negative
  bool lower = false;
  bool left = false;
};

double sind(Row& row, double x) {
  if (std::isinf(x)) return fail(row);
  const Quadrant q(x);
  const double r = sine_to_90(q.angle);
  return q.below != q.lower ? -r : r;
}
double cosd(Row& row, double x) {
  if (std::isinf(x)) return fail(row);
  const Quadrant q(x);
  const double r = cosine_to_90(q.angle);
  return q.left ? -r : r;
}
template <double (*kFunction)(double)>
double tangent(Row& row, double x) {
  if (std::isinf(x)) return fail(row);
  const Quadrant q(x);
  const double r = kFunction(q.angle);
  const bool negative = (q.below != q.lower) != q.left;
  return r == 0 ? 0 : negative ? -r : r;
}

double arc_sine(double x) {  // of 0 … 1
  if (x <= 0.5) return std::asin(x) / units().asin_half * 30;
  return 90 - std::acos(x) / units().acos_half * 60;
}
double arc_cosine(double x) {
  if (x <= 0.5) return 90 - std::asin(x) / units().asin_half * 30;
  return std::acos(x) / units().acos_half * 60;
}
double asind(Row& row, double x) {
  if (x < -1 || x > 1) return fail(row);
  return x >= 0 ? arc_sine(x) : -arc_sine(-x);
}
double acosd(Row& row, double x) {
  if (x < -1 || x > 1) return fail(row);
  return x >= 0 ? arc_cosine(x) : 90 + arc_sine(-x);
}
double atand(double x) {
  return std::atan(x) / units().atan_one * 45;
}
double atan2d(double y, double x) {
  return std::atan2(y, x) / units().atan_one * 45;
}

}  // namespace

FunctionFamily angle_functions() {
  return {"Hyperbolic functions, and angles in degrees",
          {
              {"sinh", "The hyperbolic sine", {call<plain<std::sinh>>()}, {{"sinh(0)", "0"}}},
              {"cosh", "The hyperbolic cosine", {call<plain<std::cosh>>()}, {{"cosh(0)", "1"}}},
              {"tanh", "The hyperbolic tangent", {call<plain<std::tanh>>()}, {{"tanh(0)", "0"}}},
              {"asinh", "The inverse hyperbolic sine", {call<plain<std::asinh>>()}, {{"asinh(0)", "0"}}},
              {"acosh",
               "The inverse hyperbolic cosine",
               {call<acosh_of>()},
               {{"acosh(1)", "0"}, {"acosh(0)", "MR-SQL-0120"}}},
              {"atanh", "The inverse hyperbolic tangent", {call<atanh_of>()}, {{"atanh(1)", "Infinity"}}},
              {"cot", "The cotangent of an angle in radians", {call<cot>()}, {{"cot(0)", "Infinity"}}},
              {"sind", "The sine of an angle in degrees", {call<sind>()}, {{"sind(30)", "0.5"}}},
              {"cosd", "The cosine of an angle in degrees", {call<cosd>()}, {{"cosd(60)", "0.5"}}},
              {"tand",
               "The tangent of an angle in degrees",
               {call<tangent<tangent_to_90>>()},
               {{"tand(45)", "1"}}},
              {"cotd",
               "The cotangent of an angle in degrees",
               {call<tangent<cotangent_to_90>>()},
               {{"cotd(45)", "1"}}},
              {"asind", "The arc sine in degrees", {call<asind>()}, {{"asind(0.5)", "30"}}},
              {"acosd", "The arc cosine in degrees", {call<acosd>()}, {{"acosd(0.5)", "60"}}},
              {"atand", "The arc tangent in degrees", {call<atand>()}, {{"atand(1)", "45"}}},
              {"atan2d",
               "The arc tangent of the first number over the second, in degrees",
               {call<atan2d>()},
               {{"atan2d(1, 0)", "90"}}},
          }};
}

}  // namespace millrace::engine
