"""The exported estimator, compiled and of NumPy: ``python benchmarks/compiled_estimators.py``.

CPU time of fit and predict on 10 000 examples of 20 features, the best of several runs; "row by row" is the
class Learner asked for each prediction, as programs are that carry something over from one to the next.
"""

from __future__ import annotations

import copy
import importlib
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from azgen.exports.package import render_package
from azgen.language.zoo import zoo

PROGRAMS = ("linear", "neural-net", "mean-weight-rate", "best-evolved")
EXAMPLES, FEATURES = 10_000, 20


def built(name: str, root: Path) -> Any:
    """The package of a program of the zoo, built and imported."""
    module = f"bench_{name.replace('-', '_')}"
    for path, text in render_package(zoo(name), FEATURES, metric="rmse", name=module).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    line = [sys.executable, "-W", "ignore", "setup.py", "-q", "build_ext", "--inplace", "--force"]
    subprocess.run(line, cwd=root, check=True, capture_output=True)
    sys.path.insert(0, str(root))
    return importlib.import_module(module)


def best(call: Callable[[], object], runs: int) -> float:
    """Milliseconds of CPU."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def main() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(EXAMPLES, FEATURES))
    y = x @ rng.normal(size=FEATURES) + 0.1 * rng.normal(size=EXAMPLES)
    print("| program | fit: NumPy ms | compiled ms | | predict: row by row ms | NumPy ms | compiled ms | |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name in PROGRAMS:
        with tempfile.TemporaryDirectory() as folder:
            package = built(name, Path(folder))
        kinds = package.EvolvedRegressor, package.python.EvolvedRegressor
        compiled, python = (kind().fit(x, y) for kind in kinds)
        fits = best(lambda k=kinds: k[1]().fit(x, y), 3), best(lambda k=kinds: k[0]().fit(x, y), 15)
        learner, rows = copy.deepcopy(python.learner_), python._scaled(x)
        one = best(lambda a=learner, b=rows: [a.predict(row) for row in b], 3)
        all_rows, native = (best(lambda m=m: m.predict(x), 15) for m in (python, compiled))
        cells = [f"{v:.2f}" if v < 10 else f"{v:.0f}" for v in (*fits, one, all_rows, native)]
        ratios = f"{fits[0] / fits[1]:.0f}x", f"{one / native:.0f}x"
        print(f"| {name} | {' | '.join([*cells[:2], ratios[0], *cells[2:], ratios[1]])} |")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
