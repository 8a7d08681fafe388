#!/usr/bin/env python3
"""Writes tests/data/optimizer_traces.safetensors: 20 steps of every optimizer variant, by Keras and by PyTorch, on a small
network with Conv1D, Conv2D, batch norm, pools, GRU and dense layers.

Run by hand (python3 tests/golden/make_optimizer_traces.py); the file is committed. Made with PyTorch 2.11.0, Keras 3.15.1
on its torch backend, NumPy 2.4.6 and safetensors 0.8.0. Both work in float64 (but Keras's batch norm casts to float32),
from weights and batches that float32 holds exactly. Layouts are melgrad's; the options of each variant are repeated in
tests/layers/optimizer_traces_test.cpp.
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

STEPS, BATCHES, BATCH, CLASSES = 20, 4, 6, 4
keras.backend.set_floatx("float64")
torch.set_default_dtype(torch.float64)


def initial_weights(random):
    def normal(deviation, *shape):
        return random.normal(0, deviation, shape)

    weights = {
        "conv2d_1.weight": normal(0.4, 3, 2, 1, 6), "conv2d_1.bias": normal(0.1, 6),
        "batch_norm_1.gamma": random.uniform(0.5, 1.5, 6), "batch_norm_1.beta": normal(0.2, 6),
        "batch_norm_1.running_mean": normal(0.1, 6), "batch_norm_1.running_variance": random.uniform(0.5, 1.5, 6),
        "conv1d_1.weight": normal(0.2, 3, 18, 8), "conv1d_1.bias": normal(0.1, 8),
        "batch_norm_2.gamma": random.uniform(0.5, 1.5, 8), "batch_norm_2.beta": normal(0.2, 8),
        "batch_norm_2.running_mean": normal(0.1, 8), "batch_norm_2.running_variance": random.uniform(0.5, 1.5, 8),
        "gru_1.kernel": normal(0.4, 8, 15), "gru_1.recurrent_kernel": normal(0.4, 5, 15), "gru_1.bias": normal(0.2, 2, 15),
        "dense_1.weight": normal(0.5, 5, CLASSES), "dense_1.bias": normal(0.1, CLASSES),
    }
    return {name: value.astype(np.float32) for name, value in weights.items()}


def train_keras(weights, x, labels, optimizer):
    model = keras.Sequential([
        keras.Input((16, 6, 2)),
        keras.layers.Conv2D(6, (3, 2), strides=(2, 1), padding="same", groups=2, activation="elu"),
        keras.layers.BatchNormalization(),
        keras.layers.MaxPooling2D((2, 1), strides=1, padding="same"),
        keras.layers.AveragePooling2D((1, 2)),
        keras.layers.Reshape((8, 18)),
        keras.layers.Conv1D(8, 3, dilation_rate=2, padding="same", activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.MaxPooling1D(2),
        keras.layers.GRU(5),
        keras.layers.Dense(CLASSES),
    ])
    owners = [layer for layer in model.layers if layer.weights]
    names, at = list(weights), 0
    for layer in owners:
        count = len(layer.get_weights())
        layer.set_weights([weights[name] for name in names[at:at + count]])
        at += count
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
    return losses, dict(zip(names, [value for layer in owners for value in layer.get_weights()]))


def forward_pytorch(own, x):
    y = torch.tensor(x, dtype=torch.float64).permute(0, 3, 1, 2)
    # `same`: height 16 to 8 with kernel 3 and stride 2, one row after; width with kernel 2, one column after.
    y = F.elu(F.conv2d(F.pad(y, (0, 1, 0, 1)), own["conv2d_1.weight"].permute(3, 2, 0, 1), own["conv2d_1.bias"],
                       stride=(2, 1), groups=2))
    y = F.batch_norm(y, own["batch_norm_1.running_mean"], own["batch_norm_1.running_variance"],
                     own["batch_norm_1.gamma"], own["batch_norm_1.beta"], training=True, momentum=0.1, eps=1e-5)
    y = F.max_pool2d(F.pad(y, (0, 0, 0, 1), value=float("-inf")), (2, 1), 1)
    y = F.avg_pool2d(y, (1, 2))
    y = y.permute(0, 2, 3, 1).reshape(len(x), 8, 18).permute(0, 2, 1)
    y = F.relu(F.conv1d(F.pad(y, (2, 2)), own["conv1d_1.weight"].permute(2, 1, 0), own["conv1d_1.bias"], dilation=2))
    y = F.batch_norm(y, own["batch_norm_2.running_mean"], own["batch_norm_2.running_variance"],
                     own["batch_norm_2.gamma"], own["batch_norm_2.beta"], training=True, momentum=0.1, eps=1e-5)
    y = F.max_pool1d(y, 2).permute(0, 2, 1)
    state = torch.zeros(len(x), 5)
    for t in range(y.shape[1]):
        az, ar, ah = (y[:, t] @ own["gru_1.kernel"] + own["gru_1.bias"][0]).chunk(3, 1)
        cz, cr, ch = (state @ own["gru_1.recurrent_kernel"] + own["gru_1.bias"][1]).chunk(3, 1)
        z, r = torch.sigmoid(az + cz), torch.sigmoid(ar + cr)
        state = z * state + (1 - z) * torch.tanh(ah + r * ch)
    return state @ own["dense_1.weight"] + own["dense_1.bias"]


def groups_of(parameters):
    """PyTorch's parameter groups: the first convolution at a quarter of the rate, no decay of biases and norms."""
    groups = {}
    for name, tensor in parameters.items():
        quarter, plain = name.startswith("conv2d_1."), name.endswith((".bias", ".gamma", ".beta"))
        groups.setdefault((quarter, plain and not quarter), []).append(tensor)
    return groups


def grouped(make, rate, weight_decay):
    return lambda parameters: make([
        {"params": tensors, "lr": rate / 4 if quarter else rate, "weight_decay": 0 if plain else weight_decay}
        for (quarter, plain), tensors in groups_of(parameters).items()])


def train_pytorch(weights, x, labels, make_optimizer, clip=None, by_name=False):
    own = {name: torch.tensor(value, dtype=torch.float64) for name, value in weights.items()}
    named = {name: t.requires_grad_() for name, t in own.items() if "running" not in name}
    trained = list(named.values())
    optimizer = make_optimizer(named if by_name else trained)
    losses = []
    for step in range(STEPS):
        loss = F.cross_entropy(forward_pytorch(own, x[step % BATCHES]), torch.tensor(labels[step % BATCHES]))
        optimizer.zero_grad()
        loss.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(trained, clip)
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses, {name: value.detach().numpy() for name, value in own.items()}


def main():
    random = np.random.default_rng(11)
    weights = initial_weights(random)
    x = random.normal(0, 1, (BATCHES, BATCH, 16, 6, 2)).astype(np.float32)
    labels = random.integers(0, CLASSES, (BATCHES, BATCH)).astype(np.int64)
    k, t = keras.optimizers, torch.optim
    keras_variants = {
        "sgd": lambda: k.SGD(0.05),
        "sgd_momentum": lambda: k.SGD(0.05, momentum=0.9),
        "sgd_nesterov": lambda: k.SGD(0.05, momentum=0.9, nesterov=True),
        "sgd_decay": lambda: k.SGD(k.schedules.InverseTimeDecay(0.1, 1, 0.2), momentum=0.9),  # Keras 1 and 2: decay=0.2
        "sgd_weight_decay": lambda: k.SGD(0.05, momentum=0.9, weight_decay=0.1),
        "sgd_clipnorm": lambda: k.SGD(0.05, clipnorm=0.2),
        "sgd_global_clipnorm": lambda: k.SGD(0.05, global_clipnorm=0.3),
        "sgd_clipvalue": lambda: k.SGD(0.05, clipvalue=0.05),
        "adam": lambda: k.Adam(0.01, epsilon=1e-3),
        "adamw": lambda: k.AdamW(0.01, epsilon=1e-3, weight_decay=0.1),
        "amsgrad": lambda: k.Adam(0.01, beta_2=0.9, epsilon=1e-3, amsgrad=True),
        "adadelta": lambda: k.Adadelta(1.0, rho=0.95, epsilon=1e-4),
        "rmsprop": lambda: k.RMSprop(0.005, epsilon=1e-3),
        "rmsprop_momentum": lambda: k.RMSprop(0.005, momentum=0.7, epsilon=1e-3),
        "rmsprop_centred": lambda: k.RMSprop(0.005, momentum=0.7, epsilon=1e-3, centered=True),
    }
    pytorch_variants = {
        "sgd": lambda p: t.SGD(p, 0.05),
        "sgd_momentum": lambda p: t.SGD(p, 0.05, momentum=0.9),
        "sgd_nesterov": lambda p: t.SGD(p, 0.05, momentum=0.9, nesterov=True),
        "sgd_l2": lambda p: t.SGD(p, 0.05, momentum=0.9, weight_decay=0.1),
        "adam": lambda p: t.Adam(p, 0.01, eps=1e-3),
        "adam_l2": lambda p: t.Adam(p, 0.01, eps=1e-3, weight_decay=0.1),
        "adamw": lambda p: t.AdamW(p, 0.01, eps=1e-3, weight_decay=0.1),
        "amsgrad": lambda p: t.Adam(p, 0.01, betas=(0.9, 0.9), eps=1e-3, amsgrad=True),
        "adadelta": lambda p: t.Adadelta(p, 1.0, rho=0.9, eps=1e-4),
        "rmsprop": lambda p: t.RMSprop(p, 0.005, alpha=0.9, eps=1e-2),
        "rmsprop_momentum": lambda p: t.RMSprop(p, 0.005, alpha=0.9, eps=1e-2, momentum=0.7),
        "rmsprop_centred": lambda p: t.RMSprop(p, 0.005, alpha=0.9, eps=1e-2, momentum=0.7, centered=True),
    }
    traces = {f"keras_{name}": train_keras(weights, x, labels, make()) for name, make in keras_variants.items()}
    traces |= {f"pytorch_{name}": train_pytorch(weights, x, labels, make) for name, make in pytorch_variants.items()}
    pytorch_groups = {
        "sgd_groups": grouped(lambda p: t.SGD(p, momentum=0.9), 0.05, 0.1),
        "adamw_groups": grouped(lambda p: t.AdamW(p, eps=1e-3), 0.01, 0.2),
    }
    traces |= {f"pytorch_{name}": train_pytorch(weights, x, labels, make, by_name=True)
               for name, make in pytorch_groups.items()}
    traces["pytorch_sgd_clip_grad_norm"] = train_pytorch(weights, x, labels, pytorch_variants["sgd"], clip=0.3)
    tensors = {"x": x, "labels": labels.astype(np.int32)}
    tensors |= {f"initial/{name}": value for name, value in weights.items()}
    for trace, (losses, final) in traces.items():
        print(f"{trace:28} {losses[0]:.4f} {losses[-1]:.4f}")
        tensors[f"{trace}/losses"] = np.array(losses)
        tensors |= {f"{trace}/final/{name}": np.ascontiguousarray(value, np.float32) for name, value in final.items()}
    path = pathlib.Path(__file__).resolve().parent.parent / "data" / "optimizer_traces.safetensors"
    save_file(tensors, path, metadata={"pytorch": torch.__version__, "keras": keras.__version__,
                                       "numpy": np.__version__, "safetensors": safetensors.__version__})
    path.chmod(0o644)


main()
