"""`azgen data`: what data there is, what a data set or table holds, what a task drawn from it looks like."""

from __future__ import annotations

import dataclasses
from typing import Any

from rich.console import Console

from azgen.cli.output import console, grid
from azgen.cli.tables import describe
from azgen.cli.tasks import chosen, show_task
from azgen.errors import AzgenError
from azgen.settings.reading import settings_from
from azgen.settings.resolve import source_of
from azgen.tasks.datasets import list_data_sets
from azgen.tasks.image_sets import DATA_VARIABLE, data_folders
from azgen.tasks.sources import Source
from azgen.tasks.synthetic import TEACHERS
from azgen.textual import to_json


def data(
    name: str | None,
    target: str | None,
    draw: bool,
    kind: str,
    json: bool,
    drawn: dict[str, Any],
    table: dict[str, Any],
) -> None:
    """Lists data sets, describes one or a table, or shows a task."""
    to = console()
    if name is None:
        if draw:
            raise AzgenError(
                "draw tasks of what? Give a data set, a table or a teacher: azgen data digits --draw"
            )
        _list(to, json)
        return
    tasks = _tasks(name, target, kind, drawn if draw else {}, table)
    if draw:
        split = tasks.split(drawn.get("seed", 0))
        shown = chosen(split, drawn.get("set", "search"), drawn.get("task", 0))
        show_task(to, split, shown, drawn.get("rows", 5), json)
    elif name in TEACHERS:
        raise AzgenError(f"{name} is a teacher; it has nothing to describe, but: azgen data {name} --draw")
    else:
        describe(to, name, target, tasks, json)


def _tasks(name: str, target: str | None, kind: str, drawn: dict[str, Any], table: dict[str, Any]) -> Source:
    """Search, selection and test tasks of whatever a name says, ten of each (of whole images one)."""
    tasks: dict[str, Any] = {"kind": kind, **table}
    features = drawn.get("features")
    if "classes" in drawn:
        tasks["classes"] = drawn["classes"]
    source, count = "teacher" if name in TEACHERS else source_of(name), 10
    tasks |= {"source": source, **({"teacher": name} if source == "teacher" else {"data": name})}
    if source == "table":
        if features is not None:
            raise AzgenError(
                "--features is for images and teachers; a table's features are its columns (--drop)"
            )
        tasks["target"] = target or ""
    elif source == "images":
        tasks["n_features"] = 16 if features is None else features
        count = 1 if features == 0 else 10  # a task of whole images takes a lot of memory
    else:
        if features == 0:
            raise AzgenError("a teacher needs features: give --features 1 or more")
        tasks |= {"n_features": features or 4, "n_train": [100] * 3, "n_valid": [100] * 3}
    tasks |= {"n_search": count, "n_select": count, "n_test": count}
    return settings_from({"tasks": tasks}, "azgen data").tasks


def _list(to: Console, json: bool) -> None:
    entries = list_data_sets()
    if json:
        print(
            to_json(
                {
                    "data_sets": [dataclasses.asdict(e) for e in entries],
                    "folders": [str(folder) for folder in data_folders()],
                }
            )
        )
        return
    to.print(
        grid([(e.name, e.place or "not here", e.description) for e in entries], "name", "where", "what it is")
    )
    if any(entry.place is None for entry in entries):
        to.print(
            "\nNothing is downloaded: azgen data NAME says where a missing set can be had and where to put it"
        )
    folders = ", ".join(str(folder) for folder in data_folders())
    to.print(f"Image sets are looked for in {folders} (and in what {DATA_VARIABLE} names).")
    to.print("azgen data NAME describes a set, azgen data FILE a table of yours; --draw shows a task.")
