"""Golden values of audio/ from librosa: writes tests/data/audio/.

Run by hand, from anywhere; the results are committed:
    pip install librosa==0.11.0 soundfile==0.14.0 && python make_audio.py
Made with librosa 0.11.0, numpy 2.4.6, scipy 1.17.1, soundfile 0.14.0 (libsndfile 1.2.2),
soxr 1.1.0 (libsoxr 0.1.3).

librosa gets 32-bit samples, as its users give it.
"""

import pathlib

import librosa
import numpy as np
import soundfile

ROOT = pathlib.Path(__file__).resolve().parent.parent / "data"
OUT = ROOT / "audio"
RATE = 22050


def save(name, array):
    np.save(OUT / f"{name}.npy", np.ascontiguousarray(array, dtype=np.float32))


def save_signal(name, samples, rate=RATE):
    """As 16-bit FLAC, and back: both sides start from the same samples."""
    soundfile.write(OUT / f"{name}.flac", np.clip(samples, -1, 1 - 2**-15), rate, subtype="PCM_16")
    return soundfile.read(OUT / f"{name}.flac", dtype="float32")[0]


def signals():
    t = np.arange(RATE) / RATE
    impulse = np.zeros(6000)
    impulse[0] = 1
    rng = np.random.default_rng(0)
    yield "silence", np.zeros(5000)
    yield "impulse_first", impulse
    yield "impulse_last", impulse[::-1]
    yield "chirp", np.sin(2 * np.pi * (50 * t[:12000] + 0.5 * 20000 * t[:12000] ** 2))  # 50 Hz to 10.9 kHz
    yield "square", np.where(t[:9000] * 441 % 1 < 0.5, 1.0, -1.0)
    yield "noise", 0.1 * rng.standard_normal(6000)
    yield "one_sample", np.array([0.5])
    yield "two_samples", np.array([0.5, -0.25])
    yield "below_pad", 0.5 * rng.standard_normal(300)  # reflected several times
    yield "below_window", 0.5 * rng.standard_normal(1500)
    yield "exact_hop", 0.5 * rng.standard_normal(4096)


def mel(samples, pad="constant", **options):
    settings = {"sr": RATE, "n_fft": 2048, "hop_length": 512, "n_mels": 128} | options
    return librosa.feature.melspectrogram(y=samples, pad_mode=pad, **settings)


def save_presets(name, samples):
    save(f"{name}.mel", mel(samples).T)
    save(f"{name}.librosa", librosa.power_to_db(mel(samples), ref=np.max).T)
    save(f"{name}.librosa-0.8", librosa.power_to_db(mel(samples, pad="reflect"), ref=np.max).T)
    save(f"{name}.gtzan-mfcc",
         librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=13, n_fft=2048, hop_length=512, pad_mode="reflect").T)


def save_variants(samples, rate):
    """Options one at a time, on a recording at its own rate: file variant.<key>_<value>."""
    base = {"sr": rate, "n_fft": 512, "hop": 128, "mels": 40}

    def variant(name, **options):
        s = base | options
        power = librosa.feature.melspectrogram(
            y=samples, sr=s["sr"], n_fft=s["n_fft"], hop_length=s["hop"], n_mels=s["mels"],
            pad_mode="constant", window=s.get("window", "hann"), center=s.get("center", True), power=s.get("power", 2.0),
            fmin=s.get("fmin", 0.0), fmax=s.get("fmax"), htk=s.get("htk", False), norm=s.get("norm", "slaney"))
        save(f"variant.{name}", power.T)
        return power

    variant("n_fft_500", n_fft=500, hop=125)
    variant("n_fft_441", n_fft=441, hop=100)
    variant("n_fft_509", n_fft=509, hop=100)
    variant("center_false", center=False)
    variant("window_hamming", window="hamming")
    variant("window_blackman", window="blackman")
    variant("window_rectangular", window="boxcar")
    variant("power_1", power=1.0)
    variant("fmin_100_fmax_3000", fmin=100.0, fmax=3000.0)
    variant("htk", htk=True)
    variant("norm_none", norm=None)
    power = variant("plain")
    save("variant.top_db_none", librosa.power_to_db(power, ref=0.5, top_db=None).T)
    save("variant.amin", librosa.power_to_db(power, ref=np.max, amin=1e-3, top_db=30).T)
    save("variant.spectrum", (np.abs(librosa.stft(samples, n_fft=512, hop_length=128)) ** 2).T[:10])


def save_encoded(speech):
    """Real speech, stereo at 44.1 kHz, through the codecs."""
    at_44k = librosa.resample(speech, orig_sr=8000, target_sr=44100)[:30000]
    stereo = np.stack([at_44k, 0.5 * np.roll(at_44k, 200)], axis=1)
    for extension in ("mp3", "ogg", "flac"):
        path = OUT / f"speech.{extension}"
        soundfile.write(path, stereo, 44100)
        for rate in (44100, 22050):
            samples, _ = librosa.load(path, sr=rate)
            np.save(OUT / f"speech_{extension}_{rate}.length.npy", np.array([len(samples)], dtype=np.int32))
        save(f"speech_{extension}.librosa", librosa.power_to_db(mel(samples), ref=np.max).T)


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    for name, samples in signals():
        save_presets(name, save_signal(name, samples))

    speech, rate = soundfile.read(ROOT / "fsdd" / "3" / "jackson_3.wav", dtype="float32")
    save("resample.8000_22050", librosa.resample(speech, orig_sr=rate, target_sr=RATE))
    save_presets("speech", librosa.resample(speech, orig_sr=rate, target_sr=RATE))
    save_variants(speech, rate)
    save("speech.8000-mfcc",  # the slice's acceptance run
         librosa.feature.mfcc(y=speech, sr=rate, n_mfcc=13, n_fft=512, hop_length=128, pad_mode="reflect").T)

    tone = save_signal("tone_44100", 0.9 * np.sin(2 * np.pi * 997 * np.arange(11025) / 44100), 44100)
    save("resample.44100_22050", librosa.resample(tone, orig_sr=44100, target_sr=RATE))
    save("resample.44100_48000", librosa.resample(tone[:5000], orig_sr=44100, target_sr=48000))
    save_encoded(speech)


main()
