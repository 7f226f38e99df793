"""Options that several commands share: what may be asked of a run, how tables are read, own ops."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from azgen.cli.values import gathered, in_panels
from azgen.codegen.cache_folder import set_build_directory

_COLUMNS = "COLUMN[,COLUMN]"
_NAMES = "May be repeated; a name that holds a comma stands in double quotes."

TABLE: dict[str, Any] = {
    "positive": Annotated[
        str | None,
        typer.Option(metavar="CLASS", help="The class of a table to tell from all others."),
    ],
    "impute": Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="What replaces a table's empty cells: mean or median; without it they are refused.",
        ),
    ],
    "categorical": Annotated[
        list[str] | None,
        typer.Option(
            metavar=_COLUMNS,
            help=f'A table\'s columns of categories; "auto": all columns of text. {_NAMES}',
        ),
    ],
    "drop": Annotated[
        list[str] | None,
        typer.Option(metavar=_COLUMNS, help=f"A table's columns to leave out. {_NAMES}"),
    ],
    "drop_constant": Annotated[
        bool | None, typer.Option("--drop-constant", help="Leave a table's constant columns out.")
    ],
    "missing": Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORD[,WORD]",
            help=f"Words that mean an empty cell, such as ?; NA, NaN and nothing do anyway. {_NAMES}",
        ),
    ],
    "drop_unlabelled": Annotated[
        bool | None, typer.Option("--drop-unlabelled", help="Leave a table's rows without a label out.")
    ],
    "groups": Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Rows of one group are never on both sides of a split."),
    ],
    "time": Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Everything is scored on rows later than those trained on."),
    ],
    "folds": Annotated[
        int | None,
        typer.Option(metavar="K", help="Search tasks are K folds of the rows in place of random splits."),
    ],
    "test_fraction": Annotated[
        float | None,
        typer.Option(metavar="X", help="Share of a table's rows set aside for the test (default 0.2)."),
    ],
}
"""By the setting's name in `TableTasks`; not given: as the configuration says."""

KindOption = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="regression, classification or multiclass (one-hot labels also for two classes); without it the "
        "table's target column tells.",
    ),
]
ClassesOption = Annotated[
    str | None,
    typer.Option(metavar="WHICH", help="Of images: pairs (a task is two classes; default), or all at once."),
]
MetricOption = Annotated[
    str | None,
    typer.Option(
        metavar="METRIC",
        help="What fitness is. Of numbers: rmse (default), r2; of classes: accuracy (default), "
        "balanced-accuracy, log-loss; or one of --ops.",
    ),
]

FusedOption = Annotated[
    bool | None,
    typer.Option("--fused/--no-fused", help="Sums of products by fused multiply-add: other last digits."),
]

OpsOption = Annotated[
    str | None, typer.Option("--ops", metavar="FILE.py", help="A Python file of your own ops and metrics.")
]

ReferenceArgument = Annotated[
    str, typer.Argument(metavar="RUN | PROGRAM", help="A run directory, a program file (.az), or zoo:NAME.")
]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run directory, or its name in runs/.")]

MemberOption = Annotated[
    int | None,
    typer.Option(
        "--member", min=1, metavar="N", help="Of a run, the program of this rank in its hall of fame."
    ),
]

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

BuildDirOption = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the compile cache.")]


PANELS = {
    "Data": ("data", "target", "kind", "classes", "metric"),
    "Search": ("ops", "start", "epochs", "seed", "backend", "dtype", "fused"),
    "Limits": ("max_time", "max_programs", "target_fitness"),
    "Islands": ("islands", "workers", "engine", "scheduler"),
    "Output": ("baselines", "pick"),
}
"""Groups of what may be asked of a run; options of tables are of the group Data."""

RESUME_OVERRIDES: dict[str, Any] = {
    "max_time": Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Limit of the whole run: 90s, 10m, 1h30m."),
    ],
    "max_programs": Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="As --max-time, in programs. Either replaces the limits of before."
        ),
    ],
    "target_fitness": Annotated[
        float | None,
        typer.Option(metavar="X", help="Stop when the fitness on selection tasks exceeds this."),
    ],
    "workers": Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Processes that run islands; never changes results."),
    ],
    "engine": Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What runs islands: auto, process (this one), workers or dask. Never changes results.",
        ),
    ],
    "scheduler": Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="The Dask scheduler's, such as tcp://host:8786; without it a cluster on this machine.",
        ),
    ],
}
"""By the name in `azgen.settings.overrides.ResumeOverrides`."""

OVERRIDES: dict[str, Any] = {
    "data": Annotated[
        str | None,
        typer.Option(
            metavar="FILE | NAME", help="A table (CSV, TSV, NPZ, Parquet, ARFF) or a data set's name."
        ),
    ],
    "target": Annotated[str | None, typer.Option(metavar="COLUMN", help="The table's column to predict.")],
    "kind": KindOption,
    "classes": ClassesOption,
    "metric": MetricOption,
    "ops": OpsOption,
    "start": Annotated[
        list[str] | None,
        typer.Option(
            metavar="START",
            help="What populations start from: auto (the zoo's programs, tuned; the default for "
            "tables and images), random, empty, a program file or zoo:NAME. May be given several times.",
        ),
    ],
    "epochs": Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Passes over the training examples; without it auto finds out how many."
        ),
    ],
    "seed": Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Decides tasks, mutations and draws (default 0)."),
    ],
    "islands": Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Populations that evolve side by side and exchange programs."),
    ],
    **RESUME_OVERRIDES,
    "backend": Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="What rates programs: auto, kernel or native. Never changes results."
        ),
    ],
    "dtype": Annotated[str | None, typer.Option(metavar="TYPE", help="Number type: float32 or float64.")],
    "fused": FusedOption,
    "baselines": Annotated[
        str | None,
        typer.Option(
            metavar="WHICH", help="What the champion is compared with: all (default; takes seconds) or few."
        ),
    ],
    "pick": Annotated[
        str | None,
        typer.Option(
            metavar="RULE | N",
            help="Which program is the champion, on the selection tasks: cheapest-within-error of the best "
            "(default), best, or the N-th best.",
        ),
    ],
}
"""By the name in `azgen.settings.overrides.Overrides`; its `tasks` are the options `TABLE`."""


table_options = gathered("table", in_panels(TABLE, {"Data": tuple(TABLE)}))
"""Gives a command the options of tables; they reach it as `table`: changes to `TableTasks`, by name."""


_PLACES = {
    **{f"tasks.{name}": name for name in (*TABLE, *PANELS["Data"])},
    **{f"islands.{name}": name for name in ("workers", "engine", "scheduler")},
    **{f"stop.{name}": name for name in ("max_programs", "target_fitness")},
    **{name: name for name in ("seed", "backend", "dtype", "baselines", "pick")},
    "islands.count": "islands",
    "stop.max_seconds": "max_time",
    "execution.epochs": "epochs",
    "execution.fused": "fused",
    "evolution.initial": "start",
}
"""Options by the place of their setting."""


def with_flags(message: str) -> str:
    """A message with options in place of the settings' keys, if it is about no file's."""
    source, _, said = message.partition(": ")
    if source not in ("configuration", "azgen data"):
        return message

    def flag(place: re.Match[str]) -> str:
        return "--" + _PLACES[place[0]].replace("_", "-") if place[0] in _PLACES else place[0]

    # A key without a section is one where the message begins with it, and else any word.
    found = re.sub(r"^\w+(?= is )|\b[a-z]+\.\w+", flag, said)
    return message if found == said else found


def use_build_directory(folder: Path | None) -> None:
    """Has everything compiled into this folder (`--build-dir`); None: into the usual one."""
    if folder is not None:
        set_build_directory(folder)


@dataclass(frozen=True)
class Shown:
    """What commands that search are asked about what they write and show, and where they compile."""

    tensorboard: Annotated[
        bool,
        typer.Option(
            "--tensorboard",
            help="Also write curves for TensorBoard into the run.",
            rich_help_panel="Output",
        ),
    ] = False
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON object per event and line; the last is the result.",
            rich_help_panel="Output",
        ),
    ] = False
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="At the end, all there is to say and not a screen of it.", rich_help_panel="Output"
        ),
    ] = False
    build_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the compile cache.", rich_help_panel="Output"),
    ] = None
