#!/usr/bin/env python3
"""One program beside which melgrad's networks are timed, as a server for bench/peers/models.py.

    model_worker.py pytorch|onnxruntime|openvino|openvino-bf16

A line a request, a line an answer, as melgrad-bench --model-server (bench/models/model_server.h has what they mean):
  prepare ID MODEL BATCH FOLDER   from FOLDER/weights.safetensors, inputs.npy and targets.npy; the engines of inference
                                  read FOLDER/network.onnx, which `export` of the PyTorch worker has made
  export ID FOLDER                FOLDER/network.onnx
  infer ID FOLDER NAME            FOLDER/NAME.npy: what the network gives
  time ID PASS REPEATS            the milliseconds of each repeat
  drop                            forgets all networks
  memory                          the most bytes that this process has had in memory
"""
import gc
import os
import sys
import time
import warnings

import numpy as np

THREADS = int(os.environ["MELGRAD_THREADS"])


class PyTorch:
    def __init__(self, model, batch, folder):
        import torch
        import networks
        from safetensors.numpy import load_file
        self.torch, self.loss = torch, networks.loss_function(model)
        torch.manual_seed(1)
        # SampleCNN at a batch of 1 ends in batch norms of one value, which PyTorch refuses; it can compute them.
        torch.nn.functional._verify_batch_size = lambda size: None
        self.model = networks.make_network(model)
        networks.load_weights(model, self.model, load_file(f"{folder}/weights.safetensors"))
        self.whole = networks.with_activation(model, self.model)
        self.x = networks.to_channels_first(np.load(f"{folder}/inputs.npy"))
        if os.path.exists(f"{folder}/targets.npy"):
            targets = torch.from_numpy(np.load(f"{folder}/targets.npy"))
            self.targets = targets if targets.is_floating_point() else targets.long()
        self.optimizer = torch.optim.SGD(self.model.parameters(), 1e-6, momentum=0.9, nesterov=True)

    def threads(self, count):
        self.torch.set_num_threads(count)

    def export(self, folder):
        self.threads(1)
        self.whole.eval()
        self.torch.onnx.export(self.whole, (self.x,), f"{folder}/network.onnx", dynamo=False, input_names=["input"],
                               output_names=["output"])

    def infer(self):
        with self.torch.inference_mode():
            self.whole.eval()
            return self.whole(self.x)

    def train_forward(self):
        self.model.train()
        return self.model(self.x)

    def train(self):
        self.model.train()
        self.optimizer.zero_grad()
        loss = self.loss(self.model(self.x), self.targets)
        loss.backward()
        self.optimizer.step()
        return loss.item()


class Engine:
    """Of inference alone; its threads are fixed when it is made."""

    def threads(self, count):
        pass


class OnnxRuntime(Engine):
    def __init__(self, model, batch, folder):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
        self.session = onnxruntime.InferenceSession(f"{folder}/network.onnx", options, ["CPUExecutionProvider"])
        self.x = np.moveaxis(np.load(f"{folder}/inputs.npy"), -1, 1).copy()

    def infer(self):
        return self.session.run(None, {"input": self.x})[0]


class OpenVino(Engine):
    precision = "f32"

    def __init__(self, model, batch, folder):
        import openvino
        # Its default precision is bf16 where the processor has it, so f32 is asked for by name.
        compiled = openvino.Core().compile_model(f"{folder}/network.onnx", "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": THREADS,
            "INFERENCE_PRECISION_HINT": self.precision})
        self.request = compiled.create_infer_request()
        self.x = np.moveaxis(np.load(f"{folder}/inputs.npy"), -1, 1).copy()

    def infer(self):
        return self.request.infer([self.x], share_inputs=True, share_outputs=True)[0]


class OpenVinoBf16(OpenVino):
    precision = "bf16"


def timed(call, repeats):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = call()
        times.append(1e3 * (time.perf_counter() - start))
        del result
    return " ".join(f"{t:.6f}" for t in times)


class Worker:
    def __init__(self, make):
        self.make, self.works = make, {}

    def prepare(self, name, model, batch, folder):
        self.works[name] = self.make(model, int(batch), folder)

    def export(self, name, folder):
        self.works[name].export(folder)

    def infer(self, name, folder, output):
        self.works[name].threads(1)  # nothing is timed here, and other programs may be at work
        np.save(f"{folder}/{output}.npy", np.asarray(self.works[name].infer()))

    def time(self, name, which, repeats):
        self.works[name].threads(THREADS)
        return timed(getattr(self.works[name], which.replace("-", "_")), int(repeats))

    def drop(self):
        self.works.clear()
        gc.collect()

    def memory(self):
        with open("/proc/self/status") as status:  # not getrusage's, which begins with the parent's
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def main():
    warnings.simplefilter("ignore")  # of PyTorch's older exporter, which needs no further packages
    worker = Worker({"pytorch": PyTorch, "onnxruntime": OnnxRuntime, "openvino": OpenVino,
                     "openvino-bf16": OpenVinoBf16}[sys.argv[1]])
    for line in sys.stdin:
        request, *words = line.split()
        try:
            answer = getattr(worker, request)(*words) or "ok"
        except Exception as error:  # what the other side prints
            answer = "error: " + " ".join(str(error).split())
        print(answer, flush=True)


if __name__ == "__main__":
    main()
