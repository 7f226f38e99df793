"""Examples that are given in memory, kept as a file of the run, so that it can go on and be repeated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from azgen.errors import AzgenError
from azgen.extras import need
from azgen.runs.directory import GIVEN, RunDirectory

if TYPE_CHECKING:
    import pandas as pd


def keep_examples(directory: RunDirectory, X: Any, y: Any) -> tuple[Path, str]:
    """Writes examples into a run directory: numbers as an NPZ file, anything else as CSV.

    Args:
        X: features, examples x features: an array, nested lists or a data frame with named columns.
        y: one label per example; or the name of the data frame's column that holds them.

    Returns:
        The file, and its target column.

    Raises:
        AzgenError: shapes do not agree, or the file cannot be written.
    """
    features, labels = examples(X, y)
    if labels.name in features:
        raise AzgenError(f"X has a column {labels.name!r}, which y is called too; rename one of them")
    try:
        if _numbers(features.dtypes) and labels.dtype.kind in "biufU" and labels.name == "y":
            path = directory.path / f"{GIVEN}.npz"
            names = np.array([str(name) for name in features.columns])
            np.savez(path, x=features.to_numpy(np.float64), y=labels.to_numpy(), feature_names=names)
        else:
            path = directory.path / f"{GIVEN}.csv"
            features.assign(**{str(labels.name): labels.to_numpy()}).to_csv(path, index=False)
    except OSError as error:
        raise AzgenError(
            f"cannot write {directory.path / GIVEN}, where the examples are kept: {error.strerror or error}; "
            "make room there, or give another place: out=..."
        ) from None
    return path.absolute(), str(labels.name)


def examples(X: Any, y: Any) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Features as a data frame and labels as a series, which have names.

    Args:
        X, y: see `keep_examples`.

    Raises:
        AzgenError: shapes do not agree. MissingExtraError: pandas is not installed.
    """
    need("pandas", "examples given in memory need")
    import pandas as pd

    features = X if isinstance(X, pd.DataFrame) else _frame(X)
    features = features.rename(columns=str).reset_index(drop=True)
    if isinstance(y, str):
        if y not in features:
            raise AzgenError(f"X has no column {y!r}; its columns are {', '.join(features.columns[:30])}")
        return features.drop(columns=y), features[y]
    if y is None:
        raise AzgenError("y is missing: azgen.evolve(X, y) takes one label per example, or a column of X")
    labels = y if isinstance(y, pd.Series) else pd.Series(_column(y), name="y")
    if len(labels) != len(features):
        raise AzgenError(f"X has {len(features)} examples, but y has {len(labels)} labels")
    name = "y" if labels.name is None else str(labels.name)
    return features, labels.rename(name).reset_index(drop=True)


def _frame(X: Any) -> pd.DataFrame:
    import pandas as pd

    array = np.asarray(X)
    if array.ndim != 2 or not array.size:
        raise AzgenError(f"X has shape {array.shape}; it must be a table of examples x features")
    return pd.DataFrame(array, columns=[f"x{number}" for number in range(array.shape[1])])


def _column(y: Any) -> Any:
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise AzgenError(f"y has shape {array.shape}; it must be one label per example")
    return array


def _numbers(dtypes: Any) -> bool:
    return all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in dtypes)
