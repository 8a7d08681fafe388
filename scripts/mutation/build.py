"""Builds the tests once with all mutants in them: a copy of the sources, rewritten, in build/mutation."""
import fnmatch
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

from mutation.regions import CANDIDATES, Regions, includes_of
from mutation.render import render
from mutation.sites import Finder

NUMBERS_PER_FILE = 4000
# One instruction set: the sources are the same for each. Optimised little: most of the time goes into compiling.
FLAGS = "-O1 -fPIC -w -march=native -DHWY_COMPILE_ONLY_STATIC -fno-math-errno -fno-trapping-math"
# MELGRAD_MUTATION_VARIANT, for survivors of the usual build: under the address sanitizer a mutant that reads or writes
# outside an array is killed, whatever it finds there; narrower vectors have other remainders.
VARIANTS = {"address": "-fsanitize=address -D_GLIBCXX_ASSERTIONS", "avx2": "-march=haswell"}
VARIANT = os.environ.get("MELGRAD_MUTATION_VARIANT")
FLAGS += f" {VARIANTS[VARIANT]}" if VARIANT else ""
PROGRAMS = tuple(os.environ.get("MELGRAD_MUTATION_TESTS", "kernels tensor layers optim models").split())


def write_if_changed(path, text):
    if not path.exists() or path.read_bytes() != text.encode():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class Project:
    """The mutated copy. `mutants`: number → (file, key, line, function, original, mutation). Only files that match one of
    the patterns are built with their mutants, so that a few files are a short build."""
    candidates = CANDIDATES

    def __init__(self, root, folder, patterns=("*",)):
        self.root, self.folder = pathlib.Path(root), pathlib.Path(folder)
        # Where the usual build has its folder, so that the compiler cache knows what is not mutated.
        self.tree, self.build = self.folder / "tree", self.folder / "tree" / "build" / "release"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.regions = Regions(self.root, self.candidates)
        self.numbers = self._load("numbers.json", {})
        self.invalid = {path: set(keys) for path, keys in self._load("invalid.json", {}).items()}
        self.sites, self.mutants, self.texts = {}, {}, {}
        for path in self.regions.paths:
            self._mutate(path)
        self.built = [p for p in self.regions.paths if self.sites[p] and any(fnmatch.fnmatch(p, w) for w in patterns)]
        self._save("numbers.json", self.numbers)

    def _load(self, name, default):
        path = self.folder / name
        return json.loads(path.read_text()) if path.exists() else default

    def _save(self, name, value):
        (self.folder / name).write_text(json.dumps(value, indent=0))

    def find_sites(self, path):
        source = self.regions.sources[path]
        return [site for function in self.regions.functions[path] if self.regions.is_chosen(function)
                for site in Finder(source, function).sites]

    def _mutate(self, path):
        source, sites = self.regions.sources[path], self.find_sites(path)
        number = self.numbers.setdefault(path, 1 + len(self.numbers) * NUMBERS_PER_FILE)
        seen, kept = {}, []
        for site in sites:
            stem = f"{site.function}: {site.original} -> "
            site.key = stem + " | ".join(site.mutants)
            seen[site.key] = seen.get(site.key, 0) + 1
            site.key += f" #{seen[site.key]}"
            site.base = number
            for n, mutation in enumerate(site.mutants):
                self.mutants[number] = (path, f"{site.key} @{n}", site.line, site.function,
                                        site.original + site.suffix, mutation + site.suffix)
                number += 1
            if site.key not in self.invalid.get(path, ()):
                kept.append(site)
        assert number - self.numbers[path] < NUMBERS_PER_FILE, f"{path} needs more numbers"
        self.sites[path] = kept
        self.texts[path] = render(source, kept)

    def invalid_mutants(self, path):
        return [n for n, mutant in self.mutants.items()
                if mutant[0] == path and mutant[1].rsplit(" @", 1)[0] in self.invalid.get(path, ())]

    def hash_of(self, path):
        """Of what is mutated and how. The numbers are left out: they depend on which other files there are."""
        text = "\n".join([self.regions.sources[path].text, *(site.key for site in self.sites[path])])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def write_tree(self):
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=self.root, check=True,
                                capture_output=True, text=True).stdout.split("\0")
        wanted = {name for name in listed if name and (self.root / name).is_file()}
        server = (pathlib.Path(__file__).parent / "run_tests.cpp").read_text()
        texts = {"tests/run_tests.cpp": server} | {path: self.texts[path] for path in self.built}
        for name in wanted:
            target = self.tree / name
            if name in texts:
                write_if_changed(target, texts[name])
            elif not target.exists() or target.read_bytes() != (self.root / name).read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.root / name, target)
        for old in self.tree.rglob("*"):
            name = old.relative_to(self.tree).as_posix()
            if old.is_file() and name not in wanted and not name.startswith("build/"):
                old.unlink()

    def affected(self):
        """The sources that see a mutant, by their own text or a header's. A sanitizer looks at these, and at whose blocks
        they use."""
        mutated, sees = set(self.built) | ({"kernels/arena.cpp"} if VARIANT == "address" else set()), {}

        def seen_by(path):
            if path not in sees:
                sees[path] = path in mutated  # also ends a circle
                file = self.tree / path
                text = file.read_text(errors="replace") if file.is_file() else ""
                sees[path] = sees[path] or any([seen_by(other) for other in includes_of(text)])
            return sees[path]

        files = [p.relative_to(self.tree).as_posix() for end in ("cpp", "cu")
                 for folder in ("kernels", "tensor", "layers", "optim") for p in (self.tree / folder).rglob(f"*.{end}")]
        return sorted(path for path in files if seen_by(path))

    def write_common(self):
        """What the launcher reads: the headers of every affected source, compiled, and which sources these are."""
        here = pathlib.Path(__file__).parent
        for name in ("mutant.h", "common.h"):
            write_if_changed(self.folder / name, (here / name).read_text())
        write_if_changed(self.folder / "flags", FLAGS)
        write_if_changed(self.folder / "affected", "\n".join(self.affected()))
        sources = [self.folder / name for name in ("mutant.h", "common.h", "flags")]
        compiled = self.folder / "common.h.gch"
        if not compiled.exists() or any(s.stat().st_mtime > compiled.stat().st_mtime for s in sources):
            # As CMake calls the compiler: macros that the headers ask for must be the same.
            subprocess.run(["c++", "-x", "c++-header", "-std=c++20", "-DNDEBUG", "-DFMT_SHARED", *FLAGS.split(),
                            self.folder / "common.h", "-o", compiled], check=True)

    def compile(self):
        """Compiles, leaving out what the compiler refuses. Those mutants are listed as invalid."""
        for _ in range(20):
            self.write_tree()
            self.write_common()
            if not (self.build / "build.ninja").exists():
                launcher = f"{pathlib.Path(__file__).parent / 'launcher.sh'};{self.folder}"
                subprocess.run(["cmake", "-G", "Ninja", "-S", self.tree, "-B", self.build, "-DCMAKE_BUILD_TYPE=Release",
                                f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}", "-DMELGRAD_CCACHE=OFF", "-DMELGRAD_CUDA=OFF",
                                "-DMELGRAD_BENCH=OFF",
                                *(["-DCMAKE_EXE_LINKER_FLAGS=-fsanitize=address"] if VARIANT == "address" else [])],
                               check=True, stdout=subprocess.DEVNULL)
            jobs = os.environ.get("MELGRAD_MUTATION_JOBS", "2")
            environment = {**os.environ, "MELGRAD_MUTATION_CCACHE": shutil.which("ccache") or ""}
            made = subprocess.run(["ninja", "-k", "0", "-j", jobs, "-C", self.build,
                                   *(f"test_{program}" for program in PROGRAMS)], capture_output=True, text=True,
                                  env=environment)
            if made.returncode == 0:
                return
            (self.folder / "compiler.log").write_text(made.stdout)
            if not self._leave_out_refused(made.stdout):
                raise SystemExit(f"mutate: the build failed, see {self.folder / 'compiler.log'}")
        raise SystemExit("mutate: the compiler refuses mutants without end")

    def _leave_out_refused(self, output):
        places = set(re.findall(r"/tree/(\S+?):(\d+):(\d+): (?:error|required|  required)", output))
        refused = 0
        for path in {place[0] for place in places if place[0] in self.texts}:
            lines = self.texts[path].split("\n")
            starts = [0]
            for line in lines:
                starts.append(starts[-1] + len(line.encode()) + 1)
            text = self.texts[path].encode()
            for _, line, column in (place for place in places if place[0] == path):
                site = self._site_at(path, text, starts[int(line) - 1] + int(column) - 1)
                sites = [site] if site else [s for s in self.sites[path] if s.line == int(line)]
                keys = {s.key for s in sites} - self.invalid.setdefault(path, set())
                self.invalid[path] |= keys
                refused += len(keys)
            self.sites[path] = [site for site in self.sites[path] if site.key not in self.invalid.get(path, ())]
            self.texts[path] = render(self.regions.sources[path], self.sites[path])
        self._save("invalid.json", {path: sorted(keys) for path, keys in self.invalid.items()})
        print(f"the compiler refused {refused} sites", flush=True)
        return refused

    def _site_at(self, path, text, place):
        """The smallest site whose call holds a byte of the mutated text."""
        best = None
        for site in self.sites[path]:
            head = site.before.format(id=site.base).encode()
            at = text.find(head)
            while at >= 0:
                end, depth = at, 0
                while end < len(text):
                    depth += text[end:end + 1] in (b"(", b"{", b"[")
                    depth -= text[end:end + 1] in (b")", b"}", b"]")
                    end += 1
                    if depth == 0 and text[end - 1:end] in (b")", b"}") and end > at + len(head):
                        break
                if at <= place < end and (best is None or end - at < best[0]):
                    best = (end - at, site)
                at = text.find(head, at + 1)
        return best[1] if best else None
