#include "audio/dataset.h"

#include <mutex>
#include <optional>

#include "audio/cache.h"
#include "kernels/error.h"
#include "kernels/thread_pool.h"

namespace melgrad {
namespace {

struct ClipResult {
  SegmentFeatures features;
  std::string problem;  // why the clip is skipped; empty: it is not
  bool from_cache = false;
};

ClipResult analyse(const Clip& clip, const Frontend& frontend, const DataOptions& options) {
  try {
    return {.features = analyse_clip(load_samples(clip.path, frontend.options().sample_rate), frontend, options),
            .problem = {}};
  } catch (const std::exception& error) {  // memory may also run out
    std::string reason = error.what();
    const std::string prefix = clip.path.string() + ": ";
    if (reason.starts_with(prefix)) reason.erase(0, prefix.size());
    return {.features = {}, .problem = reason.empty() ? "unknown error" : reason};
  }
}

// Problems of the clip are in the result; those of the cache are thrown.
ClipResult find_or_analyse(const Clip& clip, const Frontend& frontend, const DataOptions& options,
                           const std::optional<FeatureCache>& cache) {
  if (cache) {
    if (auto features = cache->find(clip.path))
      return {.features = *std::move(features), .problem = {}, .from_cache = true};
  }
  ClipResult result = analyse(clip, frontend, options);
  if (cache && result.problem.empty()) cache->store(clip.path, result.features);
  return result;
}

void append(FeatureSet& set, const Clip& clip, ClipResult result) {
  if (!result.problem.empty()) {
    std::error_code error;
    set.skipped.push_back({clip.name, result.problem, !std::filesystem::exists(clip.path, error)});
    return;
  }
  const SegmentFeatures& features = result.features;
  set.features.insert(set.features.end(), features.values.begin(), features.values.end());
  const auto index = static_cast<int32_t>(set.clips.size());
  set.clip.insert(set.clip.end(), static_cast<std::size_t>(features.segments), index);
  set.clips.push_back(clip);
  set.dropped_segments += features.dropped;
  set.from_cache += result.from_cache ? 1 : 0;
}

}  // namespace

FeatureSet compute_features(const ClipList& list, const Frontend& frontend, const DataOptions& options,
                            ThreadPool& pool, const ClipProgress& progress) {
  validate(options);
  const Cut cut = make_cut(frontend, options);
  std::optional<FeatureCache> cache;
  if (options.cache != "none") cache.emplace(options.cache, frontend.options(), options);

  const auto total = static_cast<int64_t>(list.clips.size());
  std::vector<ClipResult> results(list.clips.size());
  std::mutex mutex;
  int64_t done = 0;
  pool.run(total, [&](int64_t i) {
    const auto index = static_cast<std::size_t>(i);
    results[index] = find_or_analyse(list.clips[index], frontend, options, cache);
    const std::lock_guard lock(mutex);
    ++done;
    if (progress) progress(done, total);
  });

  FeatureSet set;
  set.frames = cut.frames;
  set.bins = frontend.bins();
  std::size_t values = 0;
  for (const ClipResult& result : results) values += result.features.values.size();
  set.features.reserve(values);
  for (std::size_t i = 0; i < results.size(); ++i) append(set, list.clips[i], std::move(results[i]));
  if (set.clips.empty()) {
    require(total > 0, "the data set has no clips");
    fail("none of the {} clips can be used; the first, {}: {}", total, set.skipped.front().name,
         set.skipped.front().reason);
  }
  return set;
}

}  // namespace melgrad
