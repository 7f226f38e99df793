"""What a run has found, for the programs and notebooks that asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azgen.errors import AzgenError
from azgen.exports.module import learner_source, without_docstrings
from azgen.exports.place import check_place, write_export
from azgen.extras import need
from azgen.language.metrics import describe_metric, is_classification
from azgen.plain import Writers, as_plain
from azgen.runs.events import Champion, champion_record
from azgen.runs.saved import load_run
from azgen.search.evolve import Outcome
from azgen.settings.settings import Settings
from azgen.study.champion import Choice
from azgen.study.model import class_labels, exported_class, features_of
from azgen.study.report.comparison import beside_baselines
from azgen.study.report.page import render_report
from azgen.study.scores import Score, digest
from azgen.study.verdict import standing, verdict
from azgen.study.wording import interval, signed
from azgen.tasks.reading import table_reading
from azgen.tasks.task import TaskSplit

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def _beside(record: Mapping[str, Any]) -> str:
    """The best on the test tasks and the champion, as a table of a page."""
    rows = list(standing(record).rows)
    shown = [row for place, row in enumerate(rows) if place < _MOST_SHOWN or _is_champion(row)]
    lines = [
        (
            "the champion" if _is_champion(row) else row["name"],
            interval(row["fitness"]),
            signed(row.get("champion_minus_this")),
        )
        for row in shown
    ]
    head = "".join(f"<th>{name}</th>" for name in ("on test tasks", "fitness", "champion is better by"))
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in line)}</tr>" for line in lines)
    more = f"<p>and {len(rows) - len(shown)} more: .to_frame()</p>" if len(rows) > len(shown) else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _is_champion(row: Mapping[str, Any]) -> bool:
    return "champion_minus_this" not in row


_MOST_SHOWN = 8
"""Of champion and baselines, where a notebook shows a run."""

_WRITERS: Writers = {Champion: champion_record, Choice: Choice.as_record, Score: Score.as_record}


@dataclass(frozen=True, repr=False)
class Run:
    """What a run found, and where it is kept.

    Attributes:
        choice: why the champion is the champion.
        outcome: what the search found, and how its best did: champion, hall of fame, counts, end, times.
        search, select, test: the champion's score per task of each set, with confidence intervals; no part of
            the search has seen the test tasks.
        baselines: what else scores on the same test tasks.
        settings: everything that decided the run.
        tasks: the task sets.
        directory: the run directory.
        export_path: the champion as a Python module that needs NumPy alone.
    """

    outcome: Outcome
    choice: Choice
    search: Score
    select: Score
    test: Score
    baselines: tuple[Score, ...]
    settings: Settings
    tasks: TaskSplit
    directory: Path
    export_path: Path

    def __repr__(self) -> str:
        return f"Run({self.directory}, test fitness {self.test.interval}, champion {self.champion!r})"

    def _repr_html_(self) -> str:
        record = self.as_record()
        heading = f"<p><b>{escape(verdict(record))}</b></p><p>{escape(str(self.directory))}</p>"
        return heading + _beside(record) + self.champion._repr_html_()

    def to_frame(self) -> pd.DataFrame:
        """Champion and baselines on the test tasks as a data frame, best first: name, fitness and the half
        width of its interval, tasks, by how much the champion is better, and R2 and error for numbers.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        need("pandas", "Run.to_frame needs")
        import pandas as pd

        return pd.DataFrame(beside_baselines(self.as_record()))

    def report(self, path: str | Path | None = None) -> Path:
        """Writes the run as one HTML page (`azgen report`; needs matplotlib).

        Args:
            path: the file; None: report.html in the run directory.

        Raises:
            AzgenError: matplotlib is missing, or the file cannot be written.
        """
        target = Path(path) if path is not None else self.directory / "report.html"
        check_place(target)
        write_export(target, render_report(load_run(self.directory)))
        return target

    @cached_property
    def model(self) -> Any:
        """The champion as an estimator, trained on all rows of the run's table but the test rows.

        Raises:
            AzgenError: the run's tasks are of no table.
        """
        raw = self.tasks.raw
        if raw is None:
            raise AzgenError(
                "only a run on a table has rows to train a model on; this one's tasks are of another kind "
                f"({self.settings.tasks.source}): azgen.export(run.champion.program, ...) gives an estimator"
            )
        metric = self.tasks.metric
        made = exported_class(
            self.champion.program, metric, self.settings.dtype, self.settings.execution.epochs
        )
        labels = raw.y_train
        if is_classification(metric):
            labels = class_labels(self.tasks.label_names)[labels.astype(int)]
        return made().fit(raw.x_train, labels)

    def predict(self, X: Any) -> NDArray[Any]:
        """What `model` predicts: numbers in the target's unit, or classes.

        Args:
            X: examples x features: an array in the order of the features, or a data frame with the table's
                columns, of which others than the run used are ignored.

        Raises:
            AzgenError: the run's tasks are of no table, or X has not the table's columns.
        """
        model, raw = self.model, self.tasks.raw
        reading = table_reading(self.tasks.provenance, "the run's tasks")
        assert raw is not None and reading is not None
        rows = features_of(X, reading)
        found: NDArray[Any] = model.predict(raw.fill(rows))
        return found

    @property
    def champion(self) -> Champion:
        """The chosen program: ``.program``, ``.search_fitness``, ``.select_fitness``."""
        return self.outcome.champion

    @property
    def hall_of_fame(self) -> tuple[Champion, ...]:
        """The best programs of different structure, best first."""
        return self.outcome.hall_of_fame

    @property
    def test_fitness(self) -> float:
        """The champion's mean fitness on the test tasks."""
        return self.test.interval.mean

    @property
    def counts(self) -> dict[str, int]:
        """Programs by what became of them."""
        return self.outcome.counts

    @property
    def reason(self) -> str:
        """What ended the search, in words."""
        return self.outcome.reason

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the search."""
        return self.outcome.interrupted

    @property
    def learner(self) -> tuple[str, ...]:
        """The champion's class Learner, line by line, without its documentation."""
        lines = learner_source(self.champion.program, metric=self.tasks.metric, dtype=self.settings.dtype)
        return without_docstrings([line.text for line in lines])

    def as_record(self) -> dict[str, Any]:
        """The run as plain values: the content of result.json."""
        settings, metric, outcome = self.settings, self.tasks.metric, self.outcome
        record: dict[str, Any] = {
            "name": settings.name,
            "seed": settings.seed,
            "source": settings.tasks.source,
            "metric": str(metric),
            "fitness_is": describe_metric(metric),
            "classification": is_classification(metric),
            **settings.conditions.arithmetic_record,
            "data": self.tasks.description,
            "test_digest": digest(self.tasks.test),
            "champion": self.champion,
            "choice": self.choice,
            "epochs": settings.execution.epochs,
            "search": self.search,
            "select": self.select,
            "test": self.test,
            "baselines": self.baselines,
            "target": self._target(),
            "counts": outcome.counts,
            "quarantined": outcome.quarantined,
            "ratings": outcome.ratings,
            "reason": outcome.reason,
            "seconds": outcome.seconds,
            "cpu_seconds": outcome.cpu_seconds,
            "search_seconds": outcome.search_seconds,
            "directory": str(self.directory),
            "export": str(self.export_path),
        }
        plain: dict[str, Any] = as_plain(record, _WRITERS)
        return plain

    def _target(self) -> dict[str, Any]:
        """A table's target: its name, and its unit in units of the labels; empty for classes and others."""
        standardization = self.tasks.provenance.get("standardization")
        if self.tasks.raw is None or is_classification(self.tasks.metric) or not standardization:
            return {}
        return {"name": self.tasks.label_names[0], "scale": standardization["label_scale"]}
