#include "audio/dataset.h"

#include <mutex>
#include <optional>

#include "audio/cache.h"
#include "audio/key_spectrogram.h"
#include "kernels/error.h"
#include "kernels/thread_pool.h"

namespace melgrad {
namespace {

struct ClipResult {
  StoredClip features, samples;
  int64_t segments = 0, dropped = 0;
  std::string problem{};  // why the clip is skipped; empty: it is not
  bool from_cache = false;
};

// One cache for each kind of thing that is kept.
class Keeper {
 public:
  Keeper(const Frontend& frontend, const DataOptions& options, Keep keep)
      : frontend_(frontend), options_(options), cut_(make_cut(frontend, options)), keep_(keep) {
    if (options.cache == "none") return;
    if (keep.features) features_.emplace(options.cache, feature_parameters(frontend.options(), options));
    if (keep.samples) samples_.emplace(options.cache, sample_parameters(frontend.options().sample_rate));
  }

  // Problems of the clip are in the result; those of the cache are thrown.
  ClipResult process(const Clip& clip) {
    ClipResult result;
    if (features_) result.features = features_->find(clip.path).value_or(StoredClip{});
    if (samples_) result.samples = samples_->find(clip.path).value_or(StoredClip{});
    const bool new_features = keep_.features && result.features.empty();
    const bool new_samples = keep_.samples && result.samples.empty();
    result.from_cache = !new_features && !new_samples;
    try {
      make(clip, new_features, new_samples, result);
    } catch (const std::exception& error) {  // memory may also run out
      std::string reason = error.what();
      const std::string prefix = clip.path.string() + ": ";
      if (reason.starts_with(prefix)) reason.erase(0, prefix.size());
      result.problem = reason.empty() ? "unknown error" : reason;
      return result;
    }
    if (new_features && features_) features_->add(clip.path, result.features);
    if (new_samples && samples_) samples_->add(clip.path, result.samples);
    return result;
  }

  void flush() {
    if (features_) features_->flush();
    if (samples_) samples_->flush();
  }

 private:
  void make(const Clip& clip, bool new_features, bool new_samples, ClipResult& result) const {
    if (clip.path.extension() == ".png") {
      require(frontend_.options().kind == FeatureKind::key_spectrogram && !keep_.samples,
              "a picture; only frontend.preset = key-spectrogram reads these, and nothing can be varied in them");
      if (new_features)
        result.features = store_features({.segments = 1,
                                          .frames = cut_.frames,
                                          .bins = frontend_.bins(),
                                          .values = load_key_spectrogram(clip.path)});
    } else if (new_samples) {
      const std::vector<float> samples = load_samples(clip.path, frontend_.options().sample_rate);
      if (new_features) result.features = store_features(analyse_clip(samples, frontend_, options_));
      result.samples = store_samples(samples);
    } else if (new_features) {
      result.features = store_features(analyse_file(clip.path, frontend_, options_));
    }
    result.segments = keep_.features ? result.features.segments : whole_pieces(result.samples.samples, cut_, options_);
    result.dropped = cut_.segments - result.segments;
    if (result.segments == 0) fail_too_short(result.samples.samples, frontend_, cut_);
  }

  const Frontend& frontend_;
  const DataOptions& options_;
  Cut cut_;
  Keep keep_;
  std::optional<ClipCache> features_, samples_;
};

void append(FeatureSet& set, const Clip& clip, ClipResult result, Keep keep) {
  if (!result.problem.empty()) {
    std::error_code error;
    set.skipped.push_back({clip.name, result.problem, !std::filesystem::exists(clip.path, error)});
    return;
  }
  const auto index = static_cast<int32_t>(set.clips.size());
  for (int64_t piece = 0; piece < result.segments; ++piece) {
    set.clip.push_back(index);
    set.piece.push_back(static_cast<int32_t>(piece));
  }
  set.clips.push_back(clip);
  if (keep.features) set.features.push_back(std::move(result.features));
  if (keep.samples) set.samples.push_back(std::move(result.samples));
  set.dropped_segments += result.dropped;
  set.from_cache += result.from_cache ? 1 : 0;
}

}  // namespace

std::vector<float> FeatureSet::values() const {
  std::vector<float> all;
  for (const StoredClip& one : features) all.insert(all.end(), one.features().begin(), one.features().end());
  return all;
}

Keep what_to_keep(const Frontend& frontend, bool samples_change) {
  const bool waveform = frontend.options().kind == FeatureKind::waveform;
  return {.features = !waveform, .samples = waveform || samples_change};
}

FeatureSet compute_features(const ClipList& list, const Frontend& frontend, const DataOptions& options,
                            ThreadPool& pool, const ClipProgress& progress, Keep keep) {
  validate(options);
  Keeper keeper(frontend, options, keep);
  const auto total = static_cast<int64_t>(list.clips.size());
  std::vector<ClipResult> results(list.clips.size());
  std::mutex mutex;
  int64_t done = 0;
  pool.run(total, [&](int64_t i) {
    const auto index = static_cast<std::size_t>(i);
    results[index] = keeper.process(list.clips[index]);
    const std::lock_guard lock(mutex);
    ++done;
    if (progress) progress(done, total);
  });
  keeper.flush();

  FeatureSet set;
  set.frames = make_cut(frontend, options).frames;
  set.bins = frontend.bins();
  for (std::size_t i = 0; i < results.size(); ++i) append(set, list.clips[i], std::move(results[i]), keep);
  if (set.clips.empty()) {
    require(total > 0, "the data set has no clips");
    fail("none of the {} clips can be used; the first, {}: {}", total, set.skipped.front().name,
         set.skipped.front().reason);
  }
  return set;
}

}  // namespace melgrad
