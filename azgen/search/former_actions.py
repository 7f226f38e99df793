"""Checkpoints that knew fewer mutation actions, as if they had known those of today, which never happened."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.search.trail import MUTATIONS
from azgen.settings.evolution import ACTIONS

_KINDS = ("trail.actions", "trail.member_actions", "emigrants.chains.actions", "emigrants.chains.since")
"""Arrays of kinds of mutations, a bit each (`azgen.search.trail`)."""


def with_all_actions(arrays: Mapping[str, NDArray[Any]], known: Collection[str]) -> dict[str, NDArray[Any]]:
    """A checkpoint's arrays, with a place for every action; those of another shape are left to their readers.

    Args:
        arrays: all of the checkpoint's.
        known: the actions that its settings name.
    """
    found = dict(arrays)
    before = [action for action in ACTIONS if action in known]
    if len(before) == len(ACTIONS):
        return found
    kinds = [*before, "crossover"]
    for name in _KINDS:
        if name in found and found[name].dtype == np.uint64:
            found[name] = _moved(found[name], [MUTATIONS.index(kind) for kind in kinds])
    credit = found.get("credit")  # [island, tried and gained, action]
    if credit is not None and credit.ndim == 3 and credit.shape[2] == len(before):
        found["credit"] = np.zeros((*credit.shape[:2], len(ACTIONS)), credit.dtype)
        found["credit"][..., [ACTIONS.index(action) for action in before]] = credit
    return found


def _moved(bits: NDArray[np.uint64], places: list[int]) -> NDArray[np.uint64]:
    """Bits, each at its new place."""
    moved = np.zeros_like(bits)
    for bit, place in enumerate(places):
        moved |= (bits >> np.uint64(bit) & np.uint64(1)) << np.uint64(place)
    return moved
