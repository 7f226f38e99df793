"""The second half of an exported file: reading tables as azgen does, and what its run did to its own."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from azgen.exports.sources import Part, carried
from azgen.tasks import cuts
from azgen.tasks.features import imputer
from azgen.tasks.readers import dialect, numerals, rows
from azgen.tasks.readers.base import value_name
from azgen.tasks.reading import TableReading
from azgen.tasks.standardize import column_scaling

_WIDTH = 96


def table_part(table: TableReading | None) -> dict[str, Any]:
    """What the templates of the second half are told, and azgen's own source for them.

    Args:
        table: what the run did to its table; None: there is no run on a table.
    """
    cut: list[Part] = [cuts.random_for, cuts.cut_rows, cuts.rows_by_class]
    if table and table.time:
        cut = [cuts.cut_time]
    elif table and table.groups:
        cut = [cuts.random_for, cuts.cut_groups, cuts.all_classes]
    return {
        "table": table,
        "reading": carried(numerals, dialect, rows),
        "values": carried(value_name, imputer, *cut),
        "scaling": carried(column_scaling),
        "literal": repr,
        "wrapped": _wrapped,
    }


def _wrapped(names: Sequence[str], indent: int) -> str:
    """A tuple of texts as Python source, on several lines if it is long."""
    text = repr(tuple(names))
    if len(text) <= _WIDTH - 20:
        return text
    inner = " " * (indent + 4)
    lines, line = list[str](), ""
    for name in map(repr, names):
        if line and len(inner) + len(line) + len(name) > _WIDTH:
            lines, line = [*lines, line.rstrip()], ""
        line += f"{name}, "
    return "(\n" + textwrap.indent("\n".join([*lines, line.rstrip()]), inner) + "\n" + " " * indent + ")"
