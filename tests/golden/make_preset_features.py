#!/usr/bin/env python3
"""Golden values of the frontend's presets: writes tests/data/presets/. The signals are those of make_audio.py, taken to
be at each preset's own rate, so that no resampling blurs the comparison.

Run by hand, after make_audio.py; the results are committed. Made with librosa 0.11.0, torchaudio 2.11.0 with PyTorch
2.11.0, Keras 3.15.1 on its torch backend, NumPy 2.4.6, soundfile 0.14.0. The log-frequency bank is recomputed here from
madmom's definition (Böck et al. 2016, LogarithmicFilterbank), which no longer installs.
"""
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import keras
import librosa
import numpy as np
import soundfile
import torch
import torchaudio

# torchaudio's filters in f32 are 1e-5 off their own definition.
torch.set_default_dtype(torch.float64)
keras.config.set_floatx("float64")
DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
OUT = DATA / "presets"
SIGNALS = ("silence", "impulse_first", "impulse_last", "chirp", "square", "noise", "one_sample", "below_window", "speech")


def load(name):
    if name == "speech":
        return np.load(DATA / "audio" / "resample.8000_22050.npy").ravel()
    return soundfile.read(DATA / "audio" / f"{name}.flac", dtype="float32")[0]


def save(name, frames):
    np.save(OUT / f"{name}.npy", np.ascontiguousarray(frames, dtype=np.float32))


def mel(samples, rate, n_fft, hop, mels):
    return librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=n_fft, hop_length=hop, n_mels=mels,
                                          pad_mode="reflect")


def fma_mel(samples):
    """The first frames (10 here) are cut before the logarithm; then each frame over its bins."""
    db = librosa.power_to_db(mel(samples, 22050, 2048, 512, 128)[:, :10], ref=np.max)
    low, high = db.min(0), db.max(0)
    return np.where(high > low, (db - low) / np.where(high > low, high - low, 1), 0).T


def log_frequency(samples):
    """madmom: the pitches 440 · 2^(i / 24) from 65 to 2,100 Hz as the nearest bins, each bin once; triangles between
    neighbours' neighbours, each with the sum 1; ln(1 + x) of the magnitudes."""
    frequencies = np.arange(8192 // 2 + 1) * 44100 / 8192
    pitches = 440 * 2.0 ** (np.arange(-200, 200) / 24)
    pitches = pitches[(pitches >= 65) & (pitches <= 2100)]
    after = np.clip(frequencies.searchsorted(pitches), 1, len(frequencies) - 1)
    bins = np.unique(after - (pitches - frequencies[after - 1] < frequencies[after] - pitches))
    bank = np.zeros((len(frequencies), len(bins) - 2))
    for f, (start, center, stop) in enumerate(zip(bins, bins[1:], bins[2:])):
        bank[start:center, f] = np.linspace(0, 1, center - start, endpoint=False)
        bank[center:stop, f] = np.linspace(1, 0, stop - center, endpoint=False)
        bank[:, f] /= bank[:, f].sum()
    assert bank.shape[1] == 105, bank.shape
    spectrum = np.abs(librosa.stft(samples, n_fft=8192, hop_length=8820, pad_mode="constant"))
    return np.log1p(spectrum.T @ bank)


def torchaudio_mel(samples):
    if len(samples) <= 200:  # its reflection pads no more than the signal has
        return None
    return torchaudio.transforms.MelSpectrogram(sample_rate=16000)(torch.tensor(samples, dtype=torch.float64)).T.numpy()


class MelSpectrogramF64(keras.layers.MelSpectrogram):
    """Keras's layer with its filters' formula in f64. The layer itself computes them in f32 whatever its dtype: bins and
    edges in mel are rounded before they are subtracted, so a weight near the foot of a triangle has few digits left."""

    def linear_to_mel_weight_matrix(self, **_):
        def mel(hertz):
            return 2595 * np.log10(1 + hertz / 700)
        bins = mel(np.linspace(0, 8000, 1025)[1:])[:, None]
        edges = np.linspace(mel(20), mel(8000), 130)
        low, center, high = edges[:-2], edges[1:-1], edges[2:]
        weights = np.maximum(0, np.minimum((bins - low) / (center - low), (high - bins) / (high - center)))
        return keras.ops.convert_to_tensor(np.pad(weights, [[1, 0], [0, 0]]), "float64")


def keras_mel(samples):
    """Prints how far the layer as it comes is from its own definition: 5.0e-3 dB at most, on the square wave."""
    if len(samples) <= 1024:
        return None
    x = samples[None].astype(np.float64)
    exact, plain = (keras.ops.convert_to_numpy(layer(dtype="float64")(x))[0].T
                    for layer in (MelSpectrogramF64, keras.layers.MelSpectrogram))
    top60 = exact >= exact.max() - 60
    print(f"{name}: Keras's f32 filters are {np.abs(plain - exact)[top60].max():.1e} dB off their definition")
    return exact


OUT.mkdir(exist_ok=True)
for name in SIGNALS:
    x = load(name)
    save(f"{name}.mtat", librosa.power_to_db(mel(x, 12000, 1024, 512, 48), ref=1.0).T)
    save(f"{name}.mtat-96", librosa.power_to_db(mel(x, 12000, 1024, 512, 96), ref=1.0).T)
    save(f"{name}.choi", librosa.power_to_db(mel(x, 12000, 512, 256, 96) ** 2, ref=1.0).T)
    save(f"{name}.musicnn", np.log10(1 + 10000 * mel(x, 16000, 512, 256, 96)).T)
    save(f"{name}.log-frequency", log_frequency(x))
    if len(x) > 10 * 512:
        save(f"{name}.fma-mel", fma_mel(x))
    for preset, make in ("torchaudio", torchaudio_mel), ("keras", keras_mel):
        frames = make(x)
        if frames is not None:
            save(f"{name}.{preset}", frames)
for path in OUT.iterdir():
    path.chmod(0o644)
