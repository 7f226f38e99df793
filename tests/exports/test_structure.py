"""Programs as JSON: put together again by the op table alone, they predict what they did."""

from __future__ import annotations

import json

import numpy as np
import pytest

from azgen import Program, execute
from azgen.exports.structure import render_json
from azgen.language import FUNCTIONS, OPS, Instruction
from azgen.language.instruction import FORMS
from azgen.language.zoo import zoo, zoo_names
from tests.agreement import random_tasks
from tests.commands import azgen
from tests.strategies import random_program


def put_together(values: dict[str, list[dict[str, object]]]) -> Program:
    """The program of its instructions, without its text."""
    (form,) = (form for form in FORMS if str(form.label) == values["label"])
    functions = []
    for name in FUNCTIONS:
        made = []
        for line in values[name]:
            op, constants = OPS[line["op"]], tuple(map(float, line["constants"]))  # type: ignore[arg-type, index]
            numbers = [int(address[1:]) for address in line["reads"]][: len(op.operands)]  # type: ignore[attr-defined]
            written = str(line["writes"])
            made.append(Instruction.of(op, int(written[1:]) if op.result else 0, numbers, constants))
        functions.append(tuple(made))
    return Program(*functions, form=form)


@pytest.mark.parametrize("name", zoo_names())
def test_the_zoo_can_be_put_together_again(name: str) -> None:
    values = json.loads(render_json(zoo(name)))
    assert put_together(values) == Program.parse(values["text"]) == zoo(name).normalized()


def test_random_programs_predict_the_same() -> None:
    rng = np.random.default_rng(0)
    tasks = random_tasks(rng, 4, 2)
    for program in (random_program(rng) for _ in range(20)):
        again = put_together(json.loads(render_json(program)))
        for one, other in zip(
            execute(program, tasks, "oracle").predictions,
            execute(again, tasks, "oracle").predictions,
            strict=True,
        ):
            np.testing.assert_array_equal(one, other)


def test_the_command_names_memory_as_the_module_does(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "linear.json" in azgen("export", "zoo:linear", "--form", "json")
    values = json.loads((tmp_path / "linear.json").read_text())
    assert "weights" in values["names"].values() and values["origin"]
