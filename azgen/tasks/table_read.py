"""A table that has been read, with the rows of each task told: the tasks, and what is to be known of them.

Every task imputes and standardises by its own training rows alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from azgen.language.metrics import Metric
from azgen.tasks.features import Features, imputer
from azgen.tasks.labels import Labels
from azgen.tasks.readers import Table
from azgen.tasks.reading import TableReading
from azgen.tasks.splits import Draw, Split, SplitPlan
from azgen.tasks.standardize import Standardizer
from azgen.tasks.table_options import TableOptions
from azgen.tasks.task import FloatArray, RawRows, Task, TaskSplit


@dataclass(frozen=True, eq=False)
class TableRead:
    """A table as a learning problem.

    Attributes:
        table: where it is from.
        options: what was said about it, the target among them.
        draw: which of all splits.
        labels, features: its columns.
        plan: which rows go where.
    """

    table: Table
    options: TableOptions
    draw: Draw
    labels: Labels
    features: Features
    plan: SplitPlan

    def split(self) -> TaskSplit:
        """Search, selection and test tasks."""
        zeros = (f"zero {number + 1}" for number in range(self._n_zeros))
        return TaskSplit(
            search=self._tasks(self.plan.search, "search split"),
            select=self._tasks(self.plan.select, "selection split"),
            test=self._tasks(self.plan.test, "test, training order"),
            cross=self._tasks(self.plan.cross, "cross-validation split"),
            description="; ".join([self._description(), *self._remarks]),
            feature_names=(*self.features.names, *zeros),
            label_names=self.labels.names,
            provenance={
                "source": self.table.source,
                "sha256": self.table.sha256,
                "kind": self.labels.kind,
                "target": self.options.target,
                "rows": self._rows,
                "remarks": self._remarks,
                "options": asdict(self.options),
                "draw": asdict(self.draw),
                "reading": asdict(self.reading()),
                "standardization": self._standardization(),
            },
            raw=self._raw,
        )

    def reading(self) -> TableReading:
        """What an exported program has to do to such a table."""
        options, labels = self.options, self.labels
        return TableReading(
            target=options.target,
            kind=labels.kind,
            classes=() if labels.kind == "regression" else labels.names,
            positive=labels.names[1] if options.positive else "",
            columns=self.features.columns,
            impute=options.impute,
            groups=options.groups,
            time=options.time,
            missing=options.missing,
            drop_unlabelled=options.drop_unlabelled,
            seed=self.draw.seed,
            test_fraction=options.test_fraction,
            sha256=self.table.sha256,
            part=self._part,
        )

    def _tasks(self, splits: Sequence[Split], name: str) -> tuple[Task, ...]:
        return tuple(self._task(split, f"{name} {number}") for number, split in enumerate(splits))

    def _task(self, split: Split, name: str) -> Task:
        fill = imputer(self.features.x[split.train], self.options.impute)
        x_train, x_valid = (
            np.asarray(fill(self.features.x[rows]), dtype=np.float64) for rows in (split.train, split.valid)
        )
        scaler = Standardizer.fit(x_train)
        x_train, x_valid = (
            np.pad(scaler.apply(part), ((0, 0), (0, self._n_zeros))) for part in (x_train, x_valid)
        )
        y_train, y_valid = self.labels.values[split.train], self.labels.values[split.valid]
        if self.labels.kind == "regression":
            offset, scale = _label_statistics(y_train)
            y_train, y_valid = (y_train - offset) / scale, (y_valid - offset) / scale
        elif self.labels.kind == "multiclass":
            one_hot = np.eye(len(self.labels.names))
            y_train, y_valid = one_hot[y_train.astype(int)], one_hot[y_valid.astype(int)]
        metric: Metric = "rmse" if self.labels.kind == "regression" else "accuracy"
        return Task(x_train, y_train, x_valid, y_valid, metric=metric, name=name)

    @property
    def _n_zeros(self) -> int:
        """Features of zeros that make room for an entry of every class."""
        several = self.labels.kind == "multiclass"
        return max(0, len(self.labels.names) - len(self.features.names)) if several else 0

    @property
    def _remarks(self) -> list[str]:
        return [*self.table.remarks, *self.features.remarks]

    @cached_property
    def _raw(self) -> RawRows:
        x, plan, impute = self.features.x, self.plan, self.options.impute
        filled = imputer(x[plan.rest_rows] if impute else x, impute)
        lines = self.table.lines[plan.test_rows]
        return RawRows(x, self.labels.values, plan.rest_rows, plan.test_rows, lines, filled)

    @property
    def _rows(self) -> dict[str, int]:
        return {
            "all": len(self.table),
            "test": len(self.plan.test_rows),
            "selection": len(self.plan.select[0].valid),
            "search_train": len(self.plan.search[0].train),
            "search_valid": len(self.plan.search[0].valid),
        }

    def _description(self) -> str:
        rows = self._rows
        how = f", whole groups of {self.options.groups}" if self.options.groups else ""
        how = f", ordered by {self.options.time}" if self.options.time else how
        if self._n_zeros:
            how += f"; {self._n_zeros} features of zeros added, so that vectors have an entry for every class"
        return (
            f"{self.table.source}: {self.labels.why}; {rows['all']} rows, {len(self.features.names)} "
            f"features; {rows['test']} test rows set aside, {rows['selection']} rows for selection, "
            f"{len(self.plan.search)} search tasks of {rows['search_train']} + {rows['search_valid']} "
            f"rows{how}{self._shares()}"
        )

    def _shares(self) -> str:
        """What to say of a large table, whose test tasks are a part of it."""
        if not self._part:
            return ""
        rows = "{} + {} rows".format(*self._part)
        return f"; the table is large, and each of {len(self.plan.test)} test tasks is {rows} of it"

    @property
    def _part(self) -> tuple[int, ...]:
        """Training and test rows of each test task; none if that is all of them."""
        plan = self.plan
        some = len(plan.test[0].train), len(plan.test[0].valid)
        return () if some == (len(plan.rest_rows), len(plan.test_rows)) else some

    def _column_scaling(self, column: int) -> tuple[float, float]:
        """Offset and scale of a feature: of one, as of all together it would take a table's memory again."""
        x = self.features.x[self.plan.rest_rows, column : column + 1]
        fitted = Standardizer.fit(np.asarray(imputer(x, self.options.impute)(x), dtype=np.float64))
        return float(fitted.offset[0]), float(fitted.scale[0])

    def _standardization(self) -> dict[str, Any]:
        """Offsets and scales by the rows that test tasks train on; a scale of 0 marks a constant column."""
        offset_of, scale_of = zip(*map(self._column_scaling, range(len(self.features.names))), strict=True)
        regression = self.labels.kind == "regression"
        offset, scale = _label_statistics(self._raw.y_train) if regression else (0.0, 1.0)
        return {
            "feature_offset": list(offset_of),
            "feature_scale": list(scale_of),
            "label_offset": offset,
            "label_scale": scale,
        }


def _label_statistics(y: FloatArray) -> tuple[float, float]:
    """Mean and standard deviation of training labels; 1 for 0, lest validation labels vanish as well."""
    statistics = Standardizer.fit(y[:, None])
    return float(statistics.offset[0]), float(statistics.scale[0]) or 1.0
