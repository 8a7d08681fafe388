#!/usr/bin/env python3
"""The frontend beside librosa, torchaudio and kaldi-native-fbank, turn by turn in one run.

    ./run bench frontend [--rounds N] [--json FILE] [--simd AVX2]

makes the virtual environment (build/venv) and the program. Samples are in memory and plans made; what is timed is one
call from samples to features, results allocated by each as it does. Before anything is timed, results are compared. Each
round times every contender once (the median of a few calls); the table gives medians over rounds, and the ratio is the
median of each round's ratio. `aim` is what melgrad set out for: on AVX-512, and two thirds of it on AVX2.

--simd AVX2 holds melgrad and the peers to AVX2, as far as they can be told to (instruction_set.py): what a processor
without AVX-512 would see, at this one's clock. Without it each takes the best that it finds.

--clock processor is for a machine that others use too: every contender has one thread, and what counts is how long that
was on a processor, which waiting for one does not lengthen. Caches and the processor's other half are shared all the same.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import instruction_set


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bench/melgrad-bench")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--simd", default="best", choices=("best", *instruction_set.HELD), help="for all contenders")
    parser.add_argument("--clock", default="wall", choices=("wall", "processor"))
    parser.add_argument("--json", help="write the figures to this file")
    return parser.parse_args()


arguments = parse_arguments()
HELD = instruction_set.hold(arguments.simd)  # before the libraries are loaded

import kaldi_native_fbank
import librosa
import numpy as np
import soundfile
import threadpoolctl
import torch
import torchaudio

from common import Server, processor, spread, versions, write_json

# name, sample rate, n_fft, hop, mels, seconds, MFCC
CONFIGURATIONS = [("log-mel 22.05 kHz 2048/512/128", 22050, 2048, 512, 128, 30, 0),
                  ("log-mel 12 kHz 512/256/96", 12000, 512, 256, 96, 29.12, 0),
                  ("log-mel 16 kHz 512/160/80", 16000, 512, 160, 80, 30, 0),
                  ("MFCC-13 22.05 kHz 2048/512/128", 22050, 2048, 512, 128, 30, 13)]
AIMS = {("librosa", 1): 16, ("librosa", 2): 28, ("torchaudio", 1): 10, ("torchaudio", 2): 10, ("kaldi", 1): 30}
# Threads are on processors of their own, and clocks up, only after a while: each contender runs that long before it is timed.
WARM_UP_SECONDS = 0.05
WARM_UP_CALLS = 80  # of melgrad's
PACKAGES = ("librosa", "torch", "torchaudio", "kaldi-native-fbank", "soundfile", "numpy", "scipy")


class Melgrad(Server):
    """melgrad-bench --frontend-server; the protocol is in bench/frontend/frontend_server.h."""

    def __init__(self, program, folder):
        super().__init__("melgrad", [program, "--frontend-server"])
        self.output = os.path.join(folder, "features.f32")

    def run(self, kind, repeats, threads, simd, source, output, options):
        return self.ask(kind, repeats, threads, simd, source, output, *(f"{k}={v}" for k, v in options.items())).split()

    def features(self, simd, source, options):
        frames, bins, *_ = self.run("compute", 1, 1, simd, source, self.output, options)
        return np.fromfile(self.output, "f4").reshape(int(frames), int(bins))

    def milliseconds(self, threads, simd, source, options, repeats):
        if arguments.clock == "processor":
            self.run("compute", WARM_UP_CALLS, threads, simd, source, "-", options)
            start = self.nanoseconds()
            self.run("compute", WARM_UP_CALLS, threads, simd, source, "-", options)
            return 1e-6 * (self.nanoseconds() - start) / WARM_UP_CALLS
        answer = self.run("compute", repeats + WARM_UP_CALLS, threads, simd, source, "-", options)
        return statistics.median(map(float, answer[-repeats:]))

    def nanoseconds(self):
        """That its first thread, which does all the work of one thread, was on a processor."""
        with open(f"/proc/{self.process.pid}/schedstat") as file:
            return int(file.read().split()[0])

    def file(self, threads, simd, source, options, repeats):
        self.run("file", repeats, threads, simd, source, "-", options)
        return [statistics.median(map(float, self.process.stdout.readline().split())) for _ in range(3)]


def timed(call, repeats):
    time.sleep(0.03)  # the workers of the contender before spin for a while
    end = time.perf_counter() + WARM_UP_SECONDS
    call()
    while time.perf_counter() < end:
        call()
    now = time.process_time if arguments.clock == "processor" else time.perf_counter
    times = []
    for _ in range(repeats):
        start = now()
        call()
        times.append(1e3 * (now() - start))
    return statistics.median(times)


def signal(rate, seconds):
    """Chords that come and go over noise: levels over a wide range, as in music."""
    random = np.random.default_rng(0)
    t = np.arange(int(rate * seconds)) / rate
    x = 0.003 * random.standard_normal(len(t))
    for hz in (110, 164.8, 220, 277.2, 440, 1318.5, 3520):
        x += 0.08 * np.sin(2 * np.pi * hz * t) * np.exp(-3 * ((t + hz / 500) % 1.7))
    return x.astype("f4")


def with_threads(count, call):
    def run():
        torch.set_num_threads(count)
        return call()
    return run


def kaldi_features(samples, rate, n_fft, hop, mels, mfcc):
    options = kaldi_native_fbank.MfccOptions() if mfcc else kaldi_native_fbank.FbankOptions()
    frame = options.frame_opts
    frame.samp_freq, frame.dither, frame.preemph_coeff, frame.remove_dc_offset = rate, 0, 0, False
    frame.frame_length_ms, frame.frame_shift_ms = 1e3 * n_fft / rate, 1e3 * hop / rate
    frame.window_type, frame.snip_edges = "hanning", True
    options.mel_opts.num_bins, options.mel_opts.low_freq, options.use_energy = mels, 20, False
    if mfcc:
        options.num_ceps, options.cepstral_lifter = mfcc, 0
    online = (kaldi_native_fbank.OnlineMfcc if mfcc else kaldi_native_fbank.OnlineFbank)(options)
    online.accept_waveform(rate, samples)
    online.input_finished()
    return np.stack([online.get_frame(i) for i in range(online.num_frames_ready)])


def kaldi_options(options):
    """The keys with which melgrad computes what kaldi does: a symmetric window, no padding, HTK's mel filters that are
    triangles over mel, natural logarithms. Used for the check alone."""
    return {**options, "center": "false", "window": "hann-symmetric", "mel_scale": "htk", "mel_norm": "none",
            "filter_axis": "mel", "fmin": 20, "log": "ln", "amin": 1.1920929e-07}


def torchaudio_transform(rate, n_fft, hop, mels, mfcc):
    keys = dict(n_fft=n_fft, hop_length=hop, n_mels=mels, norm="slaney", mel_scale="slaney", pad_mode="constant")
    if mfcc:
        return torchaudio.transforms.MFCC(rate, mfcc, melkwargs=keys)
    mel, db = torchaudio.transforms.MelSpectrogram(rate, **keys), torchaudio.transforms.AmplitudeToDB("power", 80)
    return lambda x: db(mel(x))


def check(name, got, expected, bound):
    worst = np.abs(got - expected).max() if got.shape == expected.shape else np.inf
    if not worst <= bound:
        raise SystemExit(f"{name}: {got.shape} and {expected.shape} differ by {worst}, more than {bound}")
    return float(worst)


def mel_contenders(melgrad, simd, configuration, source):
    """(name, threads, call that returns milliseconds) and the largest differences."""
    _, rate, n_fft, hop, mels, seconds, mfcc = configuration
    x = signal(rate, seconds)
    x.tofile(source)
    tensor = torch.from_numpy(x)
    options = dict(preset="librosa", sample_rate=rate, n_fft=n_fft, hop=hop, mels=mels, ref=1, mfcc=mfcc)
    if mfcc:
        by_librosa = lambda: librosa.feature.mfcc(y=x, sr=rate, n_mfcc=mfcc, n_fft=n_fft, hop_length=hop, n_mels=mels)
    else:
        by_librosa = lambda: librosa.power_to_db(
            librosa.feature.melspectrogram(y=x, sr=rate, n_fft=n_fft, hop_length=hop, n_mels=mels))
    transform = torchaudio_transform(rate, n_fft, hop, mels, mfcc)
    by_kaldi = lambda: kaldi_features(x, rate, n_fft, hop, mels, mfcc)
    ours = melgrad.features(simd, source, options)
    differences = {"librosa": check("librosa", ours, by_librosa().T, 1e-2),
                   "torchaudio": check("torchaudio", ours, transform(tensor).numpy().T, 2e-2),
                   "kaldi": check("kaldi", melgrad.features(simd, source, kaldi_options(options)), by_kaldi(), 2e-2)}
    return [("melgrad", 1, lambda k: melgrad.milliseconds(1, simd, source, options, k)),
            ("melgrad", 2, lambda k: melgrad.milliseconds(2, simd, source, options, k)),
            ("librosa", 1, lambda k: timed(by_librosa, k)),
            ("torchaudio", 1, lambda k: timed(with_threads(1, lambda: transform(tensor)), k)),
            ("torchaudio", 2, lambda k: timed(with_threads(2, lambda: transform(tensor)), k)),
            ("kaldi", 1, lambda k: timed(by_kaldi, k))], differences


def pitch_filters(rate, n_fft):
    """Korzeniowski and Widmer's filters as madmom makes them: 24 an octave, 65 to 2100 Hz, each bin once, area 1."""
    hz = 440 * 2 ** (np.arange(-24 * 10, 24 * 10) / 24)
    hz = hz[(hz >= 65) & (hz <= 2100)]
    points = np.unique(np.floor(hz * n_fft / rate + 0.5).astype(int))
    filters = np.zeros((len(points) - 2, n_fft // 2 + 1), "f4")
    for row, (left, peak, right) in zip(filters, zip(points, points[1:], points[2:])):
        row[left:peak] = np.linspace(0, 1, peak - left, endpoint=False)
        row[peak:right] = np.linspace(1, 0, right - peak, endpoint=False)
        row /= row.sum()
    return filters


def pitch_contenders(melgrad, simd, source):
    x = signal(44100, 30)
    x.tofile(source)
    filters = pitch_filters(44100, 8192)
    by_librosa = lambda: np.log1p(filters @ np.abs(librosa.stft(x, n_fft=8192, hop_length=8820)))
    options = dict(preset="log-frequency", pad="zero")
    differences = {"librosa": check("librosa", melgrad.features(simd, source, options), by_librosa().T, 1e-3)}
    return [("melgrad", 1, lambda k: melgrad.milliseconds(1, simd, source, options, k)),
            ("melgrad", 2, lambda k: melgrad.milliseconds(2, simd, source, options, k)),
            ("librosa", 1, lambda k: timed(by_librosa, k))], differences


def file_contenders(melgrad, simd, folder):
    """From an MP3 of 44.1 kHz stereo to log-mel at 22.05 kHz."""
    path = os.path.join(folder, "song.mp3")
    x = signal(44100, 30)
    soundfile.write(path, np.stack([x, np.roll(x, 500)], 1), 44100, format="MP3", subtype="MPEG_LAYER_III")
    options = dict(preset="librosa", ref=1)
    stages = []

    def ours(repeats):
        stages.append(melgrad.file(1, simd, path, options, repeats))
        return sum(stages[-1])

    def by_librosa():
        y, rate = librosa.load(path)
        return librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=rate))
    melgrad.run("file", 1, 1, simd, path, melgrad.output, options)
    for _ in range(3):
        melgrad.process.stdout.readline()
    got = np.fromfile(melgrad.output, "f4").reshape(-1, 128)
    differences = {"librosa": check("librosa", got, by_librosa().T, 2e-2)}
    return [("melgrad", 1, ours), ("librosa", 1, lambda k: timed(by_librosa, k))], differences, stages


def compare(title, contenders, differences, rounds, aims, scale):
    if arguments.clock == "processor":
        contenders = [contender for contender in contenders if contender[1] == 1]
    times = {(name, threads): [] for name, threads, _ in contenders}
    for _ in range(rounds):
        for name, threads, call in contenders:
            times[name, threads].append(call(5))
    print(f"\n{title}   (largest differences: " + ", ".join(f"{k} {v:.1e}" for k, v in differences.items()) + ")")
    rows = []
    for (name, threads), values in times.items():
        row = dict(name=name, threads=threads, **{f"{key}_ms": value for key, value in spread(values).items()})
        text = f"  {name:11} {threads} thread{'s' if threads > 1 else ' '}  {row['median_ms']:8.3f} ms  ({row['min_ms']:.3f} to {row['max_ms']:.3f})"
        # librosa has one thread only: it is set against one of ours and against two.
        for ours in (1, 2) if name == "librosa" and ("melgrad", 2) in times else (threads,):
            if name == "melgrad":
                continue
            ratio = statistics.median(a / b for a, b in zip(values, times["melgrad", ours]))
            aim = aims.get((name, ours))
            row[f"ratio_to_melgrad_{ours}"] = ratio
            text += f"   {ratio:5.1f}x melgrad on {ours}"
            if aim:
                row[f"aim_{ours}"] = aim * scale
                text += f" (aim {aim * scale:.1f}{'' if ratio >= aim * scale else ': MISSED'})"
        print(text)
        rows.append(row)
    return dict(title=title, differences=differences, rows=rows)


def machine_limits(program, simd):
    """The line that melgrad-bench prints of this machine's multiply-adds, and our part of them."""
    environment = {**os.environ, "MELGRAD_THREADS": "1", **({} if simd == "best" else {"MELGRAD_SIMD": simd})}
    result = subprocess.run([program, "--benchmark_filter=^frontend/", "--benchmark_format=json"], env=environment,
                            capture_output=True, text=True, check=True)
    return result.stderr.splitlines()[0], json.loads(result.stdout)["benchmarks"]


def main(arguments):
    torch.set_grad_enabled(False)
    if arguments.clock == "processor":
        threadpoolctl.threadpool_limits(1)  # BLAS under librosa; a thread of it that spins would count
    scale = 1 if arguments.simd == "best" else 2 / 3
    packages = versions(PACKAGES)
    line, limits = machine_limits(arguments.program, arguments.simd)
    print(f"{processor()}; " + ", ".join(f"{k} {v}" for k, v in packages.items()))
    print(line)
    print("peers held by", " ".join(f"{k}='{v}'" for k, v in HELD.items()) or "nothing", "and use",
          ", ".join(f"{k} {v}" for k, v in instruction_set.in_use().items()))
    for limit in limits:
        print(f"  {limit['name']:45} {limit['us/frame']:6.3f} us a frame, {100 * limit['limit']:3.0f} % of the multiply-adds")
    results = []
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "samples.f32")
        for number, configuration in enumerate(CONFIGURATIONS):
            own = f"{source}.{number}"
            melgrad = Melgrad(arguments.program, folder)
            contenders, differences = mel_contenders(melgrad, arguments.simd, configuration, own)
            results.append(compare(configuration[0], contenders, differences, arguments.rounds, AIMS, scale))
        melgrad = Melgrad(arguments.program, folder)
        contenders, differences = pitch_contenders(melgrad, arguments.simd, source)
        results.append(compare("log-frequency 44.1 kHz 8192/8820", contenders, differences, arguments.rounds,
                               {("librosa", 1): 8}, scale))
        if arguments.clock == "wall":
            contenders, differences, stages = file_contenders(melgrad, arguments.simd, folder)
            results.append(compare("MP3 to log-mel 22.05 kHz 2048/512/128", contenders, differences, arguments.rounds,
                                   {("librosa", 1): 2}, 1))
            parts = [statistics.median(part) for part in zip(*stages)]
            print("  of melgrad's: " + ", ".join(f"{name} {part:.2f} ms" for name, part in
                                                 zip(("decoding", "resampling", "features"), parts)))
            results[-1]["stages_ms"] = dict(zip(("decoding", "resampling", "features"), parts))
    if arguments.json:
        write_json(arguments.json, dict(processor=processor(), limits=line, simd=arguments.simd, clock=arguments.clock,
                                        peers_held_by=HELD,
                                        peers_use=instruction_set.in_use(), versions=packages,
                                        rounds=arguments.rounds, melgrad=limits, results=results))


if __name__ == "__main__":
    main(arguments)
