"""Oracle, kernel and native code on thousands of random programs: ``python -m tests.agree 10000 [--fused]``.

Too long for the suite, which compares some hundreds. F, the number of tasks (and with it lanes and packs) and
the number type change from block to block. Compiles in a folder of its own.
"""

from __future__ import annotations

import itertools
import sys
import time

import numpy as np

from azgen.codegen.cache_folder import fresh_build_directory
from azgen.codegen.lanes import lane_type
from azgen.execution.execute import compile_together
from azgen.language.conditions import Conditions
from tests.agreement import Tally, random_tasks
from tests.strategies import lively_program, random_program

FEATURES = (4, 11, 21)
TASKS = (10, 1)
BLOCK = 64
"""Programs that are compiled together; half of them long and alive."""


def main(n_programs: int, fused: bool) -> None:
    tally, shapes, started = Tally(), set[str](), time.process_time()
    blocks = itertools.cycle(itertools.product(("float32", "float64"), FEATURES, TASKS))
    for number, (dtype, n_features, n_tasks) in enumerate(blocks):
        if tally.programs >= n_programs:
            break
        rng = np.random.default_rng(number)
        programs = [(random_program, lively_program)[i % 2](rng) for i in range(BLOCK)]
        tasks = random_tasks(rng, n_features, n_tasks, ("rmse", "accuracy")[number % 5 == 0])
        compile_together(programs, tasks[0], Conditions(dtype=dtype, fused=fused), n_tasks)
        for program in programs:
            tally.compare(program, tasks, dtype, fused)
        shapes.add(str(lane_type(dtype, n_features, matrices=True, n_tasks=n_tasks)))
        print(
            f"{tally.programs} programs: {tally.exact} with the same bits in all three, "
            f"{tally.within_tolerance} within the tolerance of exp and the like, "
            f"{tally.sensitive} amplify rounding, "
            f"{len(tally.wrong)} wrong; {len(shapes)} lane types; {time.process_time() - started:.0f} s here",
            flush=True,
        )
    print("\n".join([*sorted(shapes), *tally.wrong]))
    sys.exit(bool(tally.wrong))


if __name__ == "__main__":
    with fresh_build_directory():
        numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
        main(numbers[0] if numbers else 10_000, "--fused" in sys.argv)
