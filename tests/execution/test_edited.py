"""Sources that a person has edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from azgen.execution.edited import execute_edited
from azgen.execution.execute import execute
from azgen.language.conditions import USUAL
from azgen.language.zoo import zoo
from azgen.study.repro import generated_source
from azgen.tasks.synthetic import linear_tasks
from tests.agreement import same_bits


@pytest.mark.parametrize("n_features", [4, 32, 64, 256])
def test_what_is_shown_is_run_also_where_native_code_has_lanes_of_its_own(
    n_features: int, tmp_path: Path
) -> None:
    program, tasks = zoo("linear"), linear_tasks(3, n_features, 20, 10, seed=0)
    source = tmp_path / "candidate.pyx"
    source.write_text(generated_source(program, n_features, tasks[0].metric, USUAL))
    assert same_bits(execute_edited(program, source, tasks, USUAL), execute(program, tasks))
