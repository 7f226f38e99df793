"""Options that several commands share: how a table is read, and the user's own ops."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

_COLUMNS = "COLUMN[,COLUMN]"

OPTIONS: dict[str, Any] = {
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
        str | None,
        typer.Option(metavar=_COLUMNS, help='A table\'s columns of categories; "auto": all columns of text.'),
    ],
    "drop": Annotated[str | None, typer.Option(metavar=_COLUMNS, help="A table's columns to leave out.")],
    "drop_constant": Annotated[
        bool | None, typer.Option("--drop-constant", help="Leave a table's constant columns out.")
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
"""By the setting's name in `TaskSettings`; not given: as the configuration says."""

_LISTS = ("categorical", "drop")

KindOption = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="regression, classification or multiclass; without it the target column tells. For images "
        "multiclass means all classes at once.",
    ),
]
MetricOption = Annotated[
    str | None,
    typer.Option(
        metavar="METRIC",
        help="What fitness is. Of numbers: rmse (default), r2; of classes: accuracy (default), "
        "balanced-accuracy, log-loss; or one of --ops.",
    ),
]

OpsOption = Annotated[
    str | None, typer.Option("--ops", metavar="FILE.py", help="A Python file of your own ops and metrics.")
]


def table_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of tables, before its flag --json.

    They reach it as one argument `table`: changes to `TaskSettings`, by name.
    """
    signature = inspect.signature(command, eval_str=True)
    own = [parameter for name, parameter in signature.parameters.items() if name != "table"]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)
        for name, hint in OPTIONS.items()
    ]
    place = next((i for i, parameter in enumerate(own) if parameter.name == "json"), len(own))
    parameters = [
        p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*own[:place], *shared, *own[place:])
    ]

    @wraps(command)
    def wrapped(**given: Any) -> None:
        table = {name: given.pop(name) for name in OPTIONS}
        changes = {name: _listed(value) if name in _LISTS else value for name, value in table.items()}
        command(table={name: value for name, value in changes.items() if value is not None}, **given)

    wrapped.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # Typer reads it
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapped


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def use_build_directory(folder: Path | None) -> None:
    """Has everything compiled into this folder (`--build-dir`); None: into the usual one."""
    if folder is not None:
        from azgen.codegen.cache import set_build_directory

        set_build_directory(folder)
