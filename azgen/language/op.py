"""What a row of the op table says, and a table of rows, by id and by name. The table itself is ops.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from azgen.errors import AzgenError

Cost = Callable[[int], float]

FAMILIES = (
    *(
        "sum",
        "difference",
        "product",
        "quotient",
        "reciprocal",
        "absolute",
        "minimum",
        "maximum",
        "step",
        "function",
    ),
    *("inner_product", "outer_product", "matrix_product", "transpose", "broadcast", "columns", "rows"),
    *("norm", "column_norm", "row_norm", "mean", "row_mean", "st_dev", "row_st_dev"),
    *("constant", "element", "uniform", "normal"),
)
"""What ops do: the first line entry by entry ("function" is one of a scalar, named by the op)."""

FIRST_ID = 1000
"""First id of a user's own ops; those below belong to azgen."""


@dataclass(frozen=True, eq=False)
class Op:
    """One basic operation and its spelling in each of azgen's languages.

    Attributes:
        id: number in the table; the original's numbering for 0 to 64, 1000 and up for a user's own ops.
        name: the op's name, also the name of its function in generated source.
        signature: operand types and result type, for example ``"vv -> s"``; ``" -> s"`` has no operands.
        listing: right-hand side of a line of program text, with ``{a}``, ``{b}`` for operands and ``{x}``,
            ``{y}``, ``{z}`` for constants.
        numpy: what the op means, on one task's values (scalars, arrays of F, arrays of F x F). Stochastic ops
            take ``(generator, x, y, shape)``, element setters ``(old value, position..., new value)``.
        cython: spelling in generated source. With ``{out}`` a whole statement; without, an expression: of the
            result when that is a scalar, otherwise of one entry of it, in terms of the operands' entries.
        python: NumPy expression used in exported modules (element setters: a statement on ``{out}``). It may
            name what such a module defines: DTYPE (the number type), minimum, maximum (with this table's
            meaning), rng and n_features.
        cost: static cost for a given F, in units of one multiplication; the train budget adds these up.
        doc: one sentence for people.
        constants: kinds of the constants x, y, z: "value", "index" (fraction in [0, 1) of F), "mean",
            "stdev", "low", "high".
        target: left-hand side of the text, ``{out}`` unless the op writes one element.
        commutative: exchanging the operands never changes the result, not even by rounding.
        family: what the op does, whatever the types of its operands, as one of `FAMILIES`; empty for a
            user's own ops and no_op. What recognises ops, such as export, goes by it.
        fused: what it means by fused multiply-add (`Conditions.fused`), where that is another thing: of sums
            of products.
    """

    id: int
    name: str
    signature: str
    listing: str
    numpy: Callable[..., Any]
    cython: str
    python: str
    cost: Cost
    doc: str
    constants: tuple[str, ...] = ()
    target: str = "{out}"
    commutative: bool = False
    family: str = ""
    fused: Callable[..., Any] | None = None

    @cached_property
    def operands(self) -> str:
        """Types of the operands, for example ``"vv"``; empty for constants and random draws."""
        return self.signature.split("->")[0].strip()

    @cached_property
    def result(self) -> str:
        """Type of the result: ``"s"``, ``"v"``, ``"m"``, or empty for no_op."""
        return self.signature.split("->")[1].strip()

    @cached_property
    def stochastic(self) -> bool:
        """Whether the op draws random numbers."""
        return self.constants in (("low", "high"), ("mean", "stdev"))

    @cached_property
    def keeps_rest(self) -> bool:
        """Whether the op sets one element of its target and keeps the others."""
        return "index" in self.constants

    def __repr__(self) -> str:
        return f"<Op {self.id} {self.name}: {self.signature}>"


class OpTable:
    """Ops by id and by name, in the order of their ids."""

    def __init__(self, ops: Iterable[Op]):
        self._by_id: dict[int, Op] = {}
        self._by_name: dict[str, Op] = {}
        for op in ops:
            if op.id in self._by_id or op.name in self._by_name:
                raise AzgenError(
                    f"op {op.id} ({op.name}) is declared twice; ids and names of ops must be unique"
                )
            self._by_id[op.id] = op
            self._by_name[op.name] = op

    def __iter__(self) -> Iterator[Op]:
        return iter(sorted(self._by_id.values(), key=lambda op: op.id))

    def __len__(self) -> int:
        return len(self._by_id)

    def __getitem__(self, key: int | str) -> Op:
        """The op with this id or name.

        Raises:
            AzgenError: no such op.
        """
        found = self._by_id.get(key) if isinstance(key, int) else self._by_name.get(key)
        if found is None:
            raise AzgenError(f"there is no op {key!r}; `azgen ops` lists them all")
        return found

    def extended(self, ops: Iterable[Op]) -> OpTable:
        """A table with these ops added.

        Raises:
            AzgenError: an id or a name is taken.
        """
        return OpTable([*self, *ops])
