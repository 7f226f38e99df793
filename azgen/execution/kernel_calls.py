"""The C functions of a kernel, as Python calls them.

templates/kernel/interface.pyx.j2 and search_interface.pyx.j2 say what they do. Addresses of NumPy arrays
travel as integers; the GIL is not held.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from ctypes import c_double, c_int, c_int64, c_uint64, c_void_p
from types import SimpleNamespace
from typing import Any

from azgen.codegen.cutting import Library

_OF_ALL: dict[str, tuple[Any, ...]] = {
    "sizes": (None, c_void_p),
    "evaluate": (None, c_void_p, c_int, c_void_p, c_void_p, c_void_p, c_int),
    "normal_form": (c_uint64, c_void_p, c_void_p),
}
_OF_A_SEARCH: dict[str, tuple[Any, ...]] = {
    "island_size": (c_int64,),
    "randomize": (c_uint64, c_void_p, c_int, c_void_p, c_void_p, c_uint64),
    "program_can_learn": (c_int, c_void_p),
    "mutate_programs": (c_uint64, c_void_p, c_int, c_void_p, c_uint64),
    "evolve_island": (None, c_void_p, c_int64, c_int, c_void_p, c_void_p),
    "sample_programs": (None, c_void_p, c_void_p, c_void_p, c_int64, c_void_p),
}
_OF_AN_ARCHIVE: dict[str, tuple[Any, ...]] = {
    "cells": (None, c_void_p, c_int, c_void_p),
    "shrink_program": (c_double, c_void_p, c_double, c_void_p, c_int64, c_int, c_void_p),
    "vary_programs": (c_uint64, c_void_p, c_int, c_double, c_uint64),
}


class Sieve(ctypes.Structure):
    """What random programs are measured with, as the kernel reads it (templates/kernel/sampling.pyx.j2)."""

    _fields_ = (
        ("island", c_void_p),
        ("tasks", c_void_p),
        ("goal", c_double),
        ("found", c_void_p),
        ("room", c_int),
    )

    def sample(self, calls: Any, given: int, functions: Iterable[bool], count: int) -> tuple[int, int, int]:
        """Random search: how many programs were drawn, can learn by their data flow, and are acceptable.

        Args:
            calls: of the kernel.
            given: address of the program whose functions are drawn.
            functions: which are drawn.
            count: programs to draw.
        """
        result = (c_int64 * 3)()
        calls.sample_programs(ctypes.addressof(self), given, truth_values(functions), count, result)
        drawn, can_learn, acceptable = result
        return drawn, can_learn, acceptable


def declared(*, evolves: bool, archive: bool) -> dict[str, tuple[Any, ...]]:
    """Result and arguments of each function of a kernel, see `KernelSpec` for which it has."""
    of_a_search = _OF_A_SEARCH | (_OF_AN_ARCHIVE if archive else {})
    return _OF_ALL | (of_a_search if evolves else {})


def kernel_calls(library: Library, *, evolves: bool, archive: bool) -> Any:
    """The functions of a kernel by name; each keeps the library."""
    calls = {}
    for name, (result, *arguments) in declared(evolves=evolves, archive=archive).items():
        calls[name] = library[name]
        calls[name].restype, calls[name].argtypes = result, arguments
    return SimpleNamespace(**calls)


def truth_values(functions: Iterable[bool]) -> ctypes.Array[c_int]:
    """Which of Setup, Predict and Learn are meant, as the kernel reads it."""
    return (c_int * 3)(*map(int, functions))
