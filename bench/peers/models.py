#!/usr/bin/env python3
"""melgrad's networks beside PyTorch, ONNX Runtime and OpenVINO, turn by turn in one run.

    ./run bench peers [--models NAME,…] [--batches 1,8,32] [--rounds N] [--json FILE]

makes the virtual environment (build/venv) and the program, then for each network and batch size:
  1. the same weights and numbers go to every program, running statistics set to those of the batch, and their outputs are
     compared with PyTorch's in float64; so are melgrad's loss and gradients of a training step without dropout;
  2. each round times every program once, melgrad first (the median of a few calls), and rounds are as many as fit into
     --seconds, three at least. The table has medians over rounds with the smallest and the largest.
PyTorch runs twice: as it is, and `tuned`, its allocator told to keep its memory (bench/peers/common.py). The engines run
the network as PyTorch exports it. Everything is float32 and on as many threads as --threads says. The machine's ceilings
are measured in the same run.
"""
import argparse
import json
import os
import statistics
import sys
import tempfile
import time

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

import networks
from aims import print_aims
from common import TUNING, Gate, Server, date, has_amx, processor, spread, system, versions, write_json

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ("torch", "onnxruntime", "openvino", "numpy")
BATCHES = {"samplecnn": (1, 8, 23, 32), "samplecnn-block1": (8,)}  # 23 is published; of the others 1, 8, 32
# Prepared at a time, for their memory and for how long a shared machine is claimed.
GROUPS = (("gtzan-cnn", "key-cnn", "key-kw17", "mtat-cnn3"), ("samplecnn-block1", "choi-fcn5"), ("samplecnn-strided",),
          ("fma-cnn", "choi-crnn"), ("samplecnn",))
CHECKED = 4  # samples of a batch whose outputs are compared
OUTPUT_BOUND, GRADIENT_BOUND = 1e-4, 0.1  # of the largest output; of a gradient's length
EXACT_BOUND = 1e-9  # the same, where melgrad computes in float64


def length(array):
    return float(np.linalg.norm(array.astype(np.float64)))


def difference(got, exact):
    """Of the largest number."""
    return float(np.abs(got - exact).max() / np.abs(exact).max()) if got.shape == exact.shape else float("inf")


def exact_network(model, weights):
    network = networks.make_network(model, dropout=False, exact=True).double()
    networks.load_weights(model, network, weights)
    return network


def set_statistics(model, folder):
    """Running statistics as after a long training on such numbers, so that inference has some of the usual size: those of
    sixteen samples, shifted in time where the batch has fewer."""
    weights = load_file(f"{folder}/weights.safetensors")
    network = exact_network(model, weights).float()
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = 1.0
    x = networks.to_channels_first(np.load(f"{folder}/inputs.npy")[:16])
    with torch.no_grad():
        network(torch.cat([x.roll(i * x.shape[2] // 17, 2) for i in range(16 // len(x))]))
    weights.update(networks.statistics_of(network))
    save_file(weights, f"{folder}/weights.safetensors")
    return weights


def training_gradients(model, melgrad, folder, batch, dtype):
    """A training pass of melgrad's on numbers of this type, and PyTorch's of the same: loss and gradients of each, PyTorch's
    in float64 first and, of float32 numbers, in that as well."""
    melgrad.ask("prepare", "check", model, batch, 0, dtype)
    melgrad.ask("save", "check", folder)
    weights = load_file(f"{folder}/weights.safetensors")
    loss = float(melgrad.ask("gradients", "check", folder))
    melgrad.ask("drop")
    ours = load_file(f"{folder}/gradients.safetensors")
    targets = torch.from_numpy(np.load(f"{folder}/targets.npy"))
    x = networks.to_channels_first(np.load(f"{folder}/inputs.npy"))

    def pytorch(network, precision):
        t = targets.to(precision) if targets.is_floating_point() else targets.long()
        value = networks.loss_function(model)(network(x.to(precision)), t)
        value.backward()
        return value.item(), networks.gradients(model, network, ours)

    found = [(loss, ours), pytorch(exact_network(model, weights), torch.float64)]
    if dtype == "f32":
        found.append(pytorch(exact_network(model, weights).float(), torch.float32))
    return found


def farthest(found, exact):
    """The largest distance of a gradient by its own length. A convolution's bias before a batch norm has gradient 0; what is
    left there is rounding."""
    scale = max(length(g) for g in exact.values())
    return max(length(found[name] - exact[name]) / length(exact[name])
               for name in exact if length(exact[name]) > 1e-9 * scale)


def check_training(model, melgrad, folder, batch, in_f64):
    """melgrad's loss and gradients beside float64 PyTorch's.

    In float64 melgrad runs its definitions, in plain loops, and has to agree to rounding: that is the proof of every term. In
    float32 a ReLU or a maximum whose inputs are within rounding of each other may decide either way, and a few such
    decisions among millions move a whole gradient by a percent; PyTorch's float32 stands beside it. (Tests impose the
    decisions on the kernels and then ask for far less.)"""
    result = {}
    if in_f64:
        (loss, ours), (exact_loss, exact) = training_gradients(model, melgrad, folder, 2, "f64")
        result["f64"] = max(abs(loss - exact_loss) / abs(exact_loss), farthest(ours, exact))
    (loss, ours), (exact_loss, exact), (_, theirs) = training_gradients(model, melgrad, folder, batch, "f32")
    result.update(loss=abs(loss - exact_loss) / abs(exact_loss), gradients=farthest(ours, exact),
                  gradients_pytorch=farthest(theirs, exact))
    bound = max(GRADIENT_BOUND, 4 * result["gradients_pytorch"])
    if not (result["loss"] <= OUTPUT_BOUND and result["gradients"] <= bound and result.get("f64", 0) <= EXACT_BOUND):
        raise SystemExit(f"{model}: a training step differs from float64: {result}")
    return result


class Contenders:
    """melgrad and its peers, each in a process of its own that keeps several networks at a time."""

    def __init__(self, arguments):
        threads = {"MELGRAD_THREADS": str(arguments.threads)}
        self.melgrad = Server("melgrad", [arguments.program, "--model-server"], threads)
        peers = {"pytorch": ("pytorch", {}), "pytorch tuned": ("pytorch", TUNING), "onnxruntime": ("onnxruntime", {}),
                 "openvino": ("openvino", {})}
        if arguments.bf16:
            peers["openvino bf16"] = ("openvino-bf16", {})
        self.peers = {name: Server(name, worker_command(worker), {**threads, **environment})
                      for name, (worker, environment) in peers.items()}

    def prepare(self, name, model, batch, folder):
        """The same network for all; how far the outputs of each are from float64's."""
        self.melgrad.ask("prepare", name, model, batch, 1)
        self.melgrad.ask("save", name, folder)
        weights = set_statistics(model, folder)
        self.melgrad.ask("load", name, folder)
        for peer, server in self.peers.items():
            server.ask("prepare", name, model, batch, folder)
            if peer == "pytorch":
                server.ask("export", name, folder)
        x = networks.to_channels_first(np.load(f"{folder}/inputs.npy")[:CHECKED]).double()
        with torch.no_grad():
            exact = networks.with_activation(model, exact_network(model, weights).eval())(x).numpy()
        self.melgrad.ask("infer", name, folder)
        output = np.load(f"{folder}/output.npy")[:CHECKED]
        if output.ndim == 3:  # a block alone, channels last
            output = np.moveaxis(output, -1, 1)
        differences = {"melgrad": difference(output, exact)}
        for peer, server in self.peers.items():
            server.ask("infer", name, folder, "peer")
            differences[peer] = difference(np.load(f"{folder}/peer.npy")[:CHECKED], exact)
        for program, found in differences.items():
            # PyTorch has no GRU of Keras 1: there the peers run its own (networks.Recurrent), which computes something else.
            same = "bf16" not in program and (program == "melgrad" or model != "choi-crnn")
            if same and not found <= OUTPUT_BOUND:
                raise SystemExit(f"{model}: {program} differs from float64 by {found}, more than {OUTPUT_BOUND}")
        return differences

    def taking_part(self, which):
        """Name and server of those that can do this pass."""
        able = {name: peer for name, peer in self.peers.items() if which == "infer" or name.startswith("pytorch")}
        return {"melgrad": self.melgrad, **able}

    def drop(self):
        for server in (self.melgrad, *self.peers.values()):
            server.ask("drop")

    def close(self):
        for server in (self.melgrad, *self.peers.values()):
            server.close()


def worker_command(worker):
    return [sys.executable, os.path.join(HERE, "model_worker.py"), worker]


def time_round(servers, name, which, repeats):
    times = {}
    for program, server in servers.items():
        time.sleep(0.03)  # the threads of the one before spin for a while
        times[program] = statistics.median(map(float, server.ask("time", name, which, repeats[program]).split()))
    return times


class Row:
    """One network, batch size and pass, made ready."""

    def __init__(self, contenders, model, batch, which, differences):
        self.model, self.batch, self.which = model, batch, which
        self.name, self.servers = f"{model}/{batch}", contenders.taking_part(which)
        self.differences = differences if which == "infer" else {}
        self.flops = int(contenders.melgrad.ask("flops", self.name, which))

    def time(self, arguments, ceilings):
        # Memory is taken, plans are made, and it is known how long one takes.
        once = time_round(self.servers, self.name, self.which, {program: 1 for program in self.servers})
        if max(once.values()) < 300:
            once = time_round(self.servers, self.name, self.which, {program: 3 for program in self.servers})
        repeats = {program: int(min(20, max(1, 60 / t))) for program, t in once.items()}
        taken = sum(t * repeats[program] for program, t in once.items()) / 1e3
        rounds = arguments.rounds or int(min(25, max(3, arguments.seconds / taken)))
        times = {program: [] for program in self.servers}
        for _ in range(rounds):
            for program, t in time_round(self.servers, self.name, self.which, repeats).items():
                times[program].append(t)
        gflops = self.flops / statistics.median(times["melgrad"]) / 1e6
        ratios = {program: statistics.median(b / a for a, b in zip(times["melgrad"], t))
                  for program, t in times.items() if program != "melgrad"}
        return dict(model=self.model, batch=self.batch, flops=self.flops, gflops=gflops, fma=gflops * 1e9 / ceilings["fma"],
                    differences=self.differences, times_ms=times, ratios=ratios, **{"pass": self.which})


def print_row(row):
    ours = row["times_ms"]["melgrad"]
    print(f"\n{row['model']} {row['pass']} batch {row['batch']}: {len(ours)} rounds, "
          f"{row['flops'] / 1e9:.2f} GFLOP, {row['gflops']:.0f} GFLOP/s, {100 * row['fma']:.0f} % of the multiply-adds")
    for name, times in row["times_ms"].items():
        s = spread(times)
        ratio = "" if name == "melgrad" else f"   {row['ratios'][name]:6.2f}x melgrad"
        print(f"  {name:14} {s['median']:9.3f} ms  ({s['min']:.3f} to {s['max']:.3f}){ratio}"
              + (f"   from float64: {row['differences'][name]:.1e}" if name in row["differences"] else ""))
    sys.stdout.flush()


def measure_ceilings(result, contenders):
    """Once a run, when the machine is ours."""
    if result["ceilings"]:
        return
    found = json.loads(contenders.melgrad.ask("ceilings"))
    result.update(simd=found["simd"], ceilings={key: found[key] for key in ("fma", "read", "write", "copy")})
    print("{}: {:.0f} GFLOP/s of multiply-adds; GB/s: {:.1f} read, {:.1f} written, {:.1f} copied".format(
        result["simd"], *(rate / 1e9 for rate in result["ceilings"].values())))


def run_models(arguments, result, contenders, models, gate):
    """All rows of these models: each prepared and checked, then all timed."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for model in models:
            for batch in arguments.batches or BATCHES.get(model, (1, 8, 32)):
                own = os.path.join(folder, f"{model}-{batch}")
                os.mkdir(own)
                differences = contenders.prepare(f"{model}/{batch}", model, batch, own)
                passes = ("infer", "train-forward" if model == "samplecnn-block1" else "train")
                rows += [Row(contenders, model, batch, which, differences) for which in passes]
        for row in rows:
            gate.claim()
            measure_ceilings(result, contenders)
            add_row(result, row.time(arguments, result["ceilings"]), arguments.json)
        gate.release()
        contenders.drop()


def key_of(row):
    return row["model"], row["pass"], row["batch"]


def add_row(result, row, path):
    """In place of what an earlier run had of it; the file is whole after every row."""
    result["rows"] = [old for old in result["rows"] if key_of(old) != key_of(row)] + [row]
    print_row(row)
    if path:
        write_json(path, result)


def earlier_rows(path, now):
    """Of a file that --update goes on with; only of the same machine and programs."""
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        before = json.load(file)
    for key in ("processor", "threads", "versions"):
        if before[key] != now[key]:
            raise SystemExit(f"{path}: its {key} is {before[key]}, here {now[key]}; write to another file")
    return {key: before[key] for key in ("rows", "checks", "memory") if key in before}


def run_memory(arguments, model="samplecnn", batch=23):
    """Peak memory of two training steps, each program in a process of its own: all of it, and before the first step."""
    with tempfile.TemporaryDirectory() as folder:
        threads = {"MELGRAD_THREADS": str(arguments.threads)}
        ours = Server("melgrad", [arguments.program, "--model-server"], threads)
        ours.ask("prepare", model, model, batch, 1)
        ours.ask("save", model, folder)
        before = int(ours.ask("memory").split()[0])
        ours.ask("time", model, "train", 2)
        peak, arena = map(int, ours.ask("memory").split())
        ours.close()
        worker = Server("pytorch", worker_command("pytorch"), threads)
        worker.ask("prepare", model, model, batch, folder)
        their_before = int(worker.ask("memory"))  # PyTorch itself and the network
        worker.ask("time", model, "train", 2)
        their_peak = int(worker.ask("memory"))
        worker.close()
    result = dict(model=model, batch=batch, melgrad=dict(before=before, peak=peak, arena=arena),
                  pytorch=dict(before=their_before, peak=their_peak))
    mb = lambda n: f"{n / 1e6:.0f} MB"
    print(f"\npeak memory, {model} training at batch {batch}: melgrad {mb(peak)} ({mb(before)} before; its arena "
          f"{mb(arena)}), PyTorch {mb(their_peak)} ({mb(their_before)} before)")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bench/melgrad-bench")
    known = [model for group in GROUPS for model in group]
    parser.add_argument("--models", default=known, type=lambda text: text.split(","), help="some of " + ", ".join(known))
    parser.add_argument("--batches", type=lambda text: [int(b) for b in text.split(",")],
                        help="1, 8 and 32, and 23 for samplecnn, unless given")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=0, help="of each row; 0: as many as fit --seconds, 3 to 25")
    parser.add_argument("--seconds", type=float, default=6, help="that the rounds of a row may take")
    parser.add_argument("--no-check", action="store_true", help="leave out the check of training steps")
    parser.add_argument("--in-f64", action="store_true", help="check training steps in float64 too: minutes a network")
    parser.add_argument("--bf16", action="store_true", help="OpenVINO in bf16 too")
    parser.add_argument("--at-once", action="store_true", help="prepare all networks before the first is timed: much memory")
    parser.add_argument("--gate", default="", help="a command that claims this machine, as `flock FILE`, while rows are timed")
    parser.add_argument("--window", type=float, default=25, help="seconds after which the gate opens between two rows")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--update", action="store_true", help="keep what the file has of rows that are not measured now")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # of the checks, while nothing is timed
    contenders, gate = Contenders(arguments), Gate(arguments.gate, arguments.window)
    result = dict(kind="peers", date=date(), processor=processor(), system=system(), threads=arguments.threads,
                  simd="", amx=has_amx(), versions=versions(PACKAGES), tuning=TUNING, ceilings={}, checks={}, rows=[])
    if arguments.update:
        result.update(earlier_rows(arguments.json, result))
    print(f"{result['processor']}, {arguments.threads} threads; {result['system']}; "
          + ", ".join(f"{k} {v}" for k, v in result["versions"].items()), flush=True)
    for group in [known] if arguments.at_once else GROUPS:
        models = [model for model in group if model in arguments.models]
        for model in models:
            if not arguments.no_check and model != "samplecnn-block1":
                with tempfile.TemporaryDirectory() as folder:
                    result["checks"][model] = check_training(model, contenders.melgrad, folder, 8, arguments.in_f64)
                print(f"{model}: a training step from float64: "
                      + ", ".join(f"{k} {v:.1e}" for k, v in result["checks"][model].items()), flush=True)
        if models:
            run_models(arguments, result, contenders, models, gate)
    contenders.close()
    if "samplecnn" in arguments.models:
        result["memory"] = run_memory(arguments)
    result["aims"] = print_aims(result)
    if arguments.json:
        write_json(arguments.json, result)


if __name__ == "__main__":
    main()
