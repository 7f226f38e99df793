"""A run as one HTML page that needs nothing else: no network, no script of others, no build step."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from azgen.codegen.candidate_source import source_target
from azgen.codegen.templates import environment
from azgen.errors import AzgenError
from azgen.execution.verify import verify
from azgen.language.instruction import FUNCTIONS
from azgen.language.metrics import Metric, describe_metric, is_classification
from azgen.runs.directory import CONFIG
from azgen.runs.members import ranked
from azgen.runs.saved import SavedRun
from azgen.study.lineage import conclusion, lineage
from azgen.study.report.course import course
from azgen.study.report.plots import plots, require_matplotlib, svg
from azgen.study.report.sources import cython_lines, program_lines, python_lines
from azgen.study.understanding.ablation import Ablation, ablate
from azgen.study.understanding.edits import places
from azgen.study.understanding.explain import Explanation, explain
from azgen.study.verdict import relation, standing, verdict
from azgen.study.wording import SET_NAMES, duration, interval, ladder, signed, thousands
from azgen.version import azgen_version

_STONES = 40
"""Stepping stones that are listed; of more, the last."""

_STEPS = 24
"""Steps of the champion's lineage that are listed; of more, those that brought the most."""

_MACHINE = ("azgen", "python", "numpy", "cython", "scikit-learn", "compiler", "processor", "platform")


@dataclass(frozen=True)
class Worth:
    """What the lines of the champion are worth; or why that is not known."""

    ablation: Ablation | None
    tasks: str
    problem: str = ""


def render_report(run: SavedRun, *, worth: bool = True) -> str:
    """The page's text.

    Args:
        run: a run that has ended, or one that was killed, as far as it had come.
        worth: also say what each line of the champion is worth, which executes it on the selection tasks.

    Raises:
        AzgenError: matplotlib is missing, or the run's directory is damaged.
    """
    require_matplotlib()
    metric = _metric(run)
    explanation = explain(run.program, is_classification(metric))
    measured = _worth(run) if worth else Worth(None, "", "left out")
    result = run.result or {}
    events = run.events()
    stones = course(events).stones
    template = environment().overlay(autoescape=True).get_template("report/page.html.j2")
    return template.render(
        run=run,
        result=result,
        verdict=verdict(result) if result.get("baselines") else "",
        fitness_is=result.get("fitness_is") or describe_metric(metric),
        facts=_facts(run),
        figures=[(plot, svg(plot)) for plot in plots(run)],
        stones=list(enumerate(stones, 1))[-_STONES:],
        n_stones=len(stones),
        steps=list(enumerate(lineage(run.champion, events, _STEPS), 1)),
        conclusion=conclusion(run.champion, run.settings.user.table),
        hall=_hall(run),
        rungs=ladder(result["counts"]) if result else [],
        columns=_columns(run, metric),
        explanation=explanation,
        lines=_lines(explanation, measured.ablation),
        worth=measured,
        tests=_tests(result),
        machine=[(name, run.environment[name]) for name in _MACHINE if name in run.environment],
        data=json.dumps(run.environment.get("data", {}), ensure_ascii=False),
        config=(run.path / CONFIG).read_text(encoding="utf-8"),
        command=f"azgen evolve {shlex.quote(str(run.path / CONFIG))}",
        interval=interval,
        thousands=thousands,
        version=azgen_version(),
    )


def _metric(run: SavedRun) -> Metric:
    name = (run.result or run.environment).get("metric")
    if name is None:
        raise AzgenError(f"{run.path} does not say which metric its tasks have")
    return run.settings.user.metric(name)


def _worth(run: SavedRun) -> Worth:
    settings = run.settings
    try:
        verify(settings.user, settings.dtype)
        split = settings.tasks.split(settings.seed, user=settings.user)
        found = ablate(run.program, split.select, settings.conditions)
        return Worth(found, f"{len(split.select)} selection tasks")
    except AzgenError as error:  # its data are gone, or are others
        return Worth(None, "", str(error))


def _facts(run: SavedRun) -> list[tuple[str, str]]:
    result, settings = run.result, run.settings
    arithmetic = settings.conditions.arithmetic
    facts = [("run", f"{run.name} (preset {settings.name}, seed {settings.seed}, {arithmetic})")]
    if result is None:
        return [*facts, ("state", f"not finished; azgen resume {run.path} goes on with it")]
    champion = run.champion
    programs = thousands(result["counts"]["programs"])
    which = champion.origin or f"program {thousands(champion.number)} of {programs}"
    choice = result.get("choice") or {}
    facts += [("data", result["data"]), ("champion", which)]
    facts += [("it is", choice["known"])] if choice.get("known") else []
    facts += [
        (f"fitness on {result[key]['fitness']['n']} {name} tasks", interval(result[key]["fitness"]))
        for key, name in SET_NAMES.items()
    ]
    time = f"{duration(result['seconds'])}, {duration(result['cpu_seconds'])} of processor time"
    ratings = result.get("ratings")
    if ratings:
        facts.append(
            (
                "evaluated",
                f"{thousands(ratings['kernel'])} on the kernel, {thousands(ratings['native'])} natively "
                f"({thousands(ratings['compiled'])} programs compiled); champions compiled: "
                f"{thousands(ratings['champions'])}",
            )
        )
    return [*facts, ("time", time), ("ended by", result["reason"])]


def _hall(run: SavedRun) -> list[tuple[Any, ...]]:
    return [
        (
            rank,
            champion,
            champion.program.size,
            champion is run.champion,
        )
        for rank, champion in enumerate(ranked(run.hall_of_fame), 1)
    ]


def _columns(run: SavedRun, metric: Metric) -> list[tuple[str, str, Any]]:
    """Title, name and lines of the three sources."""
    program, environment = run.program, run.environment
    columns = [("Program", "program", program_lines(program))]
    if "n_features" in environment:
        n_features, classes = int(environment["n_features"]), int(environment.get("classes") or 0)
        target = source_target(program, n_features, metric, run.settings.conditions, classes)
        columns.append(("Generated Cython", "cython", cython_lines(program, target)))
    columns.append(("Exported Python", "python", python_lines(program, metric, run.settings.dtype)))
    return columns


def _lines(explanation: Explanation, ablation: Ablation | None) -> list[dict[str, Any]]:
    """Every line of the champion with the ideas that it is part of, and what it is worth."""
    worth = {line.place: line for line in ablation.lines} if ablation else {}
    rows: list[dict[str, Any]] = []
    functions = list(map(str, FUNCTIONS))
    last = -1
    for place in places(explanation.program):
        if place.function != last:
            last = place.function
            rows.append({"head": f"def {functions[last].capitalize()}():"})
        line = worth.get(place)
        rows.append(
            {
                "text": str(explanation.program.functions[place.function][place.number]),
                "carries": f"{functions[place.function]}-{place.number}",
                "ideas": ", ".join(explanation.notes(place)),
                "removed": line.removed.in_words if line else "",
                "zeroed": line.zeroed.in_words if line else "",
            }
        )
    return rows


def _tests(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Champion and baselines, best first."""
    if not result.get("baselines"):
        return []
    place = standing(result)
    return [
        {
            "name": "the champion" if "champion_minus_this" not in row else row["name"],
            "champion": "champion_minus_this" not in row,
            "fitness": interval(row["fitness"]),
            "difference": signed(row.get("champion_minus_this")),
            "relation": relation(row) if "champion_minus_this" in row else "",
            "n": row["fitness"]["n"],
        }
        for row in place.rows
    ]
