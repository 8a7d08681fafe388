// The frontend on any device: features of a batch of signals that are there already, without a copy to the host.
#pragma once

#include "audio/frontend.h"
#include "kernels/signal_bands.h"
#include "tensor/tensor.h"

namespace melgrad {

class DeviceFrontend {
 public:
  // Throws Error for a waveform, which needs no transform, and for a key spectrogram, which is drawn on the host.
  DeviceFrontend(const Frontend& frontend, Device device, SpectralAlgorithm algorithm = {});

  // samples (signals, n) on the device, at the frontend's rate -> (signals, frames, bins), equal to Frontend::compute()
  // of each within what f32 rounds. Throws Error if n is too few. What is not finite stays so, and is not looked for.
  Tensor compute(const Tensor& samples) const;

 private:
  SignalBandsProblem problem(const Tensor& samples) const;

  Frontend frontend_;
  SpectralAlgorithm algorithm_;
  Tensor window_, roots_, filters_, weights_;  // as kernels/signal_bands.h wants them
  Tensor dct_;                                 // (bands, coefficients)
};

}  // namespace melgrad
