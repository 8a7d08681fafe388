#!/usr/bin/env python3
"""Trains random [[layer]] networks in melgrad and in PyTorch from the same weights and arrays; compares every weight.

    python3 scripts/compare_random_networks.py [--melgrad build/release/apps/melgrad] [--networks 50] [--seed 0]

Each network is drawn from convolutions (strides, dilations, groups, same, valid and explicit pads), pools, batch norm,
activations, GRU and dense layers, with one of the losses. Each optimizer then makes five steps on all samples at once,
in both frameworks: PyTorch in float64, melgrad as its users run it, from the command line. Every tensor of the run must
agree within 1e-4 of its largest element. Set aside: a bias that a batch norm directly follows, where its gradient in
PyTorch is zero but for rounding (below 1e-12): both frameworks then walk by their rounding errors. A ReLU whose input comes within
1e-6 of zero may decide either way in float32; where a run differs and has such an input, PyTorch runs again with the
nearest one decided the other way, and the line says so. Needs torch, numpy
and safetensors (made with PyTorch 2.11.0); exit status 1 if anything differs.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file, save_file

STEPS = 5
TOLERANCE = 1e-4
torch.set_default_dtype(torch.float64)

class Relu:
    """A ReLU that knows how near to zero it has been, and can take its nearest decision the other way."""

    def __init__(self):
        self.start(flip=None)

    def start(self, flip):
        self.calls, self.flip, self.nearest = 0, flip, (float("inf"), None)

    def __call__(self, x):
        values = x.detach().flatten()
        at = int(values.abs().argmin())
        self.nearest = min(self.nearest, (abs(float(values[at])), (self.calls, at)))
        if self.flip is not None and self.flip[0] == self.calls:
            move = torch.zeros(x.numel())
            move[self.flip[1]] = -2 * values[self.flip[1]]
            x = x + move.reshape(x.shape)
        self.calls += 1
        return F.relu(x)


relu = Relu()
ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),  # Keras 3's slope
    "elu": F.elu,
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": F.hardsigmoid,
    "tanh": torch.tanh,
}

# name: (train keys, make the same in PyTorch)
OPTIMIZERS = {
    "sgd": ({"optimizer": "sgd"}, lambda p, lr: torch.optim.SGD(p, lr)),
    "momentum": ({"optimizer": "sgd", "momentum": 0.9}, lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9)),
    "nesterov": ({"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
                 lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9, nesterov=True, weight_decay=0.01)),
    "adam": ({"optimizer": "adam", "epsilon": 1e-3}, lambda p, lr: torch.optim.Adam(p, lr, eps=1e-3)),
    "amsgrad": ({"optimizer": "adam", "epsilon": 1e-3, "beta2": 0.9, "amsgrad": True},
                lambda p, lr: torch.optim.Adam(p, lr, betas=(0.9, 0.9), eps=1e-3, amsgrad=True)),
    "adamw": ({"optimizer": "adamw", "epsilon": 1e-3, "weight_decay": 0.05},
              lambda p, lr: torch.optim.AdamW(p, lr, eps=1e-3, weight_decay=0.05)),
    "adadelta": ({"optimizer": "adadelta", "epsilon": 1e-4, "rho": 0.9},
                 lambda p, lr: torch.optim.Adadelta(p, lr, rho=0.9, eps=1e-4)),
    "rmsprop": ({"optimizer": "rmsprop", "epsilon": 1e-2, "rho": 0.9},
                lambda p, lr: torch.optim.RMSprop(p, lr, alpha=0.9, eps=1e-2)),
    "centred": ({"optimizer": "rmsprop", "epsilon": 1e-2, "rho": 0.9, "momentum": 0.7, "centred": True},
                lambda p, lr: torch.optim.RMSprop(p, lr, alpha=0.9, eps=1e-2, momentum=0.7, centered=True)),
}


def window_pads(padding, size, kernel, stride, dilation):
    """[before, after]; `same` as Keras has it."""
    if padding == "valid":
        return [0, 0]
    if padding == "same":
        total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
        return [total // 2, total - total // 2]
    return padding


def windows(pads, size, kernel, stride, dilation=1):
    """The number of windows, 0 where none fits."""
    return max((size + sum(pads) - (kernel - 1) * dilation - 1) // stride + 1, 0)


class Network:
    """Draws layers; keeps their [[layer]] tables, weights and PyTorch functions."""

    def __init__(self, random):
        self.random = random
        self.tables, self.weights, self.functions, self.normalised_biases = [], {}, [], set()
        self.count = {}
        self.biased = None  # the layer before, if it ends with its bias
        self.spatial = int(random.integers(1, 3))
        sizes = [int(n) for n in random.integers(9, 22, self.spatial)]
        self.shape = sizes + [int(random.integers(1, 5))]
        self.input = list(self.shape)

    def choice(self, *options):
        return options[int(self.random.integers(len(options)))]

    def add(self, kind, options, function, biased=False):
        self.count[kind] = self.count.get(kind, 0) + 1
        name = f"{kind}_{self.count[kind]}"
        self.tables.append((kind, options))
        self.functions.append(function)
        self.biased = name + ".bias" if biased else None
        return name

    def next_name(self, kind):
        return f"{kind}_{self.count.get(kind, 0) + 1}"

    def weight(self, name, shape, fan):
        self.weights[name] = self.random.normal(0, 1 / np.sqrt(fan), shape).astype(np.float32)

    def draw_windows(self, kernel_up_to, dilated):
        """Kernel, stride, dilation and pads of each axis, with at least one window; and the option `padding`."""
        while True:
            kernel = [int(k) for k in self.random.integers(1, kernel_up_to + 1, self.spatial)]
            stride = [int(s) for s in self.random.integers(1, 4, self.spatial)]
            dilation = [int(d) for d in self.random.integers(1, 3 if dilated else 2, self.spatial)]
            # A window that lies in the padding alone is refused, so pads are shorter than a window.
            explicit = [[int(p) for p in self.random.integers(0, (kernel[a] - 1) * dilation[a] + 1, 2)]
                        for a in range(self.spatial)]
            padding = self.choice("same", "valid", explicit) if dilated else self.choice("same", "valid")
            pads = [window_pads(padding if isinstance(padding, str) else padding[a], self.shape[a], kernel[a],
                                stride[a], dilation[a]) for a in range(self.spatial)]
            out = [windows(pads[a], self.shape[a], kernel[a], stride[a], dilation[a]) for a in range(self.spatial)]
            if min(out) >= 1:
                option = padding if isinstance(padding, str) else padding if self.spatial == 2 else padding[0]
                return kernel, stride, dilation, pads, out, option

    def torch_pads(self, pads):
        return [amount for axis in reversed(pads) for amount in axis]

    def sized(self, values):
        return values if self.spatial == 2 else values[0]

    def convolution(self):
        kind = f"conv{self.spatial}d"
        name, channels = self.next_name(kind), self.shape[-1]
        kernel, stride, dilation, pads, out, padding = self.draw_windows(4, True)
        groups = self.choice(1, 1, *[g for g in (2, 3, 4) if channels % g == 0], channels)
        filters = groups * int(self.random.integers(1, 5)) if groups > 1 else int(self.random.integers(1, 8))
        activation = self.choice(*ACTIVATIONS)
        bias = bool(self.random.random() < 0.8)
        self.weight(name + ".weight", kernel + [channels // groups, filters],
                    np.prod(kernel) * channels // groups)
        if bias:
            self.weight(name + ".bias", [filters], 10)
        convolve = F.conv2d if self.spatial == 2 else F.conv1d
        order = (3, 2, 0, 1) if self.spatial == 2 else (2, 1, 0)

        def function(x, w):
            y = F.pad(x.movedim(-1, 1), self.torch_pads(pads)).contiguous()
            y = convolve(y, w[name + ".weight"].permute(order).contiguous(), w.get(name + ".bias"), stride=stride,
                         dilation=dilation, groups=groups)
            return ACTIVATIONS[activation](y.movedim(1, -1))

        options = {"filters": filters, "kernel": self.sized(kernel), "stride": self.sized(stride),
                   "padding": padding, "dilation": self.sized(dilation), "groups": groups, "bias": bias,
                   "activation": activation}
        self.add(kind, options, function, biased=bias)
        self.shape = out + [filters]

    def pool(self):
        size, stride, _, pads, out, padding = self.draw_windows(3, False)
        largest = self.random.random() < 0.5
        kind = f"{'max' if largest else 'average'}_pool{self.spatial}d"
        pool = {(True, 1): F.max_pool1d, (True, 2): F.max_pool2d, (False, 1): F.avg_pool1d,
                (False, 2): F.avg_pool2d}[largest, self.spatial]

        def function(x, _):
            x = x.movedim(-1, 1)
            if largest:
                y = pool(F.pad(x, self.torch_pads(pads), value=float("-inf")), size, stride)
            else:  # divided by the elements inside, as Keras does
                y = pool(F.pad(x, self.torch_pads(pads)), size, stride)
                y = y / pool(F.pad(torch.ones_like(x), self.torch_pads(pads)), size, stride)
            return y.movedim(1, -1)

        self.add(kind, {"pool": self.sized(size), "stride": self.sized(stride), "padding": padding}, function)
        self.shape = out + [self.shape[-1]]

    def batch_norm(self):
        name, channels = self.next_name("batch_norm"), self.shape[-1]
        if self.biased:
            self.normalised_biases.add(self.biased)
        self.weights[name + ".gamma"] = self.random.uniform(0.5, 1.5, channels).astype(np.float32)
        self.weight(name + ".beta", [channels], 25)
        self.weight(name + ".running_mean", [channels], 100)
        self.weights[name + ".running_variance"] = self.random.uniform(0.5, 1.5, channels).astype(np.float32)

        def function(x, w):
            y = F.batch_norm(x.movedim(-1, 1), w[name + ".running_mean"], w[name + ".running_variance"],
                             w[name + ".gamma"], w[name + ".beta"], training=True, momentum=0.1, eps=1e-3)
            return y.movedim(1, -1)

        self.add("batch_norm", {"momentum": 0.9, "running_variance": "unbiased"}, function)

    def activation(self):
        function = self.choice(*ACTIVATIONS)
        self.add("activation", {"function": function}, lambda x, _: ACTIVATIONS[function](x))

    def gru(self):
        if self.spatial == 2:
            shape = [self.shape[0], self.shape[1] * self.shape[2]]
            self.add("reshape", {"shape": shape}, lambda x, _: x.reshape(len(x), *shape))
            self.shape = shape
        name, units = self.next_name("gru"), int(self.random.integers(1, 6))
        gates = self.choice("sigmoid", "hard_sigmoid")
        reset_after, sequences = bool(self.random.random() < 0.5), bool(self.random.random() < 0.3)
        self.weight(name + ".kernel", [self.shape[1], 3 * units], self.shape[1])
        self.weight(name + ".recurrent_kernel", [units, 3 * units], units)
        self.weight(name + ".bias", [2, 3 * units] if reset_after else [3 * units], 10)

        def function(x, w):
            bias = w[name + ".bias"]
            kernel, recurrent = w[name + ".kernel"], w[name + ".recurrent_kernel"]
            inputs = x @ kernel + (bias[0] if reset_after else bias)
            h, states = torch.zeros(len(x), units), []
            gate = ACTIVATIONS[gates]
            for t in range(x.shape[1]):
                az, ar, ah = inputs[:, t].chunk(3, 1)
                uz, ur, uh = recurrent.chunk(3, 1)
                bz, br, bh = bias[1].chunk(3) if reset_after else (0, 0, 0)
                z, r = gate(az + h @ uz + bz), gate(ar + h @ ur + br)
                g = torch.tanh(ah + r * (h @ uh + bh)) if reset_after else torch.tanh(ah + (r * h) @ uh)
                h = z * h + (1 - z) * g
                states.append(h)
            return torch.stack(states, 1) if sequences else h

        self.add("gru", {"units": units, "return_sequences": sequences, "reset_after": reset_after,
                         "recurrent_activation": gates}, function)
        self.shape = [self.shape[0], units] if sequences else [units]

    def dense(self, units, activation):
        name, channels = self.next_name("dense"), self.shape[-1]
        self.weight(name + ".weight", [channels, units], channels)
        self.weight(name + ".bias", [units], 10)
        last = activation in ("softmax", "linear-last", "sigmoid-last")
        table = activation.removesuffix("-last")

        def function(x, w):
            y = x @ w[name + ".weight"] + w[name + ".bias"]
            return y if last else ACTIVATIONS[activation](y)

        self.add("dense", {"units": units, "activation": table}, function, biased=True)
        self.shape = self.shape[:-1] + [units]

    def draw(self):
        for _ in range(int(self.random.integers(1, 4))):
            self.convolution()
            for part in (self.batch_norm, self.activation, self.pool):
                if self.random.random() < 0.5:
                    part()
        if self.random.random() < 0.4:
            self.gru()
        end = self.choice("flatten", "global_average_pool", "global_max_pool")
        if end == "flatten":
            self.add("flatten", {}, lambda x, _: x.flatten(1))
            self.shape = [int(np.prod(self.shape))]
        elif len(self.shape) > 1:
            axes = tuple(range(1, len(self.shape)))
            reduce = torch.mean if end == "global_average_pool" else torch.amax
            self.add(end, {}, lambda x, _: reduce(x, axes))
            self.shape = self.shape[-1:]
        if self.random.random() < 0.5:
            self.dense(int(self.random.integers(2, 9)), self.choice(*ACTIVATIONS))
            if self.random.random() < 0.5:
                self.batch_norm()
        self.loss = self.choice("hard cross-entropy", "soft cross-entropy", "scaled cross-entropy",
                                "binary-cross-entropy", "mse")
        if self.loss.endswith(" cross-entropy"):
            self.last = self.choice("softmax", "linear-last")
        else:
            self.last = self.choice("sigmoid-last", "linear-last")
        self.outputs = int(self.random.integers(2, 7))
        self.dense(self.outputs, self.last)

    def targets(self, n):
        if self.loss == "hard cross-entropy":
            return self.random.integers(0, self.outputs, n).astype(np.int32)
        if self.loss == "soft cross-entropy":
            return self.random.dirichlet(np.ones(self.outputs), n).astype(np.float32)
        if self.loss in ("scaled cross-entropy", "binary-cross-entropy"):
            return (self.random.random((n, self.outputs)) < 0.4).astype(np.float32)  # a row may be all zeros
        return self.random.normal(0, 1, (n, self.outputs)).astype(np.float32)

    def compute_loss(self, logits, y):
        if self.loss == "hard cross-entropy":
            return F.cross_entropy(logits, torch.tensor(y, dtype=torch.int64))
        y = torch.tensor(y, dtype=torch.float64)
        if self.loss.endswith(" cross-entropy"):
            if self.loss.startswith("scaled"):
                y = y / y.sum(1, keepdim=True).clamp(min=1)
            return -(y * F.log_softmax(logits, 1)).sum(1).mean()
        if self.loss == "binary-cross-entropy":
            return F.binary_cross_entropy_with_logits(logits, y)
        return F.mse_loss(torch.sigmoid(logits) if self.last == "sigmoid-last" else logits, y)

    def train_pytorch(self, x, y, make_optimizer, rate):
        own = {name: torch.tensor(value, dtype=torch.float64) for name, value in self.weights.items()}
        trained = [tensor.requires_grad_() for name, tensor in own.items() if "running" not in name]
        optimizer = make_optimizer(trained, rate)
        set_aside = set(self.normalised_biases)
        x = torch.tensor(x, dtype=torch.float64)
        for _ in range(STEPS):
            value = x
            for function in self.functions:
                value = function(value, own)
            loss = self.compute_loss(value, y)
            optimizer.zero_grad()
            loss.backward()
            set_aside = {name for name in set_aside if own[name].grad.abs().max() < 1e-12}
            optimizer.step()
        return {name: tensor.detach().numpy() for name, tensor in own.items() if name not in set_aside}


def toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    return str(value)


def recipe_of(network, train):
    text = '[data]\nreader = "arrays"\n\n[train]\n'
    text += "".join(f"{key} = {toml_value(value)}\n" for key, value in train.items())
    for kind, options in network.tables:
        text += f'\n[[layer]]\ntype = "{kind}"\n' + "".join(f"{k} = {toml_value(v)}\n" for k, v in options.items())
    return text


def compare(ours, theirs):
    """The largest difference over its tensor's largest element, and the tensor's name."""
    worst, where = 0.0, ""
    for name, expected in theirs.items():
        if name not in ours or ours[name].shape != expected.shape:
            return float("inf"), name
        error = np.max(np.abs(ours[name] - expected)) / max(np.max(np.abs(expected)), 1e-30)
        if not error <= worst:  # a NaN shows
            worst, where = error, name
    return worst, where


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--melgrad", default="build/release/apps/melgrad")
    parser.add_argument("--networks", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="the number of the first network")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    failures, runs, largest = 0, 0, 0.0
    for index in range(arguments.first, arguments.first + arguments.networks):
        network = Network(np.random.default_rng([arguments.seed, index]))
        network.draw()
        n = int(network.random.integers(5, 13))
        x = network.random.normal(0, 1, [n] + network.input).astype(np.float32)
        y = network.targets(n)
        worst, failed = 0.0, []
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            np.save(folder / "train_x.npy", x)
            np.save(folder / "train_y.npy", y)
            save_file(network.weights, folder / "initial.safetensors")
            for name, (keys, make) in OPTIMIZERS.items():
                rate = 0.5 if name == "adadelta" else 0.02 if keys["optimizer"] == "sgd" else 0.005
                train = {"variant": "pytorch", "loss": network.loss.split(" ")[-1], "learning_rate": rate,
                         "batch": n, "epochs": STEPS, "shuffle": False, **keys}
                if network.loss == "scaled cross-entropy":
                    train["target_scale"] = "sum_to_one"
                (folder / "recipe.toml").write_text(recipe_of(network, train))
                run = subprocess.run([arguments.melgrad, "train", "--recipe", folder / "recipe.toml", "--data", folder,
                                      "--out", folder / name, "--init", folder / "initial.safetensors"],
                                     capture_output=True, text=True)
                runs += 1
                if run.returncode != 0:
                    failed.append(f"{name}: {run.stderr.strip().splitlines()[-1:]}")
                    continue
                # The checkpoint has the optimizer's state beside the network's tensors.
                saved = load_file(folder / name / "last.safetensors")
                ours = {tensor: value for tensor, value in saved.items() if tensor in network.weights}
                relu.start(flip=None)
                error, where = compare(ours, network.train_pytorch(x, y, make, rate))
                distance, decision = relu.nearest
                if not error <= TOLERANCE and distance < 1e-6:
                    relu.start(flip=decision)
                    error, where = compare(ours, network.train_pytorch(x, y, make, rate))
                    print(f"            {name}: a ReLU of {distance:.1e} taken the other way")
                worst = max(worst, error)
                if not error <= TOLERANCE:
                    failed.append(f"{name}: {where} by {error:.1e}")
        largest = max(largest, worst)
        failures += len(failed)
        layers = " ".join(kind for kind, _ in network.tables)
        print(f"{index:3} {'FAILED' if failed else 'ok':6} {worst:7.1e}  {network.loss} on {n} of {network.input}: "
              f"{layers}", flush=True)
        for failure in failed:
            print("           ", failure)
    print(f"{arguments.networks} networks, {runs} runs of {STEPS} steps, {failures} failures, "
          f"largest difference {largest:.1e}")
    sys.exit(failures != 0)


main()
