"""The smallest sizes there are: one feature, one task, one example, functions without a line."""

import numpy as np
import pytest

from azgen.language import Program
from azgen.language.instruction import SCALAR, VECTOR
from azgen.language.zoo import zoo, zoo_names
from tests.agreement import Tally, compile_all, random_tasks
from tests.thinned import few_of

EMPTY = "def Setup():\n  pass\ndef Predict():\n  pass\ndef Learn():\n  pass\n"
LASTING = (
    "def Setup():\n  m0 = gaussian(0.0, 1.0, (n_features, n_features))\ndef Predict():\n  v2 = dot(m0, v0)\n"
    "  s1 = dot(v1, v2)\ndef Learn():\n  v3 = s0 * v0\n  v1 = v1 + v3\n  m0 = outer(v1, v0)\n"
)
"""A vector and a matrix that last from example to example."""


@pytest.mark.parametrize(
    ("dtype", "metric"),
    few_of(
        [(dtype, metric) for dtype in ("float32", "float64") for metric in ("rmse", "accuracy")],
        ("float32", "accuracy"),
        ("float64", "rmse"),
    ),
)
def test_one_feature_one_task_one_example(dtype, metric):
    hand_made = [zoo(name) for name in zoo_names()]
    programs = [
        Program.parse(EMPTY),
        Program.parse(LASTING),
        *(program for program in hand_made if program.form is SCALAR),
    ]
    compile_all(programs, 1, metric, dtype, n_tasks=1)
    tally = Tally()
    for seed, program in enumerate(programs):
        rng = np.random.default_rng(seed)
        for n_train, n_valid in ((8, 1), (1, 1)):
            tasks = random_tasks(rng, 1, n_tasks=1, metric=metric, n_train=n_train, n_valid=n_valid)
            tally.compare(program, tasks, dtype)
            tally.compare_export(program, tasks, dtype)
    assert not tally.wrong, "\n\n".join(tally.wrong)
    assert tally.programs == 2 * len(programs) and tally.exported > 0


@pytest.mark.parametrize("dtype", few_of(["float32", "float64"], "float32"))
def test_several_classes_of_one_example_each(dtype):
    programs = [program for program in map(zoo, zoo_names()) if program.form is VECTOR]
    compile_all(programs, 3, "accuracy", dtype, classes=3, n_tasks=1)
    tally = Tally()
    for seed, program in enumerate(programs):
        rng = np.random.default_rng(seed)
        tasks = random_tasks(rng, 3, n_tasks=1, metric="accuracy", n_train=3, n_valid=1, classes=3)
        tally.compare(program, tasks, dtype)
        tally.compare_export(program, tasks, dtype)
    assert not tally.wrong, "\n\n".join(tally.wrong)
    assert tally.programs == len(programs)
