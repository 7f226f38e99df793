"""What `azgen` can do: its commands by name, and in a module of each group what they take.

What a command does is the function of the same name in the module of `azgen.cli` that is called like its
module here; see `declared`. All of azgen is imported for that, and nothing of it for --help or a shell's
completion.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.main import get_command

SETTINGS = {"help_option_names": ["-h", "--help"]}


@dataclass(frozen=True)
class Command:
    """A command in `azgen --help`.

    Attributes:
        panel: the group that it is listed in.
        place: module of this package and function.
        summary: what it does; the function's docstring begins with it.
    """

    panel: str
    place: str
    summary: str


_SEARCH, _PROGRAMS, _REFERENCE, _MACHINE = "Search", "Programs and runs", "Reference", "This machine"

# fmt: off
COMMANDS = {
    "evolve": Command(_SEARCH, "evolve.evolve",
        "Evolve a learning algorithm; test, save and export the best one."),
    "resume": Command(_SEARCH, "evolve.resume",
        "Go on with a run that was killed or interrupted, or give one that has ended more time or programs."),
    "difficulty": Command(_SEARCH, "difficulty.difficulty",
        "Count the acceptable programs among random ones: the difficulty of a search (figure 4 of the paper)."),
    "show": Command(_PROGRAMS, "programs.show",
        "Show a run's champion, its hall of fame, its fitness and what became of all programs; or a program."),
    "export": Command(_PROGRAMS, "export.export",
        "Write a program as a Python module that needs NumPy alone, or in other forms."),
    "runs": Command(_PROGRAMS, "runs.runs",
        "List the runs, last changed first."),
    "compare": Command(_PROGRAMS, "runs.compare",
        "Compare runs: their champions on the test tasks, paired where the tasks are the same."),
    "lineage": Command(_PROGRAMS, "lineage.show_lineage",
        "Print the stepping stones to a run's champion: what it descends from, each compared with the one before."),
    "report": Command(_PROGRAMS, "pages.report",
        "Write a run as one HTML page: figures, sources side by side, explanation, tables. Needs matplotlib."),
    "plot": Command(_PROGRAMS, "pages.plot",
        "Write a run's figures, each as a file of its own. Needs matplotlib."),
    "run": Command(_PROGRAMS, "execution.run",
        "Execute a program on tasks and print its fitness; a run's champion on the run's own tasks."),
    "explain": Command(_PROGRAMS, "understand.explain",
        "Explain a program: the known ideas in it, its nearest relative in the zoo, what its lines are worth."),
    "ablate": Command(_PROGRAMS, "understand.ablate",
        "Show what each line of a program is worth: its fitness without the line, and with 0 in its place."),
    "prune": Command(_PROGRAMS, "understand.prune",
        "Take out of a program every line that it does as well without."),
    "tune": Command(_PROGRAMS, "tune.tune",
        "Tune a program's constants: each is multiplied by a factor between 0.001 and 1000, all of them jointly."),
    "data": Command(_REFERENCE, "data.data",
        "List the data sets on this machine, describe one or a table of yours, or draw a task and show it."),
    "ops": Command(_REFERENCE, "ops.ops_command",
        "List the basic operations that programs are made of, or explain one."),
    "presets": Command(_REFERENCE, "presets.presets",
        "List the presets, or print one to start a configuration file from."),
    "zoo": Command(_REFERENCE, "zoo.zoo_programs",
        "List the zoo, hand-designed and published programs to start from and to compare with; or print one."),
    "cache": Command(_MACHINE, "machine.cache",
        "Show where compiled modules are kept and how much room they take, make room, or say why one is new."),
    "doctor": Command(_MACHINE, "machine.doctor",
        "Check that everything is there that azgen needs; exit status 1 if something is missing."),
    "simulate": Command(_MACHINE, "simulate.simulate",
        "Simulate faults: searches whose workers, clock and disk fail as a seed decides, checked after each."),
    "bench": Command(_MACHINE, "bench.bench",
        "Measure the executors, the search and the compiler on this machine."),
}
# fmt: on
"""In the order of `azgen --help`."""


def function_of(name: str) -> Any:
    """The function that says what a command takes; its module is imported."""
    module, function = COMMANDS[name].place.split(".")
    return getattr(import_module(f"{__name__}.{module}"), function)


def loaded(name: str) -> Any:
    """A command with all its options, as Typer makes it of its function."""
    alone = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings=SETTINGS,
    )
    alone.command(name)(function_of(name))
    return get_command(alone)


def list_in(app: typer.Typer) -> None:
    """Has an app list the commands, which it does not know yet."""
    for name, command in COMMANDS.items():
        app.command(name, rich_help_panel=command.panel, help=command.summary)(_not_loaded)


def _not_loaded() -> None:
    """What is listed stands for a command that `loaded` gives."""
