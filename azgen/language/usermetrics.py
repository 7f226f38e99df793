"""Checks of a user's own metric: its row, its spellings, and what they give on some values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from azgen.errors import AzgenError
from azgen.language.later import numpy as np
from azgen.language.metrics import UserMetric
from azgen.language.userops import check_lane_expression, fields_of, needs

C_FUNCTIONS = ("atan", "exp", "fabs", "fmax", "fmin", "log", "sqrt", "tanh")
"""What the C spelling of a fitness may call, besides + - * / and parentheses."""

_LOSSES = (0.0, 1e-3, 0.1, 0.5, 1.0, 2.0, 10.0, 1e4)


def check_metric(metric: UserMetric) -> None:
    """Checks one metric. That generated C gives the same is tried when it is compiled
    (azgen/execution/verify.py).

    Raises:
        AzgenError: names what is wrong.
    """
    need = needs(f"metric {metric.name!r}")
    need(
        isinstance(metric.name, str) and re.fullmatch(r"[a-z][a-z0-9-]*", metric.name) is not None,
        "its name must begin with a small letter and have small letters, digits and -",
    )
    need(
        metric.kind in ("regression", "classification"),
        f'the kind is {metric.kind!r}; it must be "regression" or "classification"',
    )
    one_line = isinstance(metric.doc, str) and bool(metric.doc.strip()) and "\n" not in metric.doc
    need(one_line, "doc must be one sentence")
    for what, text, wanted in (
        ("cython", metric.cython, {"label", "prediction"}),
        ("c", metric.c, {"loss"}),
    ):
        found = set(_attempt(metric, what, partial(fields_of, text)))
        need(
            found == wanted, f"{what} {text!r} has the fields {sorted(found)}; it must have {sorted(wanted)}"
        )
    check_lane_expression(metric.cython, ("label", "prediction"), need)
    _check_c(metric.c, need)
    _check_values(metric, need)


def _check_c(text: str, need: Callable[[bool, str], None]) -> None:
    rest = text.format(loss="")
    without_numbers = re.sub(r"\b[0-9]+\.[0-9]*(e-?[0-9]+)?", "", rest)
    names = set(re.findall(r"[A-Za-z_]\w*", without_numbers))
    need(
        names <= set(C_FUNCTIONS),
        f"c {text!r} uses {', '.join(sorted(names - set(C_FUNCTIONS)))}; it may call "
        f"{', '.join(C_FUNCTIONS)}",
    )
    need(
        re.search(r"[0-9]", without_numbers) is None
        and re.fullmatch(r"[\w\s+\-*/(),.]*", without_numbers) is not None,
        f"c {text!r}: numbers are written with a point, as 1.0, and operators are + - * /",
    )


def _check_values(metric: UserMetric, need: Callable[[bool, str], None]) -> None:
    for dtype in ("float32", "float64"):
        number = np.dtype(dtype).type
        for label, prediction in ((0.0, 0.25), (1.0, 0.75), (1.0, 0.5)):
            with np.errstate(all="ignore"):
                loss = _attempt(metric, "loss", partial(metric.loss, number(label), number(prediction)))
            need(np.shape(loss) == (), f"its loss has the shape {np.shape(loss)}; it must be one number")
            need(not loss < 0, f"its loss of {label:g} and {prediction:g} is {loss}; it must be at least 0")
            found = np.asarray(loss).dtype
            need(found == dtype, f"its loss makes {found} of {dtype}; it must keep the number type")
    fitness = [_attempt(metric, "fitness", partial(_number, metric.fitness, loss)) for loss in _LOSSES]
    for loss, value in zip(_LOSSES, fitness, strict=True):
        need(0 <= value <= 1, f"its fitness of a mean loss of {loss:g} is {value}; it must lie in [0, 1]")
    falls = sorted(fitness, reverse=True) == fitness
    need(falls, f"its fitness does not fall with the loss: {fitness} for {list(_LOSSES)}")


def _number(function: Callable[[float], Any], value: float) -> float:
    result = float(function(value))
    return math.inf if math.isnan(result) else result


def _attempt(metric: UserMetric, what: str, function: Callable[[], Any]) -> Any:
    try:
        return function()
    except Exception as error:
        raise AzgenError(f"metric {metric.name!r}: {what} fails: {type(error).__name__}: {error}") from None
