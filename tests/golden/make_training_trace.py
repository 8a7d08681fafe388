#!/usr/bin/env python3
"""Writes tests/data/training_trace.safetensors: 20 steps of training of a small gtzan-cnn by Keras and by PyTorch.

Run by hand (python3 tests/golden/make_training_trace.py); the file is committed. Made with PyTorch 2.11.0, Keras 3.15.1
on its torch backend, NumPy 2.4.6 and safetensors 0.8.0. Both work in float64 (but
Keras's batch norm casts to float32), from weights and batches that float32 holds exactly. Layouts are melgrad's: convolution (kh, kw, in, out), dense (in, out), images channels-last.

The losses are those of logits: Keras would otherwise clip probabilities at 1e-7. Dropout is left out (rate 0). Adam's
epsilon is large enough for the two forms, which differ in what epsilon is added to, to be told apart.
"""
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import keras
import numpy as np
import safetensors
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

STEPS, BATCHES, BATCH, HEIGHT, WIDTH, CLASSES = 20, 5, 8, 34, 13, 10
FILTERS, KERNELS, UNITS = (6, 5, 4), (4, 3, 2), 8
FLATTENED = 3 * 1 * FILTERS[2]
ADAM = {"learning_rate": 5e-3, "epsilon": 1e-4}
SGD = {"learning_rate": 0.05, "momentum": 0.9}

keras.backend.set_floatx("float64")
torch.set_default_dtype(torch.float64)


def initial_weights(random):
    """Every kind of weight is drawn, so that none is hidden behind a 0 or 1."""
    weights, channels = {}, 1
    for i, (filters, kernel) in enumerate(zip(FILTERS, KERNELS), 1):
        deviation = np.sqrt(2 / (kernel * kernel * channels))
        weights[f"conv2d_{i}.weight"] = random.normal(0, deviation, (kernel, kernel, channels, filters))
        weights[f"conv2d_{i}.bias"] = random.normal(0, 0.1, filters)
        weights[f"batch_norm_{i}.gamma"] = random.uniform(0.5, 1.5, filters)
        weights[f"batch_norm_{i}.beta"] = random.normal(0, 0.2, filters)
        weights[f"batch_norm_{i}.running_mean"] = random.normal(0, 0.1, filters)
        weights[f"batch_norm_{i}.running_variance"] = random.uniform(0.5, 1.5, filters)
        channels = filters
    for i, (inputs, units) in enumerate([(FLATTENED, UNITS), (UNITS, CLASSES)], 1):
        weights[f"dense_{i}.weight"] = random.normal(0, np.sqrt(2 / inputs), (inputs, units))
        weights[f"dense_{i}.bias"] = random.normal(0, 0.1, units)
    return {name: value.astype(np.float32) for name, value in weights.items()}


def train_keras(weights, x, labels, optimizer):
    layers = [keras.Input((HEIGHT, WIDTH, 1))]
    for filters, kernel in zip(FILTERS, KERNELS):
        layers += [keras.layers.Conv2D(filters, kernel, activation="relu"),
                   keras.layers.MaxPooling2D(kernel, strides=2, padding="same"),
                   keras.layers.BatchNormalization()]  # epsilon 1e-3, momentum 0.99
    layers += [keras.layers.Flatten(), keras.layers.Dense(UNITS, activation="relu"), keras.layers.Dense(CLASSES)]
    model = keras.Sequential(layers)
    owners = [layer for layer in model.layers if layer.weights]
    names, at = list(weights), 0
    for layer in owners:
        layer.set_weights([weights[name] for name in names[at:at + len(layer.weights)]])
        at += len(layer.weights)
    assert at == len(names)
    loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    losses = []
    for step in range(STEPS):
        loss = loss_function(labels[step % BATCHES], model(x[step % BATCHES], training=True))
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            optimizer.apply([v.value.grad for v in model.trainable_weights], model.trainable_weights)
        losses.append(float(loss.detach()))
    final = [value for layer in owners for value in layer.get_weights()]
    return losses, dict(zip(names, final))


def train_pytorch(weights, x, labels, make_optimizer):
    own = {name: torch.tensor(value, dtype=torch.float64) for name, value in weights.items()}
    trained = [t.requires_grad_() for name, t in own.items() if "running" not in name]
    optimizer = make_optimizer(trained)
    losses = []
    for step in range(STEPS):
        y = torch.tensor(x[step % BATCHES], dtype=torch.float64).permute(0, 3, 1, 2)
        for i, kernel in enumerate(KERNELS, 1):
            y = F.relu(F.conv2d(y, own[f"conv2d_{i}.weight"].permute(3, 2, 0, 1), own[f"conv2d_{i}.bias"]))
            pads = []
            for length in (y.shape[3], y.shape[2]):  # F.pad wants the last axis first; Keras's `same`
                total = max(0, (-(-length // 2) - 1) * 2 + kernel - length)
                pads += [total // 2, total - total // 2]
            y = F.max_pool2d(F.pad(y, pads, value=float("-inf")), kernel, 2)
            y = F.batch_norm(y, own[f"batch_norm_{i}.running_mean"], own[f"batch_norm_{i}.running_variance"],
                             own[f"batch_norm_{i}.gamma"], own[f"batch_norm_{i}.beta"], training=True, momentum=0.1,
                             eps=1e-5)
        y = y.permute(0, 2, 3, 1).flatten(1)
        y = F.relu(y @ own["dense_1.weight"] + own["dense_1.bias"])
        y = y @ own["dense_2.weight"] + own["dense_2.bias"]
        loss = F.cross_entropy(y, torch.tensor(labels[step % BATCHES]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses, {name: value.detach().numpy() for name, value in own.items()}


def main():
    random = np.random.default_rng(3)
    weights = initial_weights(random)
    x = random.normal(0, 1, (BATCHES, BATCH, HEIGHT, WIDTH, 1)).astype(np.float32)
    labels = random.integers(0, CLASSES, (BATCHES, BATCH)).astype(np.int64)
    traces = {
        "keras_adam": train_keras(weights, x, labels, keras.optimizers.Adam(**ADAM)),
        "keras_sgd": train_keras(weights, x, labels, keras.optimizers.SGD(**SGD)),
        "pytorch_adam": train_pytorch(weights, x, labels, lambda p: torch.optim.Adam(
            p, lr=ADAM["learning_rate"], eps=ADAM["epsilon"])),
        "pytorch_sgd": train_pytorch(weights, x, labels, lambda p: torch.optim.SGD(
            p, lr=SGD["learning_rate"], momentum=SGD["momentum"], nesterov=True)),
    }
    tensors = {"x": x, "labels": labels.astype(np.int32)}
    tensors |= {f"initial/{name}": value for name, value in weights.items()}
    for trace, (losses, final) in traces.items():
        print(trace, losses[0], losses[-1])
        tensors[f"{trace}/losses"] = np.array(losses)
        tensors |= {f"{trace}/final/{name}": np.ascontiguousarray(value, np.float64) for name, value in final.items()}
    path = pathlib.Path(__file__).resolve().parent.parent / "data" / "training_trace.safetensors"
    save_file(tensors, path, metadata={"pytorch": torch.__version__, "keras": keras.__version__,
                                       "numpy": np.__version__, "safetensors": safetensors.__version__,
                                       "adam": str(ADAM), "sgd": str(SGD) + "; pytorch's with nesterov"})
    path.chmod(0o644)


main()
