"""What a run's figures come to: one line, and the champion's place among the baselines.

Everything here works on the plain values of result.json, so that a run of before is judged alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

CONSTANTS = ("mean of the training labels", "most frequent class", "share of the classes in training")
"""Names of baselines that know no features."""

Record = Mapping[str, Any]
Relation = Literal["better", "level", "worse"]


@dataclass(frozen=True)
class Standing:
    """The champion among the baselines on the test tasks.

    Attributes:
        rows: records of champion and baselines, best first; the champion's has no "champion_minus_this".
        diverged: names of baselines that fail on half of the test tasks or more, which are not among the
            rows.
    """

    rows: tuple[Record, ...]
    diverged: tuple[str, ...]


def standing(result: Record) -> Standing:
    """The champion among the baselines, equals in the given order after it.

    Args:
        result: a run's result.json.
    """
    baselines = result["baselines"]
    rows = [result["test"], *(record for record in baselines if not _diverged(record))]
    rows.sort(key=lambda record: -record["fitness"]["mean"])
    return Standing(tuple(rows), tuple(record["name"] for record in baselines if _diverged(record)))


def relation(record: Record) -> Relation:
    """How the champion does beside a baseline: whether the paired interval leaves out 0, and on which side.

    Two that score the same on every task are level.
    """
    difference = record["champion_minus_this"]
    mean, half_width = float(difference["mean"]), difference["half_width"]
    margin = 0.0 if half_width is None or half_width != half_width else float(half_width)
    if abs(mean) <= margin or mean == 0:
        return "level"
    return "better" if mean > 0 else "worse"


def verdict(result: Record) -> str:
    """One or two sentences: how the champion does beside the best baseline and the others.

    Args:
        result: a run's result.json.
    """
    place = standing(result)
    others = [record for record in place.rows if "champion_minus_this" in record]
    if not others:
        return "There is no baseline to compare the champion with."
    best = others[0]
    against = f"{best['name']} ({_signed(best['champion_minus_this'])})"
    if losing := loses_to_a_constant(result):
        return losing
    by = {
        "better": "The champion is better than every baseline; the best of them is",
        "level": "The champion is level with the best baseline,",
        "worse": "The best baseline is better than the champion:",
    }[relation(best)]
    return f"{by} {against}.{_counts(others, len(place.diverged), relation(best))}"


def loses_to_a_constant(result: Record) -> str:
    """What to say first of a champion that predicts worse than a constant does; "" if it does not.

    Args:
        result: a run's result.json, which may not say.
    """
    if "test" not in result or "baselines" not in result:
        return ""
    ours = float(result["test"]["fitness"]["mean"])
    for record in result["baselines"]:
        if record["name"] in CONSTANTS and float(record["fitness"]["mean"]) > ours:
            return (
                f"This champion is worse than a constant: on the test tasks it scores {ours:.4f}, and the "
                f"{record['name']} {record['fitness']['mean']:.4f}. The features may say nothing about the "
                "target; else give the search more time."
            )
    return ""


def _counts(others: Sequence[Record], diverged: int, first: Relation) -> str:
    relations = [relation(record) for record in others]
    total = len(others) + diverged
    named = (("level with", relations.count("level")), ("worse than", relations.count("worse")))
    parts = [f"better than {relations.count('better') + diverged} of {total}"]
    parts += [f"{word} {n}" for word, n in named if n]
    if first == "better" and len(parts) == 1:
        return ""
    return f" It is {', '.join(parts)}."


def _signed(difference: Record) -> str:
    mean, half_width = float(difference["mean"]), difference["half_width"]
    margin = "" if half_width is None or half_width != half_width else f" ± {half_width:.4f}"
    return f"{mean:+.4f}{margin}"


def _diverged(record: Record) -> bool:
    fitness = record["fitness"]
    return bool(fitness["mean"] <= 0 or 2 * record.get("failed", 0) >= fitness["n"])
