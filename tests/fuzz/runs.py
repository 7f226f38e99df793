"""A run directory as one input: JSON, by file what it holds, texts as they are and values as JSON."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import cache
from pathlib import Path
from typing import Any

from azgen.errors import AzgenError
from azgen.runs.directory import RunDirectory
from azgen.runs.saved import load_run
from azgen.study.report.course import course
from azgen.study.resume import resumed_settings
from azgen.study.run import evolve

_COMMANDS = (["show"], ["show", "--baselines", "csv"], ["show", "--baselines", "latex"], ["show", "--source"])


@cache
def run_seeds() -> list[bytes]:
    """Two runs, one of a table."""
    folder = Path(tempfile.mkdtemp(prefix="azgen-fuzz-run-"))
    table = folder / "table.csv"
    table.write_text("a,b,y\n" + "".join(f"{i * 7 % 11},{i % 3},{i % 11}\n" for i in range(60)))
    evolve("linear", max_programs=1000, seed=1, out=folder / "one", baselines="few")
    evolve(None, data=str(table), target="y", max_programs=200, seed=1, out=folder / "two", baselines="few")
    return [_packed(folder / name) for name in ("one", "two")]


def _packed(folder: Path) -> bytes:
    held: dict[str, object] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            held[path.name] = json.loads(text) if path.suffix == ".json" else text
            if path.name == "environment.json":
                held[path.name]["data"] |= {"data_seeds": [1], "param_seeds": [2]}  # type: ignore[index]
            if path.suffix == ".jsonl":
                held[path.name] = [json.loads(line) for line in text.splitlines()]
    return json.dumps(held).encode()


def enter_run(data: bytes) -> None:
    """Everything that reads a run directory back."""
    with suppress(ValueError, RecursionError):
        held = json.loads(data)
        if isinstance(held, dict):
            _read_back(held)


def _read_back(held: dict[str, object]) -> None:
    folder = Path(tempfile.gettempdir()) / "azgen-fuzz-run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, value in held.items():
        if name and "/" not in name and "\0" not in name and len(name) < 99 and name.isprintable():
            text = value if isinstance(value, str) else json.dumps(value)
            if name.endswith(".jsonl") and isinstance(value, list):
                text = "".join(f"{json.dumps(line)}\n" for line in value)
            (folder / name).write_bytes(
                text.encode("utf-8", "surrogateescape" if "\ud7ff" not in text else "replace")
            )
    _command(_COMMANDS[len(json.dumps(held)) % len(_COMMANDS)], folder)
    with suppress(AzgenError):
        run = load_run(folder)
        course(run.events())
    with suppress(AzgenError):
        settings = resumed_settings(folder, max_programs=10**9)
        RunDirectory(folder).read_starts(settings.user.table)


@cache
def _main() -> Any:
    from typer.main import get_command

    from azgen.cli import app

    return get_command(app)


def _command(command: list[str], folder: Path) -> None:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        status = _main().main([command[0], str(folder), *command[1:]], standalone_mode=False)
    assert status in (None, 0, 2), status
