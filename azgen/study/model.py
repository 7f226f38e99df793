"""A program as the estimator that its exported module holds, without a file."""

from __future__ import annotations

import hashlib
import linecache
import sys
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.exports.module import class_name_of, render_module
from azgen.language.metrics import Metric, is_classification
from azgen.language.program import Program
from azgen.tasks.readers.base import value_name
from azgen.tasks.reading import TableReading
from azgen.tasks.task import FloatArray


def exported_class(program: Program, metric: Metric, dtype: str, epochs: int) -> Any:
    """The class EvolvedRegressor or EvolvedClassifier of a program's exported module.

    Args:
        program, metric, dtype, epochs: as in `azgen.export`.
    """
    source = render_module(program, metric=metric, dtype=dtype, epochs=epochs)
    return getattr(module_of(source), class_name_of(is_classification(metric)))


def module_of(source: str) -> ModuleType:
    """An exported module from its source; made once, so that pickle finds its classes again."""
    name = f"azgen_evolved_{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    if name not in sys.modules:
        module, file = ModuleType(name), f"<{name}>"
        linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file  # for tracebacks
        sys.modules[name] = module
        try:
            exec(compile(source, file, "exec"), module.__dict__)
        except BaseException:
            del sys.modules[name]
            raise
        module.__dict__["SOURCE"] = source
    return sys.modules[name]


def class_labels(names: tuple[str, ...]) -> NDArray[Any]:
    """Classes by number: as numbers again if all their names are numbers, else as text."""
    try:
        numbers = np.array([float(name) for name in names])
    except ValueError:
        return np.array(names)
    return numbers.astype(int) if (numbers == np.rint(numbers)).all() else numbers


def features_of(X: Any, reading: TableReading) -> FloatArray:
    """A table's features from a data frame with its columns, as the run read them; an array is taken as is.

    Raises:
        AzgenError: a column is missing, or holds text where it held numbers.
    """
    if not hasattr(X, "columns"):
        array = np.asarray(X, dtype=np.float64)
        return array[None] if array.ndim == 1 else array
    missing = [column.name for column in reading.columns if column.name not in X.columns]
    if missing:
        raise AzgenError(f"X has no column {', '.join(map(repr, missing))}, which the run used")
    found: list[FloatArray] = []
    for column in reading.columns:
        cells = X[column.name]
        if not column.categories:
            try:
                found.append(cells.to_numpy(dtype=np.float64, na_value=np.nan))
            except (TypeError, ValueError):
                raise AzgenError(f"column {column.name!r} holds text; the run read numbers there") from None
            continue
        words, empty = cells.map(value_name).to_numpy(dtype=object), cells.isna().to_numpy(dtype=bool)
        # Of two categories one feature says it all.
        named = column.categories[1:] if len(column.categories) == 2 else column.categories
        found += [((words == name) & ~empty).astype(np.float64) for name in named]
    return np.column_stack(found)
