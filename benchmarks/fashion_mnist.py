"""AutoML-Zero's best evolved program beside hand-designed ones on Fashion-MNIST, two classes at a time, 784
dimensions.

    python benchmarks/fashion_mnist.py [--trials 160] [--pairs 45] [--json FILE]

Real et al. 2020 (section 4.2) give 98.60 % for the evolved program, 97.90 % for logistic regression and
98.21 % for a two-layer net; which pairs of classes they used they do not say, so all 45 are run here. Needs
the Debian package dataset-fashion-mnist (or AZGEN_DATA). Half an hour of one core.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from itertools import combinations
from pathlib import Path

from azgen.errors import AzgenError
from azgen.language.conditions import Conditions
from azgen.language.program import Program
from azgen.language.zoo import find_program
from azgen.study.scores import Interval
from azgen.tasks.datasets import load_data_set
from benchmarks.final_protocol import Protocol, final_protocol

PAPER = {"best-evolved": 98.60, "linear": 97.90, "neural-net": 98.21}
TUNING_PAIRS = ((4, 6), (3, 5))  # the first two that the original's schema holds out


def _program(name: str) -> Program:
    return find_program(name if name.endswith(".az") else f"zoo:{name}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=160, help="settings of the constants per program")
    parser.add_argument("--pairs", type=int, default=45, help="test on the first so many pairs of classes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--programs",
        default="linear,affine,neural-net,best-evolved",
        help="of the zoo, or .az files; with --trials 1 they are tested as they are",
    )
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    arguments = parser.parse_args()
    try:
        data = load_data_set("fashion-mnist")
    except AzgenError as error:
        print(f"skipped: {error}", file=sys.stderr)
        return 0
    began, cpu = time.perf_counter(), time.process_time()
    scores = final_protocol(
        data,
        {Path(name).stem: _program(name) for name in arguments.programs.split(",")},
        TUNING_PAIRS,
        list(combinations(range(10), 2))[: arguments.pairs],
        Protocol(trials=arguments.trials),
        Conditions(seed=arguments.seed),
        observe=lambda message: print(f"[{time.perf_counter() - began:6.0f} s] {message}", flush=True),
    )
    best = scores[-1]
    print(f"\n{'program':<14} {'accuracy %':>18} {'paper %':>8}  {best.name} is better by    tuning    test")
    for score in scores:
        interval = score.interval
        difference = Interval.of(best.accuracy - score.accuracy)
        print(
            f"{score.name:<14} {100 * interval.mean:>9.2f} ± {100 * interval.half_width:.2f} "
            f"{PAPER.get(score.name, float('nan')):>11.2f}  "
            f"{100 * difference.mean:>10.2f} ± {100 * difference.half_width:.2f} "
            f"{score.tuning_seconds:>15.0f} s {score.test_seconds:>5.0f} s"
        )
    print(f"\n{time.perf_counter() - began:.0f} s, of processor time {time.process_time() - cpu:.0f} s")
    if arguments.json:
        record = [
            {
                "name": score.name,
                "program": str(score.tuned.program),
                "factors": score.tuned.factors,
                "validation": score.tuned.fitness.tolist(),
                "accuracy": score.accuracy.tolist(),
                "tuning_seconds": score.tuning_seconds,
                "test_seconds": score.test_seconds,
            }
            for score in scores
        ]
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
