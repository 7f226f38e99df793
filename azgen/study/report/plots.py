"""Figures of a run, drawn by matplotlib (extra `report`)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from azgen.errors import AzgenError
from azgen.extras import need
from azgen.runs.checkpoint import CHECKPOINTS, DamagedError, read
from azgen.runs.saved import SavedRun
from azgen.study.report import drawings
from azgen.study.report.course import course

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE = {
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e7eb",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.fonttype": "none",  # text stays text: small, and the reader's browser has the fonts
    "svg.hashsalt": "azgen",
    "font.family": "sans-serif",
}


@dataclass(frozen=True)
class Plot:
    """A figure of a report.

    Attributes:
        name: a word, for files and anchors.
        title, caption: what it shows.
        draw: draws it into an empty figure.
        size: width and height in inches.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[Figure], None]
    size: tuple[float, float] = (5.4, 3.4)


def require_matplotlib(who: str = "plots need") -> Any:
    """matplotlib's module of figures that need no display.

    Args:
        who: needs it, for the message.

    Raises:
        MissingExtraError: it is not installed.
    """
    return need("matplotlib.figure", who)


def figure(plot: Plot) -> Figure:
    """The figure, drawn."""
    module, matplotlib = require_matplotlib(), import_module("matplotlib")
    with matplotlib.rc_context(_STYLE):
        result: Figure = module.Figure(figsize=plot.size, layout="constrained")
        plot.draw(result)
    return result


def svg(plot: Plot) -> str:
    """The figure as an SVG element, its identifiers different from those of other plots."""
    buffer = io.StringIO()
    drawn = figure(plot)
    with import_module("matplotlib").rc_context(_STYLE):
        drawn.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{plot.name}-', text)
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{plot.name}-", text)
    label = f'<svg role="img" aria-label="{plot.title}"'
    return text.replace("<svg", label, 1)


def save(plot: Plot, path: Path, dots_per_inch: int = 150) -> None:
    """Writes the figure; the file's ending says how.

    Raises:
        AzgenError: it cannot be written.
    """
    drawn = figure(plot)
    try:
        with import_module("matplotlib").rc_context(_STYLE):
            drawn.savefig(path, dpi=dots_per_inch)
    except (OSError, ValueError) as error:  # ValueError: a format that matplotlib does not know
        raise AzgenError(f"cannot write {path}: {error}") from None


def plots(run: SavedRun) -> tuple[Plot, ...]:
    """All figures that a run has something to show in."""
    found, result = course(run.events()), run.result or {}
    shown = []
    if found.stones:
        shown += [
            Plot("programs", "Fitness over programs", _COURSE, lambda f: drawings.over(f, found, "programs")),
            Plot("time", "Fitness over time", _COURSE, lambda f: drawings.over(f, found, "seconds")),
        ]
    cells = archive(run)
    if cells is not None:
        caption = "Every entry of the archives: the best program of its cell, and how often runs began there."
        shown.append(Plot("archive", "Archive", caption, lambda f: drawings.archive(f, *cells)))
    elif len(found.islands and found.islands[-1]) > 1:
        caption = "Best on its search tasks in the population of each island; the brighter the better."
        shown.append(Plot("islands", "Islands", caption, lambda f: drawings.islands(f, found)))
    caption = "Selection fitness and cost of the hall of fame; on the line, none is both fitter and cheaper."
    shown.append(Plot("front", "Hall of fame", caption, lambda f: drawings.front(f, run)))
    if result.get("counts", {}).get("programs"):
        caption = "What became of the programs; the scale is logarithmic."
        shown.append(Plot("ladder", "Ladder", caption, lambda f: drawings.ladder(f, result["counts"])))
    if result.get("baselines"):
        shown.append(_compared(result))
    return tuple(shown)


def _compared(result: dict[str, Any]) -> Plot:
    """The champion and baselines on the test tasks."""
    rows, n = drawings.compared(result), 1 + len(result["baselines"])
    few = f" The best of {n}, the champion and the last; the table has all." if len(rows) < n else ""
    caption = (
        "On the same test tasks, mean and 95 % confidence interval. Right: by how much the champion is "
        f"better, paired; left of the line it is worse.{few}"
    )
    size = (5.4, 1.2 + 0.42 * len(rows))
    return Plot("test", "Test tasks", caption, lambda f: drawings.test(f, result), size)


_COURSE = (
    "Points: stepping stones, the programs that led the run, on the selection tasks. Thin lines: the best of "
    "each island's population on its own search tasks, which are fewer or easier."
)


def archive(run: SavedRun) -> tuple[Any, Any] | None:
    """Fitness of the entries of a run's archives at its last checkpoint, and how often runs began at them.

    None if it has no archive, nothing is in it, or the checkpoints are gone.
    """
    for path in sorted((run.path / CHECKPOINTS).glob("checkpoint-*.npz"), reverse=True):
        try:
            arrays = read(path).arrays
        except DamagedError:
            continue
        if not arrays.get("archive.n", np.zeros((1, 2)))[:, 0].any():
            return None  # no archive, or none that holds anything yet
        entries, at = [], 0
        for n_entries, n_elites in arrays["archive.n"]:
            entries.append(arrays["archive.fitness"][at : at + n_entries])
            at += n_entries + n_elites
        return np.concatenate(entries), arrays["archive.tried"]
    return None


def chosen(run: SavedRun, names: Sequence[str]) -> tuple[Plot, ...]:
    """Figures by name; all without a name.

    Raises:
        AzgenError: the run has none of this name.
    """
    every = {plot.name: plot for plot in plots(run)}
    for name in names:
        if name not in every:
            raise AzgenError(f"{run.path} has no plot {name!r}; there are {', '.join(every)}")
    return tuple(every[name] for name in names) if names else tuple(every.values())
