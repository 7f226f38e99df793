"""A user's own ops and metrics from a Python file (`--ops FILE`).

    import numpy as np
    from azgen.language import Op, UserMetric

    OPS = [
        Op(1000, "scalar_square", "s -> s", "square({a})", np.square, "{a} * {a}", "np.square({a})",
           lambda F: 1.0, "Square of a scalar."),
    ]
    METRICS = [
        UserMetric("mean-absolute-error", "regression", lambda y, p: np.abs(y - p),
                   "lane_abs({label} - {prediction})", lambda loss: 1 / (1 + loss), "1.0 / (1.0 + {loss})",
                   "1 / (1 + mean absolute error)"),
    ]

The file is Python and is run as such, from its text alone: it may import packages, but no files beside it.
Ops work on scalars, or entry by entry on vectors or matrices; they draw no random numbers. `azgen ops` shows
the built-in rows, after which new ones can be modelled.
"""

from __future__ import annotations

import os
import sys
import traceback
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from azgen.errors import AzgenError
from azgen.files import path_of
from azgen.language.metrics import METRICS, Metric, UserMetric
from azgen.language.op import Op, OpTable
from azgen.language.ops import OPS
from azgen.language.usermetrics import check_metric
from azgen.language.userops import check_listings, check_op, user_ops


@dataclass(frozen=True, eq=False)
class UserFile:
    """What a user's file adds.

    Attributes:
        table: all ops, the user's among them.
        metrics: the user's metrics by name.
    """

    table: OpTable = OPS
    metrics: Mapping[str, UserMetric] = field(default_factory=dict)

    @property
    def ops(self) -> tuple[Op, ...]:
        """The user's ops."""
        return user_ops(self.table)

    def metric(self, name: str) -> Metric:
        """The metric of this name, built in or the user's.

        Raises:
            AzgenError: there is none; lists them all.
        """
        if name in METRICS:
            return name  # type: ignore[return-value]  # one of the literals
        if name in self.metrics:
            return self.metrics[name]
        raise AzgenError(
            f"there is no metric {name!r}; there are {', '.join((*METRICS, *self.metrics))}"
            + ("" if self.metrics else ", and those of a file given by --ops (ops_file)")
        )


NOTHING = UserFile()
"""No file: built-in ops and metrics alone."""

_FILE = "<ops>"  # what tracebacks call the file


def load_user_file(path: str | Path) -> UserFile:
    """What a Python file adds; see `read_user_file`."""
    return read_user_file(user_text(path), str(path))


def user_text(path: str | Path) -> str:
    """The text of a user's file.

    Raises:
        AzgenError: there is none, or it is no Python file.
    """
    path = path_of(path, "a file of ops")
    if not os.path.isfile(path):
        raise AzgenError(f"{path}: there is no such file of ops")
    if Path(path).suffix != ".py":
        raise AzgenError(f"{path}: a file of ops is a Python file; its name ends in .py")
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AzgenError(f"{path}: cannot be read: {error}") from None


def read_user_file(text: str, name: str) -> UserFile:
    """Runs a user's file and checks what it defines.

    Args:
        text: the file's text; its lists ``OPS`` and ``METRICS`` have the ops and metrics.
        name: the file's name, for messages.

    Raises:
        AzgenError: the file cannot be run, or an op or metric is not as it must be; names it and what to do.
    """
    try:
        return _read(text)
    except AzgenError as error:
        raise AzgenError(f"{name}{error}") from None


@lru_cache(maxsize=16)
def _read(text: str) -> UserFile:
    """Run once for a text, whatever the file's name, since ops are compared by identity."""
    ops, metrics = _run(text)
    found: dict[str, UserMetric] = {}
    try:
        for op in ops:
            check_op(op)
        table = OPS.extended(ops)
        check_listings(table)
        for metric in metrics:
            check_metric(metric)
            if metric.name in (*METRICS, *found):
                raise AzgenError(f"metric {metric.name!r}: this name is taken")
            found[metric.name] = metric
    except AzgenError as error:
        raise AzgenError(f": {error}") from None
    return UserFile(table, found)


def _run(text: str) -> tuple[list[Op], list[UserMetric]]:
    module = types.ModuleType("azgen_user_ops")
    try:
        exec(compile(text, _FILE, "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:
        lines = [f.lineno for f in traceback.extract_tb(sys.exc_info()[2]) if f.filename == _FILE]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else 1
        raise AzgenError(f", line {line}: {type(error).__name__}: {error}") from None
    ops, metrics = getattr(module, "OPS", ()), getattr(module, "METRICS", ())
    if not (
        isinstance(ops, list | tuple)
        and isinstance(metrics, list | tuple)
        and (ops or metrics)
        and all(isinstance(op, Op) for op in ops)
        and all(isinstance(metric, UserMetric) for metric in metrics)
    ):
        raise AzgenError(
            ": it must define OPS, a list of azgen.language.Op, or METRICS, a list of "
            "azgen.language.UserMetric, with at least one in all"
        )
    return list(ops), list(metrics)
