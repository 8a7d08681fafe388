#include "bench/report/report.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "tensor/io/atomic_file.h"
#include "tests/temporary_folder.h"

namespace melgrad::bench {
namespace {

using nlohmann::json;

json google_benchmark() {
  json file{{"context",
             {{"processor", "P & Q"},
              {"simd", "AVX3"},
              {"date", "today"},
              {"fma_flops_per_second", "4e11"},
              {"read_bytes_per_second", "4e10"},
              {"write_bytes_per_second", "3e10"},
              {"copy_bytes_per_second", "2e10"}}},
            {"benchmarks", json::array()}};
  for (int i = 0; i < 6; ++i)
    file["benchmarks"].push_back({{"name", "x"},
                                  {"run_name", i < 3 ? "kernels/a" : "models/<b>"},
                                  {"run_type", "iteration"},
                                  {"repetition_index", i % 3},
                                  {"real_time", 12.5},
                                  {"time_unit", "ms"},
                                  {"flop/s", 1e11 * (i + 1)},
                                  {"B/s", 1e10},
                                  {"flop/B", 10.0 * (i + 1)},
                                  {"fma", 0.3},
                                  {"copy", 0.5},
                                  {"limit", 0.5},
                                  {"label", "bound by memory"}});
  return file;
}

json peers() {
  json row{{"model", "samplecnn"},
           {"pass", "train"},
           {"batch", 8},
           {"fma", 0.7},
           {"times_ms", {{"melgrad", {3.0, 1.0, 2.0}}, {"pytorch tuned", {8.0, 9.0}}}},
           {"ratios", {{"pytorch tuned", 4.25}}}};
  json aim{{"model", "samplecnn"}, {"pass", "train"}, {"batch", 8},  {"against", "pytorch tuned"},
           {"ratio", 4.25},        {"aim", 6.5},      {"met", false}};
  return {
      {"processor", "P"}, {"threads", 2}, {"system", "Linux"}, {"date", "today"}, {"versions", {{"torch", "2.11.0"}}},
      {"rows", {row}},    {"aims", {aim}}};
}

struct Fixture {
  test::TemporaryFolder folder;
  std::string out = (folder.path() / "page").string();

  std::string write(const std::string& name, const json& content) {
    return folder.write(name, content.dump()).string();
  }
  std::string page() const { return read_file(out + "/index.html"); }
};

TEST_CASE("a page holds the roofline, the bars and the aims, and loads nothing") {
  Fixture fixture;
  REQUIRE(report_command({fixture.write("a.json", google_benchmark()), fixture.write("b.json", peers()), "--out",
                          fixture.out}) == 0);
  const std::string html = fixture.page();
  for (const char* part : {"P &amp; Q", "400 GFLOP/s", "models/&lt;b&gt;", "12.5 ms", "memory", "torch 2.11.0", "4.25",
                           "samplecnn train 8, pytorch tuned", "data:image/png;base64,iVBOR"})
    CHECK_MESSAGE(html.find(part) != std::string::npos, part);
  // The first repetition of each bench has a row; the median is that of the rounds.
  CHECK(html.find("kernels/a") == html.rfind("kernels/a"));
  CHECK(html.find(">2.000<") != std::string::npos);
  for (const char* outside : {"http://", "https://", "<script", "@import", "url("})
    CHECK_MESSAGE(html.find(outside) == std::string::npos, outside);
  for (const char* picture : {"roofline.png", "train-8.png", "aims.png"})
    CHECK(read_file(fixture.out + "/" + picture).starts_with("\x89PNG"));
}

TEST_CASE("bad usage and files that are no results") {
  Fixture fixture;
  CHECK(report_command({}) == 2);
  CHECK(report_command({"a.json"}) == 2);
  CHECK_THROWS_WITH_AS(report_command({fixture.write("x.json", {{"a", 1}}), "--out", fixture.out}),
                       doctest::Contains("x.json"), Error);
}

}  // namespace
}  // namespace melgrad::bench
