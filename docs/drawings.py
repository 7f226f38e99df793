"""Draws the pictures of the explanation pages, docs/drawn/*.svg: `python docs/drawings.py [FOLDER]`.

One unit is a point. A picture is as wide as a telephone's page, on a card of its own, which suits
light and dark pages alike.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

WIDTH = 400
INK, GREY, CARD = "#23263a", "#565b73", "#f7f7fb"
BLUE, SOFT, GREEN, AMBER, RED = "#3f51b5", "#dfe3f6", "#2e7d32", "#f7e2bd", "#f5d0cc"
TASKS = ["#cfd8f7", "#d5ecd6", "#f9e3bf", "#f3d3e4", "#cfe9ee", "#e5dbf5", "#f6d5cd", "#e6e8c8"]
Point = tuple[float, float]


def card(height: float) -> tuple[Figure, Axes]:
    """An empty picture: y grows downwards."""
    figure = Figure(figsize=(WIDTH / 72, height / 72))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.axis("off")
    box(axes, 1, 1, WIDTH - 2, height - 2, (), fill=CARD, radius=8)
    return figure, axes


def label(
    axes: Axes, x: float, y: float, text: str, size: float = 12, at: str = "center", ink: str = INK
) -> None:
    """A line of text around y; lines are drawn one by one, so that a reader's own font keeps them centred."""
    axes.text(x, y, text, size=size, ha=at, va="center_baseline", color=ink)


def box(
    axes: Axes,
    x: float,
    y: float,
    w: float,
    h: float,
    lines: tuple[str, ...],
    fill: str = SOFT,
    radius: float = 5,
) -> None:
    """A box with lines of text in its middle, white on dark colours."""
    style = f"round,pad=0,rounding_size={radius}"
    edge = "#d5d8e6" if fill == CARD else "none"
    axes.add_patch(FancyBboxPatch((x, y), w, h, boxstyle=style, facecolor=fill, edgecolor=edge, linewidth=1))
    for i, line in enumerate(lines):
        ink = "white" if fill in (BLUE, GREEN) else INK
        label(axes, x + w / 2, y + h / 2 + (i - (len(lines) - 1) / 2) * 14, line, ink=ink)


def arrow(axes: Axes, start: Point, end: Point, bend: float = 0, color: str = GREY) -> None:
    """From one point to another, bent to a side."""
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=9,
            shrinkA=0,
            shrinkB=0,
            color=color,
            linewidth=1.3,
            connectionstyle=f"arc3,rad={bend}",
        )
    )


def ladder() -> Figure:
    """Which rung a child leaves at, and with which fitness: templates/kernel/ladder.pyx.j2."""
    rungs = (
        (("normal form, hash",), (("same as one before", "fitness known"),)),
        (("cost",), (("over the limit", "fitness 0"),)),
        (
            ("probe:", "10 + 10 examples"),
            (("fails on every task", "fitness 0"), ("predicts as one before", "fitness known")),
        ),
        (("hurdles:", "some of the tasks"), (("worse than most", "fitness so far"),)),
    )
    figure, axes = card(494)
    box(axes, 200, 12, 184, 30, ("a child: mutated parent",), BLUE)
    y = 64.0
    for words, exits in rungs:
        height = 34.0 * len(exits) + 6 * (len(exits) - 1)
        arrow(axes, (292, y - 22), (292, y))
        box(axes, 200, y, 184, height, words)
        for i, (why, fitness) in enumerate(exits):
            top = y + 40 * i
            box(axes, 14, top, 152, 34, (why, fitness), AMBER if fitness != "fitness 0" else RED)
            arrow(axes, (200, top + 17), (168, top + 17))
        y += height + 22
    for words, fill in (
        (("evaluated on all tasks,", "side by side in lanes"), BLUE),
        (("leader: rated on", "selection tasks"), BLUE),
        (("champion: native code,", "unseen tasks, exported"), GREEN),
    ):
        arrow(axes, (292, y - 22), (292, y))
        box(axes, 200, y, 184, 36, words, fill)
        y += 54 + 4
    label(axes, 90, 27, "leaves early with", ink=GREY)
    label(axes, 90, 352, "most never come", ink=GREY)
    label(axes, 90, 367, "this far", ink=GREY)
    return figure


def archive() -> Figure:
    """Cells, runs that start from them, what enters, and the stages: azgen/search/archive_island.py."""
    figure, axes = card(386)
    label(axes, 92, 20, "archive: the best of each cell")
    filled = {0: ".91", 2: ".74", 5: ".88", 6: ".83", 9: ".79", 12: ".86", 15: ".72"}
    for i in range(16):
        x, y = 16 + 38 * (i % 4), 34 + 38 * (i // 4)
        box(axes, x, y, 34, 34, (filled.get(i, ""),), BLUE if i == 5 else SOFT if i in filled else "#eeeff5")
    label(axes, 92, 199, "a cell is a program's skeleton", 11.5, ink=GREY)
    steps = (
        ("short run: 1000 mutants", "on search tasks of its own"),
        ("it stands still: the best", "of its cells are offered"),
        ("shrink: needless", "instructions go"),
        ("tune the constants",),
        ("rate on tasks that", "no run uses"),
    )
    for i, words in enumerate(steps):
        box(axes, 218, 14 + 50 * i, 168, 36, words, AMBER if i > 1 else SOFT)
        if i:
            arrow(axes, (302, 50 * i), (302, 14 + 50 * i))
    arrow(axes, (88, 81), (217, 32), -0.2, BLUE)
    arrow(axes, (218, 236), (150, 208), -0.25, GREEN)
    label(axes, 104, 226, "enters its cell if it", ink=GREEN)
    label(axes, 104, 241, "is the best there", ink=GREEN)
    axes.plot([14, 386], [270, 270], color="#d5d8e6", linewidth=1)
    box(axes, 14, 284, 158, 48, ("stage 1: linear tasks,", "until three have 0.95"), BLUE)
    arrow(axes, (172, 308), (228, 308))
    label(axes, 200, 297, "cheapest", 11.5, ink=GREY)
    box(axes, 228, 284, 158, 48, ("stage 2: the run's own,", "two-layer tasks"), BLUE)
    label(axes, 200, 350, "no better archive in 150 000 programs:", ink=GREY)
    label(axes, 200, 366, "it is given up, and everything begins anew", ink=GREY)
    return figure


def lanes() -> Figure:
    """One register of eight float32 numbers: tasks side by side, or fewer tasks and packs of entries."""
    figure, axes = card(368)
    label(axes, 14, 20, "s1 * s2 on eight tasks: one instruction", at="left")
    for row, name in enumerate(("s1", "* s2", "= s3")):
        y = 34 + 28 * row
        label(axes, 46, y + 12, name, at="right")
        for task in range(8):
            box(axes, 52 + 42 * task, y, 39, 24, (f"task {task + 1}" if row == 0 else "",), TASKS[task], 3)
    axes.plot([14, 386], [128, 128], color="#d5d8e6", linewidth=1)
    label(axes, 14, 145, "a vector v in a register as wide: 256 bits", at="left")
    for row, (width, words) in enumerate(
        (
            (8, "8 lanes: entry 0 of eight tasks"),
            (4, "4 lanes, packs of 2"),
            (1, "1 lane, a pack of 8: one task"),
        )
    ):
        y = 160 + 68 * row
        label(axes, 14, y + 9, words, at="left", ink=GREY)
        for i in range(8):
            task, entry = i % width, i // width
            words_of_box = (f"v[{entry}]", f"task {task + 1}")
            box(axes, 14 + 46.8 * i, y + 20, 44, 34, words_of_box, TASKS[task], 3)
    return figure


def determinism() -> Figure:
    """Rounds of islands, who carries them out, and what is the same: azgen/search/coordinator.py."""
    figure, axes = card(400)
    for island in range(3):
        x = 14 + 128 * island
        for number in range(2):
            box(axes, x, 14 + 88 * number, 116, 34, (f"island {island}, round {number + 1}",))
        arrow(axes, (x + 58, 48), (x + 58, 102))
        arrow(axes, (x + 58, 136), (x + 58, 158))
        if island < 2:
            arrow(axes, (x + 90, 48), (x + 156, 102), color=GREEN)
    axes.plot([360, 388], [48, 71], color=GREEN, linewidth=1.3)  # from the last to the first, around
    arrow(axes, (12, 79), (40, 102), color=GREEN)
    box(axes, 14, 158, 372, 32, ("taken in round by round: island 0, then 1, then 2",), BLUE)
    label(axes, 200, 200, "after set rounds, programs travel", 11.5, ink=GREEN)
    label(axes, 200, 213, "a checkpoint keeps all states, from which it goes on", 11.5, ink=GREY)
    axes.plot([14, 386], [222, 222], color="#d5d8e6", linewidth=1)
    label(axes, 14, 239, "who carries out the rounds, and when", at="left")
    for row, (name, parts) in enumerate(
        (
            ("1 worker", "0 1 2 0 1 2"),
            ("2 workers", "0 2 0|1 1 2"),
            ("one killed", "0 † 1 1|2 0 . 2"),
        )
    ):
        y = 252.0 + 46 * row
        label(axes, 14, y + 18, name, at="left")
        for worker, line in enumerate(parts.split("|")):
            for i, which in enumerate(line.split()):
                if which != ".":  # a pause
                    fill = RED if which == "†" else TASKS[int(which)]
                    top = y + (10 if "|" not in parts else 20 * worker)
                    box(axes, 82 + 31 * i, top, 28, 17, (which,), fill, 3)
        arrow(axes, (272, y + 18), (298, 316))
    box(axes, 300, 292, 86, 48, ("the same", "champion"), GREEN)
    return figure


def cache() -> Figure:
    """From source to a loaded module: azgen/codegen/build.py and store.py."""
    figure, axes = card(356)
    box(axes, 14, 14, 176, 34, ("generated source",), BLUE)
    box(axes, 210, 14, 176, 34, ("compiler, flags, processor,", "Cython, Python's ABI"))
    arrow(axes, (102, 48), (160, 72))
    arrow(axes, (298, 48), (240, 72))
    box(axes, 100, 72, 200, 30, ("key: SHA-256 of all that",), AMBER)
    arrow(axes, (200, 102), (200, 126))
    box(axes, 100, 126, 200, 30, ("is there an entry of this key?",))
    arrow(axes, (100, 141), (70, 184), 0.3)
    label(axes, 60, 155, "no", ink=GREY)
    box(axes, 14, 184, 140, 50, ("compiled, once,", "in a folder apart"), BLUE)
    arrow(axes, (84, 234), (84, 264))
    box(axes, 14, 264, 140, 64, ("manifest of checksums;", "renamed to the entry,", "whole or not at all"))
    arrow(axes, (300, 141), (310, 184), -0.3)
    label(axes, 332, 155, "yes", ink=GREY)
    arrow(axes, (154, 296), (226, 234))
    box(axes, 226, 184, 160, 50, ("are all files what", "the manifest says?"), AMBER)
    arrow(axes, (226, 202), (154, 202))
    label(axes, 190, 180, "no: moved", 11.5, ink=GREY)
    label(axes, 190, 193, "away", 11.5, ink=GREY)
    arrow(axes, (310, 234), (310, 272))
    label(axes, 330, 254, "yes", ink=GREY)
    box(axes, 226, 272, 160, 48, ("loaded, native code",), GREEN)
    return figure


PICTURES: dict[str, Callable[[], Figure]] = {
    "ladder": ladder,
    "archive": archive,
    "lanes": lanes,
    "determinism": determinism,
    "cache": cache,
}


def main(folder: Path = Path(__file__).parent / "drawn") -> None:
    """Writes all pictures; the same bytes again with the same matplotlib."""
    settings: dict[Any, Any] = {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "azgen",
        "font.family": ["DejaVu Sans"],
    }
    with matplotlib.rc_context(settings):
        for name, draw in PICTURES.items():
            path = folder / f"{name}.svg"
            draw().savefig(path, transparent=True, metadata={"Date": None})
            svg = path.read_text(encoding="utf-8")
            svg = svg.replace("'DejaVu Sans'", "Arial, Helvetica, 'DejaVu Sans', sans-serif")
            path.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
