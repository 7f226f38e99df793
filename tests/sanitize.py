"""`make sanitize`: kernels and candidates of random programs, compiled with AddressSanitizer and UBSan.

    python -m tests.sanitize [--programs 10000] [--seed 0] [--plant candidate-bounds]

Every program is executed by the kernel and as native code of its own, on tasks of several sizes, number
types and metrics; then two searches run in the kernel. The first address out of bounds, or undefined
operation, ends it and is told. Nothing is optimised: nothing undefined is optimised away, and compiling costs
half or less. With --plant a mistake is put into the generated source, and the run must fail: that shows that
the sanitizers see into it.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
FLAGS = "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all"
BLOCK = 64
"""Programs that share their tasks and are compiled together."""

SPACES = (
    (4, "float32", "rmse", 0),
    (7, "float64", "accuracy", 0),
    (33, "float32", "rmse", 0),
    (8, "float32", "accuracy", 3),
    (16, "float64", "rmse", 0),
)
"""Features, number type, metric, classes."""

TASKS = (12, 1, 20)
"""Numbers of tasks: with them lanes are full or not, and one task alone is laid out otherwise."""

PLANTS = {
    "candidate-bounds": ("n * sizeof(lane)); }", "(n + 1) * sizeof(lane)); }"),
    "candidate-shift": ("memset(memory, 0, n", "volatile int by = 40; memset(memory, 1 << by, n"),
    "kernel-bounds": ("memset(strand.memory, 0, sizeof(lane) *", "memset(strand.memory, 0, 100000 *"),
    "kernel-shift": ("if i < n_active:", "if (1 << (i + 40)) == 3 or i < n_active:"),
}
"""Mistakes to be planted: what of the generated source becomes what."""


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
    parser.add_argument("--programs", type=int, default=10_000, help="random programs in all (default 10000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plant", choices=PLANTS, help="plant a mistake, which must be found")
    options = parser.parse_args()
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        from azgen.codegen.cache_folder import fresh_build_directory

        del os.environ["LD_PRELOAD"]  # the compiler needs none, and takes a third longer with them
        with fresh_build_directory():
            if options.plant:
                plant(*PLANTS[options.plant])
            sweep(options.programs, options.seed)
            search(options.seed)
        print("no report")
        return 0
    variables = {
        "AZGEN_CFLAGS": FLAGS,
        "LD_PRELOAD": libraries(),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    command = [sys.executable, "-m", "tests.sanitize", *sys.argv[1:]]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}).returncode


def plant(sound: str, mistaken: str) -> None:
    """Puts a mistake into all source that has a place for it."""
    from azgen.execution import kernel, native

    def planted(render: Callable[..., dict[str, str]]) -> Callable[..., dict[str, str]]:
        return lambda *given: {name: text.replace(sound, mistaken) for name, text in render(*given).items()}

    native.render_candidates = planted(native.render_candidates)
    kernel.render_kernel = planted(kernel.render_kernel)


def sweep(n_programs: int, seed: int) -> None:
    """Random programs in every space."""
    from azgen.codegen.build import statistics
    from azgen.codegen.cache_folder import fresh_build_directory
    from azgen.execution.execute import prepare_tasks
    from azgen.language.instruction import SCALAR, VECTOR
    from tests.agreement import random_tasks
    from tests.strategies import lively_program

    rng, structures, done = np.random.default_rng(seed), set[str](), 0
    for n_tasks, (n_features, dtype, metric, classes) in itertools.cycle(itertools.product(TASKS, SPACES)):
        if done >= n_programs:
            break
        form = VECTOR if classes else SCALAR
        block = [lively_program(rng, form) for _ in range(min(BLOCK, n_programs - done))]
        tasks = random_tasks(rng, n_features, n_tasks, metric, classes=classes)
        prepared = prepare_tasks(
            tasks, seed=int(rng.integers(1000)), epochs=int(rng.integers(1, 3)), dtype=dtype
        )
        prepared.execute(block, "kernel")
        with fresh_build_directory():  # what one block compiles no other needs
            prepared.execute(block, "native")
        done += len(block)
        structures.update(program.structure_hash for program in block)
        print(
            f"{done} programs in the kernel and natively, {len(structures)} of them with code of their own; "
            f"{statistics.builds} modules; {_processor_seconds():.0f} s of processor time",
            flush=True,
        )


def _processor_seconds() -> float:
    """Of this process and its compilers."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


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
