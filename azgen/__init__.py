"""Evolves whole machine-learning algorithms from basic maths, and generates the native code that runs them.

    import azgen

    run = azgen.evolve("linear", seed=3)            # search; also evolve(X, y), evolve(data="table.csv")
    print(run.champion.program, run.test_fitness)

    program = azgen.Program.parse(text)             # or azgen.load("program.az"), azgen.load("zoo:linear")
    task = azgen.Task(x_train, y_train, x_valid, y_valid, metric="rmse")
    result = azgen.execute(program, [task])         # result.fitness, result.predictions
    azgen.export(run, "winner.py")                  # a Python module that needs NumPy alone

Programs:
    Program   a learning algorithm: Setup, Predict, Learn. `Program.parse(text)` reads one, `str(program)`
              prints it; `.normalized()` is its normal form, `.hash` and `.structure_hash` identify it.
    load      a program from an .az file, or of the zoo: "zoo:linear".

Execution:
    Task      training and validation examples of one problem, metric "rmse" or "accuracy"; one-hot labels
              for several classes.
    execute   fitness and predictions of a program on tasks, by the NumPy oracle, the search kernel or native
              code.
    prepare   the same, as a function to be called again and again with everything already built.
    prepare_tasks
              tasks laid out once, to execute many programs on: `.execute([programs])`.
    Learner   a program that learns from examples as they come, its memory kept between calls: `.learn(X, y)`,
              `.predict(X)`.
    Result    what they give: `.fitness` (tasks), `.predictions` (tasks x validation examples, x classes
              if there are several), `.failed` (tasks).

Search:
    evolve    carries out a run, from a preset, a configuration or keyword arguments, in a run directory.
    resume    goes on with a run from its last checkpoint.
    Run       what it found: `.champion.program`, `.test_fitness`, `.baselines`, `.hall_of_fame`,
              `.predict(X)`, `.report()` and more.
    AzgenRegressor, AzgenClassifier
              the same as scikit-learn estimators: `fit(X, y)` searches for an algorithm, then trains it.
    export    writes a run's champion, or any program, as a Python module of its own.

AzgenError is raised for every mistake in what azgen is given; its message says what to do about it.
Names are imported when they are first used, so `import azgen` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azgen.errors import AzgenError
    from azgen.execution.bound import Result
    from azgen.execution.execute import execute, prepare, prepare_tasks
    from azgen.execution.learner import Learner
    from azgen.language.program import Program
    from azgen.language.zoo import find_program as load
    from azgen.study.estimators import AzgenClassifier, AzgenRegressor
    from azgen.study.exporting import export
    from azgen.study.finished import Run
    from azgen.study.resume import resume
    from azgen.study.run import evolve
    from azgen.tasks.task import Task

    __version__: str

__all__ = [
    "AzgenClassifier",
    "AzgenError",
    "AzgenRegressor",
    "Learner",
    "Program",
    "Result",
    "Run",
    "Task",
    "__version__",
    "evolve",
    "execute",
    "export",
    "load",
    "prepare",
    "prepare_tasks",
    "resume",
]

_HOMES = {
    "AzgenClassifier": "azgen.study.estimators",
    "AzgenError": "azgen.errors",
    "AzgenRegressor": "azgen.study.estimators",
    "Learner": "azgen.execution.learner",
    "Program": "azgen.language.program",
    "Result": "azgen.execution.bound",
    "Run": "azgen.study.finished",
    "Task": "azgen.tasks.task",
    "evolve": "azgen.study.run",
    "execute": "azgen.execution.execute",
    "export": "azgen.study.exporting",
    "load": "azgen.language.zoo",
    "prepare": "azgen.execution.execute",
    "prepare_tasks": "azgen.execution.execute",
    "resume": "azgen.study.resume",
}

_NAMES = {"load": "find_program"}
"""What is called otherwise at home."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from azgen.version import azgen_version

        value: Any = azgen_version()
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), _NAMES.get(name, name))
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
