#!/usr/bin/env python3
"""Writes tests/data/layer_cases.safetensors: for each layer a forward and a backward pass by Keras or PyTorch, in float64 (but
Keras takes means, losses and some functions in float32); losses with their gradients; and the learning rates of schedules.

Run by hand (python3 tests/golden/make_layer_cases.py); the file is committed. Made with PyTorch 2.11.0, Keras 3.15.1 on
its torch backend, NumPy 2.4.6 and safetensors 0.8.0. Layouts are melgrad's; the options of each case are repeated in
tests/layers/golden_layers_test.cpp, tests/layers/loss_test.cpp and tests/optim/schedule_test.cpp.
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

keras.backend.set_floatx("float64")
torch.set_default_dtype(torch.float64)
random = np.random.default_rng(23)
out = {}


def numpy(value):
    return np.ascontiguousarray(value.detach().numpy() if isinstance(value, torch.Tensor) else value, np.float64)


def normal(*shape):
    return torch.tensor(random.normal(0, 1, shape))


def case(name, x, weights, function):
    """function(x, weights) once forward, and backward from random numbers."""
    x = x.clone().requires_grad_()
    weights = {key: value.clone().requires_grad_() for key, value in weights.items()}
    y = function(x, weights)
    r = normal(*y.shape)
    y.backward(r)
    out.update({f"{name}/x": numpy(x), f"{name}/y": numpy(y), f"{name}/r": numpy(r), f"{name}/dx": numpy(x.grad)})
    for key, value in weights.items():
        out.update({f"{name}/weight/{key}": numpy(value), f"{name}/gradient/{key}": numpy(value.grad)})


def keras_case(name, layer, x, names=()):
    layer.build((None,) + tuple(x.shape[1:]))
    weights = {key: normal(*variable.shape) * 0.5 for key, variable in zip(names, layer.weights)}
    assert len(weights) == len(layer.weights), [variable.path for variable in layer.weights]

    def function(x, weights):
        return layer.stateless_call([weights[key] for key in names], list(layer.non_trainable_variables), x)[0] if names else layer(x)

    case(name, x, weights, function)


def mean_inside(x, kernel, stride, pads):
    x = x.permute(0, 3, 1, 2)
    sums, counts = (F.avg_pool2d(F.pad(t, pads), kernel, stride) for t in (x, torch.ones_like(x)))
    return (sums / counts).permute(0, 2, 3, 1)


def layers():
    k = keras.layers
    both = ("weight", "bias")
    sequence, image = normal(3, 11, 4), normal(2, 7, 6, 4)
    keras_case("conv1d_same", k.Conv1D(5, 4, strides=3, padding="same", activation="elu"), sequence, both)
    keras_case("conv1d_dilated", k.Conv1D(5, 3, dilation_rate=3, padding="same", activation="tanh"), sequence, both)
    keras_case("conv1d_groups", k.Conv1D(6, 3, groups=2, activation="sigmoid"), sequence, both)
    keras_case("conv1d_depthwise", k.Conv1D(8, 3, groups=4, padding="same"), sequence, both)
    keras_case("conv2d_dilated", k.Conv2D(3, (2, 3), dilation_rate=(3, 2), activation="leaky_relu"), image, both)
    keras_case("conv2d_groups", k.Conv2D(6, (3, 2), strides=(1, 2), groups=2, padding="same"), image, both)
    keras_case("conv2d_depthwise", k.Conv2D(4, 3, groups=4, padding="same", activation="relu"), image, both)
    case("conv2d_explicit", image, {"weight": normal(3, 2, 4, 5), "bias": normal(5)},
         lambda x, w: F.conv2d(F.pad(x.permute(0, 3, 1, 2), (0, 1, 2, 1)), w["weight"].permute(3, 2, 0, 1), w["bias"],
                               stride=(2, 1)).permute(0, 2, 3, 1))
    keras_case("dense_on_sequence", k.Dense(3, activation="softmax"), sequence, both)
    for rule in "same", "valid":
        keras_case(f"max_pool1d_{rule}", k.MaxPooling1D(3, 2, padding=rule), normal(3, 10, 4))
    keras_case("average_pool1d_valid", k.AveragePooling1D(3, 2), normal(3, 10, 4))
    keras_case("average_pool2d_valid", k.AveragePooling2D((3, 2), (2, 1)), image)
    # Keras on TensorFlow divides by the elements inside; on PyTorch (3.15.1) it repeats the last element instead.
    case("average_pool1d_same", normal(3, 10, 4), {},
         lambda x, w: mean_inside(x[:, :, None], (3, 1), (2, 1), (0, 0, 0, 1))[:, :, 0])
    case("average_pool2d_same", image, {}, lambda x, w: mean_inside(x, (3, 2), (2, 1), (0, 1, 1, 1)))
    case("average_pool2d_window", image, {},
         lambda x, w: F.avg_pool2d(x.permute(0, 3, 1, 2), (3, 2), (2, 1), (1, 1)).permute(0, 2, 3, 1))
    keras_case("global_average_pool", k.GlobalAveragePooling2D(), image)
    keras_case("global_max_pool", k.GlobalMaxPooling1D(), sequence)
    case("max_over_time", image, {}, lambda x, w: x.amax(1))
    case("mean_over_time", image, {}, lambda x, w: x.mean(1))
    gru = ("kernel", "recurrent_kernel", "bias")
    keras_case("gru", k.GRU(3), sequence, gru)
    keras_case("gru_sequences", k.GRU(3, return_sequences=True), sequence, gru)
    keras_case("gru_before", k.GRU(3, reset_after=False, recurrent_activation="hard_sigmoid"), sequence, gru)
    for function in ("relu", "leaky_relu", "elu", "sigmoid", "hard_sigmoid", "tanh", "softmax", "linear"):
        keras_case(f"activation_{function}", k.Activation(function), normal(4, 5) * 3)
    case("activation_hard_sigmoid_keras1", normal(4, 5) * 3, {}, lambda x, w: (0.2 * x + 0.5).clamp(0, 1))
    keras_case("activation_leaky_relu_slope", k.LeakyReLU(negative_slope=0.03), normal(4, 5))
    keras_case("activation_elu_alpha", k.ELU(alpha=0.4), normal(4, 5))
    keras_case("permute", k.Permute((3, 1, 2)), image)
    keras_case("reshape", k.Reshape((-1, 8)), image)
    keras_case("flatten", k.Flatten(), image)
    keras_case("zero_padding1d", k.ZeroPadding1D((2, 1)), sequence)
    keras_case("zero_padding2d", k.ZeroPadding2D(((1, 2), (0, 3))), image)
    case("reflect_padding", sequence, {},
         lambda x, w: F.pad(x.permute(0, 2, 1), (3, 2), mode="reflect").permute(0, 2, 1))
    keras_case("crop", k.Cropping2D(((1, 2), (0, 3))), image)

    def batch_norm(x, w, axis):
        x = x.movedim(axis, 1)
        return F.batch_norm(x, None, None, w["gamma"], w["beta"], training=True, eps=1e-3).movedim(1, axis)

    for axis in 1, 2, 3:
        case(f"batch_norm_axis_{axis}", image, {"gamma": normal(image.shape[axis]), "beta": normal(image.shape[axis])},
             lambda x, w: batch_norm(x, w, axis))

    def dense(x, w, name):
        return x @ w[name + ".weight"] + w[name + ".bias"]

    weights = {"squeeze.weight": normal(4, 2), "squeeze.bias": normal(2), "excite.weight": normal(2, 4),
               "excite.bias": normal(4)}
    case("squeeze_excitation", image, weights,
         lambda x, w: x * torch.sigmoid(dense(F.relu(dense(x.mean((1, 2)), w, "squeeze")), w, "excite"))[:, None, None])
    body = {"body.dense_1.weight": normal(4, 4), "body.dense_1.bias": normal(4)}
    short = {"shortcut.dense_1.weight": normal(4, 4), "shortcut.dense_1.bias": normal(4)}
    case("residual", sequence, body, lambda x, w: F.relu(x + F.elu(dense(x, w, "body.dense_1"))))
    case("residual_shortcut", sequence, body | short,
         lambda x, w: dense(x, w, "shortcut.dense_1") + F.elu(dense(x, w, "body.dense_1")))
    branches = {"branch_1.dense_1.weight": normal(4, 3), "branch_1.dense_1.bias": normal(3),
                "branch_2.dense_1.weight": normal(4, 3), "branch_2.dense_1.bias": normal(3)}
    for join, function in {"add": lambda a, b: a + b, "multiply": lambda a, b: a * b,
                           "concatenate": lambda a, b: torch.cat((a, b), -1)}.items():
        case(f"parallel_{join}", sequence, branches,
             lambda x, w: function(torch.tanh(dense(x, w, "branch_1.dense_1")), dense(x, w, "branch_2.dense_1")))


def losses():
    def loss(name, x, targets, function):
        x = x.clone().requires_grad_()
        value = function(x)
        value.backward()
        out.update({f"loss/{name}/x": numpy(x), f"loss/{name}/targets": targets.numpy(), f"loss/{name}/dx": numpy(x.grad),
                    f"loss/{name}/value": numpy(value).reshape(1)})

    logits, labels = normal(6, 4) * 2, torch.tensor([0, 3, 1, 1, 2, 0])
    classes, samples = torch.tensor([0.5, 2.0, 1.0, 3.0]), torch.tensor([1.0, 0.0, 2.0, 0.5, 1.0, 3.0])
    hard = labels.to(torch.int32)
    rows = torch.tensor(random.uniform(0, 1, (6, 4)))
    rows[2] = 0  # a sample with no label
    tags = torch.tensor(random.integers(0, 2, (6, 4)), dtype=torch.float64)
    out["loss/class_weights"], out["loss/sample_weights"] = numpy(classes), numpy(samples)
    for reduction in "mean", "sum":
        loss(f"hard_{reduction}", logits, hard, lambda x: F.cross_entropy(x, labels, reduction=reduction))
        loss(f"soft_{reduction}", logits, rows, lambda x: F.cross_entropy(x, rows, reduction=reduction))
        loss(f"binary_{reduction}", logits, tags,
             lambda x: (F.binary_cross_entropy_with_logits(x, tags, reduction="none").mean(1).sum()
                        / (6 if reduction == "mean" else 1)))
        loss(f"mse_{reduction}", logits, rows,
             lambda x: ((x - rows) ** 2).mean(1).sum() / (6 if reduction == "mean" else 1))
    loss("hard_class_weights", logits, hard, lambda x: F.cross_entropy(x, labels, weight=classes))
    loss("soft_class_weights", logits, rows, lambda x: F.cross_entropy(x, rows, weight=classes))
    scaled = rows / rows.sum(1, keepdim=True).clamp(min=1e-30)
    loss("scaled", logits, rows, lambda x: F.cross_entropy(x, scaled))
    keras_losses = keras.losses
    loss("keras_sample_weights", logits, hard,
         lambda x: keras_losses.SparseCategoricalCrossentropy(from_logits=True)(labels, x, sample_weight=samples))
    loss("keras_softmax", logits, tags,
         lambda x: keras_losses.CategoricalCrossentropy()(tags, F.softmax(x, 1)))
    loss("keras_sigmoid", logits, tags, lambda x: keras_losses.BinaryCrossentropy()(tags, torch.sigmoid(x)))
    loss("keras_mse_weights", logits, rows,
         lambda x: keras_losses.MeanSquaredError()(rows, x, sample_weight=samples))
    extreme = torch.tensor([[100.0, -100.0, 100.0, -100.0], [30.0, -30.0, 0.0, 50.0]])
    ones = torch.tensor([[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0]])
    loss("binary_extreme", extreme, ones, lambda x: F.binary_cross_entropy_with_logits(x, ones))


def schedules():
    """Rates at each step (or epoch, where one is a step)."""
    def from_torch(name, make, steps, lr):
        weight = torch.zeros(1, requires_grad=True)
        optimizer = torch.optim.SGD([weight], lr)
        schedule, rates = make(optimizer), []
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        out[f"schedule/{name}"] = np.array(rates)

    def from_keras(name, schedule, steps):
        out[f"schedule/{name}"] = np.array([float(schedule(step)) for step in range(steps)])

    t, k = torch.optim.lr_scheduler, keras.optimizers.schedules
    from_torch("step", lambda o: t.StepLR(o, 3, 0.5), 12, 0.1)
    from_torch("exponential", lambda o: t.ExponentialLR(o, 0.7), 12, 0.1)
    from_torch("cosine", lambda o: t.CosineAnnealingLR(o, 24, eta_min=0.01), 25, 0.1)
    from_torch("one_cycle", lambda o: t.OneCycleLR(o, 0.1, total_steps=24), 24, 0.1)
    from_keras("inverse_time", k.InverseTimeDecay(0.1, 1, 0.2), 24)
    # Warm-up over 8 of 24 steps; Keras counts from 0, melgrad gives the first step the first share.
    from_keras("cosine_warmup", k.CosineDecay(0.0, 16, alpha=0.1, warmup_target=0.1, warmup_steps=8), 25)

    valid = [1.0, 0.9, 0.95, 0.91, 0.92, 0.93, 0.8, 0.79995, 0.9, 0.85, 0.7, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.6]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.1))
    for name, options in {"plateau": {}, "plateau_minimum": {"min_lr": 0.03}}.items():
        plateau = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2, **options)
        plateau.set_model(model)
        model.optimizer.learning_rate = 0.1
        plateau.on_train_begin()
        rates = []
        for epoch, value in enumerate(valid):
            rates.append(float(model.optimizer.learning_rate))
            plateau.on_epoch_end(epoch, {"val_loss": value})
        out[f"schedule/{name}"] = np.array(rates)
    out["schedule/valid_losses"] = np.array(valid)


layers()
losses()
schedules()
path = pathlib.Path(__file__).resolve().parent.parent / "data" / "layer_cases.safetensors"
save_file(out, path, metadata={"pytorch": torch.__version__, "keras": keras.__version__, "numpy": np.__version__,
                               "safetensors": safetensors.__version__})
path.chmod(0o644)
print(f"{len(out)} tensors, {path.stat().st_size} bytes")
