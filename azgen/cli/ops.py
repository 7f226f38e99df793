"""`azgen ops`: the op table, for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from azgen.cli.output import console, grid
from azgen.errors import AzgenError, suggest
from azgen.language.instruction import Instruction
from azgen.language.op import Op, OpTable
from azgen.language.ops import OPS
from azgen.language.userfile import load_user_file

_FEATURES = (4, 16, 64)


def ops_command(name: str | None, ops: str | None) -> None:
    """Lists the ops, or explains one."""
    to, table = console(), OPS
    if ops is not None:
        # Half a second of imports that without a file nothing needs.
        from azgen.execution.verify import verify

        user = load_user_file(ops)
        for dtype in ("float32", "float64"):
            verify(user, dtype)
        table = user.table
    if name is None:
        to.print(_table(list(table)))
        if ops is not None and user.metrics:
            rows = [(metric.name, metric.kind, metric.doc) for metric in user.metrics.values()]
            to.print()
            to.print(grid(rows, "metric", "of", "fitness"))
        to.print("\ns: scalar, v: vector of F entries, m: matrix of F x F entries; F: number of features")
        return
    found = find_ops(name, table)
    if len(found) > 1:
        to.print(_table(found))
        return
    op = found[0]
    costs = ", ".join(f"{op.cost(n):g} at F = {n}" for n in _FEATURES)
    to.print(f"{op.name} (op {op.id})", style="bold")
    to.print(op.doc + "\n")
    to.print(
        grid(
            [
                ("types", op.signature.strip()),
                ("as printed", example(op)),
                ("constants", ", ".join(op.constants) or "none"),
                ("generated Cython", op.cython),
                ("exported Python", op.python),
                ("cost", f"{costs} (in multiplications)"),
                ("commutative", "yes" if op.commutative else "no"),
                ("random draws", "yes" if op.stochastic else "no"),
            ]
        )
    )


def _table(ops: Sequence[Op]) -> Table:
    rows = [(str(op.id), op.name, op.signature.strip(), example(op), op.doc) for op in ops]
    return grid(rows, "id", "op", "types", "as printed", "meaning", right=(0,))


def find_ops(name: str, table: OpTable) -> list[Op]:
    """The op of this name or id; without one, all ops whose name or printed form contains the text.

    Raises:
        AzgenError: no such op; suggests one.
    """
    exact = [op for op in table if name in (op.name, str(op.id))]
    found = exact or [op for op in table if name in op.name or f"{name}(" in op.listing]
    if not found:
        hint = suggest(name, (op.name for op in table)) or "`azgen ops` lists them all"
        raise AzgenError(f"there is no op {name!r}. {hint}")
    return found


def example(op: Op) -> str:
    """The op as a line of program text, on some addresses."""
    constants = tuple(
        0.5 if kind == "index" else 0.25 * (place + 1) for place, kind in enumerate(op.constants)
    )
    return str(Instruction(op, 3, 1, 2, constants))
