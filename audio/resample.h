// Sample rate conversion by libsoxr at its "high quality" (20 bit) setting.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace melgrad {

// As librosa.resample(y, orig_sr=source_rate, target_sr=target_rate, res_type="soxr_hq") gives it: the length is
// ceil(n · target_rate / source_rate), cut or filled up with zeros at the end. Equal rates: a copy. Rates in Hz, ≥ 1;
// throws Error for others.
std::vector<float> resample(std::span<const float> samples, int64_t source_rate, int64_t target_rate);

}  // namespace melgrad
