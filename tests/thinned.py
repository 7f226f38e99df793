"""Sweeps of which the usual tests take a few cases, and `make experiments` all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest


def few_of(cases: Sequence[Any], *usual: Any) -> list[Any]:
    """Cases for `parametrize`, those that are not usual marked as slow."""
    unknown = [case for case in usual if case not in cases]
    assert not unknown, f"there are no cases {unknown}"
    return [case if case in usual else _slow(case) for case in cases]


def _slow(case: Any) -> Any:
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.slow)
