"""Rating children on compiled candidates: the hook that the kernel calls in place of its own interpreter."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.execution.kernel import Kernel
from azgen.execution.layout import LaneTasks
from azgen.execution.native import NativeCode
from azgen.search.rating.chooser import Chooser

_SIGNATURE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, ctypes.POINTER(ctypes.c_double)
)


class RatingHook:
    """A C function that rates normal forms: programs, their number, fitness [program][group][lane]; 0 if all
    went well.

    An exception inside is kept in `error`, since it cannot pass through the kernel.

    Args:
        kernel, native, tasks: what programs are rated with and on.
        chooser: which of them natively; None: all.

    Attributes:
        rated: programs rated natively so far.
        careful: whether to leave all to the kernel that the chooser might give to native code.
    """

    def __init__(self, kernel: Kernel, native: NativeCode, tasks: LaneTasks, chooser: Chooser | None = None):
        self._kernel, self._native, self._tasks, self._chooser = kernel, native, tasks, chooser
        self.rated, self.careful = 0, False
        self.error: BaseException | None = None
        self._function = _SIGNATURE(self._rate)

    @property
    def address(self) -> int:
        """Address of the function."""
        return ctypes.cast(self._function, ctypes.c_void_p).value or 0

    def _rate(self, programs: Any, n: int, fitness: Any) -> int:
        try:
            stride = self._tasks.n_groups * self._kernel.spec.lane.lanes
            out = np.ctypeslib.as_array(fitness, (n, stride))
            records, natively = program_records(self._kernel, programs, n), np.ones(n, bool)
            others: list[Any] = []
            if self._chooser and self.careful:
                natively[:] = False
            elif self._chooser:
                natively, others = self._chooser.choose(records)
            if not natively.all():
                out[~natively, : self._tasks.n_tasks], _ = self._kernel.evaluate(
                    records[~natively], self._tasks
                )
            decoded = {int(i): self._kernel.decode(records[i]) for i in np.flatnonzero(natively)}
            self._native.compile([*decoded.values(), *map(self._kernel.decode, others)])
            for i, program in decoded.items():
                out[i, : self._tasks.n_tasks], _ = self._native.prepare(program).evaluate(self._tasks)
            self.rated += len(decoded)
        except BaseException as error:
            self.error = error
            return 1
        return 0


class CaptureHook:
    """A C function that copies the normal forms that it is given into a list, and gives up."""

    def __init__(self, kernel: Kernel, seen: list[NDArray[Any]]):
        self._kernel, self._seen = kernel, seen
        self._function = _SIGNATURE(self._capture)

    @property
    def address(self) -> int:
        """Address of the function."""
        return ctypes.cast(self._function, ctypes.c_void_p).value or 0

    def _capture(self, programs: Any, n: int, fitness: Any) -> int:
        self._seen.append(program_records(self._kernel, programs, n))
        return 1


def program_records(kernel: Kernel, programs: Any, n: int) -> NDArray[Any]:
    """Copies of the programs behind an array of pointers."""
    size = kernel.program.itemsize
    raw = b"".join(ctypes.string_at(programs[i], size) for i in range(n))
    return np.frombuffer(raw, kernel.program)
