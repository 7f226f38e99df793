"""What a change of templates or of the generator does to generated source: 300 programs over 6 search spaces.

    python tools/replay.py --save before        # in the checkout as it was
    python tools/replay.py --compare before     # after the change: counts, and a diff for each kind of file

Programs and spaces are always the same, lanes are given, so only the generator decides.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `tests`, which makes the programs

from azgen.codegen.candidate_source import render_candidates, render_runner
from azgen.codegen.kernel_source import KernelSpec, render_kernel
from azgen.codegen.lanes import LaneType
from azgen.codegen.target import Target
from azgen.exports.module import render_module
from azgen.language import OPS, Memory, Program
from azgen.language.program import VECTOR
from tests.strategies import random_program

SPACES = {
    "f4": Target(4, LaneType("float32", 16, frozenset(), True), "rmse"),
    "f16": Target(16, LaneType("float32", 16, frozenset(), True), "accuracy"),
    "f28-double": Target(28, LaneType("float64", 8, frozenset(), True), "r2"),
    "f33-one-lane": Target(33, LaneType("float64", 1, frozenset()), "balanced-accuracy"),
    "f64-packed": Target(64, LaneType("float32", 4, frozenset(), True, 4), "log-loss"),
    "f8-classes": Target(8, LaneType("float32", 16, frozenset(), True), "accuracy", 3),
}
PROGRAMS = 50
MEMORY = Memory(5, 6, 3)


def sources() -> dict[str, str]:
    """Everything that is generated: name -> text."""
    found = {}
    names = tuple(op.name for op in OPS)
    for number, (space, target) in enumerate(SPACES.items()):
        spec = KernelSpec(
            target.n_features, MEMORY, target.metric, target.lane.dtype, (names,) * 3, classes=target.classes
        )
        vars(spec)["target"] = target  # in place of the machine's own
        for file, text in render_kernel(spec).items():
            found[f"{space}/{file}"] = text
        rng = np.random.default_rng(number)
        for place in range(PROGRAMS):
            form = {"form": VECTOR} if target.classes else {}
            program: Program = random_program(rng, memory=MEMORY, **form)
            files = render_candidates([program], target)
            found[f"{space}/candidate-{place:02}.pyx"] = files["candidates.pyx"]
            found[f"{space}/export-{place:02}.py"] = render_module(program, dtype=target.lane.dtype)
        found |= {f"{space}/{name}": text for name, text in render_runner(target).items()}
    return found


def compare(before: dict[str, str], now: dict[str, str], shown: int) -> int:
    """Prints what differs, with the first few diffs of each kind of file; returns how many files do."""
    changed = [name for name in sorted(before | now) if before.get(name) != now.get(name)]
    diffs: Counter[str] = Counter()
    for name in changed:
        kind = name.split("/")[1].split("-")[0]
        diffs[kind] += 1
        if diffs[kind] <= shown:
            old, new = (part.get(name, "").splitlines() for part in (before, now))
            print(
                "\n".join(difflib.unified_diff(old, new, f"before/{name}", f"now/{name}", lineterm="", n=2))
            )
    print(f"{len(changed)} of {len(now)} files differ", dict(diffs) or "")
    return len(changed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--save", type=Path, metavar="FOLDER", help="write all generated source there")
    group.add_argument(
        "--compare", type=Path, metavar="FOLDER", help="print what differs from what was saved"
    )
    parser.add_argument("--diffs", type=int, default=1, help="diffs to print for each kind of file")
    options = parser.parse_args()
    now = sources()
    if options.save:
        for name, text in now.items():
            path = options.save / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return
    if not options.compare.is_dir():
        parser.error(f"there is no folder {options.compare}; make it with --save")
    files = [path for path in options.compare.rglob("*") if path.is_file()]
    before = {
        path.relative_to(options.compare).as_posix(): path.read_text(encoding="utf-8") for path in files
    }
    raise SystemExit(compare(before, now, options.diffs) > 0)


if __name__ == "__main__":
    main()
