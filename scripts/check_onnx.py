#!/usr/bin/env python3
"""Exports every network as ONNX and compares ONNX Runtime's answers with melgrad's.

Each network is first trained for a step on random arrays, so that no running statistic is what it was at the start. The
largest difference must be within 1e-5 of the largest answer.

  scripts/check_onnx.py [MODEL…]      all that `melgrad models` lists, and one of [[layer]] tables with every other layer

Run by hand; needs onnx, onnxruntime and numpy (made with onnx 1.23.2 and onnxruntime 1.32.0), and ./run build.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

root = pathlib.Path(__file__).resolve().parent.parent
program = root / "build/release/apps/melgrad"
SAMPLES, BOUND = 4, 1e-5

# What the reference networks do not use.
OTHER_LAYERS = """
[data]
reader = "arrays"
[train]
epochs = 1
batch = 4
[[layer]]
type = "zero_padding2d"
padding = [[1, 2], 0]
[[layer]]
type = "residual"
activation = "leaky_relu"
body = [{ type = "conv2d", filters = 4, kernel = [3, 2], padding = "same", groups = 2, dilation = [2, 1] },
        { type = "channel_dropout" }]
shortcut = [{ type = "conv2d", filters = 4, kernel = 1, bias = false }]
[[layer]]
type = "squeeze_excitation"
ratio = 0.5
[[layer]]
type = "reflect_padding"
before = [2, 1]
after = [0, 3]
[[layer]]
type = "crop"
before = [1, 3]
after = [1]
[[layer]]
type = "parallel"
join = "concatenate"
branches = [[{ type = "conv2d", filters = 3, kernel = 1, activation = "relu" }, { type = "batch_norm" }], []]
[[layer]]
type = "parallel"
join = "multiply"
branches = [[{ type = "conv2d", filters = 2, kernel = 1 }], [{ type = "dense", units = 2, activation = "sigmoid" }]]
[[layer]]
type = "checkpoint"
body = [{ type = "conv2d", filters = 4, kernel = 3, padding = "same" },
        { type = "parallel", branches = [[], [{ type = "conv2d", filters = 4, kernel = 1, activation = "elu" }]] },
        { type = "activation", function = "tanh" }]
[[layer]]
type = "average_pool2d"
pool = 3
stride = 2
padding = "same"
[[layer]]
type = "activation"
function = "hard_sigmoid"
[[layer]]
type = "permute"
order = [2, 1, 3]
[[layer]]
type = "reshape"
shape = [-1, 5]
[[layer]]
type = "zero_padding1d"
padding = [2, 1]
[[layer]]
type = "conv1d"
filters = 6
stride = 2
padding = [2, 1]
activation = "tanh"
[[layer]]
type = "gaussian_noise"
[[layer]]
type = "average_pool1d"
pool = 3
stride = 1
padding = "same"
over = "window"
[[layer]]
type = "gru"
units = 4
recurrent_activation = "hard_sigmoid"
return_sequences = true
[[layer]]
type = "dense"
units = 5
activation = "hard_sigmoid_keras1"
[[layer]]
type = "global_max_pool"
over = "time"
[[layer]]
type = "dense"
units = 3
bias = false
activation = "softmax"
"""


def melgrad(*arguments):
    done = subprocess.run([program, *map(str, arguments), "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"melgrad {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def write_arrays(folder, shape, classes, random):
    folder.mkdir()
    for part in "train", "valid", "test":
        np.save(folder / f"{part}_x.npy", random.normal(0, 1, (SAMPLES, *shape)).astype(np.float32))
        labels = random.integers(0, classes, SAMPLES).astype(np.int32)
        labels[0] = classes - 1  # the largest label says how many there are
        np.save(folder / f"{part}_y.npy", labels)


def difference(name, recipe, shape, classes, folder):
    random = np.random.default_rng(1)
    data, run, onnx_file = folder / f"{name}.data", folder / f"{name}.run", folder / f"{name}.onnx"
    write_arrays(data, shape, classes, random)
    (folder / f"{name}.toml").write_text(recipe)
    melgrad("train", "--recipe", folder / f"{name}.toml", "--data", data, "--out", run)
    melgrad("export", run, "--onnx", onnx_file)
    onnx.checker.check_model(onnx.load(onnx_file), full_check=True)
    x = np.load(data / "test_x.npy")
    theirs = onnxruntime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"]).run(None, {"input": x})[0]
    worst = 0.0
    for i, sample in enumerate(x):
        np.save(folder / "sample.npy", sample)
        scores = melgrad("predict", run, folder / "sample.npy", "--top", classes)["files"][0]["scores"]
        ours = np.zeros(classes)
        for entry in scores:
            ours[int(entry["label"])] = entry["score"]
        worst = max(worst, np.abs(theirs[i] - ours).max() / np.abs(ours).max())
    return worst


def recipe_of(model):
    return f'[model]\nname = "{model}"\n[data]\nreader = "arrays"\n[train]\nloss = "mse"\nepochs = 1\nbatch = {SAMPLES}\n'


def networks(wanted):
    models = [entry["name"] for entry in melgrad("models")["models"]]
    unknown = set(wanted) - {*models, "layers"}
    if unknown:
        sys.exit(f"check_onnx.py: no network {', '.join(sorted(unknown))}; there are {', '.join(models)}, layers")
    for model in models:
        if wanted and model not in wanted:
            continue
        summary = melgrad("summary", model)
        yield model, recipe_of(model), summary["input"], summary["layers"][-1]["output_shape"][0]
    if not wanted or "layers" in wanted:
        yield "layers", OTHER_LAYERS, [7, 10, 2], 3


failed = 0
print(f"{'network':<20} {'largest difference':>18}")
with tempfile.TemporaryDirectory() as temporary:
    for name, recipe, shape, classes in networks(sys.argv[1:]):
        worst = difference(name, recipe, shape, classes, pathlib.Path(temporary))
        failed += not worst <= BOUND
        print(f"{name:<20} {worst:>18.1e}{'' if worst <= BOUND else '  FAILED'}", flush=True)
sys.exit(1 if failed else 0)
