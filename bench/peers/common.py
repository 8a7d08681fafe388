"""What the scripts of bench/peers share: melgrad as a server, the tuned allocator, the machine, medians."""
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import time

# glibc then keeps its memory instead of handing it back and taking fresh pages: half of PyTorch's time on large
# activations. Read at a process's start.
TUNING = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_TOP_PAD_": "67108864"}


class Server:
    """A process that answers each line with a line; an answer that begins with `error:` ends the run."""

    def __init__(self, name, command, environment=None):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(environment or {})})

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer or answer.startswith("error:"):
            raise SystemExit(f"{self.name}: {' '.join(map(str, words))}: {answer or 'the process has ended'}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Gate:
    """Claims a machine that others share: runs the command with `echo ready; cat` behind it and waits for `ready`; its
    end lets the machine go. No command: nothing to claim."""

    def __init__(self, command, window):
        self.command, self.window, self.process, self.since = command.split(), window, None, 0

    def claim(self):
        """For what is timed next; anew where the machine has been ours for longer than the window."""
        if self.process and time.monotonic() - self.since > self.window:
            self.release()
        if self.command and not self.process:
            self.process = subprocess.Popen(self.command + ["sh", "-c", "echo ready; exec cat >/dev/null"],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            if self.process.stdout.readline().strip() != "ready":
                raise SystemExit("the gate's command did not start")
            self.since = time.monotonic()

    def release(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process = None


def cpuinfo():
    """The first processor's entries of /proc/cpuinfo."""
    found = {}
    with open("/proc/cpuinfo") as info:
        for line in info:
            key, _, value = line.partition(":")
            found.setdefault(key.strip(), value.strip())
    return found


def processor():
    """The processor's name, and its family and model, since virtual machines say little of the first."""
    found = cpuinfo()
    return f"{found['model name']}, family {found['cpu family']} model {found['model']}, {os.cpu_count()} cores"


def has_amx():
    return "amx_bf16" in cpuinfo()["flags"].split()


def versions(packages):
    return {name: importlib.metadata.version(name) for name in packages}


def date():
    return time.strftime("%Y-%m-%d")


def system():
    return f"{platform.system()} {platform.release().split('-')[0]}, glibc {platform.libc_ver()[1]}"


def spread(times):
    return dict(median=statistics.median(times), min=min(times), max=max(times))


def write_json(path, what):
    with open(path, "w") as file:
        json.dump(what, file, indent=1)
        file.write("\n")
