"""`azgen ablate` and `azgen prune` from the command line."""

from __future__ import annotations

import json

from azgen import load
from azgen.language.zoo import zoo
from tests.commands import azgen


def test_ablate_prints_every_line_with_what_it_is_worth():
    out = azgen("ablate", "zoo:linear", "--tasks", "linear", "--set", "search")
    assert all(str(i) in out for i in zoo("linear").instructions())
    assert "Fitness on 10 search tasks" in out and "removed" in out and "set to 0" in out
    record = json.loads(azgen("ablate", "zoo:linear", "--tasks", "linear", "--set", "search", "--json"))
    assert len(record["lines"]) == 6 and record["set"] == "search"
    first = record["lines"][0]
    assert first["function"] == "setup" and first["removed"]["difference"]["n"] == 10


def test_prune_writes_the_shorter_program(tmp_path):
    file = tmp_path / "short.az"
    out = azgen("prune", "zoo:neural-net", "--tasks", "two-layer", "--set", "search", "-o", file)
    assert "removed" in out and "What stays" in out and f"Written: {file}" in out
    assert len(list(load(file).instructions())) < len(list(zoo("neural-net").instructions()))
    record = json.loads(azgen("prune", "zoo:linear", "--tasks", "linear", "--json"))
    assert record["cuts"] == [] and record["test"]["pruned"]["fitness"]["n"] == 100


def test_pruning_a_program_that_fails_says_so(tmp_path):
    file = tmp_path / "fails.az"
    file.write_text("def Setup():\n  s2 = 1e30\ndef Predict():\n  s1 = s2 * s2\ndef Learn():\n  pass\n")
    out = azgen("prune", file, "--tasks", "linear", "--set", "search")
    assert "fails on all of these tasks" in out and "What stays (0 + 0 + 0" in out
    assert "fails on all" not in azgen("prune", "zoo:linear", "--tasks", "linear", "--set", "search")


def test_mistakes_say_what_to_do():
    assert "on which tasks?" in azgen("prune", "zoo:linear", status=2)
    assert "no task set 'valid'" in azgen(
        "ablate", "zoo:linear", "--tasks", "linear", "--set", "valid", status=2
    )
    assert "name a file in a folder that exists" in azgen(
        "prune", "zoo:linear", "--tasks", "linear", "-o", "/nowhere/x.az", status=2
    )


def test_explain_names_ideas_line_by_line():
    out = azgen("explain", "zoo:linear", "--tasks", "linear", "--set", "search")
    assert "linear: zoo:linear with learning rate 0.01" in out and "Line by line" in out
    assert "gradient step: v1 moves by 0.01 times error" in out and "checked symbolically" in out
    assert "What each line is worth" in out
    record = json.loads(azgen("explain", "zoo:best-evolved-raw", "--metric", "accuracy", "--json"))
    assert record["worth"] is None and "input noise" in [idea["name"] for idea in record["ideas"]]
    assert any("May divide by zero" in warning for warning in record["warnings"])
