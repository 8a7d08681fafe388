#!/usr/bin/env python3
"""Writes tests/data/layers.safetensors and optimizers.safetensors: numbers by Keras and PyTorch, in float64 (but
Keras's batch norm casts to float32).

Run by hand; the files are committed. Made with PyTorch 2.11.0, Keras 3.15.1 on its torch backend, NumPy 2.4.6 and
safetensors 0.8.0.
"""
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import keras
import numpy as np
import safetensors
import torch
from safetensors.numpy import save_file

keras.backend.set_floatx("float64")
torch.set_default_dtype(torch.float64)
folder = pathlib.Path(__file__).resolve().parent.parent / "data"
VERSIONS = {"pytorch": torch.__version__, "keras": keras.__version__, "numpy": np.__version__,
            "safetensors": safetensors.__version__}


def numpy(value):
    return np.ascontiguousarray(keras.ops.convert_to_numpy(value), np.float64)


def write(name, tensors):
    save_file(tensors, folder / name, metadata=VERSIONS)
    (folder / name).chmod(0o644)


def layers():
    """Batch normalisation in two training steps and an inference, and windows with the padding `same`."""
    random = np.random.default_rng(5)
    out = {"x": random.normal(1, 2, (2, 3, 5, 4, 3)), "gamma": random.uniform(0.5, 2, 3), "beta": random.normal(0, 1, 3)}
    batch_norm = keras.layers.BatchNormalization(momentum=0.9)  # epsilon 1e-3
    batch_norm.build((None, 5, 4, 3))
    batch_norm.set_weights([out["gamma"], out["beta"], np.zeros(3), np.ones(3)])
    out["keras/first"] = numpy(batch_norm(out["x"][0], training=True))
    out["keras/second"] = numpy(batch_norm(out["x"][1], training=True))
    out["keras/infer"] = numpy(batch_norm(out["x"][0], training=False))
    _, _, out["keras/running_mean"], out["keras/running_variance"] = map(numpy, batch_norm.weights)

    torch_norm = torch.nn.BatchNorm2d(3, momentum=0.2)  # epsilon 1e-5
    with torch.no_grad():
        torch_norm.weight.copy_(torch.tensor(out["gamma"]))
        torch_norm.bias.copy_(torch.tensor(out["beta"]))
        images = torch.tensor(out["x"]).permute(0, 1, 4, 2, 3)
        for name, index, training in ("first", 0, True), ("second", 1, True), ("infer", 0, False):
            torch_norm.train(training)
            out[f"pytorch/{name}"] = numpy(torch_norm(images[index]).permute(0, 2, 3, 1))
        out["pytorch/running_mean"] = numpy(torch_norm.running_mean)
        out["pytorch/running_variance"] = numpy(torch_norm.running_var)

    image = random.normal(0, 1, (2, 9, 6, 3))
    out["image"] = image
    for kernel, stride in ((3, 1), (4, 1), (3, 2), (4, 3), ((2, 5), (1, 2)), (2, 2)):
        name = f"{kernel} {stride}".replace("(", "").replace(")", "").replace(", ", "x").replace(" ", "_")
        conv = keras.layers.Conv2D(4, kernel, strides=stride, padding="same", activation="relu")
        out[f"conv_{name}"] = numpy(conv(image))
        out[f"conv_{name}/weight"], _ = map(numpy, conv.weights)
        bias = random.normal(0, 0.5, 4)
        conv.set_weights([out[f"conv_{name}/weight"], bias])
        out[f"conv_{name}"], out[f"conv_{name}/bias"] = numpy(conv(image)), bias
        out[f"pool_{name}"] = numpy(keras.layers.MaxPooling2D(kernel, strides=stride, padding="same")(image))
    write("layers.safetensors", out)


def optimizers():
    """Five steps on a matrix and a vector with given gradients; the rate halves after the third."""
    random = np.random.default_rng(6)
    initial = [random.normal(0, 1, (3, 2)), random.normal(0, 1, 4)]
    gradients = [[random.normal(0, scale, w.shape) for w in initial] for scale in (1, 1e-3, 3, 0.1, 1e-2)]
    out = {f"initial/{i}": w for i, w in enumerate(initial)}
    for step, both in enumerate(gradients):
        out |= {f"gradient/{step}/{i}": g for i, g in enumerate(both)}

    def rate(base, step):
        return base if step < 3 else base / 2

    def keras_run(name, make, base):
        optimizer, weights = make(), [keras.Variable(w.copy()) for w in initial]
        for step, both in enumerate(gradients):
            optimizer.learning_rate = rate(base, step)
            with torch.no_grad():
                optimizer.apply([torch.tensor(g) for g in both], weights)
        out.update({f"keras_{name}/{i}": numpy(w) for i, w in enumerate(weights)})

    def pytorch_run(name, make, base):
        weights = [torch.tensor(w.copy(), requires_grad=True) for w in initial]
        optimizer = make(weights)
        for step, both in enumerate(gradients):
            optimizer.param_groups[0]["lr"] = rate(base, step)
            for w, g in zip(weights, both):
                w.grad = torch.tensor(g)
            optimizer.step()
        out.update({f"pytorch_{name}/{i}": w.detach().numpy() for i, w in enumerate(weights)})

    for name, momentum, nesterov in ("sgd", 0.0, False), ("sgd_momentum", 0.9, False), ("sgd_nesterov", 0.9, True):
        keras_run(name, lambda: keras.optimizers.SGD(momentum=momentum, nesterov=nesterov), 0.1)
        pytorch_run(name, lambda w: torch.optim.SGD(w, momentum=momentum, nesterov=nesterov), 0.1)
    pytorch_run("sgd_decay", lambda w: torch.optim.SGD(w, momentum=0.9, weight_decay=0.05), 0.1)
    pytorch_run("sgd_nesterov_decay", lambda w: torch.optim.SGD(w, momentum=0.9, nesterov=True, weight_decay=0.05), 0.1)
    keras_run("adam", lambda: keras.optimizers.Adam(), 1e-2)
    pytorch_run("adam", lambda w: torch.optim.Adam(w), 1e-2)
    keras_run("adam_options", lambda: keras.optimizers.Adam(beta_1=0.8, beta_2=0.95, epsilon=0.01), 1e-2)
    pytorch_run("adam_options", lambda w: torch.optim.Adam(w, betas=(0.8, 0.95), eps=0.01, weight_decay=0.05), 1e-2)
    write("optimizers.safetensors", out)


layers()
optimizers()
