#!/usr/bin/env python3
"""Writes tests/data/io: arrays as NumPy and the safetensors package write them. Run by hand; the files are committed.

Made with NumPy 2.4.6 and safetensors 0.8.0.
"""
import pathlib

import numpy as np
from safetensors.numpy import save_file

folder = pathlib.Path(__file__).resolve().parent.parent / "data" / "io"
folder.mkdir(parents=True, exist_ok=True)

matrix = np.arange(12).reshape(3, 4) * 0.5 - 1
arrays = {
    "f4_matrix": matrix.astype("<f4"),
    "f8_scalar": np.float64(2.5),
    "f4_empty": np.zeros((0, 3), "<f4"),
    "i4_vector": np.array([-5, 7, 2**31 - 1], "<i4"),
    "i8_labels": np.array([0, 9, -2**31, 2**31 - 1], "<i8"),
    "i8_too_large": np.array([1, 2**31], "<i8"),
    "i8_too_small": np.array([1, -2**31 - 1], "<i8"),
    "u1_image": np.arange(6, dtype="u1").reshape(1, 2, 3) * 50,
    "b1_mask": np.array([True, False, True]),
    "f4_fortran": np.asfortranarray(matrix.astype("<f4")),
    "f4_fortran_vector": np.asfortranarray(np.arange(3, dtype="<f4")),
    "f4_big_endian": matrix.astype(">f4"),
    "f2": matrix.astype("<f2"),
    "structured": np.zeros(2, [("a", "<f4"), ("b", "<i4")]),
    "seven_axes": np.zeros((1,) * 7, "<f4"),
}
for name, array in arrays.items():
    np.save(folder / f"{name}.npy", array)
for version in (2, 0), (3, 0):
    with open(folder / f"f4_version_{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, matrix.astype("<f4"), version=version)

# The package orders tensors by type, widest first, then by name; an empty tensor shares its offset with another.
save_file({"layer.weight": matrix.astype("<f4"), "layer.bias": np.array([0.25, -0.5], "<f4"),
           "zz_empty": np.zeros((4, 0), "<f8"), "mean": np.array(3.125, "<f8"), "labels": np.array([1, -2], "<i4"),
           "mask": np.array([1, 0, 255], "u1")},
          folder / "mixed.safetensors", metadata={"format": "pt", "made by": "safetensors 0.8.0"})
save_file({"half": matrix.astype("<f2")}, folder / "half.safetensors")
save_file({}, folder / "none.safetensors")
