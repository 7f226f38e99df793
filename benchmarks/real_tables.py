"""Tables as people have them, each through `data`, `evolve`, `show`, `export` and the exported file itself.

    python benchmarks/real_tables.py [--folder FOLDER] [--max-time 5s] [--target COLUMN] TABLES...

TABLES are files or folders of them; `FILE:COLUMN` names the column to predict, else it is `--target`, or the
last one. What a table needs is what `azgen data` says. What is printed is a table in Markdown, a line a file:
what was needed, the fitness of the run on its test rows, and what its champion.py scores on the same ones.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

AZGEN = [sys.executable, "-m", "azgen"]


@dataclass
class Outcome:
    """What became of a table.

    Attributes:
        said: options that `azgen data` found necessary.
        run, export: fitness of the run, and of its champion.py.
        same: whether both have the same features.
        problem: what was refused, or failed; "" if nothing.
    """

    said: str = ""
    run: float = float("nan")
    export: float = float("nan")
    same: bool = False
    problem: str = ""


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
        told = self._said("data", [*AZGEN, "data", str(self.path), *self._target(target), "--json"])
        if told is None:
            return self.found
        table = json.loads(told)
        target = target or table["columns"][-1]["name"]
        if table["command"] is None:
            table = json.loads(
                self._said("data", [*AZGEN, "data", str(self.path), "--target", target, "--json"]) or "{}"
            )
        if not table or table["problem"]:
            self.found.problem = table.get("problem", self.found.problem)
            return self.found
        command = shlex.split(table["command"])[1:]
        self.found.said = shlex.join(command[5:])
        more = ["--max-time", self.max_time, "--baselines", "few", "--out", "run"]
        for name, words in (
            ("evolve", [*AZGEN, *command, *more]),
            ("show", [*AZGEN, "show", "run"]),
            ("export", [*AZGEN, "export", "run", "-o", "exported.py"]),
            (
                "predict",
                [sys.executable, "exported.py", str(self.path), "--predict", str(self.path), "-o", "out.csv"],
            ),
        ):
            if self._said(name, words) is None:
                return self.found
        text = self._said(
            "champion.py", [sys.executable, "run/champion.py", str(self.path), "--target", target]
        )
        if text is not None:
            self._compare(text)
        return self.found

    def _target(self, target: str) -> list[str]:
        return ["--target", target] if target else []

    def _said(self, name: str, words: list[str]) -> str | None:
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, errors="replace")
        if done.returncode or "Traceback" in done.stderr:
            last = next(iter(reversed(done.stderr.strip().splitlines())), f"exit status {done.returncode}")
            self.found.problem = f"{name}: {last}"
            return None
        return done.stdout

    def _compare(self, text: str) -> None:
        result = json.loads((self.folder / "run" / "result.json").read_text())
        self.found.run = result["test"]["fitness"]["mean"]
        scores = re.search(r"^this algorithm +(\S+)", text, re.MULTILINE)
        self.found.export = float(scores[1]) if scores else float("nan")
        counted = re.search(r"rows, (\d+) features?, predicting", text)
        own = re.search(r"rows, (\d+) features;", result["data"])
        self.found.same = bool(counted and own and counted[1] == own[1])


def files_of(names: list[str]) -> Iterator[tuple[Path, str]]:
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
    parser.add_argument("tables", nargs="+", metavar="TABLE[:COLUMN]")
    parser.add_argument("--folder", type=Path, help="keep the runs here")
    parser.add_argument("--target", default="", help="column to predict where none is named")
    parser.add_argument("--max-time", default="5s")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp())
    print("| table | what had to be said | run | champion.py | same features |\n|---|---|---|---|---|")
    for path, target in files_of(arguments.tables):
        found = Doors(path.resolve(), folder / path.name, arguments.max_time).through(
            target or arguments.target
        )
        if found.problem:
            print(f"| `{path.name}` | {found.problem.replace('|', '/')} | | | |", flush=True)
        else:
            said = f"`{found.said}`" if found.said else ""
            same = "yes" if found.same else "NO"
            print(f"| `{path.name}` | {said} | {found.run:.4f} | {found.export:.4f} | {same} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
