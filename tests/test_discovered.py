"""Programs of docs/discovered.md have the fitness that the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from azgen import Program, execute
from azgen.settings.presets import preset

PAGE = (Path(__file__).parents[1] / "docs" / "discovered.md").read_text(encoding="utf-8")
FOUND = re.findall(
    r"^    azgen evolve ([-a-z0-9]+) --seed (\d+)(?: --max-programs \d+)?\n\n"
    r"(.*?)Test fitness (0\.\d+) over (\d+) tasks.*?```az\n(.*?)```",
    PAGE,
    re.MULTILINE | re.DOTALL,
)


def test_the_page_is_read_as_a_whole() -> None:
    assert (
        len(FOUND)
        == PAGE.count("```az")
        == len(re.findall(r"^    azgen evolve [a-z]+[-a-z0-9]* ", PAGE, re.MULTILINE))
        >= 5
    )


@pytest.mark.parametrize(
    ("name", "seed", "_", "stated", "n", "text"), FOUND, ids=[f"{f[0]}-{f[1]}" for f in FOUND]
)
def test_a_program_has_the_fitness_that_the_page_says(
    name: str, seed: str, _: str, stated: str, n: str, text: str
) -> None:
    settings = preset(name)
    tasks = settings.tasks.split(int(seed)).test
    assert len(tasks) == int(n)
    how = {"seed": int(seed), "dtype": settings.dtype, "epochs": settings.execution.epochs}
    found = execute(Program.parse(text), tasks, "native", **how)
    digits = len(stated.partition(".")[2])
    assert found.fitness.mean() == pytest.approx(float(stated), abs=0.6 * 10**-digits)
