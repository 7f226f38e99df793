"""`make sanitize`: kernels and candidates of random programs, compiled with AddressSanitizer and UBSan.

    python -m tests.sanitize [--programs 320] [--seed 0]

A program is executed by the kernel and natively, on tasks of several sizes, number types and metrics; then
two searches run in the kernel. The first address out of bounds, or undefined operation, ends it and is told.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
FLAGS = "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
BATCH = 32
SPACES = (
    (4, "float32", "rmse", 0),
    (7, "float64", "accuracy", 0),
    (33, "float32", "rmse", 0),
    (8, "float32", "accuracy", 3),
)
"""Features, number type, metric, classes."""


def libraries() -> str:
    """The sanitizers' libraries, which a process needs before all others."""
    paths = []
    for name in ("libasan.so", "libubsan.so"):
        answer = subprocess.run(
            ["cc", f"-print-file-name={name}"], capture_output=True, text=True
        ).stdout.strip()
        if not os.path.isabs(answer):
            sys.exit(f"the C compiler has no {name}; on Debian and Ubuntu it comes with gcc")
        paths.append(os.path.realpath(answer))
    return " ".join(paths)


def main() -> int:
    """Starts itself again with the sanitizers loaded, and says how it went."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", type=int, default=320, help="random programs in all")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        sweep(options.programs, options.seed)
        return 0
    variables = {
        "AZGEN_CFLAGS": FLAGS,
        "AZGEN_BUILD_DIR": str(ROOT / "build" / "sanitize"),
        "LD_PRELOAD": libraries(),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    command = [sys.executable, "-m", "tests.sanitize", *sys.argv[1:]]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}).returncode


def sweep(n_programs: int, seed: int) -> None:
    """Random programs in every space, and a search."""
    from azgen.execution.execute import compile_together, execute
    from azgen.language.instruction import SCALAR, VECTOR
    from tests.agreement import random_tasks
    from tests.strategies import lively_program

    rng, started = np.random.default_rng(seed), time.perf_counter()
    done = 0
    while done < n_programs:
        n_features, dtype, metric, classes = SPACES[done // BATCH % len(SPACES)]
        form = VECTOR if classes else SCALAR
        batch = [lively_program(rng, form) for _ in range(min(BATCH, n_programs - done))]
        compile_together(batch, n_features, metric, dtype, classes)
        for program in batch:
            tasks = random_tasks(rng, n_features, int(rng.integers(1, 20)), metric, classes=classes)
            for backend in ("kernel", "native"):
                execute(program, tasks, backend, seed=int(rng.integers(1000)), dtype=dtype)
        done += len(batch)
        print(f"{done} programs, {time.perf_counter() - started:.0f} s", flush=True)
    search(seed)
    print(f"{done} programs by kernel and native code, and a search: no report")


def search(seed: int) -> None:
    """Evolution in the kernel, with every mutation, and in an archive."""
    from azgen.search.evolve import Evolution
    from azgen.settings.presets import preset

    for name in ("linear", "two-layer"):
        settings = preset(name)
        settings = replace(
            settings, seed=seed, stop=replace(settings.stop, max_programs=5_000, max_seconds=0.0)
        )
        ended = Evolution(settings, settings.tasks.split(seed), lambda event: None).run()
        print(f"search {name}: {ended.counts['programs']} programs", flush=True)


if __name__ == "__main__":
    sys.exit(main())
