"""Runs tests against mutants: only those that reach a mutant, the quickest first, until one fails."""
import collections
import concurrent.futures
import dataclasses
import json
import os
import re
import subprocess
import threading

from mutation.build import PROGRAMS, VARIANT

# A case that takes longer is left out: most mutants need none of them, and thousands would wait.
LONGEST = float(os.environ.get("MELGRAD_MUTATION_CASE_SECONDS", "60"))
ENOUGH = float(os.environ.get("MELGRAD_MUTATION_ENOUGH", "20"))  # seconds of test cases, unmutated: a mutant that has outlived as many has survived


def limits():
    """What the run left out, in words for the table."""
    devices = os.environ.get("MELGRAD_TEST_DEVICES")
    return (f"Judged by {', '.join(f'test_{program}' for program in PROGRAMS)}"
            f"{f', on {devices} alone' if devices else ''}. A test case of more than {LONGEST:g} s is left out; a survivor has "
            f"outlived all others that reach it, or the quickest of together {ENOUGH:g} s.")


@dataclasses.dataclass(frozen=True)
class Case:
    program: str
    name: str


class Server:
    """A test program that forks for each order: see run_tests.cpp."""

    def __init__(self, path, folder):
        self.process = subprocess.Popen([path], env={**os.environ, "MELGRAD_MUTANT_SERVER": "1"}, cwd=folder, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def run(self, case, mutant, limit, trace="-"):
        """(wait status, processor seconds); the limit is of processor seconds."""
        name = re.sub(r"[,*\\]", "?", case.name)  # doctest's filters: ? is any character
        order = f"{mutant} {int(limit * 1e6)} {int(limit * 8000) + 10000} {trace} {name}\n"
        self.process.stdin.write(order)
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != 2:
            raise SystemExit(f"mutate: test_{case.program} is gone")
        return int(answer[0]), int(answer[1]) / 1e6


class Tests:
    """The test cases of the mutated build, how long each takes, and which mutants it reaches."""

    def __init__(self, project):
        self.project = project
        self.seconds, self.reached, self.absent = {}, {}, set()
        self.servers = threading.local()

    def _program(self, program):
        return str(self.project.build / "tests" / f"test_{program}")

    def run(self, case, mutant, limit, trace="-"):
        servers = self.servers.__dict__
        if case.program not in servers:
            servers[case.program] = Server(self._program(case.program), self.project.folder)
        return servers[case.program].run(case, mutant, limit, trace)

    def trace(self, report):
        cache = self.project.folder / "trace.json"
        stamp = {p: os.stat(self._program(p)).st_mtime for p in PROGRAMS}
        old = json.loads(cache.read_text()) if cache.exists() else {"stamp": {}, "cases": []}
        known = [c for c in old["cases"] if c[0] in stamp and old["stamp"].get(c[0]) == stamp[c[0]]]
        self.absent = set(old.get("absent", [])) if known else set()
        for program, name, seconds, reached in known:
            self.seconds[Case(program, name)], self.reached[Case(program, name)] = seconds, set(reached)
        have = {case.program for case in self.seconds}
        for program in PROGRAMS:
            if program not in have:
                for case in self._cases(program):
                    self._trace(case, report)
                report(f"traced test_{program}: {sum(1 for c in self.seconds if c.program == program)} cases, "
                       f"{sum(s for c, s in self.seconds.items() if c.program == program):.0f} s")
        cases = [[c.program, c.name, s, sorted(self.reached[c])] for c, s in self.seconds.items()]
        cache.write_text(json.dumps({"stamp": stamp, "cases": cases, "absent": sorted(self.absent)}))

    def _cases(self, program):
        listed = subprocess.run([self._program(program), "-ltc", "--no-colors"], capture_output=True, text=True,
                                check=True).stdout
        return [Case(program, line) for line in listed.splitlines()
                if line and not line.startswith("[doctest]") and not line.startswith("====")]

    def _trace(self, case, report):
        size = max(self.project.mutants) + 1
        path = self.project.folder / "trace"
        path.write_bytes(bytes(size))
        status, seconds = self.run(case, -1, LONGEST, path)
        data = path.read_bytes()
        reached = {found.start() for found in re.finditer(b"\x01", data)}
        if status == 0 and reached:  # the time without a trace
            status, seconds = self.run(case, -1, LONGEST)
        if status != 0:
            report(f"left out, too long or failing without a mutant: test_{case.program}: {case.name}")
            return
        self.seconds[case], self.reached[case] = seconds, reached
        self.absent |= {found.start() for found in re.finditer(b"\x02", data)}

    def cases_of(self, base, folder, enough):
        """Those that reach a mutant of this folder, the quickest first: so many seconds of its own tests, as many of others."""
        cases, together = [], collections.Counter()
        reaching = (c for c, reached in self.reached.items() if base in reached)
        for case in sorted(reaching, key=self.seconds.get):
            own = case.program == folder
            if together[own] == 0 or together[own] + self.seconds[case] <= enough:
                cases.append(case)
            together[own] += self.seconds[case]
        return cases


class Runner:
    def __init__(self, project, tests, jobs):
        self.project, self.tests = project, tests
        self.pool = concurrent.futures.ThreadPoolExecutor(jobs)  # a thread has its own servers
        self.base_of = {site.base + n: site.base for sites in project.sites.values() for site in sites
                        for n in range(len(site.mutants))}
        self.killers = collections.defaultdict(collections.Counter)  # (file, function) → cases
        self.lock = threading.Lock()

    def numbers_of(self, path):
        """The mutants of a file that exist. A mutant that never was compiled for any type is none."""
        return [n for site in self.project.sites[path] for n in range(site.base, site.base + len(site.mutants))
                if n not in self.tests.absent]

    def judge(self, number, enough):
        """'killed: …', 'unreached' or 'survived'."""
        path, _, _, function, _, _ = self.project.mutants[number]
        cases = self.tests.cases_of(self.base_of[number], path.split("/")[0], enough)
        if not cases:
            return "unreached"
        likely = self.killers[path, function]
        with self.lock:
            first = [c for c, _ in likely.most_common(2) if c in cases and self.tests.seconds[c] < 1]
        for case in first + [c for c in cases if c not in first]:
            status, _ = self.tests.run(case, number, 10 * self.tests.seconds[case] + 0.3)
            if status != 0:
                with self.lock:
                    likely[case] += 1
                return f"killed: {case.program}: {case.name}{f' ({VARIANT})' if VARIANT else ''}"
        return "survived"

    def run(self, numbers, is_explained, done):
        """Where a survivor is already shown to be the same function, a second of tests is enough."""
        waiting = {self.pool.submit(self.judge, number, min(ENOUGH, 1) if is_explained(number) else ENOUGH): number
                   for number in numbers}
        for future in concurrent.futures.as_completed(waiting):
            done(waiting[future], future.result())
