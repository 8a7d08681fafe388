// Key names, top K by hand, the bootstrap, and what metrics refuse.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "models/metrics/bootstrap.h"
#include "models/metrics/key_score.h"
#include "models/metrics/ranking.h"
#include "models/metrics/top_k.h"

namespace melgrad::test {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TEST_CASE("names of keys") {
  CHECK(parse_key("C major") == Key{0, true});
  CHECK(parse_key("C# minor") == Key{1, false});
  CHECK(parse_key("Bb major") == Key{10, true});
  CHECK(parse_key("Cb minor") == Key{11, false});
  CHECK(parse_key("B minor") == Key{11, false});
  for (const char* other : {"", "C", "Cmajor", "H major", "c major", "C Major", "rock", "A", "C##  major"})
    CHECK_FALSE(parse_key(other).has_value());
  CHECK(parse_keys({"C minor", "C major"})->size() == 2);
  CHECK_FALSE(parse_keys({"C minor", "blues"}).has_value());
}

TEST_CASE("a key score is the mean of its weights") {
  const Key c{0, true};
  KeyScore score;
  for (const Key& estimate : {Key{0, true}, {7, true}, {5, true}, {9, false}, {0, false}, {6, true}})
    score.add(c, estimate);
  CHECK(score.total() == 6);
  for (const auto& [relation, name] : enum_names<KeyRelation>) CHECK(score.count(relation) == 1);
  CHECK(score.score(Fifths::ascending) == doctest::Approx((1 + 0.5 + 0.3 + 0.2) / 6));
  CHECK(score.score(Fifths::both) == doctest::Approx((1 + 0.5 + 0.5 + 0.3 + 0.2) / 6));
  CHECK(KeyScore().score(Fifths::both) == 0);
}

TEST_CASE("ranking by hand, and scores that cannot be ranked") {
  // Positives 0.9 and 0.4; negatives 0.6, 0.4 (a tie) and 0.1: of six pairs 4 are won and one tied.
  const std::vector<float> scores{0.9f, 0.6f, 0.4f, 0.4f, 0.1f}, truth{1, 0, 1, 0, 0};
  const RankingMeasures measures = Ranking(scores, truth).measures();
  CHECK(measures.roc_auc == doctest::Approx(4.5 / 6));
  CHECK(measures.average_precision == doctest::Approx(0.5 * 1 + 0.5 * 2 / 4));
  CHECK_THROWS_AS(Ranking(std::vector<float>{nan, 1}, std::vector<float>{0, 1}), Error);
  CHECK_THROWS_AS(Ranking(std::vector<float>{0, 1}, std::vector<float>{0.5f, 1}), Error);
  CHECK_THROWS_AS(Ranking(std::vector<float>{0}, std::vector<float>{0, 1}), Error);
  CHECK_THROWS_AS(Ranking(scores, truth).measures(std::vector<int32_t>{1}), Error);
  CHECK(std::isnan(Ranking({}, {}).measures().roc_auc));
}

TEST_CASE("top K: of equal scores the first tag stands above; ten labels at 0.7 are seven") {
  const std::vector<float> scores{0.5f, 0.5f, 0.5f}, truth{0, 1, 0};
  const TopK tied({scores, truth, 1, 3});
  CHECK(tied.share_holding(1, 1) == 0);
  CHECK(tied.share_holding(2, 1) == 1);
  std::vector<float> falling, all(10, 1.0f);
  for (int i = 0; i < 10; ++i) falling.push_back(1.0f - 0.1f * static_cast<float>(i));
  const TopK ten({falling, all, 1, 10});
  CHECK(ten.share_holding(6, 0.7) == 0);
  CHECK(ten.share_holding(7, 0.7) == 1);
  CHECK(ten.precision(4) == 1);
  const std::vector<float> none(3, 0.0f);
  const TopK unlabelled({scores, none, 1, 3});
  CHECK(unlabelled.skipped() == 1);
  CHECK(unlabelled.share_holding(3, 1) == 0);
  CHECK(unlabelled.captures(3).empty());
  CHECK_THROWS_AS(TopK({scores, truth, 2, 3}), Error);
  CHECK_THROWS_AS(tied.share_holding(1, 0), Error);
}

TEST_CASE("bootstrap: the interval of a share is the normal one, wherever it runs") {
  // 300 of 400 clips are right: 0.75 ± 1.96 · sqrt(0.75 · 0.25 / 400) = 0.75 ± 0.0424.
  const auto share = [](std::span<const int32_t> weights) {
    int64_t right = 0;
    for (std::size_t i = 0; i < 300; ++i) right += weights[i];
    return std::vector<double>{static_cast<double>(right) / 400, 7};
  };
  const auto intervals = bootstrap(400, share, {.resamples = 4000});
  REQUIRE(intervals.size() == 2);
  CHECK(std::abs(intervals[0].low - (0.75 - 0.0424)) < 0.004);
  CHECK(std::abs(intervals[0].high - (0.75 + 0.0424)) < 0.004);
  CHECK(intervals[1].low == 7);
  CHECK(intervals[1].high == 7);
  const auto narrow = bootstrap(400, share, {.resamples = 4000, .level = 0.5})[0];
  CHECK(std::abs(narrow.high - narrow.low - 2 * 0.6745 * 0.02165) < 0.004);
  set_threads(1);
  CHECK(bootstrap(400, share, {.resamples = 4000})[0].low == intervals[0].low);
  set_threads(0);
  CHECK(bootstrap(400, share, {.resamples = 50, .seed = 1})[0].low != bootstrap(400, share, {.resamples = 50})[0].low);
}

TEST_CASE("bootstrap: every draw has as many clips, each as likely; a NaN is left out") {
  const auto total = [](std::span<const int32_t> weights) {
    double sum = 0;
    for (int32_t weight : weights) sum += weight;
    // NaN unless clip 0 was drawn.
    return std::vector<double>{sum, weights[0] > 0 ? 1.0 : std::nan(""), std::nan("")};
  };
  const auto intervals = bootstrap(5, total, {.resamples = 200});
  CHECK(intervals[0].low == 5);
  CHECK(intervals[0].high == 5);
  CHECK(intervals[1].low == 1);
  CHECK(std::isnan(intervals[2].low));
  CHECK_THROWS_AS(bootstrap(0, total), Error);
}

}  // namespace
}  // namespace melgrad::test
