#!/usr/bin/env python3
"""200 steps of SampleCNN with fused blocks, layer by layer, and with fused blocks from another seed: the loss of each.

Fused blocks round differently, so two trainings part slowly; they must not part further than two seeds do. Data are tones
of 50 pitches under noise, made here; the recipe is samplecnn's with a batch of 8. Not a test: minutes long.

    python3 scripts/fused_loss_curve.py build/release/apps/melgrad /tmp/curve
"""
import pathlib
import subprocess
import sys

import numpy as np

SAMPLES, CLIPS, CLASSES, BATCH, EPOCHS = 59049, 160, 50, 8, 10  # 20 steps an epoch


def make_data(folder):
    random = np.random.default_rng(1)
    pitch = random.integers(0, CLASSES, CLIPS)
    time = np.arange(SAMPLES)
    x = np.sin(0.01 * 1.06 ** pitch[:, None] * time + random.uniform(0, 6, (CLIPS, 1)))
    x += random.normal(0, 1, x.shape)
    y = np.eye(CLASSES, dtype=np.float32)[pitch]
    folder.mkdir(parents=True, exist_ok=True)
    for part, rows in (("train", slice(None)), ("valid", slice(0, 8)), ("test", slice(0, 8))):
        np.save(folder / f"{part}_x.npy", x[rows, :, None].astype(np.float32))
        np.save(folder / f"{part}_y.npy", y[rows])


def losses(program, data, run, *options):
    settings = {"data.reader": '"arrays"', "train.epochs": EPOCHS, "train.batch": BATCH, "train.schedule": '"constant"'}
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    command = [program, "train", "--recipe", "samplecnn", "--data", str(data), "--out", str(run), *words, *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    rows = (run / "log.tsv").read_text().splitlines()
    column = rows[0].split("\t").index("train_loss")
    return np.array([float(row.split("\t")[column]) for row in rows[1:]])


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    make_data(folder / "data")
    fused = losses(program, folder / "data", folder / "fused")
    layers = losses(program, folder / "data", folder / "layers", "--no-fuse")
    other = losses(program, folder / "data", folder / "other", "--set", "train.seed=2")
    print("steps  fused     layers    other seed")
    for i, row in enumerate(zip(fused, layers, other)):
        print(f"{20 * (i + 1):5}  " + "  ".join(f"{value:.6f}" for value in row))
    apart, spread = np.abs(fused - layers).mean(), np.abs(fused - other).mean()
    print(f"fused and layers differ by {apart:.2e} on average, two seeds by {spread:.2e}")
    sys.exit(0 if apart < spread else 1)


if __name__ == "__main__":
    main()
