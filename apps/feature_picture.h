// A file's features as a picture: seconds along, Hz (or coefficients) up, a colour bar; a waveform as a line.
#pragma once

#include <filesystem>
#include <string>

#include "audio/frontend.h"

namespace melgrad {

void draw_features(const std::filesystem::path& picture, const std::string& title, const FrontendOptions& options,
                   const Features& features);

}  // namespace melgrad
