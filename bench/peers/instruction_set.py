"""Holds the peers of a bench to an instruction set, by the variables that their documentation names.

Libraries read these when they are loaded, so hold() comes before they are imported and starts Python anew."""
import os
import sys

# PyTorch's own kernels, oneDNN (two names of one setting), MKL (only Intel's processors heed it), OpenBLAS under NumPy and
# SciPy (a name of kernels that use no AVX-512), and NumPy's, by the names of version 2.4 and of those before. librosa
# compiles nothing with Numba on the way to these features; kaldi-native-fbank chooses nothing at run time.
HELD = {"AVX2": {"ATEN_CPU_CAPABILITY": "avx2",
                 "ONEDNN_MAX_CPU_ISA": "AVX2",
                 "DNNL_MAX_CPU_ISA": "AVX2",
                 "MKL_ENABLE_INSTRUCTIONS": "AVX2",
                 "OPENBLAS_CORETYPE": "Haswell",
                 "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"}}
# Nobody else's choice counts either: a variable left over from elsewhere would hold a peer back unseen.
SETTINGS = {*HELD["AVX2"], "OPENBLAS_L2_SIZE", "MKL_DEBUG_CPU_TYPE", "MKL_CBWR"}


def hold(simd):
    """Returns what is set, having started this script anew if the environment says anything else. `best`: nothing is."""
    wanted = {} if simd == "best" else HELD.get(simd)
    if wanted is None:
        raise SystemExit(f"--simd {simd}: no settings for the peers, there is best, {', '.join(HELD)}")
    if {name: os.environ[name] for name in SETTINGS if name in os.environ} != wanted:
        others = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        os.execve(sys.executable, [sys.executable, *sys.argv], {**others, **wanted})
    return wanted


def in_use():
    """What the loaded libraries say that they use."""
    import numpy
    import threadpoolctl
    import torch
    blas = {library["architecture"] for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"}
    return {"torch": torch.backends.cpu.get_cpu_capability(), "openblas": " ".join(sorted(blas)),
            "numpy": " ".join(numpy.show_config(mode="dicts")["SIMD Extensions"]["found"])}
