// The stand-in of cuFFT against the cuFFT documentation, whose sentences are quoted, and the transform's definition in
// f64.
#include "kernels/simt/libraries/cufft.h"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "kernels/simt/libraries/live_objects.h"
#include "tests/kernels/device_array.h"

namespace melgrad::simt {
namespace {

using Complex = std::complex<double>;

struct PlanScope {
  PlanScope() {
    CHECK(cufftCreate(&value) == CUFFT_SUCCESS);
    CHECK(cufftSetStream(value, main_stream()) == CUFFT_SUCCESS);
  }
  ~PlanScope() { CHECK(cufftDestroy(value) == CUFFT_SUCCESS); }
  operator cufftHandle() const { return value; }
  cufftHandle value = CUFFT_PLAN_NULL;
};

std::vector<cufftComplex> random_complex(std::size_t size, unsigned seed) {
  const std::vector<float> parts = random_floats(2 * size, seed);
  std::vector<cufftComplex> values;
  for (std::size_t i = 0; i < size; ++i) values.push_back({parts[2 * i], parts[2 * i + 1]});
  return values;
}

Complex wide(cufftComplex value) {
  return {value.x, value.y};
}

// X[k] = Σ_j x[j] exp(direction · 2πi jk / n)
Complex coefficient(const std::vector<Complex>& x, int direction, int k) {
  const auto n = static_cast<double>(x.size());
  Complex sum = 0;
  for (std::size_t j = 0; j < x.size(); ++j)
    sum += x[j] * std::polar(1.0, direction * 2 * std::numbers::pi * static_cast<double>(j) * k / n);
  return sum;
}

// Both round once from f64.
bool near(double result, double expected) {
  return std::abs(result - expected) <= 1e-6 * (1 + std::abs(expected));
}
bool near(cufftComplex result, Complex expected) {
  return near(result.x, expected.real()) && near(result.y, expected.imag());
}

// Rows of n numbers, of which the b-th begins at b · n.
template <class T>
std::vector<Complex> row(const std::vector<T>& values, int n, int b) {
  std::vector<Complex> result;
  for (int i = 0; i < n; ++i) {
    const T value = values[static_cast<std::size_t>(b * n + i)];
    if constexpr (std::is_same_v<T, float>)
      result.emplace_back(value);
    else
      result.push_back(wide(value));
  }
  return result;
}

// "cuFFT performs un-normalized FFTs; that is, performing a forward FFT on an input data set followed by an inverse FFT
// on the resulting set yields data that is equal to the input, scaled by the number of elements." ("FFT Normalization"
// in "cuFFT Transform Directions")
TEST_CASE("stand-in of cuFFT: complex transforms of any size, unnormalised") {
  const int batch = 2;
  for (const int n : {1, 2, 3, 5, 8, 12, 30, 49}) {
    CAPTURE(n);
    const PlanScope plan;
    size_t bytes = 0;
    REQUIRE(cufftMakePlan1d(plan, n, CUFFT_C2C, batch, &bytes) == CUFFT_SUCCESS);
    const std::vector<cufftComplex> x = random_complex(static_cast<std::size_t>(batch * n), 1);
    const DeviceArray<cufftComplex> input(x), spectrum(x.size(), {}), back(x.size(), {});
    REQUIRE(cufftExecC2C(plan, input.data(), spectrum.data(), CUFFT_FORWARD) == CUFFT_SUCCESS);
    REQUIRE(cufftExecC2C(plan, spectrum.data(), back.data(), CUFFT_INVERSE) == CUFFT_SUCCESS);
    for (int b = 0; b < batch; ++b) {
      for (int k = 0; k < n; ++k) {
        const auto i = static_cast<std::size_t>(b * n + k);
        CHECK(near(spectrum.values()[i], coefficient(row(x, n, b), -1, k)));
        CHECK(near(back.values()[i], static_cast<double>(n) * wide(x[i])));
      }
    }
    CHECK(wide(input.values()[0]) == wide(x[0]));
    REQUIRE(cufftExecC2C(plan, input.data(), input.data(), CUFFT_FORWARD) == CUFFT_SUCCESS);  // in place
    CHECK(near(input.values().back(), wide(spectrum.values().back())));
  }
}

// Data Layout: of an R2C transform of size x1 the input is x1 cufftReal and the output ⌊x1/2⌋ + 1 cufftComplex, of C2R
// the other way round. "Out-of-place complex-to-real FFT will always overwrite input buffer." ("Data Layout")
TEST_CASE("stand-in of cuFFT: real transforms keep half of the spectrum, and back they destroy their input") {
  const int batch = 3;
  for (const int n : {1, 2, 7, 16}) {
    CAPTURE(n);
    const int half = n / 2 + 1;
    const std::vector<float> x = random_floats(static_cast<std::size_t>(batch * n), 2);
    const DeviceArray<float> input(x), back(x.size());
    const DeviceArray<cufftComplex> spectrum(static_cast<std::size_t>(batch * half), {});
    cufftHandle forward = CUFFT_PLAN_NULL, inverse = CUFFT_PLAN_NULL;
    REQUIRE(cufftPlan1d(&forward, n, CUFFT_R2C, batch) == CUFFT_SUCCESS);
    REQUIRE(cufftPlan1d(&inverse, n, CUFFT_C2R, batch) == CUFFT_SUCCESS);
    cufftSetStream(forward, main_stream());
    cufftSetStream(inverse, main_stream());
    REQUIRE(cufftExecR2C(forward, input.data(), spectrum.data()) == CUFFT_SUCCESS);
    CHECK(input.values() == x);
    for (int b = 0; b < batch; ++b)
      for (int k = 0; k < half; ++k)
        CHECK(near(spectrum.values()[static_cast<std::size_t>(b * half + k)], coefficient(row(x, n, b), -1, k)));
    REQUIRE(cufftExecC2R(inverse, spectrum.data(), back.data()) == CUFFT_SUCCESS);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(near(back.values()[i], double{x[i]} * n));
    for (const cufftComplex value : spectrum.values()) CHECK((std::isnan(value.x) && std::isnan(value.y)));
    CHECK(cufftDestroy(forward) == CUFFT_SUCCESS);
    CHECK(cufftDestroy(inverse) == CUFFT_SUCCESS);
  }
}

// "in order to perform an in-place FFT, the user has to pad the input array in the last dimension to Nn2 + 1 complex
// elements interleaved. Note that the real-to-complex transform is implicitly forward." ("Multidimensional Transforms")
TEST_CASE("stand-in of cuFFT: real transforms in place have padded rows") {
  const int n = 6, half = 4, batch = 2;
  const std::vector<float> x = random_floats(batch * n, 3);
  std::vector<float> padded(batch * 2 * half, std::numeric_limits<float>::quiet_NaN());
  for (int i = 0; i < batch * n; ++i)
    padded[static_cast<std::size_t>(i / n * 2 * half + i % n)] = x[static_cast<std::size_t>(i)];
  const DeviceArray<float> data(padded);
  cufftHandle forward = CUFFT_PLAN_NULL, inverse = CUFFT_PLAN_NULL;
  REQUIRE(cufftPlan1d(&forward, n, CUFFT_R2C, batch) == CUFFT_SUCCESS);
  REQUIRE(cufftPlan1d(&inverse, n, CUFFT_C2R, batch) == CUFFT_SUCCESS);
  cufftSetStream(forward, main_stream());
  cufftSetStream(inverse, main_stream());
  auto* complex = reinterpret_cast<cufftComplex*>(data.data());
  REQUIRE(cufftExecR2C(forward, data.data(), complex) == CUFFT_SUCCESS);
  for (int b = 0; b < batch; ++b)
    for (int k = 0; k < half; ++k) CHECK(near(complex[b * half + k], coefficient(row(x, n, b), -1, k)));
  REQUIRE(cufftExecC2R(inverse, complex, data.data()) == CUFFT_SUCCESS);
  for (int i = 0; i < batch * n; ++i)
    CHECK(near(data.data()[i / n * 2 * half + i % n], 6.0 * double{x[static_cast<std::size_t>(i)]}));
  cufftDestroy(forward);
  cufftDestroy(inverse);
}

// "in 1D: input[b * idist + x * istride], output[b * odist + x * ostride]" ("Advanced Data Layout")
TEST_CASE("stand-in of cuFFT: rows with strides and distances") {
  int n = 4, embed = 0;  // of one dimension the embedding says nothing
  const int batch = 3, istride = 2, idist = 9, ostride = 3, odist = 1;
  const std::vector<float> x = random_floats(26, 4);  // the last element is 2 · 9 + 3 · 2
  const DeviceArray<float> input(std::vector<float>(x.begin(), x.begin() + 25));
  const DeviceArray<cufftComplex> output(9, {-7, -7});
  const PlanScope plan;
  size_t bytes = 0;
  REQUIRE(cufftMakePlanMany(plan, 1, &n, &embed, istride, idist, &embed, ostride, odist, CUFFT_R2C, batch, &bytes) ==
          CUFFT_SUCCESS);
  REQUIRE(cufftExecR2C(plan, input.data(), output.data()) == CUFFT_SUCCESS);
  for (int b = 0; b < batch; ++b) {
    std::vector<Complex> line;
    for (int i = 0; i < n; ++i) line.emplace_back(x[static_cast<std::size_t>(b * idist + i * istride)]);
    for (int k = 0; k < 3; ++k)
      CHECK(near(output.values()[static_cast<std::size_t>(b * odist + k * ostride)], coefficient(line, -1, k)));
  }
}

// "in 2D: input[b * idist + (x * inembed[1] + y) * istride], output[b * odist + (x * onembed[1] + y) * ostride]"
// ("Advanced Data Layout")
TEST_CASE("stand-in of cuFFT: two dimensions in larger arrays, there and back") {
  int n[] = {3, 4}, real_embed[] = {3, 5}, complex_embed[] = {3, 4};
  const std::vector<float> x = random_floats(2 * 15, 5);
  const DeviceArray<float> input(x), back(2 * 15, -7.0f);
  const DeviceArray<cufftComplex> spectrum(2 * 12, {-7, -7});
  const PlanScope forward, inverse;
  size_t bytes = 0;
  REQUIRE(cufftMakePlanMany(forward, 2, n, real_embed, 1, 15, complex_embed, 1, 12, CUFFT_R2C, 2, &bytes) ==
          CUFFT_SUCCESS);
  REQUIRE(cufftMakePlanMany(inverse, 2, n, complex_embed, 1, 12, real_embed, 1, 15, CUFFT_C2R, 2, &bytes) ==
          CUFFT_SUCCESS);
  REQUIRE(cufftExecR2C(forward, input.data(), spectrum.data()) == CUFFT_SUCCESS);
  for (int b = 0; b < 2; ++b) {
    for (int k0 = 0; k0 < 3; ++k0) {
      for (int k1 = 0; k1 < 3; ++k1) {
        Complex sum = 0;
        for (int j0 = 0; j0 < 3; ++j0)
          for (int j1 = 0; j1 < 4; ++j1)
            sum += double{x[static_cast<std::size_t>(b * 15 + j0 * 5 + j1)]} *
                   std::polar(1.0, -2 * std::numbers::pi * (j0 * k0 / 3.0 + j1 * k1 / 4.0));
        CHECK(near(spectrum.values()[static_cast<std::size_t>(b * 12 + k0 * 4 + k1)], sum));
      }
      CHECK(spectrum.values()[static_cast<std::size_t>(b * 12 + k0 * 4 + 3)].x == -7);  // beyond the row
    }
  }
  REQUIRE(cufftExecC2R(inverse, spectrum.data(), back.data()) == CUFFT_SUCCESS);
  for (int i = 0; i < 30; ++i) {
    const auto at = static_cast<std::size_t>(i);
    CHECK((i % 5 == 4 ? back.values()[at] == -7 : near(back.values()[at], 12.0 * double{x[at]})));
  }
}

// "inembed: Pointer of size rank that indicates the storage dimensions of the input data in memory. If set to NULL all
// other advanced data layout parameters are ignored." (cufftMakePlanMany())
TEST_CASE("stand-in of cuFFT: without embeddings strides and distances are ignored") {
  int n = 5, embed = 5;
  const std::vector<cufftComplex> x = random_complex(10, 6);
  const DeviceArray<cufftComplex> input(x), output(10, {});
  cufftHandle plan = CUFFT_PLAN_NULL;
  REQUIRE(cufftPlanMany(&plan, 1, &n, nullptr, 77, 1, nullptr, -3, 99, CUFFT_C2C, 2) == CUFFT_SUCCESS);
  cufftSetStream(plan, main_stream());
  REQUIRE(cufftExecC2C(plan, input.data(), output.data(), CUFFT_INVERSE) == CUFFT_SUCCESS);
  for (int b = 0; b < 2; ++b)
    for (int k = 0; k < 5; ++k)
      CHECK(near(output.values()[static_cast<std::size_t>(b * 5 + k)], coefficient(row(x, 5, b), 1, k)));
  cufftDestroy(plan);
  // The documentation does not say what one of them alone would mean.
  CHECK(error_text([&] {
          cufftPlanMany(&plan, 1, &n, &embed, 1, 5, nullptr, 1, 5, CUFFT_C2C, 2);
        }).find("one of inembed and onembed is NULL") != std::string::npos);
}

TEST_CASE("stand-in of cuFFT: rows of the input may overlap, as frames of a signal do, those of the output may not") {
  int n = 4, embed = 4;
  const std::vector<float> x = random_floats(6, 7);
  const DeviceArray<float> input(x);
  const DeviceArray<cufftComplex> output(9, {});
  const PlanScope frames, clash;
  size_t bytes = 0;
  REQUIRE(cufftMakePlanMany(frames, 1, &n, &embed, 1, 1, &embed, 1, 3, CUFFT_R2C, 3, &bytes) == CUFFT_SUCCESS);
  REQUIRE(cufftMakePlanMany(clash, 1, &n, &embed, 1, 1, &embed, 1, 2, CUFFT_R2C, 3, &bytes) == CUFFT_SUCCESS);
  REQUIRE(cufftExecR2C(frames, input.data(), output.data()) == CUFFT_SUCCESS);
  for (int b = 0; b < 3; ++b)
    for (int k = 0; k < 3; ++k) {
      std::vector<Complex> line(x.begin() + b, x.begin() + b + 4);
      CHECK(near(output.values()[static_cast<std::size_t>(b * 3 + k)], coefficient(line, -1, k)));
    }
  CHECK(error_text([&] { cufftExecR2C(clash, input.data(), output.data()); }) ==
        "simt: cufftExecR2C: element 2 of odata is written twice");
}

// "Once plan generation has been done, […] this call returns the actual size of the work area required to support the
// plan." (cufftGetSize()) "If cufftSetAutoAllocation() has been called with autoAllocate set to 0 ("false") prior to one
// of the cufftMakePlan*() calls, cuFFT does not allocate the work area." (cufftSetAutoAllocation()) "The
// cufftExecute*() calls assume that the work area pointer is valid and that it points to a contiguous region in device
// memory that does not overlap with any other work area. If this is not the case, results are indeterminate."
// (cufftSetWorkArea())
TEST_CASE("stand-in of cuFFT: a work area of the caller's own") {
  const PlanScope plan;
  size_t made = 0, bytes = 0;
  CHECK(cufftGetSize(plan, &bytes) == CUFFT_INVALID_PLAN);  // not made yet
  REQUIRE(cufftSetAutoAllocation(plan, 0) == CUFFT_SUCCESS);
  REQUIRE(cufftMakePlan1d(plan, 8, CUFFT_C2C, 1, &made) == CUFFT_SUCCESS);
  REQUIRE(cufftGetSize(plan, &bytes) == CUFFT_SUCCESS);
  CHECK(bytes == made);
  REQUIRE(bytes > 0);
  const DeviceArray<cufftComplex> x(random_complex(8, 8)), y(8, {});
  const auto transform = [&] { cufftExecC2C(plan, x.data(), y.data(), CUFFT_FORWARD); };
  CHECK(error_text(transform).find("no work area") != std::string::npos);
  const DeviceArray<char> area(bytes, 'x'), too_small(bytes - 1, 'x');
  REQUIRE(cufftSetWorkArea(plan, area.data()) == CUFFT_SUCCESS);
  CHECK(error_text(transform) == "no error");
  for (const char value : area.values()) CHECK(value != 'x');
  REQUIRE(cufftSetWorkArea(plan, too_small.data()) == CUFFT_SUCCESS);
  CHECK(error_text(transform).find("the work area takes bytes 0 to") != std::string::npos);
  REQUIRE(cufftSetWorkArea(plan, y.data()) == CUFFT_SUCCESS);
  CHECK(error_text(transform) == "simt: cufftExecC2C: the work area overlaps odata");
}

// "This call can only be used once for a given handle. It will fail and return CUFFT_INVALID_PLAN if the plan is locked,
// i.e. the handle was previously used with a different cufftPlan or cufftMakePlan call." (cufftMakePlanMany())
// What cuFFT 12.0 answers without a GPU is the same: 4 dimensions 4, an unknown type 3, no handle 1, a null workSize 4.
TEST_CASE("stand-in of cuFFT: plans and arguments that are refused") {
  const std::size_t live = live_cufft_objects();
  int n[] = {4, 4, 4, 4}, none[] = {0};
  size_t bytes = 0;
  const auto make = [&](cufftHandle plan, int rank, int* sizes, cufftType type, int batch, size_t* size) {
    return cufftMakePlanMany(plan, rank, sizes, nullptr, 1, 0, nullptr, 1, 0, type, batch, size);
  };
  {
    const PlanScope plan;
    CHECK(live_cufft_objects() == live + 1);
    CHECK(make(plan, 4, n, CUFFT_C2C, 1, &bytes) == CUFFT_INVALID_VALUE);
    CHECK(make(plan, 1, none, CUFFT_C2C, 1, &bytes) == CUFFT_INVALID_SIZE);
    CHECK(make(plan, 1, n, static_cast<cufftType>(3), 1, &bytes) == CUFFT_INVALID_TYPE);
    CHECK(make(plan, 1, n, CUFFT_C2C, 0, &bytes) == CUFFT_INVALID_VALUE);
    CHECK(make(plan, 1, n, CUFFT_C2C, 1, nullptr) == CUFFT_INVALID_VALUE);
    CHECK(make(plan.value + 1000, 1, n, CUFFT_C2C, 1, &bytes) == CUFFT_INVALID_PLAN);
    CHECK(cufftExecC2C(plan, nullptr, nullptr, CUFFT_FORWARD) == CUFFT_INVALID_PLAN);  // not made yet
    CHECK(make(plan, 1, n, CUFFT_C2C, 1, &bytes) == CUFFT_SUCCESS);
    CHECK(make(plan, 1, n, CUFFT_C2C, 1, &bytes) == CUFFT_INVALID_PLAN);
    int narrow[] = {4, 3};
    cufftHandle other = CUFFT_PLAN_NULL;
    // "n[i] ≤ inembed[i]" ("Advanced Data Layout")
    CHECK(cufftPlanMany(&other, 2, n, narrow, 1, 12, n, 1, 16, CUFFT_C2C, 1) == CUFFT_INVALID_VALUE);

    const DeviceArray<cufftComplex> x(4, {}), y(4, {});
    cufftComplex host[4] = {};
    CHECK(cufftExecC2C(plan, x.data(), y.data(), 0) == CUFFT_INVALID_VALUE);
    CHECK(cufftExecC2C(plan, nullptr, y.data(), CUFFT_FORWARD) == CUFFT_INVALID_VALUE);
    const auto transform = [&](cufftComplex* from, cufftComplex* to) {
      return error_text([&] { cufftExecC2C(plan, from, to, CUFFT_FORWARD); });
    };
    CHECK(transform(x.data(), y.data()) == "no error");
    cufftSetStream(plan, nullptr);
    CHECK(transform(x.data(), y.data()).find("on another stream than the kernels") != std::string::npos);
    cufftSetStream(plan, main_stream());
    CHECK(transform(host, y.data()) == "simt: cufftExecC2C: idata is not memory of the device");
    CHECK(transform(x.data(), host) == "simt: cufftExecC2C: odata is not memory of the device");
    CHECK(transform(x.data() + 1, y.data()) == "simt: cufftExecC2C: idata takes bytes 8 to 39 of an array that has 32");
    CHECK(error_text([&] { cufftExecR2C(plan, &x.data()->x, y.data()); }) ==
          "simt: cufftExecR2C: the plan was made for another type of transform");
  }
  CHECK(live_cufft_objects() == live);
  CHECK(cufftDestroy(CUFFT_PLAN_NULL) == CUFFT_SUCCESS);
  CHECK(cufftDestroy(12345678) == CUFFT_INVALID_PLAN);
}

}  // namespace
}  // namespace melgrad::simt
