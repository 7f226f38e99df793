"""Which values of a program are finite whatever it is fed with, so that x - x and 0 * x are 0 and not NaN."""

from __future__ import annotations

import math

from azgen.exports.flow import Flow, Value
from azgen.language import Address

_KEEPING = (
    "absolute",
    "broadcast",
    "columns",
    "rows",
    "transpose",
    "minimum",
    "maximum",
    "sigmoid",
    "softmax",
)
"""Families that make something finite of what is finite. A sum or a product may overflow."""

_BOUNDED = ("sin", "cos", "arctan")
"""Functions of a scalar that do too."""

_LARGEST = 1e30
"""Draws between bounds, or with a mean and a standard deviation, below this do not overflow."""


def finite_values(flow: Flow) -> frozenset[Value]:
    """The values that are finite for certain.

    Features and labels are: the exported module and azgen refuse others. What is kept from call to call is
    finite if it starts so and everything that is ever kept in its place is; the largest set of such addresses
    is found by taking out of all what does not hold.
    """
    kept = set(flow.attributes)
    while True:
        found = _finite(flow, frozenset(kept))
        lost = {
            address
            for function in flow.functions
            for address, value in function.kept.items()
            if address in kept and value not in found
        }
        if not lost:
            return frozenset(found)
        kept -= lost


def _finite(flow: Flow, kept: frozenset[Address]) -> set[Value]:
    """Finite values, if what is kept at these addresses is."""
    found = set[Value]()
    for value in flow.values():
        for operand in value.operands:
            if operand.leaf and _leaf_is_finite(operand, kept):
                found.add(operand)
        if _leaf_is_finite(value, kept) if value.leaf else _is_finite(value, found):
            found.add(value)
    return found


def _leaf_is_finite(value: Value, kept: frozenset[Address]) -> bool:
    if value.leaf == "constant":
        return math.isfinite(value.parameters[0].value)
    return value.leaf in ("zero", "features", "label") or (value.leaf == "entry" and value.address in kept)


def _is_finite(value: Value, found: set[Value]) -> bool:
    assert value.op
    family = value.op.family
    if family == "step":
        return True  # 0 or 1, of NaN too
    if value.op.stochastic:
        return all(abs(parameter.value) < _LARGEST for parameter in value.parameters)
    keeping = family in _KEEPING or (family == "function" and value.op.listing.split("(")[0] in _BOUNDED)
    if family == "element":
        keeping = all(math.isfinite(parameter.value) for parameter in value.parameters)
    return keeping and all(operand in found for operand in value.operands)
