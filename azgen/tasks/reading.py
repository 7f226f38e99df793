"""What a run did to a table, so that an exported program can do the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azgen.plain import read
from azgen.tasks.features import FeatureColumn


@dataclass(frozen=True)
class TableReading:
    """How a table's rows became examples, and which of them were set aside for the test.

    Attributes:
        target: the column to predict.
        kind: "regression", "classification" (two classes) or "multiclass".
        classes: names of class 0, class 1, ...; none for regression.
        positive: the class of a column of more that is class 1, all others being class 0; "" for none.
        columns: that features are made of; others are left out.
        impute: "mean" or "median" of the training rows, which empty cells take; "": there are none.
        groups, time: columns that decide which rows are set aside together, or as the later ones; "" for
            none.
        missing: words that mean an empty cell, beside the usual ones.
        drop_unlabelled: whether rows without a label are left out.
        seed, test_fraction: decide which rows are set aside.
        sha256: of the run's table.
        part: training and test rows of each test task, if the table is so large that these are not all; else
            none.
    """

    target: str
    kind: str
    classes: tuple[str, ...]
    positive: str
    columns: tuple[FeatureColumn, ...]
    impute: str
    groups: str
    time: str
    missing: tuple[str, ...]
    drop_unlabelled: bool
    seed: int
    test_fraction: float
    sha256: str
    part: tuple[int, ...] = ()


def table_reading(provenance: Mapping[str, Any], source: str) -> TableReading | None:
    """The reading of a split's provenance, as a run keeps it; None if the split is of no table.

    Raises:
        AzgenError: it is damaged; `source` says where it is from.
    """
    found = provenance.get("reading")
    return None if found is None else read(TableReading, found, source, "reading", extra=True)
