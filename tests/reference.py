"""The language's meaning in forty lines: one instruction at a time, straight from the op table's `numpy`."""

from __future__ import annotations

from typing import Any

import numpy as np

from azgen.language import Program
from azgen.language.meaning import softmax
from azgen.language.random import Generator, task_state

NUMPY_SUMS = {
    "vector_inner_product": np.dot,
    "matrix_vector_product": np.dot,
    "matrix_matrix_product": np.matmul,
    "vector_norm": np.linalg.norm,
    "matrix_norm": np.linalg.norm,
    "matrix_row_norm": lambda a: np.linalg.norm(a, axis=1),
    "matrix_column_norm": lambda a: np.linalg.norm(a, axis=0),
    "vector_mean": np.mean,
    "matrix_mean": np.mean,
    "matrix_row_mean": lambda a: np.mean(a, axis=1),
    "vector_st_dev": np.std,
    "matrix_st_dev": np.std,
    "matrix_row_st_dev": lambda a: np.std(a, axis=1),
}
"""The same sums added up in another order: a program that this changes visibly amplifies rounding errors."""


def predictions(
    program: Program,
    x_train: Any,
    y_train: Any,
    x_valid: Any,
    metric: str = "rmse",
    *,
    dtype: str = "float64",
    seed: int = 0,
    meanings: dict[str, Any] | None = None,
) -> Any:
    """Validation predictions of a program, which is executed as it is, dead code included."""
    number, F, form = np.dtype(dtype).type, x_train.shape[1], program.form
    x_train, y_train, x_valid = (np.asarray(a).astype(dtype) for a in (x_train, y_train, x_valid))
    shapes = {"s": (), "v": (F,), "m": (F, F)}
    cells = {f"{k}{i}": np.zeros(shapes[k], dtype)[()] for k in shapes for i in range(program.memory.of(k))}
    generator = Generator(task_state(seed, 0), dtype)

    def run(function: Any) -> None:
        for instruction in function:
            op = instruction.op
            constants = [
                value if kind == "index" else number(value)
                for kind, value in zip(op.constants, instruction.constants, strict=True)
            ]
            inputs = [cells[str(address)] for address in instruction.reads] + constants
            if op.stochastic:
                inputs = [generator, *constants, shapes[op.result]]
            if op.name == "scalar_broadcast":
                inputs.append(F)
            result = (meanings or {}).get(op.name, op.numpy)(*inputs)
            if instruction.writes:
                cells[str(instruction.writes)] = result

    def predict(features: Any) -> Any:
        cells["v0"], cells[str(form.label)] = features, padded(np.zeros_like(y_train[0]))
        run(program.predict)
        at = str(form.prediction)
        if y_train.ndim == 2:
            cells[at] = padded(softmax(cells[at][:C], C))
            return cells[at][:C]
        if metric == "accuracy":
            cells[at] = number(1) / (number(1) + np.exp(-cells[at]))
        return cells[at]

    C = y_train.shape[-1]

    def padded(a: Any) -> Any:
        return np.append(a, np.zeros(F - C, dtype)) if a.ndim else a

    with np.errstate(all="ignore"):
        run(program.setup)
        for features, label in zip(x_train, y_train, strict=True):
            predict(features)
            cells[str(form.label)] = padded(label)
            run(program.learn)
        return np.array([predict(features) for features in x_valid], dtype=float)


def examples(seed: int, F: int, metric: str, n_train: int = 8, n_valid: int = 4) -> tuple[Any, Any, Any]:
    """Some training features, their labels, and validation features."""
    rng = np.random.default_rng((seed, F))
    x = rng.normal(size=(n_train + n_valid, F))
    y = rng.normal(size=n_train)
    if metric == "accuracy":
        y = (y > 0).astype(float)
        y[:2] = 0.0, 1.0
    return x[:n_train], y, x[n_train:]
