"""Writes docs/configuration.md from the settings' dataclasses: `python docs/configuration.py`."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import tomli_w

from azgen.bounds import bounds_of
from azgen.plain import tag_of
from azgen.settings import evolution, settings
from azgen.settings.presets import DEFAULT, preset, preset_names
from azgen.tasks import sources
from azgen.tasks.source import TaskSource
from azgen.tasks.table_options import TableOptions

HEAD = """# Configuration

A run is decided by its settings alone: a preset, or a TOML file of your own.

    azgen presets                          # which there are
    azgen presets linear > mine.toml       # a file to start from
    azgen evolve mine.toml --seed 7

Every key below may be left out; then it has its default. An unknown key, a value of the wrong type or
settings that contradict each other are refused with the key's name. Flags of `azgen evolve` take the place
of the file's values; `--max-time` and `--max-programs` replace both limits. The complete settings of every
run are in its directory (`config.toml`), so a run is repeated with `azgen evolve runs/NAME/config.toml`; one
that a limit of time ended may stop elsewhere on another machine, all others end with the same champion.

"""

SECTIONS = (
    ("", settings.Settings, "At the top of the file"),
    ("tasks", TaskSource, "Where tasks come from: settings of every source"),
    ("tasks", sources.TeacherTasks, 'Of `source = "teacher"`: synthetic tasks'),
    ("tasks", sources.ImageTasks, 'Of `source = "images"`'),
    ("tasks", TableOptions, 'Of `source = "table"`'),
    ("execution", settings.ExecutionSettings, "How programs are executed"),
    ("memory", settings.MemorySettings, "How many addresses there are"),
    ("setup", settings.FunctionSettings, "The functions: also `[predict]` and `[learn]`"),
    ("evolution", evolution.EvolutionSettings, "Regularised evolution"),
    ("evolution.actions", evolution.ActionWeights, "Relative frequency of the mutation actions"),
    ("evolution.wiring", evolution.WiringSettings, "Inside the wired mutations"),
    ("archive", evolution.ArchiveSettings, "An archive in place of one population"),
    ("[stages]", evolution.StageSettings, "Stages before the run's own tasks, in order"),
    ("islands", settings.IslandSettings, "Several populations side by side, and what runs them"),
    ("stop", settings.StopSettings, "When to start afresh, and when to stop"),
)


def page() -> str:
    """The page's text."""
    parts = [HEAD]
    for name, cls, title in SECTIONS:
        parts.append(f"## {f'`[{name}]` ' if name else ''}{title}\n\n{_table(cls)}\n")
    rows = [
        f"| `{n}`{' (default)' if n == DEFAULT else ''} | {preset(n).description} |" for n in preset_names()
    ]
    parts.append("## Presets\n\n| preset | what it does |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts).replace("\n\n\n", "\n\n")


def _table(cls: Any) -> str:
    hints, descriptions, bounds = get_type_hints(cls), _descriptions(cls), bounds_of(cls)
    rows = ["| key | values | default | meaning |", "|---|---|---|---|"]
    bases = [base for base in cls.__bases__ if dataclasses.is_dataclass(base)]
    common = {field.name for base in bases for field in dataclasses.fields(base)}
    for field in dataclasses.fields(cls):
        if field.name == "source":  # of the union of all, the first is the default
            tags, default = ", ".join(f'`"{name}"`' for name in sources.SOURCES), next(iter(sources.SOURCES))
            rows += [] if common else [f'| `source` | {tags} | `"{default}"` | {descriptions["source"]} |']
            continue
        hint = hints[field.name]
        if field.name in common or dataclasses.is_dataclass(hint) or tag_of(hint):
            continue
        if field.name == "ops_text":  # not given by users
            continue
        value = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        default = tomli_w.dumps({"x": list(value) if isinstance(value, tuple) else value}).partition("=")[2]
        default = default.strip() or "{}"
        default = re.sub(r"\s+", " ", default).replace("[ ", "[").replace(", ]", "]").strip()
        values = _values(hint) + (f", {bounds[field.name]}" if field.name in bounds else "")
        rows.append(f"| `{field.name}` | {values} | `{default}` | {descriptions[field.name]} |")
    return "\n".join(rows) + "\n"


def _values(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return ", ".join(f'`"{value}"`' for value in get_args(hint))
    if isinstance(hint, UnionType) or get_origin(hint) is Union:
        return " or ".join(_values(option) for option in get_args(hint))
    if get_origin(hint) is tuple and get_origin(get_args(hint)[0]) is Mapping:
        return "tables `[[islands.tasks]]` with keys of `[tasks]`, or `epochs`"
    if get_origin(hint) is tuple and dataclasses.is_dataclass(get_args(hint)[0]):
        return "tables, [below](#stages-stages-before-the-runs-own-tasks-in-order)"
    if get_origin(hint) is tuple:
        if get_args(hint)[-1] is not ...:
            return "number, or three: search, selection, test"
        return "list of names" if get_args(hint)[0] is str else "list of numbers"
    names = {int: "whole number", float: "number", str: "text", bool: "`true`, `false`"}
    return names.get(hint, "table of settings")


def _descriptions(cls: Any) -> dict[str, str]:
    """Meaning of each field, from the docstring's list of attributes."""
    _, _, listing = (cls.__doc__ or "").partition("Attributes:\n")
    first = (cls.__doc__ or "").partition("\n")[0]
    found = {field.name: first for field in dataclasses.fields(cls)}
    names: list[str] = []
    for line in listing.splitlines():
        match = re.match(r" {8}(\w+(?:, \w+)*): (.*)", line)
        if match:
            names = match[1].split(", ")
            found.update(dict.fromkeys(names, match[2]))
        elif line.strip():
            for name in names:
                found[name] += " " + line.strip()
    return {name: text.replace("|", "\\|") for name, text in found.items()}


if __name__ == "__main__":
    (Path(__file__).parent / "configuration.md").write_text(page(), encoding="utf-8")
