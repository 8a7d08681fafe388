#include "bench/compare/compare.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "bench/compare/mann_whitney.h"
#include "kernels/error.h"
#include "kernels/philox.h"
#include "tests/temporary_folder.h"

namespace melgrad::bench {
namespace {

using Values = std::vector<double>;

TEST_CASE("Mann and Whitney's p is SciPy's") {
  // scipy.stats.mannwhitneyu, exact without ties, asymptotic with them (1.17).
  const struct {
    Values a, b;
    double p;
  } cases[] = {
      {{1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}, 0.007936507936507936},
      {{1.1, 2.4, 3.2, 4.9}, {2.0, 3.5, 6.1, 7.7, 8.8}, 0.19047619047619047},
      {{5.2, 5.4, 5.1, 5.9, 5.3, 5.8}, {5.0, 5.5, 5.7, 5.6, 6.0, 6.2, 6.4}, 0.23426573426573427},
      {{3.0}, {1.0, 2.0, 4.0}, 1.0},
      {{1, 2, 2, 3, 5}, {2, 3, 3, 4, 6, 6}, 0.1620516143696369},
      {{1, 1, 1, 1}, {1, 1, 1, 2}, 0.4532547047537364},
      {{10, 11, 11, 12, 13, 14}, {12, 12, 15, 16, 16, 17}, 0.04307995419323593},
  };
  for (const auto& [a, b, p] : cases) {
    CHECK(mann_whitney_p(a, b) == doctest::Approx(p).epsilon(1e-12));
    CHECK(mann_whitney_p(b, a) == doctest::Approx(p).epsilon(1e-12));
  }
  CHECK(mann_whitney_p(Values{2, 2}, Values{2, 2, 2}) == 1);  // nothing to tell apart
  CHECK(smallest_p(5, 5) == doctest::Approx(2.0 / 252));
  CHECK(smallest_p(3, 3) == doctest::Approx(0.1));
  CHECK(smallest_p(1, 1) == 1);
  CHECK_THROWS(mann_whitney_p(Values{}, Values{1}));
}

TEST_CASE("medians of odd and even numbers") {
  CHECK(median(Values{3, 1, 2}) == 2);
  CHECK(median(Values{4, 1, 2, 3}) == 2.5);
  CHECK_THROWS(median(Values{}));
}

// Times as a shared machine has them: a floor, noise above it, and now and then a call that waits.
Values noisy(double floor, int count, uint32_t stream) {
  Generator random(1, Draw::test, stream);
  Values values;
  for (int i = 0; i < count; ++i)
    values.push_back(floor * (1 + 0.02 * std::abs(random.normal()) + (random.uniform() < 0.15 ? random.uniform() : 0)));
  return values;
}

Verdict verdict_of(const Values& before, const Values& after) {
  return compare({"m", {{"x", before}}}, {"m", {{"x", after}}}).at(0).verdict;
}

TEST_CASE("noise is no verdict, a tenth more is one") {
  int false_alarms = 0, found = 0;
  for (uint32_t i = 0; i < 200; ++i) {
    false_alarms += verdict_of(noisy(10, 20, 2 * i), noisy(10, 20, 2 * i + 1)) != Verdict::same;
    found += verdict_of(noisy(10, 20, 2 * i), noisy(11, 20, 2 * i + 1)) == Verdict::slower;
  }
  CHECK(false_alarms <= 2);
  CHECK(found >= 180);
}

TEST_CASE("a difference that is certain and small is none, and a large one of few repetitions neither") {
  CHECK(verdict_of({10.00, 10.01, 10.02, 10.03, 10.04}, {10.11, 10.12, 10.13, 10.14, 10.15}) == Verdict::same);
  CHECK(verdict_of({10.00, 10.01, 10.02, 10.03, 10.04}, {10.41, 10.42, 10.43, 10.44, 10.45}) == Verdict::slower);
  CHECK(verdict_of({10.41, 10.42, 10.43, 10.44, 10.45}, {10.00, 10.01, 10.02, 10.03, 10.04}) == Verdict::faster);
  CHECK(verdict_of({10, 11, 12}, {20, 21, 22}) == Verdict::too_few);
}

class Files {
 public:
  std::string write(const std::string& name, const nlohmann::json& content) {
    folder_.write(name, content.dump());
    return (folder_.path() / name).string();
  }

 private:
  test::TemporaryFolder folder_;
};

nlohmann::json google_benchmark(const Values& microseconds) {
  nlohmann::json file{{"context", {{"host_name", "here"}}}, {"benchmarks", nlohmann::json::array()}};
  for (double time : microseconds)
    file["benchmarks"].push_back({{"name", "a/b/repeats:5"},
                                  {"run_name", "a/b"},
                                  {"run_type", "iteration"},
                                  {"real_time", time},
                                  {"time_unit", "us"}});
  file["benchmarks"].push_back(
      {{"name", "a/b_mean"}, {"run_name", "a/b"}, {"run_type", "aggregate"}, {"real_time", 1e9}, {"time_unit", "us"}});
  return file;
}

nlohmann::json peers(const Values& milliseconds) {
  return {{"processor", "P"},
          {"threads", 2},
          {"rows",
           {{{"model", "m"},
             {"pass", "train"},
             {"batch", 8},
             {"times_ms", {{"melgrad", milliseconds}, {"pytorch", {1.0}}}}}}}};
}

TEST_CASE("both kinds of file are read, aggregates and peers left out") {
  Files files;
  const Results google = load_results(files.write("g.json", google_benchmark({1000, 3000, 2000})));
  CHECK(google.machine == "here");
  CHECK(google.times == std::map<std::string, Values>{{"a/b", {1, 3, 2}}});
  const Results ours = load_results(files.write("p.json", peers({4, 5})));
  CHECK(ours.machine == "P, 2 threads");
  CHECK(ours.times == std::map<std::string, Values>{{"models/m/train/batch:8", {4, 5}}});
  CHECK_THROWS_WITH_AS(load_results(files.write("x.json", {{"a", 1}})), doctest::Contains("x.json"), Error);
}

TEST_CASE("the command says with its status whether something is slower") {
  Files files;
  const std::string before = files.write("a.json", google_benchmark({100, 101, 102, 103, 104})),
                    after = files.write("b.json", google_benchmark({150, 151, 152, 153, 154}));
  CHECK(compare_command({before, after}) == 1);
  CHECK(compare_command({after, before}) == 0);
  CHECK(compare_command({before, before}) == 0);
  CHECK(compare_command({before, after, "--threshold", "0.6"}) == 0);
  CHECK(compare_command({before, files.write("p.json", peers({4}))}) == 1);  // nothing in common
  CHECK(compare_command({before}) == 2);
  CHECK(compare_command({before, after, "--wrong"}) == 2);
}

}  // namespace
}  // namespace melgrad::bench
