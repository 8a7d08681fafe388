#!/usr/bin/env python3
"""Training time of the GTZAN network: melgrad beside PyTorch, interleaved.

Both train on the same number of samples of the same shape, in batches of 32 for the same number of epochs, with two
threads; neither's data reading or feature extraction is counted. melgrad trains on real recordings, PyTorch on random
numbers of the same shape (the arithmetic is the same). Needs PyTorch (2.11.0 was used):

    python3 -m venv .venv && .venv/bin/pip install torch==2.11.0 numpy
    .venv/bin/python bench/peers/gtzan_training.py --data DIGITS [--rounds 3]

where DIGITS is a folder of 8 kHz recordings by class, such as the Free Spoken Digit Dataset.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import torch

import networks

SETTINGS = ["data.duration=1", "data.segments=1", "data.short=pad", "frontend.sample_rate=8000", "frontend.n_fft=512",
            "frontend.hop=128", "train.learning_rate=1e-3"]
FRAMES, FEATURES = 63, 7 * 16  # of a sample, and before the first dense layer


def train_pytorch(samples, epochs, batch=32):
    """Seconds for the epochs, without validation, as an ordinary PyTorch loop is written."""
    torch.manual_seed(1)
    x, y = torch.randn(samples, 1, FRAMES, 13), torch.randint(0, 10, (samples,))
    model, loss_of = networks.gtzan_cnn(networks.Builder(dropout=True), FEATURES).done(), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
    start = time.perf_counter()
    for _ in range(epochs):
        order = torch.randperm(samples)
        for first in range(0, samples, batch):
            chosen = order[first:first + batch]
            optimizer.zero_grad()
            loss = loss_of(model(x[chosen]), y[chosen])
            loss.backward()
            optimizer.step()
            loss.item()
    return time.perf_counter() - start


def train_melgrad(program, data, epochs, threads):
    with tempfile.TemporaryDirectory() as folder:
        command = [*program, "train", "--recipe", "gtzan-mfcc", "--data", data, "--out", os.path.join(folder, "run"),
                   "--json", "--threads", str(threads), "--set", f"train.epochs={epochs}"]
        for setting in SETTINGS:
            command += ["--set", setting]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--program", default="./run melgrad")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    ours, theirs = [], []
    for _ in range(arguments.rounds):
        result = train_melgrad(arguments.program.split(), arguments.data, arguments.epochs, arguments.threads)
        samples = round(result["samples_per_second"] * result["seconds"] / result["epochs"])
        ours.append(result["seconds"] / (samples * result["epochs"]))
        theirs.append(train_pytorch(samples, arguments.epochs) / (samples * arguments.epochs))
    ratios = [a / b for a, b in zip(ours, theirs)]
    print(f"{samples} samples of {FRAMES} x 13, {arguments.epochs} epochs, batch 32, {arguments.threads} threads, "
          f"{arguments.rounds} rounds; PyTorch {torch.__version__}")
    for name, times in (("melgrad (validation included)", ours), ("PyTorch", theirs)):
        print(f"{name:30} {1e3 * statistics.median(times):.3f} ms a sample "
              f"({1e3 * min(times):.3f} to {1e3 * max(times):.3f})")
    print(f"melgrad / PyTorch, median of the rounds: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
