"""Runs tests against mutants: only those that reach a mutant, the quickest first, until one fails."""
import collections
import concurrent.futures
import dataclasses
import json
import os
import re
import resource
import select
import subprocess
import threading

from mutation.build import PROGRAMS

MEMORY = 6 << 30


@dataclasses.dataclass(frozen=True)
class Case:
    program: str
    name: str


class Tests:
    """The test cases of the mutated build, how long each takes, and which mutants it reaches."""

    def __init__(self, project):
        self.project = project
        self.seconds, self.reached, self.absent = {}, {}, set()

    def _command(self, case):
        name = re.sub(r"[,*\\]", "?", case.name)  # doctest's filters: ? is any character
        return [str(self.project.build / "tests" / f"test_{case.program}"), f"-tc={name}", "-m"]

    def run(self, case, variables, seconds):
        """(exit status, processor seconds); 'time' where the limit of processor time or waiting was reached."""
        limit = int(10 * seconds) + 3

        def limits():
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        process = subprocess.Popen(self._command(case), env={**os.environ, **variables}, preexec_fn=limits,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.project.folder)
        descriptor = os.pidfd_open(process.pid)
        try:
            # Waiting is counted in slices, which stop with this process when it is stopped from outside.
            for _ in range(4 * limit + 30):
                if select.select([descriptor], [], [], 1)[0]:
                    break
            else:
                process.kill()
        finally:
            os.close(descriptor)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        return status, usage.ru_utime + usage.ru_stime

    def trace(self, report):
        cache = self.project.folder / "trace.json"
        stamp = {p: (self.project.build / "tests" / f"test_{p}").stat().st_mtime for p in PROGRAMS}
        old = json.loads(cache.read_text()) if cache.exists() else {"stamp": {}, "cases": []}
        known = [c for c in old["cases"] if c[0] in stamp and old["stamp"].get(c[0]) == stamp[c[0]]]
        self.absent = set(old.get("absent", [])) if known else set()
        for program, name, seconds, reached in known:
            self.seconds[Case(program, name)], self.reached[Case(program, name)] = seconds, set(reached)
        have = {case.program for case in self.seconds}
        for program in PROGRAMS:
            if program not in have:
                for case in self._cases(program):
                    self._trace(case)
                report(f"traced test_{program}: {sum(1 for c in self.seconds if c.program == program)} cases, "
                       f"{sum(s for c, s in self.seconds.items() if c.program == program):.0f} s")
        cases = [[c.program, c.name, s, sorted(self.reached[c])] for c, s in self.seconds.items()]
        cache.write_text(json.dumps({"stamp": stamp, "cases": cases, "absent": sorted(self.absent)}))

    def _cases(self, program):
        listed = subprocess.run([self.project.build / "tests" / f"test_{program}", "-ltc", "--no-colors"],
                                capture_output=True, text=True, check=True).stdout
        return [Case(program, line) for line in listed.splitlines()
                if line and not line.startswith("[doctest]") and not line.startswith("====")]

    def _trace(self, case):
        size = max(self.project.mutants) + 1
        path = self.project.folder / "trace"
        path.write_bytes(bytes(size))
        status, self.seconds[case] = self.run(case, {"MELGRAD_MUTANT_TRACE": str(path)}, 600)
        if status != 0:
            raise SystemExit(f"mutate: without a mutant, test_{case.program} fails: {case.name}")
        data = path.read_bytes()
        self.reached[case] = {found.start() for found in re.finditer(b"\x01", data)}
        self.absent |= {found.start() for found in re.finditer(b"\x02", data)}

    def cases_of(self, base):
        return sorted((c for c, reached in self.reached.items() if base in reached), key=self.seconds.get)


class Runner:
    def __init__(self, project, tests):
        self.project, self.tests = project, tests
        self.base_of = {site.base + n: site.base for sites in project.sites.values() for site in sites
                        for n in range(len(site.mutants))}
        self.killers = collections.defaultdict(collections.Counter)  # (file, function) → cases
        self.lock = threading.Lock()

    def numbers_of(self, path):
        """The mutants of a file that exist. A mutant that never was compiled for any type is none."""
        return [n for site in self.project.sites[path] for n in range(site.base, site.base + len(site.mutants))
                if n not in self.tests.absent]

    def judge(self, number):
        """'killed: …', 'unreached' or 'survived'."""
        path, _, _, function, _, _ = self.project.mutants[number]
        cases = self.tests.cases_of(self.base_of[number])
        if not cases:
            return "unreached"
        likely = self.killers[path, function]
        with self.lock:
            first = [c for c, _ in likely.most_common(2) if c in cases and self.tests.seconds[c] < 1]
        for case in first + [c for c in cases if c not in first]:
            status, _ = self.tests.run(case, {"MELGRAD_MUTANT": str(number)}, self.tests.seconds[case])
            if status != 0:
                with self.lock:
                    likely[case] += 1
                return f"killed: {case.program}: {case.name}"
        return "survived"

    def run(self, numbers, jobs, done):
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            waiting = {pool.submit(self.judge, number): number for number in numbers}
            for future in concurrent.futures.as_completed(waiting):
                done(waiting[future], future.result())
