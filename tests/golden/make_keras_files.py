#!/usr/bin/env python3
"""Writes tests/data/keras/: weights in Keras's older .h5 layouts, and what the networks answer.

keras3.h5, keras3_model.h5: by Keras itself, a network's weights and a whole model; the answers are Keras's.
keras1_theano.h5, keras1_gru.h5: the layout of Keras 1, written here from its documentation (attributes layer_names and
weight_names, running_std, a GRU as nine arrays); the answers are computed from the definitions, the convolution by
SciPy's true (flipped) convolution, so that no flip of ours is undone by another of ours.

Run by hand; the files are committed. Made with Keras 3.15.1 on its torch backend, PyTorch 2.11.0, h5py 3.16.0, SciPy and
NumPy 2.4.
"""
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import h5py
import keras
import numpy as np
from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group
from safetensors.numpy import save_file
from scipy.signal import convolve

folder = pathlib.Path(__file__).resolve().parent.parent / "data" / "keras"
random = np.random.default_rng(11)
golden = {}


def normal(*shape):
    return random.normal(0, 0.5, shape).astype(np.float32)


def keras3():
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((8, 6, 2)),
        layers.Conv2D(5, (3, 2), padding="same", activation="elu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D((1, 2)),
        layers.Reshape((8, 15)),
        layers.Conv1D(6, 3, padding="same", use_bias=False),
        layers.GRU(4, return_sequences=True),
        layers.GRU(3, reset_after=False),
        layers.Dense(5, activation="softmax"),
    ])
    for layer in model.layers:
        weights = [normal(*weight.shape) for weight in layer.weights]
        if isinstance(layer, layers.BatchNormalization):
            weights[3] = np.abs(weights[3]) + 0.1  # a variance
        layer.set_weights(weights)
    with h5py.File(folder / "keras3.h5", "w") as file:
        save_weights_to_hdf5_group(file, model)
    model.save(folder / "keras3_model.h5")
    x = normal(3, 8, 6, 2)
    golden["keras3/x"], golden["keras3/y"] = x, np.asarray(model.predict(x, verbose=0), np.float32)


def write_keras1(name, layers):
    """layers: {layer: [(weight, values), …]}, and layers without weights, as Keras 1 lists all."""
    with h5py.File(folder / name, "w") as file:
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        for layer, weights in layers.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = np.array([weight.encode() for weight, _ in weights], dtype="S64")
            for weight, values in weights:
                group.create_dataset(weight, data=values)


def keras1_theano():
    """(2, 7, 6) channels first: a 3×5 convolution `same`, ELU, BN over channels, max pool 2, flatten, dense, sigmoid."""
    kernel, bias = normal(4, 2, 3, 5), normal(4)  # (out, in, h, w)
    gamma, beta, mean, variance = normal(4), normal(4), normal(4), np.abs(normal(4)) + 0.1
    weight, dense_bias = normal(4 * 3 * 3, 5), normal(5)
    x = normal(3, 2, 7, 6)
    y = np.zeros((3, 4, 7, 6))
    for n in range(3):
        for o in range(4):
            for c in range(2):
                full = convolve(x[n, c].astype(np.float64), kernel[o, c].astype(np.float64), mode="full")
                y[n, o] += full[1:8, 2:8]  # `same`
    y += bias[None, :, None, None]
    y = np.where(y > 0, y, np.expm1(y))
    y = (y - mean[:, None, None]) / np.sqrt(variance[:, None, None] + 1e-3) * gamma[:, None, None] + beta[:, None, None]
    y = y[:, :, :6, :].reshape(3, 4, 3, 2, 3, 2).max((3, 5))
    y = 1 / (1 + np.exp(-(y.reshape(3, -1) @ weight + dense_bias)))
    write_keras1("keras1_theano.h5", {
        "convolution2d_1": [("convolution2d_1_W", kernel), ("convolution2d_1_b", bias)],
        "elu_1": [],
        "batchnormalization_1": [("batchnormalization_1_gamma", gamma), ("batchnormalization_1_beta", beta),
                                 ("batchnormalization_1_running_mean", mean),
                                 ("batchnormalization_1_running_std", variance)],
        "maxpooling2d_1": [], "flatten_1": [],
        "dense_1": [("dense_1_W", weight), ("dense_1_b", dense_bias)],
    })
    golden["keras1_theano/x"] = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    golden["keras1_theano/y"] = y.astype(np.float32)


def keras1_gru():
    """(6, 3): two GRUs with hard sigmoid gates (Keras 1's, 0.2 x + 0.5), the reset gate before the product."""
    layers, x = {}, normal(2, 6, 3)
    sequence = x.astype(np.float64)
    for layer, units in ("gru_1", 4), ("gru_2", 3):
        gates = {}
        weights = []
        for gate in "zrh":
            gates[gate] = [normal(sequence.shape[2], units), normal(units, units), normal(units)]
            weights += [(f"{layer}_{letter}_{gate}", values) for letter, values in zip("WUb", gates[gate])]
        layers[layer] = weights
        state, states = np.zeros((2, units)), []
        for step in range(6):
            def part(gate, h):
                w, u, b = gates[gate]
                return sequence[:, step] @ w + h @ u + b
            z = np.clip(0.2 * part("z", state) + 0.5, 0, 1)
            r = np.clip(0.2 * part("r", state) + 0.5, 0, 1)
            state = z * state + (1 - z) * np.tanh(part("h", r * state))
            states.append(state)
        sequence = np.stack(states, 1)
    weight, bias = normal(3, 4), normal(4)
    layers["dropout_1"] = []
    layers["dense_1"] = [("dense_1_W", weight), ("dense_1_b", bias)]
    write_keras1("keras1_gru.h5", layers)
    golden["keras1_gru/x"], golden["keras1_gru/y"] = x, (sequence[:, -1] @ weight + bias).astype(np.float32)


folder.mkdir(exist_ok=True)
keras3()
keras1_theano()
keras1_gru()
save_file(golden, folder / "answers.safetensors")
for path in folder.iterdir():
    path.chmod(0o644)
