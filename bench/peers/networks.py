"""The reference networks as a PyTorch user writes them, channels first, with melgrad's weights by name.

Every layer is a module under the name that melgrad gives it, so that weights and gradients go over by name; what differs
is the order of axes. `same` padding of even kernels is Keras's: the extra element comes after.
"""
from collections import OrderedDict

import torch
from torch import nn
import torch.nn.functional as F


class Pad(nn.Module):
    """Pads of the last axis first, as F.pad takes them."""

    def __init__(self, pads, value=0.0):
        super().__init__()
        self.pads, self.value = pads, value

    def forward(self, x):
        return F.pad(x, self.pads, value=self.value)


class SamePool(nn.Module):
    """Max pooling that reaches over the end, as Keras's `same`."""

    def __init__(self, size, stride):
        super().__init__()
        self.size, self.stride = size, stride

    def forward(self, x):
        pads = []
        for length in (int(x.shape[3]), int(x.shape[2])):
            total = max(0, (-(-length // self.stride) - 1) * self.stride + self.size - length)
            pads += [total // 2, total - total // 2]
        return F.max_pool2d(F.pad(x, pads, value=float("-inf")), self.size, self.stride)


class FrameNorm(nn.BatchNorm1d):
    """Batch norm with each frame a channel, over the bands: (n, 1, bands, frames)."""

    def forward(self, x):
        return super().forward(x[:, 0].transpose(1, 2)).transpose(1, 2)[:, None]


class Transpose(nn.Module):
    def forward(self, x):
        return x.transpose(2, 3)


class FlattenFrames(nn.Module):
    """(n, c, frames, bins) -> (n, frames, bins · c): each frame by itself, channels last as melgrad flattens."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(2)


class MeanOverTime(nn.Module):
    def forward(self, x):
        return x.mean(1)


class MeanOverMap(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Steps(nn.Module):
    """(n, c, 1, steps) -> (n, steps, c)."""

    def forward(self, x):
        return x[:, :, 0].transpose(1, 2)


class Recurrent(nn.GRU):
    """PyTorch's GRU. melgrad's are Keras 1's, of the same size, whose reset gate works before the product and whose gates
    are piecewise linear: `Keras1Gru` has those. This one is timed, since it is what a user of PyTorch takes."""

    def __init__(self, inputs, units, sequences):
        super().__init__(inputs, units, batch_first=True)
        self.sequences = sequences

    def forward(self, x):
        y = super().forward(x)[0]
        return y if self.sequences else y[:, -1]


class Keras1Gru(nn.Module):
    """Gates z, r, h in melgrad's own layouts: the reference."""

    def __init__(self, inputs, units, sequences):
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(inputs, 3 * units))
        self.recurrent_kernel = nn.Parameter(torch.zeros(units, 3 * units))
        self.bias = nn.Parameter(torch.zeros(3 * units))
        self.sequences = sequences

    def forward(self, x):
        gate = lambda a: (0.2 * a + 0.5).clamp(0, 1)
        u = self.recurrent_kernel.shape[0]
        a, h, states = x @ self.kernel + self.bias, x.new_zeros(x.shape[0], u), []
        for t in range(x.shape[1]):
            z, r = gate(a[:, t, :2 * u] + h @ self.recurrent_kernel[:, :2 * u]).split(u, 1)
            h = z * h + (1 - z) * torch.tanh(a[:, t, 2 * u:] + (r * h) @ self.recurrent_kernel[:, 2 * u:])
            states.append(h)
        return torch.stack(states, 1) if self.sequences else h


class Builder:
    """Names layers as melgrad does: type and number."""

    def __init__(self, dropout):
        self.layers, self.count, self.dropout_on = OrderedDict(), {}, dropout

    def add(self, kind, module):
        self.count[kind] = self.count.get(kind, 0) + 1
        self.layers[f"{kind}_{self.count[kind]}"] = module
        return self

    def conv1d(self, c, o, k, **options):
        return self.add("conv1d", nn.Conv1d(c, o, k, **options))

    def conv2d(self, c, o, k, **options):
        return self.add("conv2d", nn.Conv2d(c, o, k, **options))

    def norm(self, kind, channels):
        return self.add("batch_norm", kind(channels, eps=1e-3, momentum=0.01))

    def act(self, module):
        return self.add("act", module)

    def dropout(self, rate):
        return self.add("dropout", nn.Dropout(rate if self.dropout_on else 0))

    def dense(self, i, o):
        return self.add("dense", nn.Linear(i, o))

    def done(self):
        return nn.Sequential(self.layers)


def samplecnn(b, strided):
    c = 1
    if strided:
        b.conv1d(1, 128, 3, stride=3).norm(nn.BatchNorm1d, 128).act(nn.ReLU(inplace=True))
        c = 128
    for o in [128] * (2 if strided else 3) + [256] * 6 + [512]:
        b.conv1d(c, o, 3, padding=1).norm(nn.BatchNorm1d, o).act(nn.ReLU(inplace=True)).add("pool", nn.MaxPool1d(3))
        c = o
    b.conv1d(512, 512, 1).norm(nn.BatchNorm1d, 512).act(nn.ReLU(inplace=True)).dropout(0.5 if strided else 0.1)
    return b.add("flatten", nn.Flatten()).dense(512, 50)


def samplecnn_block1(b):
    return b.conv1d(1, 128, 3, padding=1).norm(nn.BatchNorm1d, 128).act(nn.ReLU(inplace=True)).add("pool", nn.MaxPool1d(3))


def choi(b, blocks, dropout=0.0):
    c = 1
    for o, pool in blocks:
        b.conv2d(c, o, 3, padding=1).norm(nn.BatchNorm2d, o).act(nn.ELU(inplace=True)).add("pool", nn.MaxPool2d(pool))
        if dropout:
            b.dropout(dropout)
        c = o
    return b


def choi_fcn5(b):
    b.add("permute", Transpose()).norm(FrameNorm, 1366)
    choi(b, [(32, (2, 4)), (128, (2, 4)), (128, (2, 4)), (192, (3, 5)), (256, (4, 4))])
    return b.add("flatten", nn.Flatten()).dense(256, 50)


def choi_crnn(b, gru):
    b.add("permute", Transpose()).add("pad", Pad((37, 37))).norm(FrameNorm, 1440)
    choi(b, [(64, 2), (128, 3), (128, 4), (128, 4)], 0.1).add("reshape", Steps())
    return b.add("gru", gru(128, 32, True)).add("gru", gru(32, 32, False)).dropout(0.3).dense(32, 50)


def gtzan_cnn(b, features=240):
    c = 1
    for o, k, pool in ((48, 4, 4), (32, 3, 3), (16, 2, 2)):
        b.conv2d(c, o, k).act(nn.ReLU(inplace=True)).add("pool", SamePool(pool, 2)).norm(nn.BatchNorm2d, o)
        c = o
    b.add("flatten", nn.Flatten()).dense(features, 32).act(nn.ReLU(inplace=True)).dropout(0.3)
    return b.dense(32, 10)


def key_cnn(b):
    c = 1
    for o, pool in ((16, False), (32, True), (64, False), (32, True)):
        b.add("pad", Pad((0, 1, 0, 1))).conv2d(c, o, 2).act(nn.ReLU(inplace=True))
        if pool:
            b.add("pool", nn.MaxPool2d(2))
        c = o
    return b.add("mean", MeanOverMap()).dense(32, 24)


def key_kw17(b):
    c = 1
    for _ in range(5):
        b.conv2d(c, 8, 5, padding=2).act(nn.ELU(inplace=True))
        c = 8
    b.add("flatten", FlattenFrames()).dense(840, 48).act(nn.ELU(inplace=True)).add("mean", MeanOverTime())
    return b.dense(48, 24)


def fma_cnn(b):
    b.add("permute", Transpose())
    c = 1
    for o, pool in ((32, (2, 4)), (64, (2, 4)), (128, (2, 4)), (128, 2), (256, 2)):
        b.conv2d(c, o, 3, padding=1).norm(nn.BatchNorm2d, o).act(nn.ReLU(inplace=True)).add("pool", nn.MaxPool2d(pool))
        c = o
    return b.add("mean", MeanOverMap()).dropout(0.3).dense(256, 8)


def mtat_cnn3(b):
    c = 1
    for o, pool in ((32, (4, 2)), (64, (4, 2)), (64, (3, 2)), (64, (2, 2)), (64, (2, 1)), (32, None)):
        b.conv2d(c, o, 3, padding=1).act(nn.ReLU(inplace=True))
        if pool:
            b.add("pool", nn.MaxPool2d(pool))
        c = o
    return b.add("flatten", nn.Flatten()).dense(288, 188)


# The map before the first dense layer behind a Flatten, (c, h, w): melgrad flattens (h, w, c).
FLATTENED = {"gtzan-cnn": (16, 15, 1), "mtat-cnn3": (32, 3, 3)}
SIGMOID = ("samplecnn", "samplecnn-strided", "choi-fcn5", "choi-crnn")  # the others end in a softmax


def make_network(name, dropout=True, exact=False):
    """A network that gives logits; `exact`: in every formula what melgrad computes, however slow."""
    b = Builder(dropout)
    make = {"samplecnn": lambda: samplecnn(b, False), "samplecnn-strided": lambda: samplecnn(b, True),
            "samplecnn-block1": lambda: samplecnn_block1(b), "choi-fcn5": lambda: choi_fcn5(b),
            "choi-crnn": lambda: choi_crnn(b, Keras1Gru if exact else Recurrent), "gtzan-cnn": lambda: gtzan_cnn(b),
            "key-cnn": lambda: key_cnn(b), "key-kw17": lambda: key_kw17(b), "fma-cnn": lambda: fma_cnn(b),
            "mtat-cnn3": lambda: mtat_cnn3(b)}
    return make[name]().done()


def with_activation(name, network):
    """The network with its last activation, as inference runs it."""
    if name == "samplecnn-block1":
        return network
    return nn.Sequential(network, nn.Sigmoid() if name in SIGMOID else nn.Softmax(1))


def loss_function(name):
    return F.binary_cross_entropy_with_logits if name in SIGMOID else F.cross_entropy


def to_channels_first(x):
    """A batch of melgrad's: (n, l, 1) or (n, h, w, 1)."""
    return torch.from_numpy(x).movedim(-1, 1).contiguous()


def _converted(name, layer, key, value):
    """melgrad's array in PyTorch's layout; its own inverse is _restored."""
    if layer.startswith("conv") and key == "weight":
        return value.movedim((-1, -2), (0, 1))
    if layer == "dense_1" and key == "weight" and name in FLATTENED:
        c, h, w = FLATTENED[name]
        value = value.reshape(h, w, c, -1).permute(2, 0, 1, 3).reshape(c * h * w, -1)
    return value.T if layer.startswith("dense") and key == "weight" else value


def _restored(name, layer, key, value):
    """PyTorch's array in melgrad's layout."""
    if layer.startswith("conv") and key == "weight":
        return value.movedim((0, 1), (-1, -2))
    value = value.T if layer.startswith("dense") and key == "weight" else value
    if layer == "dense_1" and key == "weight" and name in FLATTENED:
        c, h, w = FLATTENED[name]
        value = value.reshape(c, h, w, -1).permute(1, 2, 0, 3).reshape(h * w * c, -1)
    return value


NAMES = {"gamma": "weight", "beta": "bias", "running_mean": "running_mean", "running_variance": "running_var"}


def load_weights(name, network, weights):
    """melgrad's tensors, NumPy arrays by name, into the network. PyTorch's own GRU keeps its initial weights."""
    with torch.no_grad():
        for full, array in weights.items():
            layer, key = full.split(".", 1)
            module = getattr(network, layer)
            if isinstance(module, Recurrent):
                continue
            getattr(module, NAMES.get(key, key)).copy_(_converted(name, layer, key, torch.from_numpy(array)))


def gradients(name, network, like):
    """The gradients by melgrad's names and in its layouts."""
    found = {}
    for full in like:
        layer, key = full.split(".", 1)
        value = getattr(getattr(network, layer), NAMES.get(key, key)).grad
        found[full] = _restored(name, layer, key, value).contiguous().numpy()
    return found


def statistics_of(network):
    """Running statistics by melgrad's names."""
    return {f"{layer}.{ours}": getattr(module, theirs).float().numpy()
            for layer, module in network.named_children() if isinstance(module, nn.modules.batchnorm._BatchNorm)
            for ours, theirs in (("running_mean", "running_mean"), ("running_variance", "running_var"))}
