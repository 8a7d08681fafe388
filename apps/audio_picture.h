// The picture of an audio file: waveform, magnitude spectrum, log spectrogram, MFCC, and what a network made of it.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "audio/frontend_options.h"

namespace melgrad {

// Analysed with the frontend's sample rate, window and MFCC. `predictions`: labels with probabilities, best first.
void draw_audio_picture(const std::filesystem::path& picture, const std::filesystem::path& audio,
                        const FrontendOptions& frontend, const std::vector<std::pair<std::string, float>>& predictions);

}  // namespace melgrad
