"""Evaluations by the definition, the oracle in NumPy, beside those by generated code."""

from __future__ import annotations

from azgen.bench.evaluation import NATIVE, measure_evaluation
from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import Stopwatch
from azgen.bench.workloads import regression_tasks
from azgen.execution import oracle
from azgen.language.conditions import USUAL
from azgen.language.zoo import zoo
from benchmarks.effort import FullEffort

ORACLE = "oracle"


def measure_evaluation_and_oracle(effort: FullEffort) -> list[Figure]:
    """µs of one evaluation of the linear program and the neural net, per executor."""
    figures = []
    for figure in measure_evaluation(effort):
        figures.append(figure)
        if figure.by == NATIVE and figure.details["F"] == effort.features[0] and effort.oracle_runs:
            figures.append(_oracle(figure, effort.oracle_runs))
    return figures


def _oracle(native: Figure, runs: int) -> Figure:
    """The same evaluation as that by native code."""
    name, n_features, n_train = (native.details[key] for key in ("program", "F", "n_train"))
    tasks, values, total = regression_tasks(n_features, n_train), [], 0.0
    for _ in range(runs):
        with Stopwatch() as watch:
            fitness, _ = oracle.execute(zoo(name), tasks, USUAL)
            total = float(fitness.sum())
        values.append(1e6 * watch.cpu)
    details = {"F": n_features, "program": name, "n_train": n_train, "fitness_sum": total}
    return figure_of("evaluation", native.work, ORACLE, "µs", values, details=details)
