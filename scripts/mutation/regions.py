"""Which functions are mutated: every gradient and every update, and all that they call.

Roots are functions whose names say so (gradient, backward, update, step, …) and whole files: formulas, differentiable
operations, what drives updates. From there the names used in a body lead on, through the project's headers. An
operation whose forward function a gradient calls (matmul, reduce, …) is taken whole.
"""
import dataclasses
import pathlib
import re

from mutation.tokens import Source

CANDIDATES = ("kernels/*_formulas.h", "kernels/window.h", "kernels/pool2d.h", "kernels/conv2d.h", "kernels/reference/*.h",
              "kernels/cpu/*.cpp", "kernels/cpu/*.h", "kernels/cuda/*.cu", "kernels/cuda/*.h", "tensor/autograd.cpp",
              "tensor/ops/*.cpp", "layers/*.cpp", "layers/*.h", "optim/*.cpp")
# The frontend's: no gradient comes by.
ASIDE = ("kernels/cpu/*fft*", "kernels/cpu/dct.cpp", "kernels/cpu/spectral_bands.cpp", "kernels/cpu/band_steps-inl.h",
         "kernels/cpu/frame_*", "kernels/cpu/one_frame-inl.h", "kernels/cpu/signal_reader.h", "kernels/cpu/vectors-inl.h",
         "kernels/cpu/logarithm-inl.h")
# Formulas are shared by both directions; the forward pass of a max pool decides where its gradient goes.
WHOLE = ("kernels/*_formulas.h", "kernels/*/max_pool2d.*", "tensor/autograd.cpp", "tensor/ops/*.cpp", "layers/loss.cpp",
         "optim/*.cpp")
ROOT = re.compile(r"(^|_)(backward|gradients?|update|step|d[a-z]{1,2})(_|$)|^(pre_activation|normalise|operator)$")
# Tests of arguments.
CHECKS = re.compile(r"^(require|fail|assert|static_assert|expect_\w+|check_\w+|validate)$")


@dataclasses.dataclass
class Function:
    path: str
    name: str
    head: int   # first token of the parameters
    start: int  # first token of the region: the initialiser list of a constructor, or the body's brace
    end: int    # after the body
    line: int
    words: frozenset
    body: int   # its brace
    returns_nothing: bool


def functions_of(source):
    """The functions defined in a file, free or members."""
    found, tokens, match = [], source.tokens, source.match

    def scan(at, end):
        begin = at
        while at < end:
            text = tokens[at].text
            if text == ";" or (text == ":" and tokens[at - 1].text in ("public", "private", "protected")):
                begin = at + 1
            elif text in "([" or (text == "<" and at in match):
                at = match[at]
            elif text == "{":
                at = declared(begin, at)
                begin = at + 1
            elif text == "}":
                begin = at + 1
            at += 1

    def declared(begin, brace):
        close = match[brace]
        at = begin
        while tokens[at].text == "template":
            at = match[at + 1] + 1
        words = {tokens[i].text for i in range(at, brace) if tokens[i].kind == "word"}
        parameters = next((i for i in range(at, brace) if tokens[i].text == "(" and outside(at, i)
                           and tokens[i - 1].kind in ("word", "punctuator")
                           and tokens[i - 1].text not in ("__launch_bounds__", "decltype", "alignas")), None)
        if tokens[at].text in ("namespace", "struct", "class", "extern") and parameters is None:
            scan(brace + 1, close)
            return close
        if parameters is None or "enum" in words or "=" in [tokens[i].text for i in range(at, parameters)]:
            return close
        initialiser = next((i for i in range(match[parameters] + 1, brace) if tokens[i].text == ":"), None)
        if initialiser is not None:
            while tokens[brace - 1].kind == "word":  # member{…}: the body comes later
                brace = match[brace] + 1
                while tokens[brace].text != "{":
                    brace += 1
            close = match[brace]
        start = initialiser if initialiser is not None else brace
        name = tokens[parameters - 1].text
        used = frozenset(t.text for t in tokens[start:close] if t.kind == "word")
        found.append(Function(source.path, name, parameters, start, close + 1, tokens[parameters].line, used,
                              brace, tokens[parameters - 2].text == "void" or initialiser is not None))
        return close

    def outside(begin, i):
        at = begin
        while at < i:
            at = match[at] + 1 if tokens[at].text in ("(", "[", "<", "{") and at in match else at + 1
        return at == i

    scan(0, len(tokens))
    return found


def includes_of(text):
    return re.findall(r'^#include "([^"]+)"', text, re.MULTILINE)


class Regions:
    """All candidate files, their functions, and which of them are mutated (`chosen`)."""

    def __init__(self, root, candidates=CANDIDATES):
        self.root = pathlib.Path(root)
        self.paths = sorted({p.relative_to(root).as_posix() for pattern in candidates for p in self.root.glob(pattern)
                             if not any(p.match(aside) for aside in ASIDE)})
        self.sources = {path: Source(path, (self.root / path).read_text()) for path in self.paths}
        self.functions = {path: functions_of(source) for path, source in self.sources.items()}
        self.chosen = set()
        self._visible = {}
        self._choose()

    def _seen_from(self, path):
        """The candidate files whose functions `path` can call: what it includes, and the sources beside those headers."""
        if path not in self._visible:
            seen, queue = {path}, [path]
            while queue:
                file = self.root / queue.pop()
                for included in includes_of(file.read_text()) if file.exists() else ():
                    for other in (included, included.removesuffix(".h") + ".cpp"):
                        if other not in seen:
                            seen.add(other)
                            queue.append(other)
            self._visible[path] = [p for p in self.paths if p in seen and (p == path or not p.startswith("tensor/"))]
        return self._visible[path]

    def _is_root(self, function, whole_operations):
        path = pathlib.PurePath(function.path)
        if any(path.match(pattern) for pattern in WHOLE):
            return not CHECKS.match(function.name)
        if function.path.startswith("kernels/") and path.name.split(".")[0].removesuffix("_formulas") in whole_operations:
            return True
        return bool(ROOT.search(function.name))

    def _choose(self):
        everything = [f for functions in self.functions.values() for f in functions]
        whole = self._operations_run_by_gradients()
        queue = [f for f in everything if self._is_root(f, whole)]
        while queue:
            function = queue.pop()
            key = (function.path, function.head)
            if key in self.chosen:
                continue
            self.chosen.add(key)
            for path in self._seen_from(function.path):
                queue.extend(f for f in self.functions[path] if f.name in function.words and not CHECKS.match(f.name))

    def _operations_run_by_gradients(self):
        """kernels/<op>.h of which a gradient closure calls a function that is not itself a gradient."""
        declared = {}
        for header in self.root.glob("kernels/*.h"):
            for name in re.findall(r"^void (\w+)\(Stream&", header.read_text(), re.MULTILINE):
                declared[name] = header.stem
        called = set()
        for path, functions in self.functions.items():
            if path.startswith("tensor/"):
                called |= set().union(*(self._words_of_closures(path, f) for f in functions), set())
        return {stem for name, stem in declared.items() if name in called and not ROOT.search(name)}

    def _words_of_closures(self, path, function):
        source, words = self.sources[path], set()
        for i in range(function.start, function.end):
            if source.tokens[i].text == "Gradients" and i in range(function.start, function.end):
                body = next((k for k in range(i, function.end) if source.tokens[k].text == "{"), None)
                if body is not None:
                    words |= {t.text for t in source.tokens[body:source.match[body]] if t.kind == "word"}
        helpers = {w for f in self.functions[path] if f.name in words and "Gradients" not in f.words for w in f.words}
        return words | helpers if "Gradients" in function.words else set()

    def is_chosen(self, function):
        return (function.path, function.head) in self.chosen

    def left_out(self):
        return [f for functions in self.functions.values() for f in functions if not self.is_chosen(f)]
