"""The verdict, and the champion's place among the baselines."""

import io
import math

import pytest
from rich.console import Console

from azgen.cli.report import print_champion, print_fitness
from azgen.study.verdict import loses_to_a_constant, relation, standing, verdict


def record(name, mean, difference=None, half_width=0.01, **more):
    found = {"name": name, "fitness": {"mean": mean, "half_width": 0.01, "n": 10}, **more}
    if difference is not None:
        found["champion_minus_this"] = {"mean": difference, "half_width": half_width, "n": 10}
    return found


def result(*baselines, **more):
    return {"test": record("champion", 0.8, **more), "baselines": list(baselines), "metric": "rmse"}


WORSE, LEVEL, BETTER = record("worse", 0.7, 0.1), record("level", 0.801, -0.001), record("better", 0.9, -0.1)
LOST = record("lost", 0.0, 0.8)
HALF = record("half", 0.4, 0.4, failed=5)


@pytest.mark.parametrize(
    ("difference", "half_width", "expected"),
    [
        (0.1, 0.01, "better"),
        (-0.1, 0.01, "worse"),
        (0.01, 0.1, "level"),
        (0.0, 0.0, "level"),
        (0.1, None, "better"),
        (0.1, math.nan, "better"),
        (-0.1, math.nan, "worse"),
    ],
)
def test_what_an_interval_says(difference, half_width, expected):
    assert relation(record("x", 0.5, difference, half_width)) == expected


def test_the_champion_stands_among_the_baselines_and_the_diverged_apart():
    place = standing(result(WORSE, LOST, BETTER, HALF, LEVEL))
    assert [row["name"] for row in place.rows] == ["better", "level", "champion", "worse"]
    assert place.diverged == ("lost", "half")
    tie = record("tie", 0.8, 0.0)
    assert [row["name"] for row in standing(result(tie)).rows] == ["champion", "tie"]


@pytest.mark.parametrize(
    ("baselines", "expected"),
    [
        (
            [WORSE, LOST],
            "The champion is better than every baseline; the best of them is worse (+0.1000 ± 0.0100).",
        ),
        (
            [WORSE, LEVEL, LOST],
            "The champion is level with the best baseline, level (-0.0010 ± 0.0100). "
            "It is better than 2 of 3, level with 1.",
        ),
        (
            [WORSE, LEVEL, BETTER],
            "The best baseline is better than the champion: better (-0.1000 ± 0.0100). "
            "It is better than 1 of 3, level with 1, worse than 1.",
        ),
        ([], "There is no baseline to compare the champion with."),
    ],
)
def test_the_verdict(baselines, expected):
    assert verdict(result(*baselines)) == expected


def printed(function, values):
    out = io.StringIO()
    function(Console(file=out, width=200), values)
    return out.getvalue()


def test_the_table_is_sorted_with_units_and_the_diverged_on_one_line():
    values = {
        **result(
            record("better", 0.9, -0.1, r2=0.95, rms_error=0.25),
            record("worse", 0.7, 0.1, r2=0.7, rms_error=0.5),
            record("lost", 0.0, 0.8, r2=None, rms_error=None),
            record("lost, tuned (160 settings)", 0.0, 0.8),
            r2=0.9,
            rms_error=0.33,
        ),
        "search": record("champion", 0.8),
        "select": record("champion", 0.8),
        "target": {"name": "price", "scale": 100.0},
    }
    text = printed(print_fitness, values)
    lines = text.splitlines()
    assert lines[1].startswith("The best baseline is better than the champion: better")
    order = [
        next(i for i, line in enumerate(lines) if line.strip().startswith(n))
        for n in ("better", ">", "worse")
    ]
    assert order == sorted(order)
    champion = lines[order[1]]
    assert "0.900" in champion and "33" in champion.split()
    assert "RMS error (price)" in text and "R2" in text
    assert "Diverged: lost, lost, tuned (160 settings)." in text


def test_the_champion_is_known_and_chosen_for_a_reason():
    champion = {"number": 0, "origin": "zoo:linear", "program": "def Setup():\n  pass\n"}
    choice = {
        "considered": 12,
        "failing": 1,
        "level": 3,
        "best_select_fitness": 0.61,
        "pruned": ["Learn: s3 = sin(s4)"],
        "known": "zoo:linear with learning rate 0.0051",
    }
    values = {
        "name": "x",
        "seed": 0,
        "dtype": "float32",
        "counts": {"programs": 100},
        "champion": champion,
        "choice": choice,
        "epochs": 10,
    }
    text = printed(print_champion, values)
    assert text.startswith("Champion: zoo:linear (x, seed 0, float32)")
    assert (
        "This is zoo:linear with learning rate 0.0051; it learns in 10 passes over the training examples."
        in text
    )
    assert (
        "Chosen among 12 programs (1 of which fail on some selection task): the cheapest of 3 within" in text
    )
    assert "1 line taken out that it does as well without." in text and "Beware" not in text
    values["choice"] = {**choice, "warnings": ["Learn never reads the label s0."]}
    assert "Beware: Learn never reads the label s0." in printed(print_champion, values)
    del values["choice"]  # a run of before
    values["champion"] = {**champion, "origin": "", "number": 17}
    text = printed(print_champion, values)
    assert text.startswith("Champion: program 17 of 100") and "This is" not in text


def test_a_champion_that_loses_to_a_constant_is_told_in_the_first_line():
    constant = record("most frequent class", 0.85, -0.05)
    found = result(record("worse", 0.7, 0.1), constant)
    assert "0.8000, and the most frequent class 0.8500" in loses_to_a_constant(found)
    assert not loses_to_a_constant(result(BETTER, record("most frequent class", 0.79, 0.01)))
    found |= {
        "champion": {"program": "def Setup():\n  pass\n", "number": 1},
        "counts": {"programs": 10},
        "name": "table",
        "seed": 0,
        "dtype": "float32",
    }
    to = Console(file=io.StringIO(), width=200)
    print_champion(to, found)
    assert to.file.getvalue().splitlines()[0].startswith("This champion is worse than a constant")
