"""What the figures of a run show, each drawn into an empty one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from azgen.runs.members import ranked
from azgen.runs.saved import SavedRun
from azgen.study import wording
from azgen.study.report.course import Course
from azgen.study.verdict import standing
from azgen.study.wording import thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREEN, _GREY = "#1f5fa8", "#c8550b", "#2d7f4f", "#8a8f98"
MOST_COMPARED = 10
"""Best of champion and baselines that a figure shows; tables have all of them."""

_POINTS = 400
"""Points of a line at most: as many as a screen can tell apart."""


def over(into: Figure, found: Course, what: str) -> None:
    """Selection fitness of the stepping stones, and the islands' best, over programs or seconds."""
    axes = into.add_subplot()
    at = np.array(getattr(found, what), float)
    islands = np.array([row[: len(found.islands[0])] for row in found.islands], float)
    islands[islands < 0] = np.nan  # nothing has been rated yet
    step = max(1, len(at) // _POINTS)
    for number, line in enumerate(islands.T if len(islands) else ()):
        label = "best of an island" if number == 0 else None
        axes.plot(at[::step], line[::step], color=_GREY, linewidth=1, alpha=0.7, label=label)
    for seconds, programs in found.restarts[:200]:
        axes.axvline(seconds if what == "seconds" else programs, color=_ORANGE, linewidth=0.5, alpha=0.4)
    stones = found.stones
    x = [getattr(stone, what) for stone in stones]
    best = np.maximum.accumulate([stone.select_fitness for stone in stones])
    axes.step([*x, max([*at, *x])], [*best, best[-1]], where="post", color=_BLUE, linewidth=1.4)
    axes.plot(x, [s.select_fitness for s in stones], "o", color=_BLUE, markersize=4, label="stepping stones")
    axes.set_xlabel("programs" if what == "programs" else "seconds of search")
    axes.set_ylabel("fitness")
    axes.locator_params("x", nbins=5)
    if what == "programs":
        axes.xaxis.set_major_formatter(lambda value, _: thousands(round(value)))
    _from_stones(axes, best, islands)
    into.legend(loc="outside upper left", ncols=2)


def _from_stones(axes: Axes, stones: Any, islands: Any) -> None:
    """The range in which something happens: what is far below the first stone is left out."""
    values = np.concatenate([np.ravel(islands), stones])
    values = values[np.isfinite(values)]
    low = min(float(np.min(stones)), float(np.quantile(values, 0.02)))
    high = float(np.max(values))
    room = max(0.08 * (high - low), 1e-4)
    axes.set_ylim(low - room, high + room)


def archive(into: Figure, fitness: Any, tried: Any) -> None:
    """Fitness of an archive's entries, and how often runs began at each."""
    axes = into.add_subplot()
    order = np.argsort(-fitness, kind="stable")
    axes.vlines(np.arange(1, len(order) + 1), 0, tried[order], color=_GREY, linewidth=1)
    axes.set_xlabel("entry, best first")
    axes.set_ylabel("runs that began there", color=_GREY)
    axes.locator_params("y", integer=True)
    axes.set_ylim(0, max(1.0, 1.05 * float(np.max(tried, initial=0))))
    right = axes.twinx()
    right.plot(np.arange(1, len(order) + 1), fitness[order], "o", color=_BLUE, markersize=3)
    right.set_ylabel("fitness on the rating tasks", color=_BLUE)
    right.grid(False)


def islands(into: Figure, found: Course) -> None:
    """The best of each island over the programs, as colours."""
    axes = into.add_subplot()
    width = len(found.islands[-1])
    rows = [row for row in found.islands if len(row) == width]
    step = max(1, len(rows) // _POINTS)
    values = np.array(rows[::step], float).T
    values[values < 0] = np.nan
    low, high = np.nanquantile(values, [0.05, 1.0])
    end = found.programs[-1]
    picture = axes.imshow(
        values,
        aspect="auto",
        vmin=low,
        vmax=max(high, low + 1e-6),
        extent=(0, end, width - 0.5, -0.5),
        cmap="cividis",
        interpolation="nearest",
    )
    axes.set_xlabel("programs")
    axes.set_ylabel("island")
    axes.set_yticks(range(width) if width <= 16 else range(0, width, max(1, width // 8)))
    axes.grid(False)
    into.colorbar(picture, label="fitness on search tasks")


def front(into: Figure, run: SavedRun) -> None:
    """The hall of fame by cost and selection fitness."""
    axes = into.add_subplot()
    members = {m["hash"]: m for m in ((run.result or {}).get("choice") or {}).get("members", ())}
    front = sorted((c for c in run.hall_of_fame if c.on_front), key=lambda c: c.cost)
    if front:
        x, y = [c.cost for c in front], [c.select_fitness for c in front]
        axes.step(x, y, where="post", color=_GREEN, linewidth=1, label="front")
    for rank, champion in enumerate(ranked(run.hall_of_fame), 1):
        mine = champion is run.champion
        half_width = (members.get(champion.program.hash, {}).get("select") or {}).get("half_width") or 0.0
        colour = _ORANGE if mine else _GREY if champion.origin else _BLUE
        axes.errorbar(champion.cost, champion.select_fitness, half_width, color=colour, linewidth=0.8)
        marker = "s" if champion.origin else "o"
        label = "the champion" if mine else None
        axes.plot(champion.cost, champion.select_fitness, marker, color=colour, markersize=5, label=label)
        place = (champion.cost, champion.select_fitness)
        axes.annotate(str(rank), place, (4, 4), textcoords="offset points", fontsize=8, color=colour)
    axes.set_xlabel("cost of one training example, in multiplications (number: rank)")
    axes.set_ylabel("selection fitness")
    costs = [c.cost for c in run.hall_of_fame]
    if min(costs) > 0 and max(costs) > 20 * min(costs):
        axes.set_xscale("log")
    into.legend(loc="outside upper left", ncols=2)


def ladder(into: Figure, counts: dict[str, int]) -> None:
    """What became of the programs."""
    axes = into.add_subplot()
    rungs = [(row[0], counts[row[0].replace(" ", "_")]) for row in wording.ladder(counts)]
    rungs.insert(0, ("all", counts["programs"]))
    names, values = [name for name, _ in rungs][::-1], [value for _, value in rungs][::-1]
    bars = axes.barh(names, values, color=[_GREY if name == "all" else _BLUE for name in names], height=0.6)
    axes.bar_label(bars, [thousands(value) for value in values], padding=3, fontsize=8.5)
    axes.set_xscale("log")
    axes.set_xlim(0.7, max(values) * 12)
    axes.grid(axis="y", visible=False)


def compared(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Rows that the figure of the test tasks has room for: the best, the champion, and the last, which is a
    constant as a rule."""
    rows = list(standing(result).rows)
    kept = [*range(min(MOST_COMPARED, len(rows))), len(rows) - 1]
    kept += [place for place, row in enumerate(rows) if "champion_minus_this" not in row]
    return [rows[place] for place in sorted(set(kept))]


def test(into: Figure, result: dict[str, Any]) -> None:
    """The champion and the baselines on the test tasks."""
    left, right = into.subplots(1, 2, sharey=True)
    rows = compared(result)[::-1]
    least = _least(rows)
    for height, row in enumerate(rows):
        mine = "champion_minus_this" not in row
        colour = _ORANGE if mine else _BLUE
        name = "the champion" if mine else row["name"]
        left.text(0, height + 0.22, name, transform=left.get_yaxis_transform(), fontsize=8, color=colour)
        if row["fitness"]["mean"] < least:
            what = f"\N{LEFTWARDS ARROW} {row['fitness']['mean']:.3f}"
            left.text(0, height, what, transform=left.get_yaxis_transform(), fontsize=8, va="center")
            continue
        _interval(left, row["fitness"], height, colour)
        if not mine:
            _interval(right, row["champion_minus_this"], height, colour)
    right.axvline(0, color=_ORANGE, linewidth=1)
    for axes in (left, right):
        axes.locator_params("x", nbins=4)
    left.set_ylim(-0.6, len(rows) - 0.2)
    left.set_yticks([])
    left.set_xlabel("fitness")
    right.set_xlabel("the champion is better by")


def _least(rows: Sequence[Mapping[str, Any]]) -> float:
    """Fitness below which rows are named with their number alone: all others would lie on one spot.

    Those come after a gap that is more than four times as wide as the range of all above it.
    """
    means = sorted((row["fitness"]["mean"] for row in rows), reverse=True)
    for number in range(2, len(means)):
        spread = means[0] - means[number - 1]
        if means[number - 1] - means[number] > max(4 * spread, 0.05):
            return float(means[number - 1])
    return float(means[-1])


def _interval(axes: Axes, record: dict[str, Any], height: int, colour: str) -> None:
    half_width = record.get("half_width") or 0.0
    axes.errorbar(record["mean"], height, xerr=half_width, fmt="o", color=colour, markersize=4, linewidth=1)
